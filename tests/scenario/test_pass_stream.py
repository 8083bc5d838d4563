"""Pass routes as streams: flat memory, back-pressure, what breaks off, deadlines, leaving."""
import socket
import threading
import time

from passing import (BULK_BYTES, MAY_GROW_BYTES, MIB, PIECE, Server, Watch, passing, send_bulk,
                     take_bulk)
from waits import PATIENCE_S, until, within
from wire import Reset


# --- much ---------------------------------------------------------------------------------

def test_much_is_uploaded_and_downloaded_with_flat_memory(scene):
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {BULK_BYTES}\r\n\r\n".encode()

    def serve(sock, reader, start):
        if start.startswith(b"PUT"):
            take_bulk(reader, BULK_BYTES)
            sock.sendall(b"HTTP/1.1 204 OK\r\n\r\n")
        else:
            sock.sendall(head)
            send_bulk(sock, BULK_BYTES)
        reader.rest()

    daemon = passing(scene, scene.keep(Server(serve)), route=", max_body: 1GiB, timeout: 30s",
                     upstream=", timeout: 30s, pool: {idle: 0}")
    with daemon.client() as client:
        watch = Watch(daemon)
        client.send(f"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {BULK_BYTES}\r\n\r\n")
        send_bulk(client.sock, BULK_BYTES)
        assert client.response("PUT").status == 204
        client.request("GET", "/")
        client.reader.head()
        take_bulk(client.reader, BULK_BYTES)
        grown = watch.grown()
        assert grown < MAY_GROW_BYTES, f"{grown} bytes"


def test_a_slow_reader_holds_the_upstream_back(scene):
    sent = [0]

    def serve(sock, _, __):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n")
        for _ in range(1024):
            sock.sendall(PIECE)
            sent[0] += len(PIECE)

    daemon = passing(scene, scene.keep(Server(serve)), upstream=", timeout: 300ms")
    client = scene.client(daemon)
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    watch = Watch(daemon)
    client.request("GET", "/")
    client.reader.head()
    # More than the upstream's timeout: it is the client that is slow.
    stuck, since = -1, time.monotonic()
    while time.monotonic() - since < 1:
        if sent[0] != stuck:
            stuck, since = sent[0], time.monotonic()
        time.sleep(0.01)  # time itself is what is tested
    assert sent[0] < 32 * MIB
    take_bulk(client.reader, 64 * MIB)
    assert watch.grown() < MAY_GROW_BYTES


def test_an_upstream_that_does_not_read_holds_the_client_back(scene):
    gate = threading.Event()

    def serve(sock, reader, _):
        gate.wait(PATIENCE_S)
        take_bulk(reader, 64 * MIB)
        sock.sendall(b"HTTP/1.1 204 OK\r\n\r\n")
        reader.rest()

    daemon = passing(scene, scene.keep(Server(serve)), route=", max_body: 1GiB",
                     upstream=", timeout: 10s", limits="body_timeout: 200ms")
    client = scene.client(daemon)
    sent = [0]

    def upload():
        client.send(f"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {64 * MIB}\r\n\r\n")
        for _ in range(1024):
            client.sock.sendall(PIECE)
            sent[0] += len(PIECE)

    thread = threading.Thread(target=upload, daemon=True)
    watch = Watch(daemon)
    thread.start()
    stuck, since = -1, time.monotonic()
    while time.monotonic() - since < 0.6:  # more than body_timeout, which does not run
        if sent[0] != stuck:
            stuck, since = sent[0], time.monotonic()
        time.sleep(0.01)  # time itself is what is tested
    assert sent[0] < 32 * MIB
    gate.set()
    assert client.response("PUT").status == 204
    thread.join(PATIENCE_S)
    assert watch.grown() < MAY_GROW_BYTES


# --- what breaks --------------------------------------------------------------------------

def test_an_upstream_that_breaks_off_is_never_a_clean_end(scene):
    gate = threading.Semaphore(0)

    def serve(sock, _, head):
        if b"/length" in head:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        else:
            sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
        gate.acquire(timeout=PATIENCE_S)
        if b"/bad" in head:
            sock.sendall(b"4\r\nhalfZZ")

    daemon = passing(scene, scene.keep(Server(serve)))
    for path, version in [("/length", 1), ("/chunks", 1), ("/bad", 1), ("/chunks", 0)]:
        client = scene.client(daemon).send(f"GET {path} HTTP/1.{version}\r\nHost: a\r\n\r\n")
        client.reader.head()
        gate.release()
        try:
            while client.reader.more():
                pass
            raise AssertionError(f"{path} ended cleanly: {client.reader.data!r}")
        except Reset:
            pass
    failures = daemon.upstream("o")["failures"]
    assert (failures["reset"], failures["protocol"]) == (3, 1)
    assert daemon.route("/{rest...}")["failures"]["reset"] == 3


def test_a_body_that_is_malformed_from_the_start_is_a_problem(scene):
    daemon = passing(scene, scene.origin(lambda exchange: exchange.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalfZZ")))
    assert daemon.get("/").json()["class"] == "protocol"


def test_failures_before_the_head_are_problems_with_a_class(scene):
    origin = scene.origin()
    origin.on("/reset", lambda exchange: exchange.reset())
    origin.on("/garbage", lambda exchange: exchange.send(b"SSH-2.0-x\r\n\r\n"))
    origin.on("/two", lambda exchange: exchange.send(
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"))
    origin.on("/large", lambda exchange: exchange.send(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40000))
    origin.on("/silent", lambda exchange: exchange.silence())
    daemon = passing(scene, origin, route=", timeout: 300ms")
    for path, status, kind in [("/reset", 502, "reset"), ("/garbage", 502, "protocol"),
                               ("/two", 502, "protocol"), ("/large", 502, "too_large"),
                               ("/silent", 504, "timeout")]:
        answer = daemon.get(path)
        assert (answer.status, answer.json()["class"]) == (status, kind), path
        assert answer.header("content-type") == "application/problem+json"
        assert b"127.0.0.1" not in answer.raw
    origin.exchanges[-1].until_gone()


def test_an_upstream_that_is_not_there_is_502_connect(scene):
    spare = socket.create_server(("127.0.0.1", 0))
    port = spare.getsockname()[1]
    spare.close()
    daemon = scene.gatherd(f"routes:\n  /: {{pass: \"http://127.0.0.1:{port}\"}}\n")
    answer = daemon.call("POST", "/", body=b"abc")
    assert (answer.status, answer.json()["class"]) == (502, "connect")


def test_a_full_queue_is_503(scene):
    origin = scene.origin(lambda exchange: exchange.silence())
    daemon = passing(scene, origin, upstream=", pool: {max: 1, idle: 1, queue: 0}")
    client = scene.client(daemon).request("GET", "/")
    origin.wait_requests(1)
    answer = daemon.get("/")
    assert (answer.status, answer.json()["class"], answer.header("retry-after")) == (503, "overload", "1")
    client.close()


# --- deadlines ----------------------------------------------------------------------------

def test_the_deadline_of_the_head_counts_from_the_end_of_the_upload(scene):
    origin = scene.origin(lambda exchange: exchange.silence())
    daemon = passing(scene, origin, route=", timeout: 400ms", upstream=", timeout: 5s")
    client = scene.client(daemon).send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n")
    for _ in range(6):
        time.sleep(0.1)  # time itself is what is tested
        client.send("x")
    start = time.monotonic()
    assert client.response("POST").json()["class"] == "timeout"
    assert 0.3 < time.monotonic() - start < within(0.5)


def test_an_upstream_that_stops_in_the_middle_is_cut(scene):
    def serve(sock, reader, _):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        reader.rest()

    daemon = passing(scene, scene.keep(Server(serve)), upstream=", timeout: 300ms")
    client = scene.client(daemon).request("GET", "/")
    start = time.monotonic()
    client.reader.head()
    try:
        client.reader.need(100)
        raise AssertionError("the answer is complete")
    except Reset:
        pass
    assert 0.25 < time.monotonic() - start < within(0.5)
    assert daemon.upstream("o")["failures"]["timeout"] == 1


def test_a_steady_answer_may_take_longer_than_all_timeouts(scene):
    def answer(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        exchange.drip(b"0123456789", 0.1)

    daemon = passing(scene, scene.origin(answer), route=", timeout: 300ms", upstream=", timeout: 400ms")
    assert daemon.get("/").body == b"0123456789"


def test_a_client_that_stops_sending_is_answered_408(scene):
    server = scene.keep(Server(lambda sock, reader, _: reader.rest()))
    daemon = passing(scene, server, limits="body_timeout: 300ms")
    client = scene.client(daemon).send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nx")
    assert client.response("POST").status == 408
    assert daemon.status()["worker"]["client_timeouts"]["body"] == 1


# --- leaving and staying ------------------------------------------------------------------

def test_a_client_that_leaves_takes_the_upstream_with_it(scene):
    origin = scene.origin(lambda exchange: exchange.silence())
    origin.on("/body", lambda exchange: (exchange.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"), exchange.silence()))
    daemon = passing(scene, origin, route=", timeout: 30s", upstream=", timeout: 30s")
    for number, (path, leave) in enumerate([("/head", "close"), ("/head", "reset"),
                                            ("/body", "close"), ("/body", "reset")]):
        client = daemon.client().request("GET", path)
        exchange = origin.wait_requests(number + 1)
        if path == "/body":
            client.reader.head()
        start = time.monotonic()
        getattr(client, leave)()
        assert exchange.until_gone() - start < within(0.15)
    until(lambda: daemon.route("/{rest...}")["client_gone"] == 4, "client_gone counted")
    assert daemon.upstream("o")["failures"]["cancelled"] == 4


def test_a_client_that_leaves_in_the_middle_of_its_upload(scene):
    gone = threading.Semaphore(0)

    def serve(sock, reader, _):
        try:
            reader.rest()
        finally:
            gone.release()

    daemon = passing(scene, scene.keep(Server(serve)))
    for leave in ("close", "reset"):
        client = daemon.client().send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx")
        until(lambda: daemon.upstream("o")["in_flight"] == 1, "the upload began")
        getattr(client, leave)()
        assert gone.acquire(timeout=PATIENCE_S)


def test_connections_are_kept_on_both_sides(scene):
    origin = scene.origin(lambda exchange: exchange.reply(body=exchange.request.body or b"{}"))
    daemon = passing(scene, origin)
    with daemon.client() as client:
        for number in range(50):
            body = b"x" * (number * 3000)
            assert client.call("POST", "/", body=body).body == (body or b"{}")
        client.request("GET", "/1").request("GET", "/2").request("POST", "/3", body=b"3")
        assert [client.response().body for _ in range(3)] == [b"{}", b"{}", b"3"]
    assert origin.connections == 1


def test_a_stale_connection_is_tried_again_once(scene):
    origin = scene.origin(lambda exchange: (exchange.reply(1), exchange.close())
                          if exchange.turn == 0 and exchange.request.path == "/once" else
                          exchange.reset() if exchange.turn == 1 else exchange.reply(2))
    daemon = passing(scene, origin)
    with daemon.client() as client:
        assert client.get("/first").json() == 2
        assert client.get("/second").json() == 2
        assert daemon.upstream("o")["stale_retries"] == 1
        assert client.call("POST", "/third", body=b"x").status == 502


def test_draining_waits_for_a_stream(scene):
    gate = threading.Event()

    def answer(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
        gate.wait(PATIENCE_S)
        exchange.send(b"half")

    daemon = passing(scene, scene.origin(answer), upstream=", timeout: 10s")
    client = scene.client(daemon).request("GET", "/")
    client.reader.head()
    daemon.signal(15)
    until(lambda: daemon.admin("/readyz").status == 503, "draining")
    gate.set()
    assert client.reader.need(8) == b"halfhalf"
    assert client.closed()
    client.close()
    assert daemon.wait_exit() == 0
