"""Operators act on a running gateway, and nobody acts in their name."""
import threading
import urllib.parse

from client import Client
from waits import until


def config(origins, options=()):
    servers = ", ".join(f"\"{origin.url}\"" for origin in origins)
    return "\n".join(["upstreams:", "  users:", f"    servers: [{servers}]",
                      *[f"    {line}" for line in options],
                      "  other:", "    mock: {GET /x: {json: 1}}",
                      "routes:", "  GET /x: {calls: {users: users/a}}",
                      "  /pass: {pass: users/pass}", ""])


def path(origin, action, upstream="users"):
    server = urllib.parse.quote(origin.url.removeprefix("http://"), safe="")
    return f"/upstreams/{upstream}/servers/{server}/{action}"


def act(daemon, origin, action, **options):
    answer = daemon.admin(path(origin, action), "POST", **options)
    assert answer.status == 200, answer.body
    assert answer.header("Content-Type") == "application/json"
    return answer.json()


def browse(daemon, requests):
    """The statuses of so many requests, each on a connection of its own, so that all workers
    have some."""
    return [daemon.get("/x").status for _ in range(requests)]


# --- draining servers -----------------------------------------------------------------------


def test_a_drained_server_gets_no_more_requests_until_it_is_resumed(scene):
    origins = [scene.origin(), scene.origin()]
    daemon = scene.gatherd(config(origins, ["balance: round_robin"]), workers=3)
    until(lambda: browse(daemon, 10) and all(origin.exchanges for origin in origins), "use of both")
    assert act(daemon, origins[1], "drain") == {
        "upstream": "users", "server": f"127.0.0.1:{origins[1].port}", "drained": True}
    before = len(origins[1].exchanges)
    server = daemon.server("users", 1)
    assert server["state"] == {"out": 0, "trial": 0, "down": 0, "drained": 3}
    assert server["sessions"] == {"idle": 0, "leased": 0, "dialling": 0}
    assert browse(daemon, 60) == [200] * 60
    assert daemon.get("/pass").status == 200
    assert len(origins[1].exchanges) == before
    assert f"upstream=\"users\",server=\"127.0.0.1:{origins[1].port}\",state=\"drained\"}} 3" \
        in daemon.admin("/metrics").body.decode()
    assert act(daemon, origins[1], "resume")["drained"] is False
    assert daemon.server("users", 1)["state"]["drained"] == 0
    browse(daemon, 20)
    assert len(origins[1].exchanges) > before
    assert [line for line in daemon.lines if "admin: POST" in line] == [
        f"gatherd: info: admin: POST {path(origins[1], action)} by 127.0.0.1: 200"
        for action in ("drain", "resume")]


def test_what_runs_on_a_drained_server_ends_in_peace(scene):
    go = threading.Event()

    def answer(exchange):
        while not go.wait(0.005):
            exchange.pause(0)
        exchange.reply("done")

    origin = scene.origin(answer)
    daemon = scene.gatherd(config([origin]))
    with daemon.client() as client:
        client.request("GET", "/x")
        origin.wait_requests(1)
        act(daemon, origin, "drain")
        assert daemon.server("users")["sessions"]["leased"] == 1
        go.set()
        assert client.response().json() == {"users": "done"}
    until(lambda: sum(daemon.server("users")["sessions"].values()) == 0, "its connection closed")


def test_without_a_server_left_requests_are_overload_and_the_operator_is_warned(scene):
    origins = [scene.origin(), scene.origin()]
    daemon = scene.gatherd(config(origins), workers=2)
    assert "warning" not in act(daemon, origins[0], "drain")
    assert "no server of users is left" in act(daemon, origins[1], "drain")["warning"]
    for target in ("/x", "/pass"):
        answer = daemon.get(target)
        assert (answer.status, answer.json()["class"]) == (503, "overload")
        assert answer.header("Retry-After")
    assert not origins[0].exchanges and not origins[1].exchanges
    assert daemon.upstream("users")["refused"] == 2
    assert "warning" not in act(daemon, origins[1], "resume")
    assert browse(daemon, 8) == [200] * 8
    assert not origins[0].exchanges


def test_draining_under_load_fails_no_request(scene):
    origins = [scene.origin() for _ in range(3)]
    daemon = scene.gatherd(config(origins, ["pool: {max: 4}", "retry: off"]), workers=2)
    statuses, stop = [], threading.Event()

    def run():
        with daemon.client() as client:
            while not stop.is_set():
                statuses.append(client.get("/x").status)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        for origin in origins:
            act(daemon, origin, "drain")
            act(daemon, origin, "resume")
    stop.set()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200}


def test_a_drained_server_stays_so_when_the_configuration_is_read_again(scene):
    origins = [scene.origin(), scene.origin()]
    daemon = scene.gatherd(config(origins), workers=2)
    act(daemon, origins[0], "drain")
    for options in (["timeout: 3s"], ["balance: round_robin", "pool: {min: 1}"]):
        daemon.reload(config(origins, options))
        assert browse(daemon, 8) == [200] * 8
        until(lambda: daemon.server("users")["state"]["drained"] == 2, "the old plan's end")
    daemon.reload(config(origins[::-1]))
    assert browse(daemon, 8) == [200] * 8
    assert not origins[0].exchanges and origins[0].connections == 0
    act(daemon, origins[0], "resume")
    until(lambda: browse(daemon, 8) and origins[0].exchanges, "use of the server")


def test_health_checks_of_a_drained_server_go_on(scene):
    origin = scene.origin()
    origin.on("/healthz", "fine")
    daemon = scene.gatherd(config([scene.origin(), origin], ["health: {get: /healthz, every: 20ms}"]))
    act(daemon, origin, "drain")
    before = daemon.server("users", 1)["health_checks"]["passed"]
    until(lambda: daemon.server("users", 1)["health_checks"]["passed"] > before + 2, "more checks")
    assert {exchange.request.target for exchange in origin.exchanges} == {"/healthz"}


def test_an_action_goes_on_when_its_client_leaves(scene):
    origin = scene.origin()
    daemon = scene.gatherd(config([origin]), workers=3)
    for _ in range(100):
        for action in ("drain", "resume"):
            client = Client(daemon.admin_port)
            client.request("POST", path(origin, action))
            client.reset()
    act(daemon, origin, "drain")
    assert daemon.server("users")["state"]["drained"] == 3


def test_names_that_are_not_known_are_answered_with_those_that_are(scene):
    origin = scene.origin()
    daemon = scene.gatherd(config([origin]))
    answer = daemon.admin(path(origin, "drain", upstream="user"), "POST")
    assert answer.status == 404 and answer.json()["known"] == ["users", "other"]
    answer = daemon.admin("/upstreams/users/servers/127.0.0.1:1/drain", "POST")
    assert answer.status == 404
    assert answer.json()["known"] == [f"127.0.0.1:{origin.port}"]
    for odd in ("/upstreams/users/servers/x%0Ay/drain", "/upstreams/users/servers//drain",
                "/upstreams/users/servers/a/b/drain", "/upstreams/users/servers/a/stop"):
        assert daemon.admin(odd, "POST").status in (400, 404), odd
    assert "admin: POST" not in daemon.log()


# --- who may act ----------------------------------------------------------------------------


def test_actions_are_never_taken_from_a_get(scene):
    origin = scene.origin()
    daemon = scene.gatherd(config([origin]))
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        answer = daemon.admin(path(origin, "drain"), method)
        assert answer.status == 405 and answer.header("Allow") == "POST", method
    assert daemon.admin("/status", "POST").header("Allow") == "GET, HEAD"
    assert daemon.server("users")["state"]["drained"] == 0


def foreign(port):
    """Headers that a browser sends for a page of somebody else's."""
    return [{"Origin": "https://evil.test"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1"},
            {"Origin": f"http://127.0.0.1:{port + 1}"}, {"Origin": f"http://127.0.0.1:{port}.evil.test"},
            {"Origin": f"http://127.0.0.1:{port}/"}, {"Origin": ""},
            {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
            {"Origin": f"http://127.0.0.1:{port}", "Sec-Fetch-Site": "cross-site"}]


def test_actions_are_not_taken_from_other_sites(scene):
    origin = scene.origin()
    daemon = scene.gatherd(config([origin]))
    own = f"127.0.0.1:{daemon.admin_port}"
    for headers in foreign(daemon.admin_port):
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        answer = raw(daemon, origin, f"Host: {own}\r\n{lines}")
        assert answer.status == 403, headers
    # a name of somebody else's that leads here
    assert raw(daemon, origin, "Host: evil.test\r\nOrigin: http://evil.test\r\n").status == 403
    assert daemon.server("users")["state"]["drained"] == 0
    until(lambda: "warn: admin: POST" in daemon.log(), "it is in the log")
    assert "info: admin: POST" not in daemon.log()


def raw(daemon, origin, lines):
    with Client(daemon.admin_port) as client:
        client.send(f"POST {path(origin, 'drain')} HTTP/1.1\r\n{lines}Content-Length: 0\r\n\r\n")
        return client.response()


def test_actions_of_its_own_pages_and_of_programs_are_taken(scene):
    origin = scene.origin()
    daemon = scene.gatherd(config([origin]))
    for host in (f"127.0.0.1:{daemon.admin_port}", f"localhost:{daemon.admin_port}", "[::1]:9"):
        lines = f"Host: {host}\r\nOrigin: http://{host}\r\nSec-Fetch-Site: same-origin\r\n"
        assert raw(daemon, origin, lines).status == 200
    assert raw(daemon, origin, "Host: admin.test\r\n").status == 200
    assert raw(daemon, origin, "Host: a\r\nContent-Type: application/json\r\n").status == 200


def read_as(daemon, host, target, headers=None):
    with Client(daemon.admin_port, asked=host) as client:
        return client.get(target, headers)


def test_pages_are_not_for_names_that_others_have_pointed_here(scene):
    daemon = scene.gatherd(config([scene.origin()]))
    for target in ("/status", "/metrics", "/requests", "/explain?path=/x", "/config", "/routes"):
        for host in ("evil.test", f"evil.test:{daemon.admin_port}", "127.0.0.1.evil.test", "localhost.evil.test"):
            answer = read_as(daemon, host, target)
            assert answer.status == 403 and "Host" in answer.json()["detail"], (target, host)
        for host in (f"127.0.0.1:{daemon.admin_port}", "LOCALHOST", "[::1]:9", "10.1.2.3"):
            assert read_as(daemon, host, target).status == 200, (target, host)
    for target in ("/", "/healthz", "/readyz"):
        assert read_as(daemon, "evil.test", target).status == 200
    with Client(daemon.admin_port) as client:  # no browser speaks HTTP/1.0
        assert client.send("GET /status HTTP/1.0\r\n\r\n").response().status == 200
    known = scene.gatherd(config([scene.origin()]), token="s3cret")
    assert read_as(known, "gw.test", "/status").status == 401
    assert read_as(known, "gw.test", "/status", known.known).status == 200


def test_actions_are_not_taken_from_forms(scene):
    origin = scene.origin()
    daemon = scene.gatherd(config([origin]))
    for form in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                 "Text/Plain;charset=utf-8"):
        assert daemon.admin(path(origin, "drain"), "POST", {"Content-Type": form}).status == 415
    with Client(daemon.admin_port) as client:
        answer = client.call("POST", path(origin, "drain"), {"Connection": "close"}, b"{}")
        assert answer.status == 413
    assert daemon.server("users")["state"]["drained"] == 0


def test_pages_and_actions_need_the_token(scene):
    origin = scene.origin()
    daemon = scene.gatherd(config([origin]), token="s3cret")
    for authorization in ("", "Bearer", "Bearer wrong", "Basic s3cret", "Bearer s3cret2"):
        headers = {"Authorization": authorization}
        for method, target in (("POST", path(origin, "drain")), ("GET", path(origin, "drain")),
                               ("GET", "/status"), ("POST", "/status")):
            answer = daemon.admin(target, method, headers)
            assert answer.status == 401 and answer.header("WWW-Authenticate") == "Bearer"
        assert daemon.admin("/healthz", headers=headers).status == 200
    act(daemon, origin, "drain")
    # who knows it may come by any name
    assert raw(daemon, origin, "Host: gw.test\r\nOrigin: https://gw.test\r\n"
                               "Authorization: bearer s3cret\r\n").status == 200
    assert raw(daemon, origin, "Host: gw.test\r\nOrigin: https://other.test\r\n"
                               "Authorization: Bearer s3cret\r\n").status == 403
    assert "s3cret" not in daemon.log()
