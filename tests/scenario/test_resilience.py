"""Upstreams can be relied on although their servers cannot."""
import threading

from waits import SLOWDOWN, until, within


def config(origins, options, calls="users: users/a", route=""):
    servers = ", ".join(f"\"{origin.url}\"" for origin in origins)
    return "\n".join([
        "upstreams:", "  users:", f"    servers: [{servers}]", *[f"    {line}" for line in options],
        "routes:", "  GET /x:", *([f"    {route}"] if route else []), "    calls:", f"      {calls}",
        "  POST /p:", "    calls:", "      users: POST users/p",
        "  /pass:", "    pass: users/pass", ""])


def good(exchange):
    exchange.reply("good")


def broken(exchange):
    exchange.reply("bad", status=503)


def browse(daemon, clients, requests, target="/x", headers=None):
    """That many requests by each of so many clients side by side; (status, seconds) of each."""
    seen = []

    def run():
        with daemon.client() as client:
            for _ in range(requests):
                answer = client.get(target, headers)
                seen.append((answer.status, answer.elapsed))

    threads = [threading.Thread(target=run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == clients * requests
    return seen


def wrong(seen):
    return sum(status != 200 for status, _ in seen)


# --- choosing -----------------------------------------------------------------------------


def test_the_same_user_goes_to_the_same_server(scene):
    origins = [scene.origin(lambda exchange, n=n: exchange.reply(n)) for n in range(3)]
    daemon = scene.gatherd(config(origins, ["balance: hash({header.x-user})"]))
    where = {}
    with daemon.client() as client:
        for turn in range(90):
            user = f"user{turn % 30}"
            server = client.get("/x", {"X-User": user}).json()["users"]
            assert where.setdefault(user, server) == server
            assert client.get("/pass", {"X-User": user}).json() == server
        assert set(where.values()) == {0, 1, 2}
        assert {client.get("/x").json()["users"] for _ in range(9)} == {0, 1, 2}


def test_above_max_in_flight_calls_fail_at_once(scene):
    origin = scene.origin(lambda exchange: exchange.silence())
    daemon = scene.gatherd(config([origin], ["max_in_flight: 2"]))
    clients = [daemon.client().request("GET", "/x") for _ in range(2)]
    origin.wait_requests(2)
    for target in ("/x", "/pass"):
        answer = daemon.get(target)
        assert (answer.status, answer.json()["class"]) == (503, "overload")
        assert answer.elapsed < within(0.25)
    assert daemon.upstream("users")["refused"] == 2
    for client in clients:
        client.close()


# --- ejecting -----------------------------------------------------------------------------


def test_a_server_that_fails_is_taken_out_and_clients_see_no_more_of_it(scene):
    bad = scene.origin(broken)
    daemon = scene.gatherd(config([scene.origin(good), bad, scene.origin(good)],
                                  ["eject: {errors: 5, for: 60s}", "retry: off"]))
    assert wrong(browse(daemon, 1, 60)) == 5
    assert daemon.server("users", 1)["state"] == {"out": 1, "trial": 0, "down": 0, "drained": 0}
    assert daemon.server("users", 1)["out_until"].endswith("Z")
    assert "out_until" not in daemon.server("users", 0)
    assert wrong(browse(daemon, 4, 300)) == 0
    assert len(bad.exchanges) == 5


def test_with_retries_clients_see_nothing_of_it_at_all(scene):
    bad = scene.origin(broken)
    daemon = scene.gatherd(config([scene.origin(good), bad, scene.origin(good)],
                                  ["eject: {errors: 5, for: 50ms}"]))
    assert wrong(browse(daemon, 3, 400)) == 0
    users = daemon.upstream("users")
    assert users["retries"] == len(bad.exchanges) >= 5
    assert users["stale_retries"] == 0
    assert users["servers"][1]["ejections"] >= 1


def test_servers_that_refuse_reset_and_lie_are_taken_out(scene):
    for answer in (lambda exchange: exchange.reset(),
                   lambda exchange: exchange.send(b"SMTP\r\n\r\n"),
                   lambda exchange: exchange.silence()):
        bad = scene.origin(answer)
        daemon = scene.gatherd(config([scene.origin(good), bad], [
            "eject: {errors: 2, for: 60s}", "retry: off", "timeout: 500ms",
            "balance: round_robin"]))
        browse(daemon, 1, 12)
        assert daemon.server("users", 1)["state"]["out"] == 1
        assert wrong(browse(daemon, 1, 20)) == 0
    gone = scene.origin()
    gone.stop()
    daemon = scene.gatherd(config([scene.origin(good), gone], ["eject: {errors: 1, for: 60s}"]))
    assert wrong(browse(daemon, 1, 12)) == 0
    assert daemon.server("users", 1)["state"]["out"] == 1


def test_a_server_that_works_again_comes_back(scene):
    bad = scene.origin(broken)
    daemon = scene.gatherd(config([scene.origin(good), bad],
                                  ["eject: {errors: 2, for: 100ms}", "balance: round_robin"]))
    assert wrong(browse(daemon, 1, 12)) == 0
    assert daemon.server("users", 1)["ejections"] >= 1
    bad.answer = good
    with daemon.client() as client:
        until(lambda: client.get("/x") and not any(daemon.server("users", 1)["state"].values()),
              "the server is back")
    before = len(bad.exchanges)
    assert wrong(browse(daemon, 1, 20)) == 0
    assert len(bad.exchanges) == before + 10


def test_the_last_server_is_never_taken_out(scene):
    origin = scene.origin(broken)
    daemon = scene.gatherd(config([origin], ["retry: off"]))
    assert wrong(browse(daemon, 1, 20)) == 20
    origin.answer = good
    assert wrong(browse(daemon, 1, 5)) == 0


# --- trying again -------------------------------------------------------------------------


def test_what_failed_is_sent_to_another_server(scene):
    for answer in (lambda exchange: exchange.reset(), broken):
        daemon = scene.gatherd(config([scene.origin(answer), scene.origin(good)],
                                      ["eject: off", "balance: round_robin"]))
        assert wrong(browse(daemon, 1, 10)) == 0
        assert wrong(browse(daemon, 1, 6, "/pass")) == 0
        assert daemon.upstream("users")["retries"] == 8


def test_a_server_alone_is_asked_again_after_a_pause(scene):
    origin = scene.origin(lambda exchange: broken(exchange) if len(origin.exchanges) == 1
                          else good(exchange))
    daemon = scene.gatherd(config([origin], []))
    answer = daemon.get("/x")
    assert answer.json() == {"users": "good"}
    assert origin.exchanges[1].time - origin.exchanges[0].time >= 0.008


def test_an_upstream_that_always_fails_sees_a_fifth_more(scene):
    origins = [scene.origin(broken), scene.origin(broken)]
    daemon = scene.gatherd(config(origins, ["retry: {tries: 3}"]))
    assert wrong(browse(daemon, 4, 200)) == 800
    users = daemon.upstream("users")
    sent = sum(len(origin.exchanges) for origin in origins)
    assert sent == 800 + users["retries"]
    assert users["over_budget"] > 0
    # what an upstream that never failed may have saved up, and what these calls have
    assert users["retries"] <= 10 + 800 * 0.2


def test_a_post_is_sent_again_only_when_the_file_says_so(scene):
    for options, requests in (([], 1), (["retry: {methods: [POST], on: [reset]}"], 2)):
        origins = [scene.origin(lambda exchange: exchange.reset()) for _ in range(2)]
        daemon = scene.gatherd(config(origins, [*options, "hedge: 1ms"]))
        assert daemon.call("POST", "/p", body=b"{}").status == 502
        assert sum(len(origin.exchanges) for origin in origins) == requests
        assert daemon.upstream("users")["retries"] == requests - 1


def test_no_try_begins_after_the_deadline(scene):
    def late(exchange):
        exchange.pause(0.19)
        broken(exchange)

    origin = scene.origin(late)
    daemon = scene.gatherd(config([origin], ["retry: {tries: 5}"], route="timeout: 200ms"))
    answer = daemon.get("/x")
    assert answer.status in (502, 504)
    assert answer.elapsed < 0.2 + within(0.25)
    assert len(origin.exchanges) <= 2


def test_retry_after_lets_a_server_rest_and_is_told(scene):
    def busy(exchange):
        exchange.reply(None, status=503, headers={"Retry-After": "30"})

    resting = scene.origin(busy)
    daemon = scene.gatherd(config([resting, scene.origin(good)],
                                  ["eject: off", "balance: round_robin"]))
    assert wrong(browse(daemon, 1, 20)) == 0
    assert len(resting.exchanges) == 1
    daemon = scene.gatherd(config([scene.origin(busy)], []))
    answer = daemon.get("/x")
    assert (answer.status, answer.header("Retry-After")) == (503, "30")
    daemon = scene.gatherd(config([scene.origin(broken)], []))
    assert daemon.get("/x").status == 502


def test_a_body_of_a_pass_is_sent_once(scene):
    origins = [scene.origin(broken), scene.origin(broken)]
    daemon = scene.gatherd(config(origins, []))
    assert daemon.call("PUT", "/pass", body=b"x" * 100).status == 503
    assert sum(len(origin.exchanges) for origin in origins) == 1


# --- hedging ------------------------------------------------------------------------------


def test_a_slow_answer_is_overtaken(scene):
    slow = scene.origin(lambda exchange: (exchange.pause(1 * SLOWDOWN), exchange.reply("slow")))
    daemon = scene.gatherd(config([slow, scene.origin(good)],
                                  ["hedge: 20ms", "eject: off", "balance: round_robin"]))
    for _ in range(4):
        answer = daemon.get("/x")
        assert answer.json() == {"users": "good"}
        assert answer.elapsed < 1 * SLOWDOWN
    users = daemon.upstream("users")
    assert users["hedges_won"] >= 1
    for exchange in slow.exchanges:
        exchange.until_gone()


def test_one_slow_server_among_quick_ones_does_not_show(scene):
    """What else the machine does can only add to time and requests: one good run proves it."""
    def quick(exchange):
        exchange.pause(0.02)
        exchange.reply("good")

    def run():
        slow = scene.origin(lambda exchange: (exchange.pause(1), exchange.reply("slow")))
        origins = [slow, scene.origin(quick), scene.origin(quick)]
        daemon = scene.gatherd(config(origins, [f"hedge: {50 * SLOWDOWN:.0f}ms",
                                                "balance: round_robin"]))
        seen = browse(daemon, 4, 100)
        assert wrong(seen) == 0
        taken = sorted(seconds for _, seconds in seen)
        return sum(len(origin.exchanges) for origin in origins) / 400, taken[int(400 * 0.99)]

    runs = []
    while len(runs) < 4 and not any(sent <= 1.1 and p99 < 0.1 * SLOWDOWN for sent, p99 in runs):
        runs.append(run())
    assert len(runs) < 4, runs


def test_a_first_request_that_fails_waits_for_the_second(scene):
    gate = threading.Event()

    def first(exchange):
        gate.wait(5)
        exchange.reset()

    def second(exchange):
        gate.set()
        exchange.pause(0.05)
        exchange.reply("second")

    order = [first, second]
    both = [scene.origin(lambda exchange: order.pop(0)(exchange)) for _ in range(2)]
    daemon = scene.gatherd(config(both, ["hedge: 20ms", "retry: off"]))
    assert daemon.get("/x").json() == {"users": "second"}


def test_a_second_request_that_fails_changes_nothing(scene):
    failed = threading.Event()

    def first(exchange):
        assert failed.wait(5)
        exchange.pause(0.05)
        exchange.reply("first")

    def second(exchange):
        failed.set()
        exchange.reset()

    order = [first, second]
    both = [scene.origin(lambda exchange: order.pop(0)(exchange)) for _ in range(2)]
    daemon = scene.gatherd(config(both, ["hedge: 20ms", "retry: off"]))
    assert daemon.get("/x").json() == {"users": "first"}
    assert daemon.upstream("users")["hedges_won"] == 0


def test_a_client_that_leaves_ends_both_requests(scene):
    origins = [scene.origin(lambda exchange: exchange.silence()) for _ in range(2)]
    daemon = scene.gatherd(config(origins, ["hedge: 20ms"]))
    client = daemon.client().request("GET", "/x")
    for origin in origins:
        origin.wait_requests(1)
    client.reset()
    for origin in origins:
        origin.exchanges[0].until_gone()


def test_p95_learns_how_long_calls_take(scene):
    stuck = threading.Event()

    def answer(exchange):
        if stuck.is_set():
            stuck.clear()
            exchange.silence()
        exchange.reply("good")

    daemon = scene.gatherd(config([scene.origin(answer), scene.origin(answer)],
                                  ["hedge: p95", "retry: off"]))
    assert wrong(browse(daemon, 1, 120)) == 0
    stuck.set()
    answer = daemon.get("/x")
    assert answer.json() == {"users": "good"}
    assert daemon.upstream("users")["hedges_won"] >= 1


# --- health checks ------------------------------------------------------------------------


def test_a_server_that_fails_its_checks_gets_no_requests(scene):
    sick = scene.origin(good).on("/healthz", broken)
    well = scene.origin(good)
    daemon = scene.gatherd(config([sick, well], [
        "health: {get: /healthz, every: 20ms, timeout: 500ms, up: 2, down: 2}",
        "balance: round_robin"]))
    until(lambda: daemon.server("users", 0)["state"]["down"] == 1, "the server is down")
    before = len([e for e in sick.exchanges if e.request.path == "/a"])
    assert wrong(browse(daemon, 1, 20)) == 0
    assert len([e for e in sick.exchanges if e.request.path == "/a"]) == before
    sick.on("/healthz", good)
    until(lambda: daemon.server("users", 0)["state"]["down"] == 0, "the server is up")
    assert wrong(browse(daemon, 1, 20)) == 0
    assert len([e for e in sick.exchanges if e.request.path == "/a"]) == before + 10
    checks = daemon.server("users", 0)["health_checks"]
    assert checks["failed"] >= 2 and checks["passed"] >= 2


def test_a_check_that_gets_no_answer_fails(scene):
    silent = scene.origin(good).on("/healthz", lambda exchange: exchange.silence())
    daemon = scene.gatherd(config([silent], [
        "health: {get: /healthz, every: 20ms, timeout: 50ms, down: 1}"]))
    until(lambda: daemon.server("users")["state"]["down"] == 1, "the server is down")
    # all are down: then none is
    assert daemon.get("/x").status == 200


def test_checks_are_made_at_their_interval(scene):
    origin = scene.origin(good)
    daemon = scene.gatherd(config([origin], ["health: {get: /healthz, every: 50ms}"]))
    until(lambda: len(origin.exchanges) >= 8, "eight checks")
    times = [exchange.time for exchange in origin.exchanges[:8]]
    # seven intervals, each a tenth shorter at most, and some room for late threads
    assert times[-1] - times[0] >= 7 * 0.05 * 0.9 / 2, times
    assert all(exchange.request.path == "/healthz" for exchange in origin.exchanges)
    assert daemon.upstream("users")["calls"] == 0
