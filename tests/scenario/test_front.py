"""Browsers: well-behaved, odd and hostile ones."""
import time

from waits import until, within

ROUTE = "GET /x"


def plain(scene, config="", **options):
    origin = scene.origin(lambda exchange: exchange.reply(exchange.request.method))
    daemon = scene.gatherd("\n".join([
        config, "upstreams:", f"  up: {origin.url}", "routes:",
        "  GET /x:", "    calls:", "      got: up/x",
        "  POST /x:", "    max_body: 1KiB", "    calls:", "      got: POST up/x", ""]), **options)
    return daemon, origin


def test_a_connection_is_kept_alive(scene):
    daemon, _ = plain(scene)
    with daemon.client() as client:
        for _ in range(50):
            answer = client.get("/x")
            assert answer.status == 200
            assert answer.header("Connection") in (None, "keep-alive")
    assert daemon.status()["worker"]["connections"] == 2 - 1


def test_every_answer_carries_a_request_id_and_a_date(scene):
    daemon, _ = plain(scene)
    seen = set()
    for target in ("/x", "/x", "/nothing"):
        answer = daemon.get(target)
        request_id = answer.header("X-Request-Id")
        assert len(request_id) == 32 and int(request_id, 16)
        assert answer.header("Date").endswith(" GMT")
        seen.add(request_id)
    assert len(seen) == 3


def test_pipelined_requests_are_answered_in_order(scene):
    origin = scene.origin(lambda exchange: exchange.reply(exchange.request.target))
    daemon = scene.gatherd(f"upstreams:\n  up: {origin.url}\nroutes:\n"
                           "  GET /n/{n}:\n    calls:\n      got: up/{n}\n")
    with daemon.client() as client:
        client.send("".join(f"GET /n/{n} HTTP/1.1\r\nHost: x\r\n\r\n" for n in range(500)))
        for number in range(500):
            assert client.response().json() == {"got": f"/{number}"}


def test_a_request_in_single_bytes_is_answered(scene):
    daemon, _ = plain(scene)
    with daemon.client() as client:
        for byte in b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n":
            client.send(bytes([byte]))
        assert client.response().status == 200


def test_http_1_0_is_answered_and_closed(scene):
    daemon, _ = plain(scene)
    with daemon.client() as client:
        client.send("GET /x HTTP/1.0\r\n\r\n")
        answer = client.response()
        assert answer.status == 200 and answer.start.startswith("HTTP/1.1 ")
        assert client.closed()


def test_http_1_0_with_keep_alive_is_kept(scene):
    daemon, _ = plain(scene)
    with daemon.client() as client:
        for _ in range(3):
            client.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            answer = client.response()
            assert answer.header("Connection").lower() == "keep-alive"


def test_connection_close_closes_after_the_answer(scene):
    daemon, _ = plain(scene)
    with daemon.client() as client:
        answer = client.get("/x", {"Connection": "close"})
        assert answer.header("Connection") == "close"
        assert client.closed()


def test_requests_per_connection_are_limited(scene):
    daemon, _ = plain(scene, "limits: {requests_per_connection: 3}")
    with daemon.client() as client:
        for _ in range(3):
            answer = client.get("/x")
        assert answer.header("Connection") == "close"
        assert client.closed()


def test_a_body_with_a_length_or_in_chunks_is_read(scene):
    daemon, origin = plain(scene)
    with daemon.client() as client:
        assert client.call("POST", "/x", body=b"x" * 1024).status == 200
        client.send("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "5;ext=1\r\nhello\r\n0\r\nTrailer: t\r\n\r\n")
        assert client.response().status == 200
        assert client.get("/x").status == 200
    assert [request.body for request in origin.requests] == [b""] * 3


def test_a_body_above_its_limit_is_413(scene):
    daemon, origin = plain(scene)
    with daemon.client() as client:
        answer = client.call("POST", "/x", body=b"x" * 1025)
        assert answer.status == 413
    with daemon.client() as client:
        client.send("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "400\r\n" + "x" * 1024 + "\r\n1\r\nx\r\n0\r\n\r\n")
        assert client.response().status == 413
    assert not origin.exchanges
    assert daemon.status()["worker"]["rejected"]["body"] == 2


def test_413_is_readable_by_a_client_that_is_still_sending(scene):
    daemon, _ = plain(scene)
    with daemon.client() as client:
        client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n")
        try:
            for _ in range(20):
                client.send(b"x" * 4096)
        except ConnectionError:
            pass
        assert client.response().status == 413


def test_expect_100_continue_is_told_to_go_on(scene):
    daemon, _ = plain(scene)
    with daemon.client() as client:
        client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert client.reader.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send("hello")
        assert client.response().status == 200


def test_expect_100_continue_with_too_much_is_413_at_once(scene):
    daemon, _ = plain(scene)
    with daemon.client() as client:
        client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n"
                    "Expect: 100-continue\r\n\r\n")
        answer = client.response()
        assert answer.status == 413 and not answer.interim


def test_a_long_request_line_is_414(scene):
    daemon, origin = plain(scene)
    with daemon.client() as client:
        assert client.get("/x?" + "y" * 9000).status == 414
    with daemon.client() as client:
        assert client.get("/x?" + "y" * 8000).status == 200
    assert len(origin.exchanges) == 1


def test_large_headers_are_431(scene):
    daemon, origin = plain(scene)
    with daemon.client() as client:
        assert client.get("/x", {"X-Large": "y" * 33_000}).status == 431
    with daemon.client() as client:
        assert client.get("/x", {f"X-{n}": "y" for n in range(101)}).status == 431
    assert not origin.exchanges
    assert daemon.status()["worker"]["rejected"]["headers"] == 2


REFUSED = {
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "the same length twice": b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "a list of lengths": b"Content-Length: 5, 5\r\n\r\nhello",
    "a length with a sign": b"Content-Length: +5\r\n\r\nhello",
    "an empty length": b"Content-Length: \r\n\r\n",
    "a hexadecimal length": b"Content-Length: 0x5\r\n\r\nhello",
    "a length beyond 64 bits": b"Content-Length: 99999999999999999999999\r\n\r\n",
    "length and chunked": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"Transfer-Encoding: gzip\r\n\r\n",
    "chunked not last": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "xchunked": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": b"Content-Length : 5\r\n\r\nhello",
    "a folded line": b"X-A: 1\r\n 2\r\n\r\n",
    "a bare LF": b"X-A: 1\nX-B: 2\r\n\r\n",
    "a NUL": b"X-A: 1\x002\r\n\r\n",
    "a bare CR": b"X-A: 1\rX-B: 2\r\n\r\n",
    "no name": b": value\r\n\r\n",
    "no colon": b"nonsense\r\n\r\n",
    "a bad chunk size": b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    "a chunk size with 0x": b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "a chunk without its end": b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
    "a chunk line ended by LF": b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
    "a huge chunk size": b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n",
    "two hosts": b"Host: y\r\n\r\n",
}


def test_ambiguous_framing_is_refused_and_closed(scene):
    daemon, origin = plain(scene)
    smuggled = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"
    for name, rest in REFUSED.items():
        with daemon.client() as client:
            start = time.monotonic()
            client.send(b"POST /x HTTP/1.1\r\nHost: x\r\n" + rest + smuggled)
            answer = client.answer_or_close()
            assert answer is None or answer.status in (400, 501), (name, answer.raw)
            assert client.closed(), f"{name}: another answer came"
            assert time.monotonic() - start < within(1), name
    assert not origin.exchanges, origin.requests[0].raw


def test_bad_request_lines_are_refused(scene):
    daemon, origin = plain(scene)
    for line, statuses in ((b"GET /x", (400,)), (b"GET  /x HTTP/1.1", (400,)),
                           (b"GET /x HTTP/1.1 ", (400,)), (b"GET /x HTTP/2.0", (400, 505)),
                           (b"GET /x HTTP/0.9", (400, 505)), (b"G@T /x HTTP/1.1", (400,)),
                           (b"GET x HTTP/1.1", (400,)), (b"GET /x#f HTTP/1.1", (400,)),
                           (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", (400,)),
                           (b"GET /%zz HTTP/1.1", (400,)), (b"GET /%00 HTTP/1.1", (400,))):
        with daemon.client() as client:
            client.send(line + b"\r\nHost: x\r\n\r\n")
            answer = client.answer_or_close()
            assert answer is None or answer.status in statuses, (line, answer.raw)
    assert not origin.exchanges


def test_a_missing_host_is_400(scene):
    daemon, _ = plain(scene)
    with daemon.client() as client:
        client.send("GET /x HTTP/1.1\r\n\r\n")
        assert client.response().status == 400


def test_a_refused_request_disturbs_no_other_connection(scene):
    daemon, _ = plain(scene)
    with daemon.client() as fine:
        for _ in range(20):
            with daemon.client() as client:
                client.send("NONSENSE\r\n\r\n")
                client.answer_or_close()
            assert fine.get("/x").status == 200


def test_a_slow_head_ends_at_its_deadline(scene):
    daemon, _ = plain(scene, "limits: {header_timeout: 200ms}")
    with daemon.client() as client:
        start = time.monotonic()
        client.send("GET /x HTTP/1.1\r\n")
        answer = client.answer_or_close()
        assert answer is None or answer.status == 408
        assert client.closed()
        assert 0.15 < time.monotonic() - start < within(0.6)
    assert daemon.status()["worker"]["client_timeouts"]["header"] == 1


def test_a_slow_body_ends_at_its_deadline(scene):
    daemon, origin = plain(scene, "limits: {body_timeout: 200ms}")
    with daemon.client() as client:
        client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello")
        answer = client.answer_or_close()
        assert answer is None or answer.status == 408
        assert client.closed()
    assert daemon.status()["worker"]["client_timeouts"]["body"] == 1
    assert not origin.exchanges


def test_an_idle_connection_is_closed_after_its_time(scene):
    daemon, _ = plain(scene, "limits: {idle_timeout: 200ms}")
    with daemon.client() as client:
        assert client.get("/x").status == 200
        assert client.closed()
    assert daemon.status()["worker"]["client_timeouts"]["idle"] == 1


def test_a_client_that_does_not_read_is_given_up(scene):
    big = b'"' + b"x" * 5_000_000 + b'"'
    origin = scene.origin(lambda exchange: exchange.reply(body=big))
    daemon = scene.gatherd(f"limits: {{write_timeout: 300ms}}\nupstreams:\n  up: {origin.url}\n"
                           "routes:\n  GET /x:\n    calls:\n      got: up/x\n")
    with daemon.client() as client:
        client.request("GET", "/x")
        until(lambda: daemon.status()["worker"]["client_timeouts"]["write"] == 1, "given up")


def test_the_oldest_idle_connection_goes_for_a_new_one(scene):
    daemon, _ = plain(scene, "limits: {connections: 4}")
    clients = [scene.client(daemon) for _ in range(4)]
    for client in clients:
        assert client.get("/x").status == 200
    with daemon.client() as client:
        assert client.get("/x").status == 200
        assert clients[0].closed()
    assert clients[3].get("/x").status == 200
    worker = daemon.status()["worker"]
    assert worker["connections_evicted"] == 1 and worker["connections_refused"]["limit"] == 0, worker


def test_with_none_idle_a_connection_is_refused_with_503(scene):
    daemon, origin = plain(scene, "limits: {connections: 2}")
    origin.on("/x", lambda exchange: (exchange.pause(0.3), exchange.reply(1)))
    clients = [scene.client(daemon) for _ in range(2)]
    for client in clients:
        client.request("GET", "/x")
    origin.wait_requests(2)
    with daemon.client() as client:
        answer = client.response()
        assert answer.status == 503 and answer.header("Retry-After") == "1"
        assert client.closed()
    assert daemon.status()["worker"]["connections_refused"]["limit"] == 1


def test_several_workers_serve_side_by_side(scene):
    daemon, _ = plain(scene, workers=3)
    for _ in range(60):
        assert daemon.get("/x").status == 200
    assert daemon.status()["workers"] == 3
    assert daemon.route(ROUTE)["requests"] == 60
