"""Upstreams over TLS: nothing else changes, whatever the connection does."""
import threading

from origin import reply_bytes
from tls import (V1_2, V1_3, Silent, Tampered, assert_fails, authority, cut_after, gather, one_by_one,
                 origin_of, server_context, trusting)
from waits import until, within
from wire import Reset

PATIENT = "defaults: {timeout: 30s}"  # Python takes its time for megabytes


# --- what goes well -----------------------------------------------------------------------

def test_a_connection_is_kept_and_shakes_hands_once(scene):
    origin = origin_of(scene)
    daemon = gather(scene, origin)
    for _ in range(20):
        assert daemon.get("/x").json() == {"a": {"path": "/a"}}
    server = daemon.server("a")
    assert (server["tls_handshakes"], server["reuses"], server["evictions"]) == (1, 19, 0)
    assert server["address"] == origin.url
    assert daemon.upstream("a")["stale_retries"] == 0


def test_each_version_works_with_each_size(scene):
    for version in (V1_2, V1_3):
        context = server_context(authority().issue(), lowest=version, highest=version)
        origin = origin_of(scene, lambda exchange: exchange.reply(
            "x" * int(exchange.request.target.split("/")[-1])), context)
        daemon = scene.gatherd(f"""
{PATIENT}
upstreams: {{a: {{servers: [{origin.url}]{trusting()}, timeout: 30s}}}}
routes: {{"GET /{{n}}": {{calls: {{a: "a/{{n}}"}}}}}}
""")
        for size in (0, 1, 1000, 4095, 16383, 16384, 16385, 40000, 300_000, 2_000_000):
            assert daemon.get(f"/{size}").json() == {"a": "x" * size}, size
        assert daemon.server("a")["tls_handshakes"] == 1


def test_large_requests_arrive_whole(scene):
    origin = origin_of(scene, lambda exchange: exchange.reply(len(exchange.request.body)))
    daemon = scene.gatherd(f"""
upstreams: {{a: {{servers: [{origin.url}], timeout: 20s{trusting()}}}}}
defaults: {{timeout: 20s}}
routes: {{POST /x: {{max_body: 8MiB, calls: {{a: {{url: a/x, method: POST, body: forward}}}}}}, /p: {{max_body: 8MiB, pass: a/p}}}}
""")
    for size in (10, 16000, 17000, 70_000, 2_000_000):
        body = b'"' + b"y" * size + b'"'
        headers = {"Content-Type": "application/json"}
        assert daemon.call("POST", "/x", headers, body).json() == {"a": len(body)}
        assert daemon.call("POST", "/p", headers, body).json() == len(body)
        assert origin.requests[-1].body == origin.requests[-2].body == body


def test_a_pass_streams_both_ways(scene):
    origin = origin_of(scene, lambda exchange: exchange.send(
        reply_bytes(body=b"z" * 3_000_000, headers={"X-Mine": "1"})))
    daemon = scene.gatherd(f"""
upstreams: {{a: {{servers: [{origin.url}], timeout: 20s{trusting()}}}}}
defaults: {{timeout: 20s}}
routes: {{/p: {{pass: a/p}}}}
""")
    for _ in range(3):
        answer = daemon.get("/p")
        assert (answer.status, answer.body) == (200, b"z" * 3_000_000)
    assert daemon.server("a")["tls_handshakes"] == 1


def test_a_byte_at_a_time_is_as_good(scene):
    pipe = scene.keep(Tampered(origin_of(scene), one_by_one))
    daemon = gather(scene, pipe)
    for _ in range(3):
        assert daemon.get("/x").json() == {"a": {"path": "/a"}}
    assert daemon.server("a")["tls_handshakes"] == 1


def test_records_of_a_byte_each_are_as_good(scene):
    origin = origin_of(scene, lambda exchange: exchange.drip(reply_bytes(value="drip"), 0.001))
    assert gather(scene, origin).get("/x").json() == {"a": "drip"}


def test_http_and_https_servers_share_an_upstream(scene):
    origins = [scene.origin(lambda exchange: exchange.reply("plain")),
               origin_of(scene, lambda exchange: exchange.reply("tls"))]
    daemon = scene.gatherd(f"""
upstreams: {{a: {{servers: [{origins[0].url}, {origins[1].url}], balance: round_robin{trusting()}}}}}
routes: {{GET /x: {{calls: {{a: a/x}}}}}}
""")
    assert {daemon.get("/x").json()["a"] for _ in range(6)} == {"plain", "tls"}
    assert [daemon.server("a", i)["tls_handshakes"] for i in (0, 1)] == [0, 1]


# --- versions, resumption, renegotiation --------------------------------------------------

def test_old_versions_are_not_spoken(scene):
    old = server_context(authority().issue(), highest=V1_2)
    origin = origin_of(scene, context=old)
    assert gather(scene, origin).get("/x").status == 200
    assert_fails(gather(scene, origin, ", min_version: 1.3"), "tls", "no version of TLS")


def resumptions(scene, version, goodbye):
    context = server_context(authority().issue(), lowest=version, highest=version)

    def answer(exchange):
        exchange.reply(exchange.connection)
        if goodbye:
            exchange.sock.goodbye()

    origin = origin_of(scene, answer, context)
    daemon = gather(scene, origin, upstream=", pool: {max_requests: 1}")
    for turn in range(6):
        assert daemon.get("/x").json() == {"a": turn}
    assert origin.resumed == [False] + [True] * 5
    server = daemon.server("a")
    assert (server["tls_handshakes"], server["tls_resumed"], server["tls_failures"]) == (6, 5, 0)


def test_sessions_are_resumed(scene):
    for version in (V1_2, V1_3):
        for goodbye in (False, True):
            resumptions(scene, version, goodbye)


def test_sessions_of_connections_that_were_cut_are_resumed(scene):
    origin = origin_of(scene, lambda exchange: exchange.reply(1) if exchange.turn == 0 else exchange.silence())
    daemon = gather(scene, origin, upstream=", timeout: 100ms")
    for _ in range(3):
        assert daemon.get("/x").status == 200
        assert daemon.get("/x").json()["class"] == "timeout"
    assert origin.resumed == [False, True, True]


def test_sessions_are_not_shared_between_upstreams(scene):
    origin = origin_of(scene)
    one = f"{{servers: [{origin.url}], pool: {{max_requests: 1}}"
    daemon = scene.gatherd(f"""
upstreams:
  a: {one}{trusting()}}}
  b: {one}{trusting()}}}
  c: {one}, tls: {{verify: false}}}}
  d: {one}{trusting(', server_name: localhost')}}}
routes: {{"GET /{{n}}": {{calls: {{}}}}}}
""".replace("routes: {\"GET /{n}\": {calls: {}}}",
            "routes: {" + ", ".join(f"GET /{n}: {{calls: {{{n}: {n}/x}}}}" for n in "abcd") + "}"))
    for name in "abcd":
        assert daemon.get(f"/{name}").status == 200
    assert origin.resumed == [False] * 4
    for name in "abcd":
        assert daemon.get(f"/{name}").status == 200
    assert origin.resumed == [False] * 4 + [True] * 4


# --- peers that fail ----------------------------------------------------------------------

def test_a_handshake_that_stalls_is_connect(scene):
    silent = scene.keep(Silent())
    daemon = gather(scene, silent, upstream=", connect_timeout: 200ms")
    answer = assert_fails(daemon, "connect", "the TLS handshake was not done by connect_timeout")
    assert 0.15 <= answer.elapsed <= within(0.25)


def test_a_handshake_that_stalls_holds_the_deadline_of_the_route(scene):
    silent = scene.keep(Silent(b"\x16\x03\x03\x00\x7a\x02"))
    daemon = gather(scene, silent, upstream=", connect_timeout: 1s", route="timeout: 150ms")
    answer = daemon.get("/x")
    assert (answer.status, answer.json()["class"]) == (504, "timeout")
    assert answer.elapsed <= within(0.2)


def test_what_is_no_tls_is_tls(scene):
    for garbage in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 100, b"\xff" * 5000,
                    b"\x15\x03\x03\x00\x02\x02\x28", b"\x16\x03\x03\xff\xff" + b"x" * 70000,
                    b"\x17\x03\x03\x00\x05hello", b"\x16\x03\x03\x00\x04\x02\x00\x00\x00"):
        assert_fails(gather(scene, scene.keep(Silent(garbage))), "tls", "no connection to https")


def test_a_server_that_fails_at_tls_is_passed_over_and_taken_out(scene):
    stranger = origin_of(scene, context=server_context(authority("Other CA").issue()))
    good = origin_of(scene)
    daemon = scene.gatherd(f"""
upstreams: {{a: {{servers: [{stranger.url}, {good.url}], balance: round_robin, eject: {{errors: 1, for: 60s}}{trusting()}}}}}
routes: {{GET /x: {{calls: {{a: a/a}}}}, /p: {{pass: a/a}}}}
""")
    for target in ("/x", "/p") * 4:
        assert daemon.get(target).status == 200
    assert not stranger.requests
    upstream = daemon.upstream("a")
    assert (upstream["retries"], sum(upstream["failures"].values())) == (1, 0)
    server = daemon.server("a")
    assert (server["tls_failures"], server["ejections"], server["state"]["out"]) == (1, 1, 1)


def test_a_pass_that_fails_at_tls_is_sent_to_another_server(scene):
    stranger = origin_of(scene, context=server_context(authority("Other CA").issue()))
    daemon = scene.gatherd(f"""
upstreams: {{a: {{servers: [{stranger.url}, {origin_of(scene).url}], balance: round_robin{trusting()}}}}}
routes: {{/p: {{pass: a/a}}}}
""")
    assert [daemon.get("/p").status for _ in range(2)] == [200, 200]
    assert (daemon.upstream("a")["retries"], daemon.server("a")["tls_failures"]) == (1, 1)


def test_a_retry_over_tls_is_answered(scene):
    def answer(exchange):
        if len(origin.exchanges) == 1:
            exchange.reply("later", status=503)
        else:
            exchange.reply("now")

    origin = origin_of(scene, answer)
    daemon = gather(scene, origin)
    assert daemon.get("/x").json() == {"a": "now"}
    assert daemon.upstream("a")["retries"] == 1


def test_health_checks_speak_tls(scene):
    stranger = origin_of(scene, context=server_context(authority("Other CA").issue()))
    good = origin_of(scene)
    daemon = scene.gatherd(f"""
upstreams: {{a: {{servers: [{stranger.url}, {good.url}], eject: off{trusting()},
  health: {{get: /healthz, every: 20ms, up: 1, down: 1}}}}}}
routes: {{GET /x: {{calls: {{a: a/a}}}}}}
""")
    until(lambda: daemon.server("a", 0)["state"]["down"] == 1, "the server is down")
    until(lambda: daemon.server("a", 1)["health_checks"]["passed"] >= 3, "checks passed")
    assert daemon.server("a", 1)["tls_handshakes"] == 1
    assert daemon.server("a", 1)["health_checks"]["failed"] == 0
    assert [daemon.get("/x").status for _ in range(6)] == [200] * 6
    assert daemon.upstream("a")["retries"] == 0
    assert not stranger.requests


def test_a_tls_server_that_is_called_by_http_is_no_http(scene):
    origin = origin_of(scene)
    daemon = scene.gatherd(f"""
upstreams: {{a: {{servers: ["http://127.0.0.1:{origin.port}"]}}}}
routes: {{GET /x: {{calls: {{a: a/x}}}}}}
""")
    assert daemon.get("/x").json()["class"] in ("protocol", "reset")


def test_a_close_at_any_byte_is_an_error_and_no_more(scene):
    """From the first byte of the handshake to the last of the reply."""
    seen = []
    origin = origin_of(scene, lambda exchange: exchange.reply("whole"))

    def counting():
        total, pieces = 0, []
        while True:
            data = yield pieces
            total, pieces = total + len(data), [data]
            seen.append(total)

    pipe = scene.keep(Tampered(origin, counting))
    assert gather(scene, pipe).get("/x").status == 200
    size = max(seen)
    words = set()
    for count in sorted({*range(0, 12), *range(12, size, 151), *range(size - 12, size)}):
        pipe = scene.keep(Tampered(origin, cut_after(count)))
        daemon = gather(scene, pipe)
        answer = daemon.get("/x")
        assert answer.status == 502 or answer.json() == {"a": "whole"}, count
        words.add(answer.json().get("class"))
        daemon.assert_clean_end()
    assert {"tls", "reset"} <= words <= {"tls", "reset", None}, words


def test_damage_at_any_byte_is_an_error_and_no_more(scene):
    def damaged(at):
        def step():
            passed, pieces = 0, []
            while True:
                data = bytearray((yield pieces))
                if passed <= at < passed + len(data):
                    data[at - passed] ^= 0x20
                passed, pieces = passed + len(data), [bytes(data)]
        return step

    origin = origin_of(scene, lambda exchange: exchange.reply("whole"))
    for at in range(0, 1600, 97):
        daemon = gather(scene, scene.keep(Tampered(origin, damaged(at))), upstream=", timeout: 500ms")
        answer = daemon.get("/x")
        assert answer.status in (502, 504) or answer.json() == {"a": "whole"}, at
        daemon.assert_clean_end()


# --- how connections end ------------------------------------------------------------------

def test_a_body_up_to_the_close_is_whole_only_with_a_close_notify(scene):
    def answer(exchange):
        exchange.send(reply_bytes(value="all of it", length=False))
        if exchange.request.target == "/a":
            exchange.sock.goodbye()
        exchange.close()

    origin = origin_of(scene, answer)
    daemon = scene.gatherd(f"""
upstreams: {{u: {{servers: [{origin.url}]{trusting()}}}}}
routes:
  GET /a: {{calls: {{a: u/a}}}}
  GET /b: {{calls: {{b: u/b}}}}
  /p/{{x}}: {{pass: "u/{{x}}"}}
""")
    assert daemon.get("/a").json() == {"a": "all of it"}
    assert daemon.get("/b").json()["class"] == "reset"
    assert daemon.get("/p/a").json() == "all of it"
    with daemon.client() as client:
        answer = client.request("GET", "/p/b").stream_head()
        try:
            body = b"".join(client.chunks())
            raise AssertionError(f"a cut body was passed on as if it were whole: {answer.status} {body}")
        except Reset:
            pass
    assert daemon.upstream("u")["failures"]["reset"] == 2


def test_a_body_with_its_length_needs_no_close_notify(scene):
    def answer(exchange):
        exchange.reply(exchange.connection)
        exchange.close()

    origin = origin_of(scene, answer)
    daemon = gather(scene, origin)
    for turn in range(30):
        assert daemon.get("/x").json() == {"a": turn}
    assert daemon.upstream("a")["failures"]["reset"] == 0


def test_a_stale_connection_costs_no_error(scene):
    def answer(exchange):
        exchange.reply(exchange.connection)
        if exchange.request.target == "/bye":
            exchange.sock.goodbye()
        exchange.close()

    for path in ("/bye", "/cut"):
        origin = origin_of(scene, answer)
        daemon = scene.gatherd(f"""
upstreams: {{a: {{servers: [{origin.url}]{trusting()}}}}}
routes: {{GET /x: {{calls: {{a: a{path}}}}}}}
""")
        with daemon.client() as client:
            for _ in range(200):
                assert client.get("/x").status == 200
        assert sum(daemon.upstream("a")["failures"].values()) == 0


def test_a_session_that_is_closed_in_order_says_so(scene):
    origin = origin_of(scene)
    daemon = gather(scene, origin, upstream=", pool: {idle_timeout: 100ms}")
    assert daemon.get("/x").status == 200
    origin.board.wait(lambda: origin.ends == ["notified"], "a close_notify")


def test_a_call_that_is_cancelled_resets_its_connection(scene):
    origin = origin_of(scene, lambda exchange: exchange.silence())
    daemon = gather(scene, origin, upstream=", timeout: 100ms")
    assert daemon.get("/x").json()["class"] == "timeout"
    origin.exchanges[0].until_gone()


def test_bytes_behind_a_reply_do_not_answer_the_next_request(scene):
    origin = origin_of(scene, lambda exchange: exchange.send(
        reply_bytes(value=exchange.connection) + reply_bytes(value="poison")))
    daemon = gather(scene, origin)
    for number in range(5):
        assert daemon.get("/x").json() == {"a": number}
    assert daemon.server("a")["reuses"] == 0


def test_bytes_on_an_idle_connection_are_not_read_as_a_reply(scene):
    idle = threading.Event()

    def answer(exchange):
        exchange.send(reply_bytes(value=exchange.connection))
        if exchange.connection == 0:
            idle.wait(5)
            exchange.send(reply_bytes(value="poison"))

    origin = origin_of(scene, answer)
    daemon = gather(scene, origin)
    assert daemon.get("/x").json() == {"a": 0}
    idle.set()
    origin.wait_connections(0)
    assert daemon.get("/x").json() == {"a": 1}
    assert daemon.server("a")["evictions"] == 1
