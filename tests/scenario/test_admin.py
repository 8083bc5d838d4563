"""What operators and their tools see."""
import re

from waits import SLOWDOWN, until

SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9.e+-]+|\+Inf|NaN)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')


def parse_metrics(text):
    """{(name, labels): value} of the Prometheus text format, read strictly."""
    types, samples = {}, {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types, f"{name} has two TYPE lines"
            assert kind in ("counter", "gauge", "histogram"), line
            types[name] = kind
            continue
        name, labels, value = SAMPLE.match(line).groups()
        family = name if name in types else re.sub(r"_(bucket|sum|count)$", "", name)
        assert family in types, f"{line} comes before its TYPE"
        if types[family] == "counter":
            assert family.endswith("_total"), family
        pairs = LABEL.findall(labels or "")
        assert "".join(f'{key}="{text}",' for key, text in pairs) == (labels + "," if labels else "")
        key = (name, tuple(sorted(pairs)))
        assert key not in samples, f"{line} is there twice"
        samples[key] = float(value)
    return samples


def busy_daemon(scene):
    bad = scene.origin(lambda exchange: exchange.reply({}, status=500))
    daemon = scene.gather({"good": scene.origin(), "bad": bad}, calls={"bad": ", optional: true"})
    for _ in range(5):
        daemon.get("/x")
    return daemon


def test_status_counts_what_happened(scene):
    daemon = busy_daemon(scene)
    answer = daemon.admin("/status")
    assert answer.header("Content-Type") == "application/json"
    status = answer.json()
    assert status["state"] == "ready" and status["workers"] == 1
    assert re.match(r"\d+\.\d+\.\d+", status["version"]) and status["uptime_s"] >= 0
    route = daemon.route("GET /x")
    assert (route["requests"], route["in_flight"], route["incomplete"]) == (5, 0, 5)
    assert route["answers"]["2xx"] == 5 and sum(route["answers"].values()) == 5
    latency = route["latency_ms"]
    assert latency["count"] == 5
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["max"]
    good, bad = daemon.upstream("good"), daemon.upstream("bad")
    assert (good["calls"], good["succeeded"], sum(good["failures"].values())) == (5, 5, 0)
    assert (bad["calls"], bad["succeeded"], bad["failures"]["status"]) == (5, 0, 5)
    assert good["servers"][0]["sessions"] == {"idle": 1, "leased": 0, "dialling": 0}


def test_metrics_are_prometheus_text_and_agree_with_status(scene):
    daemon = busy_daemon(scene)
    answer = daemon.admin("/metrics")
    assert answer.header("Content-Type").startswith("text/plain; version=0.0.4")
    samples = parse_metrics(answer.body.decode())
    route = ("route", "GET /x")
    assert samples[("gatherd_route_requests_total", (route,))] == 5
    assert samples[("gatherd_route_answers_total", (route, ("status", "2xx")))] == 5
    assert samples[("gatherd_upstream_failures_total",
                    (("class", "status"), ("upstream", "bad")))] == 5
    buckets = [(float(dict(labels)["le"]), value) for (name, labels), value in samples.items()
               if name == "gatherd_route_seconds_bucket"]
    values = [value for _, value in sorted(buckets)]
    assert values == sorted(values) and values[-1] == 5
    assert samples[("gatherd_route_seconds_count", (route,))] == 5


def test_the_probes_answer(scene):
    daemon = scene.gather({"users": scene.origin()})
    assert daemon.admin("/healthz").status == 200
    assert daemon.admin("/readyz").status == 200


def test_admin_pages_are_only_read(scene):
    daemon = scene.gather({"users": scene.origin()})
    for path in ("/status", "/metrics", "/healthz", "/readyz"):
        for method in ("POST", "PUT", "DELETE"):
            answer = daemon.admin(path, method)
            assert answer.status == 405 and "GET" in answer.header("Allow")
    assert daemon.admin("/nothing").status == 404


def test_admin_pages_are_not_on_the_public_listener(scene):
    daemon = scene.gather({"users": scene.origin()})
    for target in ("/status", "/metrics", "/healthz", "/readyz", "//status", "/%73tatus",
                   "/x/../status", f"http://127.0.0.1:{daemon.admin_port}/status"):
        assert daemon.get(target).status in (400, 404), target


def test_admin_traffic_is_not_counted_as_the_gateways(scene):
    daemon = scene.gather({"users": scene.origin()})
    before = daemon.status()["worker"]
    for _ in range(10):
        daemon.admin("/metrics")
    assert daemon.status()["worker"] == before


def test_admin_answers_while_all_upstreams_hang(scene):
    origin = scene.origin(lambda exchange: exchange.silence())
    daemon = scene.gather({"users": origin}, route="timeout: 20s", upstream=", timeout: 20s")
    clients = [daemon.client().request("GET", "/x") for _ in range(50)]
    origin.wait_requests(50)
    answer = daemon.admin("/status")
    assert answer.elapsed < 1
    assert daemon.route("GET /x")["in_flight"] == 50
    assert daemon.server("users")["sessions"]["leased"] == 50
    for client in clients:
        client.close()


def test_a_debug_log_tells_the_steps_of_a_call_and_why_it_failed(scene):
    origin = scene.origin(lambda exchange: exchange.send(b"SSH-2.0-x\r\n\r\n"))
    daemon = scene.gather({"users": origin}, route="timeout: 30s", log="{level: debug}")
    answer = daemon.get("/x")
    assert answer.status == 502
    call = f"call {answer.header('X-Request-Id')}/users"
    daemon.board.wait(lambda: f"{call} DECODE → ENDED" in daemon.log(), "the last step")
    for line in ("IDLE → EXPAND", "EXPAND → LEASE", "LEASE → EXCHANGE", "EXCHANGE → DECODE"):
        assert f"gatherd: debug: {call} {line}" in daemon.log(), daemon.log()
    assert f"{call}: protocol: " in daemon.log(), daemon.log()


def test_a_large_document_leaves_no_memory_behind(scene):
    """The heap would keep what it was made of, and the process have twice the memory it needs."""
    servers = [[f'"http://10.{number // 250}.{number % 250}.{server}"' for server in range(1, 5)] for number in range(500)]
    daemon = scene.gatherd("upstreams:\n" + "".join(f"  u{number}: [{', '.join(some)}]\n"
                                                    for number, some in enumerate(servers)) +
                           "routes:\n  GET /x: {calls: {a: u1/x}}\n")
    assert len(daemon.admin("/status").body) > 1 << 20
    if SLOWDOWN == 1:  # a sanitizer keeps what was freed
        until(lambda: daemon.rss_bytes() < 20 << 20, "memory is given back")
