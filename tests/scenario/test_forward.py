"""What upstreams hear of the client, and whose word about a client counts."""
import os
import re

from client import Client

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
LIES = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.test",
    "Forwarded": "for=6.6.6.6",
    "X-Request-Id": "of-the-client",
    "traceparent": TRACEPARENT,
    "tracestate": "vendor=1",
}


def gateway(scene, trusted, calls=1, listen=""):
    """A daemon with `GET /x`, and the origin that it calls."""
    origin = scene.origin()
    lines = [f"trusted_proxies: {trusted}" if trusted else "", listen,
             f"upstreams: {{up: '{origin.url}'}}", "routes:", "  GET /x:", "    calls:"]
    lines += [f"      part{n}: up/{n}" for n in range(calls)]
    lines += ["  /pass: {pass: up/pass}", "  GET /ip: {respond: $request.ip}",
              "  GET /ip/there: {redirect: \"/{request.ip}/{request.id}\"}"]
    return scene.gatherd("\n".join(lines) + "\n"), origin


def heard(origin, count=1):
    """What the last of so many requests said."""
    return origin.wait_requests(count).request


def test_an_upstream_hears_who_asks(scene):
    daemon, origin = gateway(scene, None)
    answer = daemon.get("/x")
    request = heard(origin)
    assert request.header("X-Request-Id") == answer.header("X-Request-Id")
    assert request.header("X-Forwarded-For") == "127.0.0.1"
    assert request.header("X-Forwarded-Proto") == "http"
    assert request.header("X-Forwarded-Host") == "gateway.test"
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", request.header("traceparent"))
    assert request.header("tracestate") is None


def test_a_client_cannot_say_who_it_is(scene):
    daemon, origin = gateway(scene, "[10.0.0.0/8, unix]")
    answer = daemon.get("/x", LIES)
    request = heard(origin)
    assert request.header("X-Forwarded-For") == "127.0.0.1"
    for lie in (b"6.6.6.6", b"https", b"evil", b"of-the-client", TRACE.encode(), b"vendor"):
        assert lie not in request.raw, lie
    assert re.fullmatch("[0-9a-f]{32}", answer.header("X-Request-Id"))


def test_a_trusted_proxy_says_who_asks(scene):
    daemon, origin = gateway(scene, "[127.0.0.0/8]")
    answer = daemon.get("/x", LIES)
    request = heard(origin)
    assert request.header("X-Forwarded-For") == "6.6.6.6, 127.0.0.1"
    assert request.header("X-Forwarded-Proto") == "https"
    assert request.header("X-Forwarded-Host") == "evil.test"
    assert request.header("X-Request-Id") == answer.header("X-Request-Id") == "of-the-client"
    version, trace, parent, flags = request.header("traceparent").split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert parent not in TRACEPARENT
    assert request.header("tracestate") == "vendor=1"
    assert request.header("Forwarded") is None


def test_a_pass_says_who_asks_like_a_call(scene):
    daemon, origin = gateway(scene, "[127.0.0.0/8]")
    answer = daemon.call("POST", "/pass", LIES, b"body")
    request = heard(origin)
    assert request.header("X-Forwarded-For") == "6.6.6.6, 127.0.0.1"
    assert request.header("X-Forwarded-Proto") == "https"
    assert request.header("X-Forwarded-Host") == "evil.test"
    assert request.header("X-Request-Id") == answer.header("X-Request-Id") == "of-the-client"
    assert request.header("traceparent").startswith(f"00-{TRACE}-")
    assert request.header("tracestate") == "vendor=1"
    assert request.header("Forwarded") is None


def test_a_pass_believes_no_client(scene):
    daemon, origin = gateway(scene, None)
    assert daemon.call("POST", "/pass", {**LIES, "X-Forwarded-Port": "99"}, b"body").status == 200
    request = heard(origin)
    assert request.header("X-Forwarded-For") == "127.0.0.1"
    for lie in (b"6.6.6.6", b"https", b"evil", b"of-the-client", TRACE.encode(), b"vendor", b": 99"):
        assert lie not in request.raw, lie


def test_the_ip_of_a_request_is_that_of_its_client(scene):
    for trusted, ip in ((None, "127.0.0.1"), ("127.0.0.1", "6.6.6.6")):
        daemon, _ = gateway(scene, trusted)
        chain = {"X-Forwarded-For": "1.1.1.1, 6.6.6.6, 127.0.0.1", "X-Request-Id": "it"}
        assert daemon.get("/ip", chain).json() == ip
        answer = daemon.get("/ip/there", chain)
        assert answer.header("Location") == f"/{ip}/" + answer.header("X-Request-Id")


def test_every_call_has_a_parent_id_of_its_own_in_one_trace(scene):
    daemon, origin = gateway(scene, None, calls=5)
    for _ in range(2):
        assert daemon.get("/x").status == 200
    origin.wait_requests(10)
    ids = [exchange.request.header("traceparent").split("-") for exchange in origin.exchanges]
    assert len({parent for _, _, parent, _ in ids}) == 10
    assert len({trace for _, trace, _, _ in ids}) == 2


def test_the_parts_of_a_chain_stay_in_order(scene):
    daemon, origin = gateway(scene, "127.0.0.1")
    with daemon.client() as client:
        client.send("GET /x HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: <script>, 1.1.1.1\r\n"
                    "x-forwarded-for:\t, unknown ,[2001:db8::1]:80\r\nX-Forwarded-For: 2.2.2.2\r\n\r\n")
        assert client.response().status == 200
    assert heard(origin).header("X-Forwarded-For") == \
        "1.1.1.1, unknown, [2001:db8::1]:80, 2.2.2.2, 127.0.0.1"


def test_clients_of_a_unix_socket_are_trusted_when_unix_is(scene):
    for trusted, wanted in (("unix", "6.6.6.6, unix"), ("0.0.0.0/0", "unix")):
        daemon, origin = gateway(scene, trusted, listen="listen: unix:FOLDER/http.sock")
        with Client(path=os.path.join(daemon.folder.name, "http.sock")) as client:
            assert client.get("/x", LIES).status == 200
        assert heard(origin).header("X-Forwarded-For") == wanted


def test_an_ipv4_client_of_a_dual_stack_listener_is_ipv4(scene):
    daemon, origin = gateway(scene, "127.0.0.1/32", listen="listen: 'http://[::]:0'")
    assert daemon.get("/x", {"X-Forwarded-For": "6.6.6.6"}).status == 200
    assert heard(origin).header("X-Forwarded-For") == "6.6.6.6, 127.0.0.1"
    with Client(daemon.port, "::1") as client:
        assert client.get("/x", {"X-Forwarded-For": "6.6.6.6"}).status == 200
    assert heard(origin, 2).header("X-Forwarded-For") == "::1"


def test_every_request_of_a_connection_is_judged_alone(scene):
    daemon, origin = gateway(scene, "127.0.0.1")
    with daemon.client() as client:
        assert client.get("/x", {"X-Request-Id": "one"}).header("X-Request-Id") == "one"
        assert len(client.get("/x").header("X-Request-Id")) == 32
        assert client.get("/none", {"X-Request-Id": "three"}).header("X-Request-Id") == "three"
    assert [exchange.request.header("X-Request-Id") for exchange in origin.exchanges][0] == "one"


def test_no_byte_of_a_client_reaches_an_upstream_in_these_fields(scene):
    daemon, origin = gateway(scene, None)
    hostile = "".join(chr(c) for c in range(0x20, 0x100) if c != 0x7f) + "\tx"
    with daemon.client() as client:
        for name in LIES:
            assert client.get("/x", {name: hostile}).status == 200, name
    for exchange in origin.exchanges:
        assert b"!\"#" not in exchange.request.raw
        assert exchange.request.header("X-Forwarded-For") == "127.0.0.1"


def test_hostile_bytes_of_a_trusted_proxy_make_no_line(scene):
    daemon, origin = gateway(scene, "127.0.0.1")
    count = 0
    with daemon.client() as client:
        for name in LIES:
            for c in [9, *range(0x20, 0x7f), *range(0x80, 0x100)]:
                assert client.get("/x", {name: f"1.2.3.4, a{chr(c)}b, c"}).status == 200
                count += 1
    origin.wait_requests(count)
    for exchange in origin.exchanges:
        assert {name for name, _ in exchange.request.fields} <= {
            "host", "user-agent", "accept", "x-request-id", "x-forwarded-for",
            "x-forwarded-proto", "x-forwarded-host", "traceparent"}, exchange.request.raw
        assert exchange.request.header("X-Forwarded-For").endswith("127.0.0.1")
