"""Servers that come from names: what is looked up, and what becomes of traffic meanwhile."""
import os
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

from daemon import PROGRAM, WRAP
from nameserver import Nameserver, servfail, silence
from waits import PATIENCE_S, SLOWDOWN, until, within


def gateway(scene, names, upstream, more="", timeout="1s", **options):
    """A daemon with `GET /x`, which calls upstream u by this nameserver."""
    return scene.gatherd(config_of(names, upstream, more, timeout), **options)


def config_of(names, upstream, more="", timeout="1s"):
    return (f"resolver: {{servers: [\"127.0.0.1:{names.port}\"], timeout: {timeout}, "
            "min_ttl: 100ms}\n"
            f"upstreams:\n  u: {upstream}\n{more}"
            "routes:\n  GET /x: {calls: {u: u/x}}\n")


def name_of(daemon, upstream="u"):
    return daemon.upstream(upstream)["names"][0]


def addresses(daemon):
    return sorted(server["address"] for server in daemon.upstream("u")["servers"])


def ask(daemon):
    answer = daemon.get("/x")
    return answer.json()["u"] if answer.status == 200 else answer.json()["class"]


def who(host, port=0):
    """What makes an origin at an address that says which one it is."""
    return {"answer": lambda exchange: exchange.reply(host), "port": port, "host": host}


def two_origins(scene):
    first = scene.origin(**who("127.0.0.1"))
    return first, scene.origin(**who("127.0.0.2", first.port))


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_each_address_of_a_name_is_a_server(scene):
    names, (one, two) = scene.keep(Nameserver()), two_origins(scene)
    names.set("users.test", A=["127.0.0.1", "127.0.0.2"])
    daemon = gateway(scene, names, f"{{dns: \"users.test:{one.port}\"}}")
    assert {ask(daemon) for _ in range(4)} == {"127.0.0.1", "127.0.0.2"}
    assert one.requests[0].header("host") == f"users.test:{one.port}"
    assert addresses(daemon) == [f"127.0.0.1:{one.port}", f"127.0.0.2:{two.port}"]
    shown = name_of(daemon)
    assert shown["name"] == f"users.test:{one.port}" and shown["addresses"] == 2, shown
    assert shown["error"] is None and shown["resolved"], shown
    metrics = daemon.admin("/metrics").body.decode()
    assert f'gatherd_name_addresses{{upstream="u",name="users.test:{one.port}"}} 2' in metrics
    assert f'server="127.0.0.2:{one.port}"' in metrics


def test_a_name_in_servers_is_one_server_with_all_its_addresses(scene):
    names, (one, _) = scene.keep(Nameserver()), two_origins(scene)
    names.set("users.test", A=["127.0.0.3", "127.0.0.1"])
    daemon = gateway(scene, names, f"http://users.test:{one.port}")
    assert ask(daemon) == "127.0.0.1"  # nobody listens at the first
    server, = daemon.upstream("u")["servers"]
    assert server["address"] == f"users.test:{one.port}"
    assert sorted(server["addresses"]) == [f"127.0.0.1:{one.port}", f"127.0.0.3:{one.port}"]
    assert server["connect_failures"] == 0


def test_ipv6_addresses_are_found(scene):
    if not has_ipv6():
        return
    names = scene.keep(Nameserver())
    origin = scene.origin(**who("::1"))
    names.set("six.test", AAAA=["::1"])
    daemon = gateway(scene, names, f"{{dns: \"six.test:{origin.port}\"}}")
    assert ask(daemon) == "::1"
    assert addresses(daemon) == [f"[::1]:{origin.port}"]


def test_the_targets_of_a_service_are_servers_by_priority(scene):
    names, one, two = scene.keep(Nameserver()), scene.origin(**who("127.0.0.1")), scene.origin(
        **who("127.0.0.2"))
    names.set("_http._tcp.users.test", SRV=[(10, 5, one.port, "A.users.test"),
                                           (20, 0, two.port, "b.users.test")])
    names.set("a.users.test", A=["127.0.0.1"])
    names.set("b.users.test", A=["127.0.0.2"])
    daemon = gateway(scene, names, "{srv: _http._tcp.users.test}")
    assert [ask(daemon) for _ in range(4)] == ["127.0.0.1"] * 4
    assert one.requests[0].header("host") == "users.test"
    first = next(s for s in daemon.upstream("u")["servers"]
                 if s["address"] == f"a.users.test:{one.port}")
    assert (first["priority"], first["weight"]) == (10, 5), first
    names.set("_http._tcp.users.test", SRV=[(20, 0, two.port, "b.users.test")])
    until(lambda: ask(daemon) == "127.0.0.2", "the other target")


def test_the_hosts_file_counts_more(scene):
    names, (one, _) = scene.keep(Nameserver()), two_origins(scene)
    names.set("users.test", A=["127.0.0.1"])
    with tempfile.NamedTemporaryFile("w", suffix=".hosts") as hosts:
        hosts.write("# those here\n127.0.0.2 other.test Users.Test\n")
        hosts.flush()
        daemon = gateway(scene, names, f"{{dns: \"users.test:{one.port}\"}}",
                         env={"CARES_HOSTS": hosts.name})
        assert ask(daemon) == "127.0.0.2"
        assert names.queries == []


def test_literals_ask_nobody(scene):
    names, (one, _) = scene.keep(Nameserver()), two_origins(scene)
    daemon = gateway(scene, names, f"[\"http://127.0.0.1:{one.port}\"]")
    assert ask(daemon) == "127.0.0.1"
    assert "names" not in daemon.upstream("u") and names.queries == []


def test_a_change_is_picked_up_and_no_request_fails(scene):
    names, (one, two) = scene.keep(Nameserver()), two_origins(scene)
    names.set("users.test", A=["127.0.0.1"], ttl=1)
    daemon = gateway(scene, names, f"{{dns: \"users.test:{one.port}\"}}", workers=2)
    answers, over = [], threading.Event()

    def load():
        with daemon.client() as client:
            while not over.is_set():
                answers.append(client.get("/x").status)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    one.wait_requests(20)
    names.set("users.test", A=["127.0.0.2"], ttl=1)
    changed = time.monotonic()
    took = two.wait_requests(1).time - changed
    one.wait_connections(0)
    one.stop()
    two.wait_requests(200)
    over.set()
    for thread in threads:
        thread.join()
    assert took < within(2), took  # its TTL and a second
    assert set(answers) == {200}, {status: answers.count(status) for status in set(answers)}
    assert addresses(daemon) == [f"127.0.0.2:{one.port}"]
    assert name_of(daemon)["changes"] == 2
    assert any("users.test is at 127.0.0.2" in line for line in daemon.lines)


def test_what_is_leased_when_its_address_goes_ends_first(scene):
    names, release = scene.keep(Nameserver()), threading.Event()
    one = scene.origin(host="127.0.0.1", answer=lambda exchange: (
        release.wait(PATIENCE_S), exchange.reply("late")))
    two = scene.origin(**who("127.0.0.2", one.port))
    names.set("users.test", A=["127.0.0.1"])
    daemon = gateway(scene, names, f"{{dns: \"users.test:{one.port}\", timeout: 20s}}",
                     "defaults: {timeout: 20s}\n")
    got = []
    thread = threading.Thread(target=lambda: got.append(ask(daemon)))
    thread.start()
    one.wait_requests(1)
    names.set("users.test", A=["127.0.0.2"])
    until(lambda: f"127.0.0.2:{two.port}" in addresses(daemon), "the new address")
    gone = next(s for s in daemon.upstream("u")["servers"] if s.get("gone"))
    assert gone["sessions"]["leased"] == 1, gone
    assert ask(daemon) == "127.0.0.2"
    release.set()
    thread.join()
    assert got == ["late"]
    one.wait_connections(0)
    assert addresses(daemon) == [f"127.0.0.2:{two.port}"]


def test_a_name_that_comes_later_is_found_later(scene):
    names, (one, _) = scene.keep(Nameserver()), two_origins(scene)
    daemon = gateway(scene, names, f"{{dns: \"users.test:{one.port}\"}}")
    assert ask(daemon) == "connect"
    shown = name_of(daemon)
    assert shown["error"] == "there is no such name" and shown["resolved"] is None, shown
    assert daemon.upstream("u")["servers"] == []
    names.set("users.test", A=["127.0.0.1"])
    until(lambda: ask(daemon) == "127.0.0.1", "the name")
    assert any("cannot be looked up: there is no such name" in line for line in daemon.lines)
    assert any("can be looked up again" in line for line in daemon.lines)


def test_the_last_answer_is_kept_while_lookups_fail(scene):
    names, (one, _) = scene.keep(Nameserver()), two_origins(scene)
    names.set("users.test", A=["127.0.0.1"])
    daemon = gateway(scene, names, f"{{dns: \"users.test:{one.port}\"}}",
                     timeout="200ms")
    for spoil, why in ((servfail, "no nameserver could be reached, or each of them failed"),
                       (silence, "no nameserver answered in time"),
                       (None, "there is no such name")):
        if spoil is None:
            names.forget("users.test")
        names.fail(spoil)
        until(lambda why=why: name_of(daemon)["error"] == why, why)
        assert ask(daemon) == "127.0.0.1"
        assert addresses(daemon) == [f"127.0.0.1:{one.port}"]
    assert name_of(daemon)["failures"] >= 3
    names.set("users.test", A=["127.0.0.2"])
    until(lambda: ask(daemon) == "127.0.0.2", "the new answer", 15)


def garbage():
    """What a nameserver should not say, by name."""
    def cut(_, honest, __):
        return honest[:-3]

    def other_id(_, honest, __):
        return bytes([honest[0] ^ 1]) + honest[1:]

    def loop(query, _, __):
        return query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + query[12:] + \
            struct.pack("!HHHIH", 0xC000 | len(query), 1, 1, 60, 4) + b"\x7f\0\0\3"

    def count(_, honest, __):
        return honest[:6] + b"\xff\xff" + honest[8:]

    def huge(query, honest, by_tcp):
        if not by_tcp:
            return honest[:2] + b"\x83\x80" + honest[4:6] + bytes(6) + query[12:]
        return honest[:2] + b"\x81\x80" + honest[4:6] + bytes(6) + query[12:] + b"\xff" * 65000

    return {"cut": cut, "other id": other_id, "loop": loop, "count": count, "huge": huge,
            "noise": lambda *_: os.urandom(300), "short": lambda query, *_: query[:5],
            "nothing": lambda *_: b""}


def test_answers_that_are_not_valid_change_nothing(scene):
    names, (one, _) = scene.keep(Nameserver()), two_origins(scene)
    names.set("users.test", A=["127.0.0.1"])
    daemon = gateway(scene, names, f"{{dns: \"users.test:{one.port}\"}}",
                     timeout="200ms")
    for what, spoil in garbage().items():
        names.fail(spoil)
        failures = name_of(daemon)["failures"]
        until(lambda failures=failures: name_of(daemon)["failures"] > failures, what, 15)
        assert ask(daemon) == "127.0.0.1", what
        names.fail(None)
        until(lambda: name_of(daemon)["error"] is None, f"recovery from {what}", 15)
    assert addresses(daemon) == [f"127.0.0.1:{one.port}"]


def test_a_first_address_that_does_not_answer_costs_once(scene):
    names, (one, _) = scene.keep(Nameserver()), two_origins(scene)
    black = socket.socket()
    black.bind(("127.0.0.3", one.port))
    black.listen(0)
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:  # takes up its backlog, so that it answers nobody else
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.3", one.port))
    names.set("users.test", A=["127.0.0.3", "127.0.0.1"], ttl=60)
    daemon = gateway(scene, names, f"{{servers: \"http://users.test:{one.port}\", "
                                   "connect_timeout: 5s, pool: {idle: 0}}")
    times = []
    for _ in range(3):
        start = time.monotonic()
        assert ask(daemon) == "127.0.0.1"
        times.append(time.monotonic() - start)
    for sock in (*fillers, black):
        sock.close()
    assert times[0] >= 0.24 and max(times[1:]) < max(within(0.2), 0.24), times
    assert daemon.server("u")["connect_failures"] == 0


def test_more_addresses_than_there_is_room_for_are_left_out(scene):
    names, origin = scene.keep(Nameserver()), scene.origin(
        answer=lambda exchange: exchange.reply("any"), host="0.0.0.0")
    names.set("many.test", A=[f"127.0.1.{n}" for n in range(1, 101)], ttl=60)
    daemon = gateway(scene, names, f"{{dns: \"many.test:{origin.port}\"}}")
    assert names.tcp_queries >= 1  # such an answer does not fit into a datagram
    assert len(daemon.upstream("u")["servers"]) == 64
    shown = name_of(daemon)
    assert (shown["addresses"], shown["left_out"]) == (64, 36), shown
    assert ask(daemon) == "any"
    assert any("36 of the addresses of many.test are not used" in line for line in daemon.lines)


def test_capitals_make_no_difference(scene):
    names, (one, _) = scene.keep(Nameserver()), two_origins(scene)
    names.set("users.test", A=["127.0.0.1"])
    daemon = gateway(scene, names, f"{{dns: \"USERS.Test:{one.port}\"}}")
    assert ask(daemon) == "127.0.0.1"


def test_a_dead_nameserver_does_not_keep_it_from_starting(scene):
    names, (one, _) = scene.keep(Nameserver()), two_origins(scene)
    names.set("users.test", A=["127.0.0.1"])
    names.fail(silence)
    start = time.monotonic()
    daemon = gateway(scene, names, f"{{dns: \"users.test:{one.port}\"}}",
                     f"  v: http://127.0.0.1:{one.port}\n")
    assert time.monotonic() - start < within(3)
    assert ask(daemon) == "connect"
    names.fail(None)
    until(lambda: ask(daemon) == "127.0.0.1", "the name")


def test_a_signal_ends_the_wait_for_names(scene):
    names = scene.keep(Nameserver())
    names.fail(silence)
    config = config_of(names, "{dns: \"users.test:80\"}", timeout="60s")
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("listen: http://127.0.0.1:0\nadmin: off\n" + config)
        file.flush()
        with subprocess.Popen([*WRAP, PROGRAM, "run", "-c", file.name], text=True,
                              stderr=subprocess.PIPE) as process:
            names.wait_queries(1)
            process.send_signal(signal.SIGTERM)
            log = process.communicate(timeout=PATIENCE_S)[1]
    assert process.returncode == 0 and "ready" not in log, log


def test_a_reload_keeps_what_is_known_and_waits_for_what_is_not(scene):
    names, (one, two) = scene.keep(Nameserver()), two_origins(scene)
    names.set("users.test", A=["127.0.0.1"], ttl=60)
    names.set("other.test", A=["127.0.0.2"], ttl=60)
    upstream = f"{{dns: \"users.test:{one.port}\"}}"
    daemon = gateway(scene, names, upstream)
    assert ask(daemon) == "127.0.0.1"
    daemon.reload(config_of(
        names, upstream, f"  v: {{dns: \"other.test:{two.port}\"}}\n").replace(
            "routes:\n", "routes:\n  GET /v: {calls: {u: v/x}}\n"))
    assert daemon.get("/v").json() == {"u": "127.0.0.2"}
    assert ask(daemon) == "127.0.0.1"
    assert one.connections == 1  # the pool has stayed


def test_hash_health_and_ejection_work_with_names(scene):
    names, (one, two) = scene.keep(Nameserver()), two_origins(scene)
    names.set("users.test", A=["127.0.0.1", "127.0.0.2"])
    daemon = gateway(scene, names,
                     f"{{dns: \"users.test:{one.port}\", balance: \"hash({{header.x-user}})\", "
                     "health: {get: /healthz, every: 50ms, timeout: 1s, up: 1, down: 1}}")
    for user in ("ada", "bob", "eve"):
        assert len({daemon.get("/x", {"X-User": user}).json()["u"] for _ in range(3)}) == 1
    until(lambda: all(server["health_checks"]["passed"] for server in
                      daemon.upstream("u")["servers"]), "health checks")
    two.stop()
    until(lambda: any(server["state"]["down"] for server in daemon.upstream("u")["servers"]),
          "one that is down")
    assert {daemon.get("/x", {"X-User": user}).json()["u"] for user in
            ("ada", "bob", "eve", "kim")} == {"127.0.0.1"}
    names.set("users.test", A=["127.0.0.1"])
    until(lambda: len(daemon.upstream("u")["servers"]) == 1, "the address goes")
    assert daemon.server("u")["state"]["down"] == 0


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_thousand_upstreams_start_at_once_and_cost_little(scene):
    lines = ["listen: http://127.0.0.1:0", "admin: off", "workers: 1", "upstreams:"]
    for number in range(1000):
        servers = ", ".join(f"\"http://10.{number // 250}.{number % 250}.{server}:80\""
                            for server in range(1, 5))
        lines.append(f"  u{number}: [{servers}]")
    lines += ["routes:", "  GET /x: {calls: {u: u7/x}}"]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        with subprocess.Popen([*WRAP, PROGRAM, "run", "-c", file.name], text=True,
                              stderr=subprocess.PIPE) as process:
            next(line for line in process.stderr if "info: ready" in line)
            cpu, rss = cpu_s(process.pid), rss_bytes(process.pid)
            time.sleep(1)  # of which it needs nothing
            more = cpu_s(process.pid) - cpu
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE_S)
    print(f"# 1,000 upstreams: {cpu * 1000:.0f} ms of CPU until ready, {rss / 2**20:.1f} MiB")
    assert cpu < 0.5 * SLOWDOWN, cpu  # whatever else the machine has to do
    assert more <= 0.02 * SLOWDOWN, more
    if SLOWDOWN == 1:
        assert rss < 20 * 2**20, rss
