"""Pass routes: any method and content goes to one upstream and back."""
import threading

from passing import Server, passing
from waits import PATIENCE_S

# --- what is passed on --------------------------------------------------------------------

def test_any_method_path_query_and_body_go_to_the_upstream(scene):
    origin = scene.origin(lambda exchange: exchange.reply(
        headers={"X-Own": "yes", "Server": "theirs"}, status=201, body=exchange.request.body))
    daemon = passing(scene, origin)
    with daemon.client() as client:
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"):
            body = b"" if method == "GET" else b"<a>\x00\xff"
            answer = client.call(method, "/a/b%20c?x=1&y=%0A", body=body or None)
            assert (answer.status, answer.body) == (201, body)
            assert answer.header("x-own") == "yes" and answer.header("server") == "theirs"
            assert len(answer.header("x-request-id")) == 32
            request = origin.requests[-1]
            assert request.start == f"{method} /a/b%20c?x=1&y=%0A HTTP/1.1"
            assert request.body == body
            assert request.header("host") == origin.url[7:]
            assert request.header("x-request-id") == answer.header("x-request-id")
    assert origin.connections == 1
    assert daemon.route("/{rest...}")["answers"]["2xx"] == 7
    assert daemon.upstream("o")["succeeded"] == 7


def test_the_url_of_a_pass_is_a_template(scene):
    origin = scene.origin()
    daemon = scene.gatherd(
        f"upstreams: {{o: \"{origin.url}\"}}\n"
        "routes:\n"
        "  /files/{rest...}: {pass: \"o/v1/{rest=}\"}\n"
        "  GET /find/{name}: {pass: \"o/find?q={name}&page={query.page?}\"}\n")
    for asked, target in [("/files/a/b.txt", "/v1/a/b.txt"), ("/files/", "/v1/"),
                          ("/files/a?x=y&x=z", "/v1/a?x=y&x=z"),
                          ("/find/a%26b?page=2&secret=1", "/find?q=a%26b&page=2"),
                          ("/find/x", "/find?q=x")]:
        assert daemon.get(asked).json() == {"path": target}
    assert daemon.call("POST", "/find/x").status == 405


def test_fields_of_the_hop_end_here_and_all_others_go_on(scene):
    origin = scene.origin(lambda exchange: exchange.reply(1, headers={
        "Connection": "x-theirs, keep-alive", "X-Theirs": "1", "Keep-Alive": "timeout=5",
        "Upgrade": "h2c", "Set-Cookie": "a=b", "X-Request-Id": "0", "Proxy-Authenticate": "x",
        "Content-Language": "de"}))
    daemon = passing(scene, origin, upstream=", headers: {X-Key: secret}")
    answer = daemon.get("/", {
        "Connection": "close, X-Drop, x-other", "X-Drop": "1", "X-Other": "2", "TE": "trailers",
        "Upgrade": "websocket", "Keep-Alive": "5", "Proxy-Connection": "keep-alive",
        "Proxy-Authorization": "x", "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https",
        "Forwarded": "for=6.6.6.6", "traceparent": "00-1", "tracestate": "a=b",
        "X-Request-Id": "mine", "Cookie": "sid=1", "Authorization": "Bearer x",
        "User-Agent": "curl", "Accept": "*/*", "x-key": "guess", "X-Keep": "a, b"})
    request = origin.requests[0]
    names = sorted(name for name, _ in request.fields)
    assert names == sorted(["host", "x-key", "cookie", "authorization", "user-agent", "accept",
                            "x-keep", "x-request-id", "x-forwarded-for", "x-forwarded-host",
                            "x-forwarded-proto", "traceparent"]), names
    assert request.header("x-forwarded-for") == "127.0.0.1" and b"6.6.6.6" not in request.raw
    assert request.header("x-key") == "secret" and request.header("cookie") == "sid=1"
    assert request.header("user-agent") == "curl" and request.header("x-request-id") != "mine"
    for name in ("x-theirs", "keep-alive", "upgrade", "proxy-authenticate"):
        assert answer.header(name) is None, name
    assert answer.header("set-cookie") == "a=b" and answer.header("content-language") == "de"
    assert answer.header("x-request-id") == request.header("x-request-id")


def test_more_names_in_connection_than_anyone_needs_are_refused(scene):
    daemon = passing(scene, scene.origin())
    assert daemon.get("/", {"Connection": ", ".join(f"x{n}" for n in range(40))}).status == 502


def test_head_and_answers_without_body(scene):
    def answer(exchange):
        status = int(exchange.request.path[1:])
        lines = f"HTTP/1.1 {status} X\r\nETag: \"1\"\r\n"
        if exchange.request.method == "HEAD":
            lines += "Content-Length: 12345\r\n"
        exchange.send((lines + "\r\n").encode())

    origin = scene.origin(answer)
    daemon = passing(scene, origin)
    with daemon.client() as client:
        head = client.call("HEAD", "/200")
        assert (head.status, head.header("content-length"), head.header("etag")) == (200, "12345", '"1"')
        for status in (204, 304):
            assert client.get(f"/{status}").status == status
        assert client.call("HEAD", "/200").status == 200
    assert origin.connections == 1


# --- framing ------------------------------------------------------------------------------

CHUNKED = "Transfer-Encoding: chunked"


def test_chunks_go_through_both_ways_and_trailers_are_dropped(scene):
    def answer(exchange):
        body = exchange.request.body
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n")
        for at in range(0, len(body), 3):
            piece = body[at:at + 3]
            exchange.send(b"%x;ext=1\r\n%s\r\n" % (len(piece), piece))
        exchange.send(b"0\r\nX-T: 1\r\n\r\n")

    origin = scene.origin(answer)
    daemon = passing(scene, origin)
    with daemon.client() as client:
        for _ in range(3):
            client.send(f"POST /x HTTP/1.1\r\nHost: a\r\n{CHUNKED}\r\n\r\n")
            client.send("3\r\nabc\r\n").send("5;x=y\r\ndefgh\r\n0\r\nX-Up: 1\r\n\r\n")
            response = client.response("POST")
            assert response.body == b"abcdefgh"
            assert response.header("trailer") is None
            assert origin.requests[-1].header("transfer-encoding") == "chunked"
    assert origin.connections == 1


def test_an_old_client_gets_the_end_of_the_connection_for_an_unknown_length(scene):
    gate = threading.Event()

    def answer(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        gate.wait(PATIENCE_S)
        exchange.send(b"6\r\n world\r\n0\r\n\r\n")

    daemon = passing(scene, scene.origin(answer))
    client = scene.client(daemon).send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    head = client.reader.head()
    assert b"chunked" not in head.lower() and b"connection: close" in head.lower()
    assert client.reader.need(5) == b"hello"
    gate.set()
    assert client.reader.rest() == b" world"


def test_an_upstream_that_ends_by_closing_is_a_complete_answer(scene):
    def answer(exchange):
        exchange.send(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 100_000)
        exchange.close()

    daemon = passing(scene, scene.origin(answer))
    with daemon.client() as client:
        for _ in range(3):
            response = client.get("/")
            assert response.body == b"x" * 100_000
            assert response.header("transfer-encoding") == "chunked"


def test_the_head_of_an_answer_does_not_wait_for_its_body(scene):
    gate = threading.Event()

    def answer(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        gate.wait(PATIENCE_S)
        exchange.send(b"done")

    daemon = passing(scene, scene.origin(answer))
    client = scene.client(daemon).request("GET", "/")
    assert b"Content-Length: 4" in client.reader.head()
    gate.set()
    assert client.reader.need(4) == b"done"
    assert client.reader.data == b""


def test_interim_heads_are_skipped_and_an_upgrade_is_refused(scene):
    origin = scene.origin()
    origin.on("/many", lambda exchange: exchange.send(
        b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" * 3 + b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"))
    origin.on("/switch", lambda exchange: exchange.send(
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"))
    daemon = passing(scene, origin)
    assert daemon.get("/many").body == b"1"
    answer = daemon.get("/switch")
    assert answer.status == 502 and answer.json()["class"] == "protocol"


# --- uploads ------------------------------------------------------------------------------

def test_expect_is_answered_when_the_body_is_wanted(scene):
    origin = scene.origin(lambda exchange: exchange.reply(len(exchange.request.body)))
    daemon = passing(scene, origin, route=", max_body: 1KiB")
    with daemon.client() as client:
        client.request("POST", "/", {"Expect": "100-continue", "Content-Length": "3"})
        assert client.reader.head().startswith(b"HTTP/1.1 100 ")
        assert client.send("abc").response("POST").json() == 3
        assert origin.requests[0].header("expect") is None
    with daemon.client() as client:
        client.request("POST", "/", {"Expect": "100-continue", "Content-Length": "1025"})
        answer = client.response("POST")
        assert answer.status == 413 and not answer.interim
    assert len(origin.requests) == 1


def test_a_chunked_upload_beyond_max_body_is_cut(scene):
    gone = threading.Event()

    def serve(sock, reader, _):
        try:
            reader.rest()
        finally:
            gone.set()

    server = scene.keep(Server(serve))
    daemon = passing(scene, server, route=", max_body: 100KiB")
    client = scene.client(daemon).send(f"POST / HTTP/1.1\r\nHost: a\r\n{CHUNKED}\r\n\r\n")
    for _ in range(11):
        client.send(b"2800\r\n" + b"x" * 10240 + b"\r\n")
    assert client.response("POST").status == 413
    assert gone.wait(PATIENCE_S)
    assert daemon.status()["worker"]["rejected"]["body"] == 1
    assert daemon.route("/{rest...}")["answers"]["4xx"] == 1


def test_an_answer_before_the_end_of_the_upload_reaches_the_client(scene):
    def serve(sock, reader, _):
        sock.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nstop")
        reader.rest()

    daemon = passing(scene, scene.keep(Server(serve)), route=", max_body: 1GiB")
    client = scene.client(daemon).send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000000\r\n\r\n")
    answer = client.response("PUT")
    assert (answer.status, answer.body, answer.header("connection")) == (403, b"stop", "close")
    assert daemon.server("o")["sessions"]["idle"] == 0


def test_upload_and_answer_may_run_side_by_side(scene):
    def serve(sock, reader, _):
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            size = int(reader.line(), 16)
            sock.sendall(b"%x\r\n%s" % (size, reader.need(size + 2)))
            if size == 0:
                return

    daemon = passing(scene, scene.keep(Server(serve)))
    client = scene.client(daemon).send(f"POST / HTTP/1.1\r\nHost: a\r\n{CHUNKED}\r\n\r\n")
    client.reader.head()
    for number in range(20):
        word = b"word %d" % number
        client.send(b"%x\r\n%s\r\n" % (len(word), word))
        assert client.reader.need(len(word) + 5) == b"%x\r\n%s\r\n" % (len(word), word)
    client.send("0\r\n\r\n")
    assert client.reader.need(5) == b"0\r\n\r\n"
