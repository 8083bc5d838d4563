"""A configuration is read again and taken over whole, while requests go on."""
import os
import signal

from client import Client
from daemon import run_gatherd
from traffic import Traffic
from waits import SLOWDOWN, until


def config(origin, value, more="", upstream=""):
    """One route whose answer has a value of the file beside one of the upstream."""
    return (f"upstreams:\n  up: {{servers: [\"{origin.url}\"]{upstream}}}\n{more}"
            f"routes:\n  GET /x:\n    calls: {{got: up/{value}}}\n"
            f"    respond: {{value: {value}, got: $got.path}}\n")


def whole(answer):
    """What is wrong with an answer that may be of any configuration, but only of one."""
    if answer.status != 200:
        return f"status {answer.status}"
    body = answer.json()
    return "" if body["got"] == f"/{body['value']}" else f"halves of two: {body}"


def test_routes_and_upstreams_change_on_sighup(scene):
    one, two = scene.origin(), scene.origin()
    daemon = scene.gatherd(config(one, 1))
    with daemon.client() as client:
        assert client.get("/x").json() == {"value": 1, "got": "/1"}
        said = daemon.reload(config(two, 2) + "  GET /y: {respond: {new: true}}\n")
        assert said["state"] == "done" and said["warnings"] == []
        assert client.get("/x").json() == {"value": 2, "got": "/2"}
        assert client.get("/y").json() == {"new": True}
        daemon.reload("upstreams: {}\nroutes: {GET /y: {respond: 1}}\n")
        assert client.get("/x").status == 404
        assert client.get("/y").json() == 1
    assert (one.connections, two.connections) == (1, 1)
    assert [route["route"] for route in daemon.status()["routes"]] == ["GET /y"]
    assert daemon.status()["upstreams"] == []


def test_what_is_wrong_is_said_and_changes_nothing(scene):
    daemon = scene.gatherd(config(scene.origin(), 1))
    said = daemon.reload("routes:\n  GET /x: {calls: {a: nobody/x}}\n  GTE /y: {respond: 1}\n")
    assert said["state"] == "refused"
    assert len(said["errors"]) == 2, said
    assert said["errors"][0].startswith(f"{daemon.path}:5:"), said
    assert all(error in daemon.log() for error in said["errors"])
    assert daemon.get("/x").json()["value"] == 1
    metrics = daemon.admin("/metrics").body.decode()
    assert 'gatherd_reloads_total{result="refused"} 1' in metrics
    assert "gatherd_config_refused 1" in metrics
    assert daemon.reload(config(scene.origin(), 2))["state"] == "done"
    assert daemon.get("/x").json()["value"] == 2
    assert "gatherd_config_refused 0" in daemon.admin("/metrics").body.decode()


def test_a_file_that_is_gone_changes_nothing(scene):
    daemon = scene.gatherd(config(scene.origin(), 1))
    os.unlink(daemon.path)
    said = daemon.reload()
    assert said["state"] == "refused" and daemon.path in said["errors"][0]
    assert daemon.get("/x").status == 200


def test_what_needs_a_restart_is_said(scene):
    daemon = scene.gatherd(config(scene.origin(), 1))
    said = daemon.reload("workers: 3\n" + config(scene.origin(), 2))
    assert said["warnings"] == ["workers has changed: only a restart takes it over"]
    assert daemon.get("/x").json()["value"] == 2
    assert daemon.status()["workers"] == 1


def test_pools_of_an_upstream_that_stays_are_kept(scene):
    origin = scene.origin()
    daemon = scene.gatherd(config(origin, 0))
    assert daemon.get("/x").status == 200
    for value in range(1, 20):
        daemon.reload(config(origin, value))
        assert daemon.get("/x").json()["value"] == value
    assert origin.connections == 1
    server = daemon.server("up")
    assert (server["connects"], server["reuses"]) == (1, 19)


def test_an_upstream_that_changes_has_a_new_pool(scene):
    origin = scene.origin()
    daemon = scene.gatherd(config(origin, 1))
    assert daemon.get("/x").status == 200
    daemon.reload(config(origin, 1, upstream=", timeout: 3s"))
    assert daemon.get("/x").status == 200
    assert origin.connections == 2
    until(lambda: daemon.server("up")["sessions"]["idle"] == 1, "the old session is closed")


def test_counters_go_on(scene):
    origin = scene.origin()
    daemon = scene.gatherd(config(origin, 1))
    for _ in range(3):
        assert daemon.get("/x").status == 200
    daemon.reload(config(origin, 2, upstream=", timeout: 3s"))
    for _ in range(2):
        assert daemon.get("/x").status == 200
    assert daemon.route("GET /x")["requests"] == 5
    assert daemon.route("GET /x")["latency_ms"]["count"] == 5
    assert daemon.upstream("up")["calls"] == 5
    assert daemon.server("up")["connects"] == 2
    assert daemon.status()["worker"]["requests"] == 5


def test_a_request_in_flight_ends_by_what_it_began_with(scene):
    origin = scene.origin(lambda exchange: (exchange.pause(0.3), exchange.reply({"path": exchange.request.target})))
    daemon = scene.gatherd(config(origin, 1))
    with daemon.client() as client:
        client.request("GET", "/x")
        origin.wait_requests(1)
        daemon.reload("routes: {GET /y: {respond: 1}}\n")
        assert daemon.get("/x").status == 404
        assert daemon.status()["process"]["configs"] == 2
        assert client.response().json() == {"value": 1, "got": "/1"}
        until(lambda: daemon.status()["process"]["configs"] == 1, "the old one is gone")
        assert client.get("/y").json() == 1


def test_calls_that_start_late_are_those_of_the_old_configuration(scene):
    first = scene.origin(lambda exchange: (exchange.pause(0.3), exchange.reply({"id": 7})))
    second = scene.origin()
    daemon = scene.gatherd(
        f"upstreams: {{a: \"{first.url}\", b: \"{second.url}\"}}\n"
        "routes:\n  GET /x:\n    calls: {one: a/one, two: 'b/of/{one.id}'}\n")
    with daemon.client() as client:
        client.request("GET", "/x")
        first.wait_requests(1)
        daemon.reload("routes: {GET /y: {respond: 1}}\n")
        assert client.response().json() == {"one": {"id": 7}, "two": {"path": "/of/7"}}


def test_a_stream_goes_on_to_its_end(scene):
    """A pass and an event stream of routes and upstreams that are gone meanwhile."""
    def drip(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        exchange.drip(b"x" * 100, 0.005, 2)
    origin = scene.origin().on("/big", drip).on("/slow", lambda exchange: (
        exchange.pause(0.3), exchange.reply("late")))
    daemon = scene.gatherd(f"upstreams: {{up: '{origin.url}'}}\nroutes:\n  GET /p/{{rest...}}: {{pass: 'up/{{rest}}'}}\n"
                           "  GET /e: {calls: {one: up/one, two: up/slow}}\n")
    with daemon.client() as passing, daemon.client() as listening:
        passing.request("GET", "/p/big")
        listening.request("GET", "/e", {"Accept": "application/x-ndjson"})
        origin.wait_requests(3)
        for value in range(3):
            daemon.reload(f"routes: {{GET /y: {{respond: {value}}}}}\n")
        assert passing.response().body == b"x" * 100
        assert b'{"two":"late"}' in listening.response().body.replace(b" ", b"")
        assert passing.get("/y").json() == listening.get("/y").json() == 2
    until(lambda: daemon.status()["process"]["configs"] == 1, "the first one is gone")


def test_an_answer_is_never_made_of_two(scene):
    """A hundred reloads, routes and upstreams changing, beside steady traffic."""
    origins = [scene.origin(), scene.origin()]
    daemon = scene.gatherd(config(origins[0], 0), workers=2)
    with Traffic(daemon.client, "/x", whole) as traffic:
        for value in range(1, 101):
            more = f"  other{value % 3}: {{servers: [\"{origins[0].url}\"], timeout: {value}s}}\n"
            said = daemon.reload(config(origins[value // 10 % 2], value, more))
            assert said["state"] == "done", said
        until(lambda: traffic.answers >= 100, "some traffic")
    assert not traffic.wrong, traffic.wrong[:5]
    assert traffic.opened == len(traffic.threads), traffic.opened
    # A pool for each time that the address changes, and at most a session a client.
    assert sum(origin.connections for origin in origins) <= 11 * 2 * len(traffic.threads)
    assert daemon.status()["process"]["reloads"]["done"] == 100


def test_limits_count_from_now_on(scene):
    daemon = scene.gatherd("routes: {POST /x: {respond: 1}}\n")
    with daemon.client() as client:
        assert client.call("POST", "/x", body=b"x" * 2000).status == 200
        daemon.reload("limits: {body: 1KiB, header_fields: 3}\nroutes: {POST /x: {respond: 1}}\n")
        assert client.call("POST", "/x", body=b"x" * 1000).status == 200
        assert client.call("POST", "/x", body=b"x" * 2000).status == 413
    with daemon.client() as client:
        fields = {f"X-{i}": "y" for i in range(5)}
        assert client.call("POST", "/x", headers=fields).status == 431
        daemon.reload("limits: {header_bytes: 512KiB}\nroutes: {POST /x: {respond: 1}}\n")
    with daemon.client() as client:
        daemon.reload("limits: {header_bytes: 1MiB}\nroutes: {POST /x: {respond: 1}}\n")
        assert client.call("POST", "/x", headers={"X": "y" * 900000}).status == 200


def test_proxies_are_trusted_from_now_on(scene):
    origin = scene.origin(lambda exchange: exchange.reply(exchange.request.header("X-Forwarded-For")))
    text = config(origin, 1).replace("respond: {value: 1, got: $got.path}", "")
    daemon = scene.gatherd(text)
    with daemon.client() as client:
        assert client.get("/x", {"X-Forwarded-For": "10.1.1.1"}).json() == {"got": "127.0.0.1"}
        daemon.reload("trusted_proxies: 127.0.0.0/8\n" + text)
        assert client.get("/x", {"X-Forwarded-For": "10.1.1.1"}).json() == {
            "got": "10.1.1.1, 127.0.0.1"}


def test_cookies_of_an_upstream_that_stays_are_kept(scene):
    origin = scene.origin(lambda exchange: exchange.reply(
        {"path": exchange.request.target, "cookie": exchange.request.header("Cookie")},
        headers={"Set-Cookie": "sid=1"}))
    daemon = scene.gatherd(config(origin, 1, upstream=", cookies: on"))
    assert daemon.get("/x").status == 200
    daemon.reload(config(origin, 2, upstream=", cookies: on"))
    assert daemon.get("/x").status == 200
    assert origin.exchanges[1].request.header("Cookie") == "sid=1"
    assert daemon.upstream("up")["cookies"] == 1 and len(daemon.upstream("up")["jar"]) == 1
    daemon.reload(config(origin, 2, upstream=", cookies: on, timeout: 3s"))
    assert daemon.upstream("up")["jar"] == []
    assert daemon.upstream("up")["cookies"] == 0


def test_mocks_change_and_those_that_stay_go_on(scene):
    text = ("upstreams:\n  a: {mock: {GET /v: {json: VALUE}}}\n  b: {mock: {GET /v: {json: 1}}}\n"
            "routes: {GET /x: {calls: {a: a/v, b: b/v}}}\n")
    daemon = scene.gatherd(text.replace("VALUE", "0"))
    daemon.has_mocks = True
    for value in range(1, 10):
        assert daemon.get("/x").json() == {"a": value - 1, "b": 1}
        daemon.reload(text.replace("VALUE", str(value)))
    assert daemon.get("/x").json() == {"a": 9, "b": 1}
    assert daemon.server("b")["connects"] == 1
    assert daemon.server("a")["connects"] == 10


def test_a_server_that_is_out_stays_out(scene):
    origin = scene.origin(lambda exchange: exchange.reply(1, status=500))
    upstream = ", eject: {errors: 2, for: 60s, max: 100%}, retry: off"
    daemon = scene.gatherd(config(origin, 1, upstream=upstream))
    for _ in range(3):
        assert daemon.get("/x").status == 502
    assert daemon.server("up")["state"]["out"] == 1
    daemon.reload(config(origin, 2, upstream=upstream))
    assert daemon.server("up")["state"]["out"] == 1
    daemon.reload(config(origin, 2, upstream=upstream + ", timeout: 3s"))
    until(lambda: daemon.server("up")["state"]["out"] == 0, "a new one is in")


def test_a_server_that_is_drained_stays_drained(scene):
    one, two = scene.origin(), scene.origin()

    def text(value):
        return (f"upstreams: {{up: ['{one.url}', '{two.url}']}}\n"
                f"routes: {{GET /x: {{calls: {{a: up/x}}, respond: {value}}}}}\n")
    daemon = scene.gatherd(text(1))
    server = one.url.removeprefix("http://")
    assert daemon.admin(f"/upstreams/up/servers/{server}/drain", "POST").status == 200
    daemon.reload(text(2))
    for _ in range(4):
        assert daemon.get("/x").json() == 2
    assert (one.connections, two.connections) == (0, 1)
    assert daemon.server("up")["state"]["drained"] == 1
    assert daemon.admin(f"/upstreams/up/servers/{server}/resume", "POST").status == 200


def test_many_reloads_at_once_are_few(scene):
    origin = scene.origin()
    daemon = scene.gatherd(config(origin, 1))
    daemon.configure(config(origin, 2))
    for _ in range(50):
        daemon.signal(signal.SIGHUP)
    until(lambda: daemon.get("/x").json()["value"] == 2, "the new one")


def test_nothing_of_the_first_configuration_stays(scene):
    """A folder is a descriptor of its configuration; that no more are left than at the start is asked at the
    end of every test."""
    daemon = scene.gatherd("routes: {'GET /f/{path...}': {files: FOLDER}}\n")
    assert daemon.get("/f/gatherd.yaml").status == 200
    daemon.reload("routes: {'GET /g/{path...}': {files: FOLDER}}\n")
    assert daemon.get("/g/gatherd.yaml").status == 200


def test_memory_does_not_grow(scene):
    origin = scene.origin()
    routes = "".join(f"  GET /r{i}: {{calls: {{a: up/a}}}}\n" for i in range(300))
    daemon = scene.gatherd(config(origin, 0) + routes)
    for value in range(1, 31):
        daemon.reload(config(origin, value, upstream=f", timeout: {1 + value % 2}s") + routes)
        assert daemon.get("/x").status == 200
    before = daemon.rss_bytes()
    for value in range(31, 131):
        daemon.reload(config(origin, value, upstream=f", timeout: {1 + value % 2}s") + routes)
        assert daemon.get("/x").status == 200
    if SLOWDOWN == 1:
        assert daemon.rss_bytes() - before < 1 << 20, (before, daemon.rss_bytes())


def test_post_reload_answers_when_it_is_over(scene):
    origin = scene.origin()
    daemon = scene.gatherd(config(origin, 1), workers=2)
    daemon.configure("workers: 3\n" + config(origin, 2))
    answer = daemon.admin("/reload", "POST")
    assert answer.status == 200
    assert answer.json()["state"] == "done"
    assert answer.json()["warnings"] == ["workers has changed: only a restart takes it over"]
    assert daemon.get("/x").json()["value"] == 2
    daemon.configure("routes: {x: 1}\n")
    answer = daemon.admin("/reload", "POST")
    assert (answer.status, answer.json()["state"]) == (422, "refused")
    assert answer.json()["errors"] == daemon.status()["reload"]["errors"]
    assert answer.json()["errors"][0].startswith(f"{daemon.path}:4:10: ")
    assert daemon.admin("/reload").status == 405


def test_reloads_that_meet_are_all_answered(scene):
    origin = scene.origin()
    daemon = scene.gatherd(config(origin, 1), workers=2)
    daemon.configure(config(origin, 2))
    with Client(daemon.admin_port) as one, Client(daemon.admin_port) as two:
        for client in (one, two):
            client.request("POST", "/reload")
        daemon.signal(signal.SIGHUP)
        for client in (one, two):
            assert client.response().json()["state"] == "done"
    assert daemon.get("/x").json()["value"] == 2


def test_the_command_prints_the_outcome(scene):
    daemon = scene.gatherd(config(scene.origin(), 1), token="open-sesame")
    url = f"http://127.0.0.1:{daemon.admin_port}"
    known = {"GATHERD_TOKEN": "open-sesame"}
    done = run_gatherd("reload", url, env=known)
    assert (done.returncode, done.stdout, done.stderr) == (0, "reloaded\n", "")
    daemon.configure("routes: {x: 1}\n")
    done = run_gatherd("reload", url, env=known)
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith(f"{daemon.path}:4:10: routes.x: "), done.stderr
    assert done.stderr.endswith("not reloaded; the configuration before goes on\n")
    done = run_gatherd("reload", url)
    assert done.returncode == 71 and "answers 401" in done.stderr
    done = run_gatherd("reload", "http://127.0.0.1:1")
    assert done.returncode == 71 and "nobody answers at 127.0.0.1:1" in done.stderr
    assert run_gatherd("reload", "a", "b").returncode == 64


def test_while_draining_there_is_none(scene):
    origin = scene.origin(lambda exchange: (exchange.pause(1), exchange.reply({"path": "/1"})))
    daemon = scene.gatherd(config(origin, 1))
    with daemon.client() as client:
        client.request("GET", "/x")
        origin.wait_requests(1)
        daemon.signal(signal.SIGTERM)
        until(lambda: daemon.admin("/readyz").status == 503, "draining")
        answer = daemon.admin("/reload", "POST")
        assert answer.status == 409, answer.status
        assert "draining" in answer.json()["errors"][0]
        assert client.response().status == 200
    assert daemon.wait_exit() == 0


def test_two_thousand_routes_hold_no_request_up(scene):
    """While a file is read that takes longer than that, requests go on."""
    origin = scene.origin()
    routes = "".join(f"  GET /r{i}/{{id}}: {{calls: {{a: 'up/a/{{id}}', b: 'up/b/{{a.x}}'}}}}\n" for i in range(2000))
    daemon = scene.gatherd(config(origin, 1) + routes)
    with Traffic(daemon.client, "/x", whole, clients=2, rate=200) as traffic:
        for _ in range(5):
            assert daemon.reload()["state"] == "done"
        until(lambda: len(traffic.times_s) >= 50, "some traffic")
    assert not traffic.wrong, traffic.wrong[:5]
    # A busy machine may take any single one up; a worker that reads would take all of them.
    slow = sum(seconds > 0.05 * SLOWDOWN for seconds in traffic.times_s)
    assert slow <= len(traffic.times_s) / 10, sorted(traffic.times_s)[-10:]
