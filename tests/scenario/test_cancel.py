"""A browser that leaves takes its calls with it."""
import time

from waits import SLOWDOWN, until


ROUNDS = 4  # the best of them counts: the machine may be busy


def leaves(scene, how):
    """Leaves while all calls wait; returns how long it took the last upstream to see it."""
    origins = {f"part{n}": scene.origin(lambda exchange: exchange.silence()) for n in range(3)}
    daemon = scene.gather(origins, route="timeout: 30s", upstream=", timeout: 30s")
    took = []
    for turn in range(1, ROUNDS + 1):
        client = daemon.client().request("GET", "/x")
        exchanges = [origin.wait_requests(turn) for origin in origins.values()]
        start = time.monotonic()
        how(client)
        took.append(max(exchange.until_gone() for exchange in exchanges) - start)
    until(lambda: daemon.status()["worker"]["client_gone"] == ROUNDS, "client_gone counted")
    assert daemon.route("GET /x")["client_gone"] == ROUNDS
    for name in origins:
        assert daemon.upstream(name)["failures"]["cancelled"] == ROUNDS
    return min(took)


def test_a_close_reaches_the_upstreams_at_once(scene):
    assert leaves(scene, lambda client: client.close()) < 0.05 * SLOWDOWN


def test_a_reset_reaches_the_upstreams_at_once(scene):
    assert leaves(scene, lambda client: client.reset()) < 0.05 * SLOWDOWN


def test_leaving_while_queued_withdraws_the_call(scene):
    origin = scene.origin(lambda exchange: exchange.silence())
    daemon = scene.gather({"users": origin}, route="timeout: 30s",
                          upstream=", timeout: 30s, pool: {max: 1, idle: 1, queue: 8}")
    first = daemon.client().request("GET", "/x")
    origin.wait_requests(1)
    second = daemon.client().request("GET", "/x")
    until(lambda: daemon.server("users")["queued"] == 1, "the second call queued")
    second.close()
    until(lambda: daemon.server("users")["queued"] == 0, "the second call withdrawn")
    first.close()
    daemon.assert_at_rest()
    assert len(origin.exchanges) == 1


def test_leaving_with_pipelined_requests_behind_ends_all(scene):
    origin = scene.origin(lambda exchange: exchange.silence())
    daemon = scene.gather({"users": origin}, route="timeout: 30s", upstream=", timeout: 30s")
    client = daemon.client()
    for _ in range(10):
        client.request("GET", "/x")
    exchange = origin.wait_requests(1)
    client.close()
    exchange.until_gone()
    daemon.assert_at_rest()


def test_hundreds_of_leaving_clients_leave_nothing_behind(scene):
    origin = scene.origin(lambda exchange: exchange.silence())
    daemon = scene.gather({"users": origin}, route="timeout: 30s", upstream=", timeout: 30s, connect_timeout: 30s")

    for _ in range(5):
        clients = [daemon.client().request("GET", "/x") for _ in range(60)]
        clients += [daemon.client().send("GET /x HTTP/1.1\r\nHo") for _ in range(20)]
        until(lambda: daemon.route("GET /x")["in_flight"] == 60, "60 requests in flight")
        for number, client in enumerate(clients):
            if number % 2:
                client.close()
            else:
                client.reset()
    daemon.assert_at_rest()
    origin.answer = lambda exchange: exchange.reply(1)
    assert daemon.get("/x").json() == {"users": 1}
