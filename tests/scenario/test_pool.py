"""Sessions are pooled, and a pooled connection that has died costs no error."""
import threading

from waits import until


def burst(daemon, count, target="/x"):
    """That many requests on a connection each, at the same time; their answers."""
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(daemon.get(target)))
               for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_connections_are_reused(scene):
    origin = scene.origin()
    daemon = scene.gather({"users": origin})
    for _ in range(20):
        assert daemon.get("/x").status == 200
    assert origin.connections == 1
    server = daemon.server("users")
    assert (server["connects"], server["reuses"], server["sessions"]["idle"]) == (1, 19, 1)


def test_the_last_one_used_is_the_next_one_used(scene):
    gate = threading.Event()

    def answer(exchange):
        if not gate.wait(5):
            return
        exchange.reply(exchange.connection)

    origin = scene.origin(answer)
    daemon = scene.gather({"users": origin})
    clients = [daemon.client().request("GET", "/x") for _ in range(3)]
    origin.wait_requests(3)
    gate.set()
    for client in clients:
        client.response()
        client.close()
    used = {daemon.get("/x").json()["users"] for _ in range(10)}
    assert len(used) == 1, used


def test_no_more_than_idle_connections_are_kept(scene):
    origin = scene.origin(lambda exchange: (exchange.pause(0.1), exchange.reply(1)))
    daemon = scene.gather({"users": origin}, upstream=", pool: {max: 20, idle: 2}")
    assert {answer.status for answer in burst(daemon, 8)} == {200}
    origin.wait_connections(2)
    assert daemon.server("users")["sessions"]["idle"] == 2


def test_min_connections_are_there_before_the_first_request_and_kept(scene):
    origins = {"users": scene.origin(), "orders": scene.origin()}
    pool = ", pool: {min: 3, idle_timeout: 50ms}"
    daemon = scene.gather(origins, upstream=pool, workers=2)
    assert {origin.connections for origin in origins.values()} == {6}
    assert not origins["users"].exchanges
    server = daemon.server("users")
    assert server["sessions"] == {"idle": 6, "leased": 0, "dialling": 0}
    assert (server["connects"], server["connects_ahead"]) == (6, 6)
    assert daemon.get("/x").status == 200
    assert {origin.connections for origin in origins.values()} == {6}


def test_min_connections_that_are_too_old_or_were_closed_are_replaced(scene):
    origin = scene.origin(lambda exchange: (exchange.reply(1), exchange.close()))
    daemon = scene.gather({"users": origin}, upstream=", pool: {min: 3, idle_timeout: 80ms, max_age: 300ms}")
    until(lambda: origin.connections >= 6, "the replacements of those too old")
    for _ in range(3):
        assert daemon.get("/x").status == 200
    until(lambda: daemon.server("users")["sessions"]["idle"] == 3, "all of them again")


def test_min_connections_that_cannot_be_opened_do_not_hinder_the_start(scene):
    gone, origin = scene.origin(), scene.origin()
    gone.stop()
    daemon = scene.gather({"users": origin, "gone": gone}, upstream=", pool: {min: 4}",
                          calls={"gone": ", optional: true"})
    assert daemon.server("users")["sessions"]["idle"] == 4
    assert daemon.server("gone")["connect_failures"] >= 4
    assert daemon.get("/x").json() == {"users": {"path": "/users"}, "gone": None}


def test_no_more_than_max_connections_are_opened(scene):
    origin = scene.origin(lambda exchange: (exchange.pause(0.02), exchange.reply(1)))
    daemon = scene.gather({"users": origin}, upstream=", pool: {max: 3, idle: 3, queue: 64}")
    assert {answer.status for answer in burst(daemon, 24)} == {200}
    assert origin.connections == 3


def test_a_full_queue_is_503_with_retry_after(scene):
    origin = scene.origin(lambda exchange: exchange.silence())
    daemon = scene.gather({"users": origin}, route="timeout: 10s",
                          upstream=", timeout: 10s, pool: {max: 1, idle: 1, queue: 1}")
    first = daemon.client().request("GET", "/x")
    origin.wait_requests(1)
    second = daemon.client().request("GET", "/x")
    until(lambda: daemon.server("users")["queued"] == 1, "the second call queued")
    answer = daemon.get("/x")
    assert answer.status == 503
    assert (answer.json()["call"], answer.json()["class"]) == ("users", "overload")
    assert int(answer.header("Retry-After")) >= 1
    assert answer.elapsed < 1
    first.close()
    second.close()


def test_an_idle_connection_is_closed_after_its_time(scene):
    origin = scene.origin()
    daemon = scene.gather({"users": origin}, upstream=", pool: {idle_timeout: 200ms}")
    assert daemon.get("/x").status == 200
    assert len(origin.socks) == 1
    origin.wait_connections(0)
    assert daemon.server("users")["sessions"]["idle"] == 0


def test_a_connection_is_closed_after_its_number_of_requests(scene):
    origin = scene.origin()
    daemon = scene.gather({"users": origin}, upstream=", pool: {max_requests: 5}")
    for _ in range(20):
        assert daemon.get("/x").status == 200
    assert origin.connections == 4


def test_connection_close_is_honoured(scene):
    origin = scene.origin(lambda exchange: exchange.reply(1, headers={"Connection": "close"}))
    daemon = scene.gather({"users": origin})
    for _ in range(5):
        assert daemon.get("/x").status == 200
    assert origin.connections == 5
    origin.wait_connections(0)


def test_an_upstream_that_closes_after_every_reply_costs_no_error(scene):
    """Without saying so: each pooled connection is stale a moment after its reply."""
    def answer(exchange):
        exchange.reply(exchange.connection)
        exchange.close()

    daemon = scene.gather({"users": scene.origin(answer)})
    wrong = []

    def browse():
        with daemon.client() as client:
            for _ in range(100):
                reply = client.get("/x")
                if reply.status != 200:
                    wrong.append(reply.raw)

    threads = [threading.Thread(target=browse) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, (len(wrong), wrong[0])


def stale(exchange):
    """The first request of a connection is answered; the second finds it closed."""
    if exchange.turn == 0:
        exchange.reply(exchange.connection)
    else:
        exchange.reset()


def test_a_get_on_a_stale_connection_is_sent_again_once_on_a_fresh_one(scene):
    origin = scene.origin(stale)
    daemon = scene.gather({"users": origin})
    assert daemon.get("/x").json() == {"users": 0}
    assert daemon.get("/x").json() == {"users": 1}
    assert [exchange.connection for exchange in origin.exchanges] == [0, 0, 1]
    assert daemon.upstream("users")["stale_retries"] == 1


def test_it_is_not_sent_a_third_time(scene):
    origin = scene.origin(lambda exchange: exchange.reply(1) if exchange.connection == 0
                          and exchange.turn == 0 else exchange.reset())
    daemon = scene.gather({"users": origin}, upstream=", retry: off")
    assert daemon.get("/x").status == 200
    answer = daemon.get("/x")
    assert (answer.status, answer.json()["class"]) == (502, "reset")
    assert len(origin.exchanges) == 3


def test_a_post_is_never_sent_twice(scene):
    origin = scene.origin(stale)
    daemon = scene.gatherd(f"upstreams:\n  users: {origin.url}\nroutes:\n"
                           "  GET /x:\n    calls:\n      users: POST users/a\n")
    assert daemon.get("/x").status == 200
    answer = daemon.get("/x")
    assert (answer.status, answer.json()["class"]) == (502, "reset")
    assert len(origin.exchanges) == 2


def test_a_reply_that_began_is_not_asked_for_again(scene):
    def answer(exchange):
        if exchange.turn == 0:
            exchange.reply(1)
        else:
            exchange.send(b"HTTP/1.1 200 OK\r\n")
            exchange.reset()

    origin = scene.origin(answer)
    daemon = scene.gather({"users": origin}, upstream=", retry: off")
    assert daemon.get("/x").status == 200
    answer = daemon.get("/x")
    assert (answer.status, answer.json()["class"]) == (502, "reset")
    assert len(origin.exchanges) == 2


def test_servers_take_turns(scene):
    one, two, three = (scene.origin(lambda exchange, n=n: exchange.reply(n)) for n in range(3))
    daemon = scene.gatherd(
        f"upstreams:\n  users:\n    servers: [\"{one.url}\", \"{two.url}\", \"{three.url}\"]\n"
        "    balance: round_robin\nroutes:\n  GET /x:\n    calls:\n      users: users/a\n")
    seen = [daemon.get("/x").json()["users"] for _ in range(9)]
    assert sorted(seen) == [0, 0, 0, 1, 1, 1, 2, 2, 2], seen
