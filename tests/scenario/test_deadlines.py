"""A deadline holds whatever an upstream does, and costs nobody else anything."""
import signal
import threading
import time

from origin import reply_bytes
from waits import SLOWDOWN, until, within


def assert_timed_out(answer, seconds, call="users"):
    assert answer.status == 504, answer.raw
    assert (answer.json()["call"], answer.json()["class"]) == (call, "timeout")
    assert seconds <= answer.elapsed + 0.005, answer.elapsed
    assert answer.elapsed < seconds + within(0.25), answer.elapsed


def test_the_timeout_of_the_route_holds(scene):
    origin = scene.origin(lambda exchange: exchange.silence())
    daemon = scene.gather({"users": origin}, route="timeout: 200ms")
    assert_timed_out(daemon.get("/x"), 0.2)
    origin.wait_requests(1).until_gone()


def test_the_timeout_of_a_call_holds(scene):
    quick, slow = scene.origin(), scene.origin(lambda exchange: exchange.silence())
    daemon = scene.gather({"quick": quick, "slow": slow},
                          calls={"slow": ", timeout: 150ms, default: []"})
    answer = daemon.get("/x")
    assert answer.json() == {"quick": {"path": "/quick"}, "slow": []}
    assert answer.header("Gather-Parts") == "quick, slow;error=timeout"
    assert 0.15 <= answer.elapsed + 0.005 and answer.elapsed < 0.15 + within(0.25), answer.elapsed


def test_the_timeout_of_the_upstream_holds(scene):
    origin = scene.origin(lambda exchange: exchange.silence())
    daemon = scene.gather({"users": origin}, upstream=", timeout: 150ms")
    assert_timed_out(daemon.get("/x"), 0.15)


def test_every_deadline_is_kept_to_50_ms(scene):
    """What else the machine does can only add to the time, so one exact try proves it."""
    def drip(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        exchange.drip(b"[" + b" " * 998 + b"]", 0.005)

    silent, dripping = scene.origin(lambda exchange: exchange.silence()), scene.origin(drip)
    daemon = scene.gatherd("\n".join([
        "upstreams:", f"  patient: {silent.url}", f"  dripping: {dripping.url}",
        f"  hasty: {{servers: [\"{silent.url}\"], timeout: 200ms}}", "routes:",
        "  GET /route: {timeout: 200ms, calls: {a: patient/a}}",
        "  GET /dripping: {timeout: 200ms, calls: {a: dripping/a}}",
        "  GET /call: {calls: {a: {url: patient/a, timeout: 200ms}}}",
        "  GET /upstream: {calls: {a: hasty/a}}", ""]))
    for path in ("/route", "/dripping", "/call", "/upstream"):
        taken = []
        while len(taken) < 10 and (not taken or min(taken) > 0.2 + 0.05 * SLOWDOWN):
            answer = daemon.get(path)
            assert answer.status == 504, (path, answer.raw)
            taken.append(answer.elapsed)
        assert 0.2 - 0.005 <= min(taken) <= 0.2 + 0.05 * SLOWDOWN, (path, taken)


def test_the_route_answers_with_what_is_there_at_its_deadline(scene):
    quick, slow = scene.origin(), scene.origin(lambda exchange: exchange.silence())
    daemon = scene.gather({"quick": quick, "slow": slow}, route="timeout: 200ms",
                          calls={"slow": ", optional: true"})
    answer = daemon.get("/x")
    assert answer.json() == {"quick": {"path": "/quick"}, "slow": None}
    assert answer.header("Gather-Parts") == "quick, slow;error=timeout"


def test_dripping_a_head_does_not_move_the_deadline(scene):
    origin = scene.origin(lambda exchange: exchange.drip(reply_bytes(value=1), 0.02))
    daemon = scene.gather({"users": origin}, route="timeout: 300ms")
    assert_timed_out(daemon.get("/x"), 0.3)
    assert daemon.upstream("users")["failures"]["timeout"] == 1


def test_dripping_a_body_does_not_move_the_deadline(scene):
    def answer(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        exchange.drip(b"[" + b" " * 998 + b"]", 0.01)
    daemon = scene.gather({"users": scene.origin(answer)}, route="timeout: 300ms")
    assert_timed_out(daemon.get("/x"), 0.3)


def test_dripping_interim_replies_does_not_move_the_deadline(scene):
    def answer(exchange):
        for _ in range(100):
            exchange.send(b"HTTP/1.1 102 Processing\r\n\r\n")
            exchange.pause(0.05)
    daemon = scene.gather({"users": scene.origin(answer)}, route="timeout: 300ms")
    assert_timed_out(daemon.get("/x"), 0.3)


def test_a_server_that_never_accepts_costs_the_connect_timeout(scene):
    """A listener with a full backlog lets the handshake hang."""
    import socket
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    port = listener.getsockname()[1]
    held = []
    for _ in range(3):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", port))
        held.append(sock)
    daemon = scene.gatherd(
        f"upstreams:\n  users: {{servers: [\"http://127.0.0.1:{port}\"], connect_timeout: 200ms}}\n"
        "routes:\n  GET /x:\n    calls:\n      users: users/a\n")
    answer = daemon.get("/x")
    assert (answer.status, answer.json()["class"]) == (502, "connect"), answer.raw
    assert answer.elapsed < 0.2 + within(0.25)
    for sock in (*held, listener):
        sock.close()


def test_a_stopped_upstream_is_504_at_the_deadline_and_harms_no_other_route(scene):
    stopped, fine = scene.origin_process(), scene.origin()
    daemon = scene.gatherd("\n".join([
        "upstreams:", f"  stopped: {stopped.url}", f"  fine: {fine.url}", "routes:",
        "  GET /stopped:", "    timeout: 300ms", "    calls:", "      users: stopped/a",
        "  GET /fine:", "    calls:", "      users: fine/a", ""]))
    assert daemon.get("/stopped").status == 200
    stopped.freeze()
    answers, slowest = [], 0.0
    threads = [threading.Thread(target=lambda: answers.append(daemon.get("/stopped")))
               for _ in range(20)]
    for thread in threads:
        thread.start()
    with daemon.client() as client:
        while any(thread.is_alive() for thread in threads):
            slowest = max(slowest, client.get("/fine").elapsed)
    for thread in threads:
        thread.join()
    for answer in answers:
        assert_timed_out(answer, 0.3)
    assert slowest < within(0.25), slowest
    daemon.assert_at_rest()
    stopped.signal(signal.SIGCONT)
    start = time.monotonic()
    until(lambda: daemon.get("/stopped").status == 200, "recovery", 1)
    assert time.monotonic() - start < within(1)


def test_time_in_the_queue_counts(scene):
    origin = scene.origin(lambda exchange: exchange.silence())
    daemon = scene.gather({"users": origin}, route="timeout: 300ms",
                          upstream=", pool: {max: 1, idle: 1, queue: 8}")
    with daemon.client() as first, daemon.client() as second:
        first.request("GET", "/x")
        origin.wait_requests(1)
        second.request("GET", "/x")
        start = time.monotonic()
        answer = second.response()
        assert answer.status == 504 and answer.json()["class"] == "timeout"
        assert time.monotonic() - start < 0.3 + within(0.25)
        assert first.response().status == 504


def told_ms(origin):
    return int(origin.requests[-1].header("X-Deadline-Ms"))


def test_an_upstream_is_told_how_long_a_call_may_take(scene):
    origin = scene.origin()
    daemon = scene.gatherd(f"""
upstreams:
  u: {{servers: ["{origin.url}"], timeout: 20s, deadline_header: X-Deadline-Ms}}
  quiet: {{servers: ["{origin.url}"]}}
routes:
  GET /route: {{timeout: 10s, calls: {{a: u/}}}}
  GET /try: {{timeout: 40s, calls: {{a: u/}}}}
  GET /call: {{timeout: 40s, calls: {{a: {{url: u/, timeout: 5s}}}}}}
  GET /later: {{timeout: 10s, calls: {{a: u/slow, b: "u/{{a.path}}"}}}}
  GET /forged: {{timeout: 10s, calls: {{a: {{url: u/, forward: {{headers: [x-deadline-ms]}}}}}}}}
  GET /quiet: {{calls: {{a: quiet/}}}}
""")
    def slow(exchange):
        exchange.pause(0.2)
        exchange.reply({"path": "x"})
    origin.on("/slow", slow)
    for path, most in (("/route", 10_000), ("/try", 20_000), ("/call", 5000), ("/later", 9800)):
        assert daemon.get(path).status == 200
        assert most - within(1) * 1000 < told_ms(origin) <= most, path
    daemon.get("/forged", {"X-Deadline-Ms": "1"})
    assert 8000 < told_ms(origin) <= 10_000
    assert "(milliseconds left)" in daemon.admin("/explain?path=/call").body.decode()
    daemon.get("/quiet")
    assert origin.requests[-1].header("X-Deadline-Ms") is None
