"""What gatherd uses: nothing while idle, no more as time goes by, and no harm at the limits."""
import resource
import threading
import time

from client import Client
from origin import reply_bytes
from wire import Closed, Reset
from waits import PATIENCE_S, SLOWDOWN, until

# Sanitizers keep freed memory for a while.
MAY_GROW_BYTES = 1024 * 1024 if SLOWDOWN == 1 else 64 * 1024 * 1024


def test_an_idle_daemon_uses_no_cpu(scene):
    daemon = scene.gather({"users": scene.origin()}, workers=2)
    client = scene.client(daemon)
    assert client.get("/x").status == 200
    before = daemon.cpu_s()
    time.sleep(1)  # time itself is what is tested
    assert daemon.cpu_s() - before <= 0.01 * SLOWDOWN


def test_a_daemon_waiting_for_a_stuck_upstream_uses_no_cpu(scene):
    origin = scene.origin(lambda exchange: exchange.silence())
    daemon = scene.gather({"users": origin}, route="timeout: 30s", upstream=", timeout: 30s")
    clients = [scene.client(daemon).request("GET", "/x") for _ in range(20)]
    origin.wait_requests(20)
    before = daemon.cpu_s()
    time.sleep(1)  # time itself is what is tested
    assert daemon.cpu_s() - before <= 0.01 * SLOWDOWN
    for client in clients:
        client.close()


def test_memory_does_not_grow_with_requests(scene):
    origin = scene.origin(lambda exchange: exchange.reply("x" * 20_000))
    daemon = scene.gather({"users": origin})

    def browse(count):
        with daemon.client() as client:
            for turn in range(count):
                if turn % 10 == 9:
                    assert client.get("/nothing").status == 404
                else:
                    assert client.get("/x").status == 200
                if turn % 50 == 49:
                    daemon.client().request("GET", "/x").reset()

    browse(300)
    before = daemon.rss_bytes()
    browse(1500)
    grown = daemon.rss_bytes() - before
    assert grown < MAY_GROW_BYTES, f"{grown} bytes in 1500 requests"


def test_memory_of_bursts_of_large_answers_goes_back(scene):
    count, body = 48, b'["' + b"x" * 300_000 + b'"]'
    release = threading.Semaphore(0)

    def hold_the_end(exchange):
        data = reply_bytes(body=body)
        exchange.send(data[:-1])
        release.acquire(timeout=PATIENCE_S)
        exchange.send(data[-1:])

    origin = scene.origin(hold_the_end).on("/first", {})
    daemon = scene.gatherd(
        f"upstreams: {{o: {{servers: ['{origin.url}'], timeout: 60s}}}}\n"
        "defaults: {timeout: 60s}\n"
        "routes: {GET /first: {calls: {a: o/first}}, GET /x: {calls: {a: o/x}}}\n")
    assert daemon.get("/first").status == 200
    before = daemon.rss_bytes()
    # The second one finds a heap that has seen large blocks come and go, and small ones
    # that stay come to lie behind its own.
    for _ in range(2):
        clients = [scene.client(daemon).request("GET", "/x") for _ in range(count)]
        until(lambda: daemon.rss_bytes() - before > count * 250_000, "the burst is held in memory")
        for _ in range(20):
            scene.client(daemon).get("/first")
        release.release(count)
        for client in clients:
            assert client.response().body == b'{"a":' + body + b"}"
            client.close()
    # Small blocks may stay, in a bounded number.
    until(lambda: daemon.rss_bytes() - before < MAY_GROW_BYTES + 3 * 1024 * 1024,
          "the memory goes back", 10)


def test_text_that_is_put_together_is_bounded_like_all_of_a_request(scene):
    origin = scene.origin(lambda exchange: exchange.reply("x" * 300_000))
    text = "{a} " * 60
    daemon = scene.gatherd(f"limits: {{request_memory: 1MiB}}\nupstreams: {{o: {origin.url}}}\n"
                           f"routes: {{GET /x: {{calls: {{a: o/x}}, respond: {{t: \"{text}\"}}}}}}\n")
    before = daemon.rss_peak_bytes()
    assert daemon.get("/x").json()["class"] == "too_large"
    assert daemon.rss_peak_bytes() - before < 3 * MAY_GROW_BYTES


def test_running_out_of_descriptors_does_no_harm(scene):
    """Clients who say nothing make room, nothing spins, and all is well when some are free again."""
    daemon = scene.gather(
        {"users": scene.origin()},
        preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    clients = [Client(daemon.port) for _ in range(100)]
    served = 0
    for client in clients:
        try:
            client.request("GET", "/x")
        except OSError:
            pass  # it has made room for a later one
    before = daemon.cpu_s()
    time.sleep(1)  # time itself is what is tested
    assert daemon.cpu_s() - before <= 0.1 * SLOWDOWN
    for client in clients:
        if served == 10:
            break
        client.sock.settimeout(0.2)
        try:
            client.response()
            served += 1
        except (OSError, Closed, Reset):
            continue
    assert served, "nobody was served"
    for client in clients:
        client.close()
    until(lambda: daemon.get("/x").status == 200, "served again")
    worker = daemon.status()["worker"]
    assert worker["accept_pauses"] + worker["connections_evicted"] >= 1, worker


def test_a_slow_reader_gets_every_byte_of_a_large_answer(scene):
    body = b'["' + bytes(range(0x30, 0x5b)) * 50_000 + b'"]'
    origin = scene.origin(lambda exchange: exchange.reply(body=body))
    daemon = scene.gather({"users": origin}, route="timeout: 10s")
    with daemon.client() as slow, daemon.client() as other:
        slow.request("GET", "/x")
        until(lambda: daemon.route("GET /x")["answers"]["2xx"] == 1, "the answer is on its way")
        for _ in range(20):
            assert other.get("/nothing").status == 404
        assert slow.response().body == b'{"users":' + body + b"}"
