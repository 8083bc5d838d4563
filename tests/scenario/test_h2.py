"""Upstreams that speak HTTP/2: what they may do, what they must not, and what they cost."""
import collections
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import h2_peer as h2
from daemon import run_gatherd
from faults import check_documented
from h2_faults import CASES, MAX_RESPONSE, ROWS
from h2_peer import H2Peer
from peers import Nginx, Node
from tls import TlsOrigin, trusting
from waits import SLOWDOWN, until, within

VALUE = {"a": 1}


def before(scene, peer, options="", routes="", log=""):
    """A daemon before a peer, with `GET /x`, which makes one call."""
    tls = trusting() if peer.url.startswith("https") else ""
    return scene.gatherd(f"""{log}
upstreams:
  peer: {{servers: ["{peer.url}"]{tls}, http: 2{options}}}
routes:
  GET /x: {{calls: {{a: peer/x}}}}
{routes}""")


def good(daemon, path="/x"):
    answer = daemon.get(path)
    return answer.status == 200 and answer.json() == {"a": VALUE}


def failed(daemon, want, path="/x"):
    answer = daemon.get(path)
    return answer.status >= 500 and answer.json()["class"] == want


# --- faults -------------------------------------------------------------------------------


def fault_config(peers):
    upstreams = "".join(f'  u{n}: {{servers: ["{peer.url}"], http: 2, timeout: 20s, connect_timeout: 3s, '
                        f"max_response: {MAX_RESPONSE}B, retry: off, eject: off}}\n" for n, peer in enumerate(peers))
    slow = {n for n, case in enumerate(CASES) if case.want == "timeout"}
    routes = "".join(f"  GET /{n}: {{timeout: {'300ms' if n in slow else '15s'}, calls: {{a: u{n}/x}}}}\n"
                     for n in range(len(peers)))
    return f"upstreams:\n{upstreams}routes:\n{routes}"


def try_case(daemon, number):
    case = CASES[number]
    answer = daemon.get(f"/{number}")
    if case.want == "ok":
        right = answer.status == 200 and answer.json() == {"a": VALUE}
    else:
        right = answer.status >= 500 and answer.json()["class"] == case.want
    if right and answer.elapsed < within(6):
        return ""
    return f"{case.row}: {case.name}: want {case.want}, {answer.elapsed:.3f} s, {answer.raw!r}"


def test_every_fault_ends_in_its_class(scene):
    peers = [scene.keep(H2Peer(case.answer, case.hello, bare=not case.hello)) for case in CASES]
    peers.append(scene.keep(H2Peer()))
    daemon = scene.gatherd(fault_config(peers))
    rss = daemon.rss_bytes()
    with ThreadPoolExecutor(4) as pool:
        wrong = [text for text in pool.map(lambda number: try_case(daemon, number), range(len(CASES))) if text]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(CASES)}:", *wrong])
    assert good(daemon, f"/{len(CASES)}")
    # A sanitizer keeps what was freed.
    assert SLOWDOWN > 1 or daemon.rss_bytes() - rss < 24 << 20
    status = daemon.status()["upstreams"]
    failures = collections.Counter(word for upstream in status for word, count in upstream["failures"].items() if count)
    assert failures == collections.Counter(case.want for case in CASES if case.want != "ok")


def test_the_documented_table_is_the_one_that_is_tried(_):
    check_documented("### … that speaks HTTP/2", ROWS)


def test_a_server_that_closes_before_its_settings_cannot_be_connected_to(scene):
    class Closes(H2Peer):
        def serve(self, connection):
            connection.sock.close()
            self.board.note(lambda: setattr(self, "open", self.open - 1))

    daemon = before(scene, scene.keep(Closes()), ", retry: off")
    assert failed(daemon, "connect")


def test_a_tls_server_that_does_not_choose_http_2_is_a_failure_of_tls(scene):
    daemon = before(scene, scene.keep(TlsOrigin()))
    assert failed(daemon, "tls")
    assert "it did not choose HTTP/2 by ALPN" in daemon.log()


# --- one connection for many ----------------------------------------------------------------


def test_a_thousand_calls_run_at_once_on_one_connection(scene):
    count, gate = 1000, threading.Event()
    waiting = []

    def answer(connection, stream):
        waiting.append(stream)
        if len(waiting) == count:
            gate.set()
            for each in waiting:
                connection.reply(each)

    peer = scene.keep(H2Peer(answer))
    calls = ", ".join(f"c{n}: peer/{n}" for n in range(50))
    daemon = before(scene, peer, ", timeout: 30s, max_in_flight: 1000",
                    f"  GET /many: {{timeout: 30s, calls: {{{calls}}}}}\n")
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: daemon.get("/many"), range(20)))
    assert gate.is_set()
    assert all(answer.status == 200 and list(answer.json().values()) == [VALUE] * 50 for answer in answers)
    server = daemon.server("peer")
    assert server["connects"] == 1 and len(peer.connections) == 1, server


def test_a_server_that_allows_few_streams_gets_more_connections(scene):
    gate = threading.Event()

    def answer(connection, stream):
        if peer.requests == 6:
            gate.set()
        gate.wait(5 * SLOWDOWN)
        connection.reply(stream)

    peer = scene.keep(H2Peer(answer, h2.settings(streams=2)))
    calls = ", ".join(f"c{n}: peer/{n}" for n in range(6))
    daemon = before(scene, peer, ", timeout: 10s", f"  GET /six: {{timeout: 10s, calls: {{{calls}}}}}\n")
    # A thread of the peer blocks in its answer, so each connection has one stream answered
    # at a time; the gate opens when all six are there.
    peer.answer = lambda connection, stream: threading.Thread(target=answer, args=(connection, stream)).start()
    answer_ = daemon.get("/six")
    assert answer_.status == 200, answer_.raw
    assert [len(connection.streams) for connection in peer.connections] == [2, 2, 2]


def test_calls_wait_in_the_queue_where_no_more_connections_are_allowed(scene):
    held, lock = [], threading.Lock()

    def answer(connection, stream):
        with lock:
            held.append((connection, stream))

    peer = scene.keep(H2Peer(answer, h2.settings(streams=1)))
    daemon = before(scene, peer, ", timeout: 10s, pool: {max: 1, queue: 1}")
    clients = [scene.client(daemon).request("GET", "/x")]
    peer.wait(lambda: held, "the first request")
    clients.append(scene.client(daemon).request("GET", "/x"))
    until(lambda: daemon.server("peer")["queued"] == 1, "the second one waits")
    assert failed(daemon, "overload")
    connection, stream = held.pop()
    connection.reply(stream)
    assert clients[0].response().json() == {"a": VALUE}
    peer.wait(lambda: held, "the second request")
    held[0][0].reply(held[0][1])
    assert clients[1].response().json() == {"a": VALUE}
    assert len(peer.connections) == 1


def test_streams_are_counted(scene):
    peer = scene.keep(H2Peer(lambda connection, stream: None))
    daemon = before(scene, peer, ", timeout: 10s", "  GET /two: {timeout: 10s, calls: {a: peer/a, b: peer/b}}\n")
    client = scene.client(daemon).request("GET", "/two")
    until(lambda: daemon.server("peer")["streams"] == 2, "two streams")
    server = daemon.server("peer")
    assert server["sessions"] == {"idle": 0, "leased": 1, "dialling": 0}, server
    client.close()
    until(lambda: daemon.server("peer")["streams"] == 0, "none")
    assert daemon.server("peer")["sessions"] == {"idle": 1, "leased": 0, "dialling": 0}


# --- leaving ---------------------------------------------------------------------------------


def test_a_cancelled_call_resets_its_stream_and_the_connection_goes_on(scene):
    peer = scene.keep(H2Peer(lambda connection, stream: connection.reply(stream) if stream > 1 else None))
    daemon = before(scene, peer)
    client = scene.client(daemon).request("GET", "/x")
    peer.wait(lambda: peer.requests == 1, "the request")
    client.close()
    peer.wait(lambda: peer.connections[0].resets() == [(1, h2.CANCEL)], "the reset")
    assert good(daemon)
    assert len(peer.connections) == 1


def test_what_a_server_that_goes_away_has_not_looked_at_is_sent_again(scene):
    """POST as well: nothing was done with it."""
    def answer(connection, stream):
        if connection.serial == 0:
            connection.send(h2.goaway(0))
        else:
            connection.reply(stream)

    peer = scene.keep(H2Peer(answer))
    daemon = before(scene, peer, ", retry: off", "  POST /post: {calls: {a: {url: peer/x, method: POST, json: {b: 2}}}}\n")
    answer_ = daemon.call("POST", "/post", body=b"")
    assert answer_.status == 200 and answer_.json() == {"a": VALUE}, answer_.raw
    assert [len(connection.streams) for connection in peer.connections] == [1, 1]
    upstream = daemon.upstream("peer")
    assert upstream["stale_retries"] == 1 and upstream["servers"][0]["goaways"] == 1


def test_what_it_has_looked_at_is_answered_and_the_connection_drained(scene):
    def answer(connection, stream):
        if connection.serial == 0 and stream == 1:
            connection.send(h2.goaway(stream))
        else:
            connection.reply(stream)

    peer = scene.keep(H2Peer(answer))
    daemon = before(scene, peer, ", timeout: 10s", "  GET /slow: {timeout: 10s, calls: {a: peer/x}}\n")
    client = scene.client(daemon).request("GET", "/slow")
    until(lambda: daemon.server("peer")["goaways"] == 1, "it goes away")
    assert good(daemon) and len(peer.connections) == 2  # a new connection for new requests
    peer.connections[0].reply(1)
    assert client.response().json() == {"a": VALUE}
    peer.wait(lambda: peer.open == 1, "the first connection is closed")


def test_no_call_fails_while_connections_go_away_all_the_time(scene):
    """nginx says GOAWAY behind every 20 requests."""
    peer = scene.keep(Nginx("nginx", h2=True, more="keepalive_requests 20;"))
    daemon = before(scene, peer, ", retry: off, timeout: 10s",
                    "  GET /three: {timeout: 10s, calls: {a: peer/item.json, b: peer/item.json, c: peer/item.json}}\n")

    def ask(_):
        with daemon.client() as client:
            return [client.get("/three").status for _ in range(40)]

    with ThreadPoolExecutor(8) as pool:
        statuses = [status for each in pool.map(ask, range(8)) for status in each]
    assert statuses == [200] * 320, collections.Counter(statuses)
    assert daemon.server("peer")["goaways"] >= 20


def test_a_stale_connection_costs_no_error(scene):
    peer = scene.keep(H2Peer())
    daemon = before(scene, peer, ", retry: off")
    assert good(daemon)
    for _ in range(5):
        serial = len(peer.connections) - 1
        peer.answer = lambda connection, stream, serial=serial: (
            connection.close() if connection.serial == serial else connection.reply(stream))
        assert good(daemon)
    assert daemon.upstream("peer")["stale_retries"] == 5


def test_an_idle_connection_that_ends_is_noticed(scene):
    peer = scene.keep(H2Peer())
    daemon = before(scene, peer)
    assert good(daemon)
    peer.connections[0].sock.shutdown(2)
    until(lambda: daemon.server("peer")["evictions"] == 1, "it is evicted")
    assert daemon.server("peer")["sessions"]["idle"] == 0
    assert good(daemon)


def test_a_connection_that_breaks_is_one_failure_of_its_server(scene):
    """Ten calls fail with it, which would be enough to take the server out."""
    def answer(connection, _):
        if len(connection.streams) == 10:
            connection.close()

    peers = [scene.keep(H2Peer(answer)), scene.keep(H2Peer(answer))]
    calls = ", ".join(f"c{n}: {{url: peer/{n}, method: POST, default: none}}" for n in range(20))
    daemon = scene.gatherd(f"""
upstreams:
  peer: {{servers: ["{peers[0].url}", "{peers[1].url}"], http: 2, balance: round_robin, retry: off, eject: {{errors: 5}}}}
routes:
  GET /x: {{calls: {{{calls}}}}}
""")
    assert daemon.get("/x").json() == {f"c{n}": "none" for n in range(20)}
    assert [server["ejections"] for server in daemon.upstream("peer")["servers"]] == [0, 0]
    assert daemon.upstream("peer")["failures"]["reset"] == 20


def test_a_server_that_goes_away_at_once_is_not_dialled_again_and_again(scene):
    peer = scene.keep(H2Peer(hello=h2.settings() + h2.goaway(0)))
    daemon = before(scene, peer, ", retry: off")
    assert failed(daemon, "connect")
    assert daemon.server("peer")["connects"] == 1


# --- silence -----------------------------------------------------------------------------------


def test_a_silent_connection_is_pinged(scene):
    peer = scene.keep(H2Peer())
    daemon = before(scene, peer, ", pool: {ping: 100ms}")
    assert good(daemon)
    peer.wait(lambda: peer.connections[0].count(h2.PING) >= 3, "three pings")
    assert daemon.server("peer")["sessions"]["idle"] == 1 and daemon.server("peer")["pings_lost"] == 0


def test_one_that_does_not_answer_is_closed(scene):
    peer = scene.keep(H2Peer())
    daemon = before(scene, peer, ", pool: {ping: 100ms}, timeout: 300ms")
    assert good(daemon)
    peer.bare = True
    until(lambda: daemon.server("peer")["pings_lost"] == 1, "the ping is lost")
    peer.wait(lambda: peer.open == 0, "the connection is closed")
    peer.bare = False
    assert good(daemon)


def test_a_connection_that_died_silently_is_left_after_one_call(scene):
    """The first call times out; the next ones get a new connection at once."""
    peer = scene.keep(H2Peer())
    daemon = before(scene, peer, ", retry: off, timeout: 400ms, connect_timeout: 100ms")
    assert good(daemon)
    peer.bare = True
    peer.answer = lambda connection, stream: connection.reply(stream) if connection.serial else None
    assert failed(daemon, "timeout")
    for _ in range(3):
        answer = daemon.get("/x")
        assert answer.status == 200 and answer.elapsed < within(0.3), answer.raw
    until(lambda: daemon.server("peer")["pings_lost"] == 1, "the ping is lost")


def test_settings_that_are_never_confirmed_end_the_connection(scene):
    peer = scene.keep(H2Peer(bare=True))
    daemon = before(scene, peer, ", timeout: 200ms")
    assert good(daemon)
    peer.wait(lambda: peer.open == 0, "the connection is closed")


# --- the other parts of an upstream ---------------------------------------------------------------


def test_retries_hedges_and_health_work_over_http_2(scene):
    bad = scene.keep(H2Peer(lambda connection, stream: connection.send(h2.head(stream, status="503", end=True))))
    fine = scene.keep(H2Peer())
    slow = scene.keep(H2Peer(lambda connection, stream: None))
    daemon = scene.gatherd(f"""
upstreams:
  retry: {{servers: ["{bad.url}", "{fine.url}"], http: 2, balance: round_robin, eject: off}}
  hedge: {{servers: ["{slow.url}", "{fine.url}"], http: 2, balance: round_robin, hedge: 20ms, eject: off, retry: off}}
  health: {{servers: ["{bad.url}", "{fine.url}"], http: 2, health: {{get: /h, every: 50ms, down: 1, up: 1}}, retry: off}}
routes:
  GET /retry: {{calls: {{a: retry/x}}}}
  GET /hedge: {{calls: {{a: hedge/x}}}}
  GET /health: {{calls: {{a: health/x}}}}
""")
    assert all(good(daemon, "/retry") for _ in range(4))
    assert daemon.upstream("retry")["retries"] == 2
    assert all(good(daemon, "/hedge") for _ in range(4))
    assert daemon.upstream("hedge")["hedges_won"] == 2
    until(lambda: daemon.server("health")["state"]["down"], "it is down")
    assert all(good(daemon, "/health") for _ in range(4))


def test_a_head_is_what_http_2_wants(scene):
    """Checked by Node, which is strict: it answers with the head it got."""
    peer = scene.keep(Node("node", h2=True))
    daemon = scene.gatherd(f"""
upstreams:
  peer: {{servers: ["{peer.url}"], http: 2, headers: {{X-Own: Yes}}}}
routes:
  GET /call:
    calls: {{a: {{url: "peer/head?b={{query.b}}", headers: {{Authorization: "Bearer {{query.b}}"}}, forward: {{cookies: [sid]}}}}}}
  /pass: {{pass: peer/head}}
""")
    heads = daemon.get("/call?b=%C3%A4", {"Cookie": "sid=1; other=2"}).json()["a"]
    assert heads[":method"] == "GET" and heads[":path"] == "/head?b=%C3%A4" and heads[":scheme"] == "http"
    assert heads[":authority"] == f"127.0.0.1:{peer.port}" and "host" not in heads
    assert heads["x-own"] == "Yes" and heads["cookie"] == "sid=1" and "connection" not in heads
    heads = daemon.call("POST", "/pass", {"Connection": "x-hop, keep-alive", "X-Hop": "1", "X-End": "2", "TE": "trailers"},
                        b"body").json()
    assert heads["x-end"] == "2" and "x-hop" not in heads and "te" not in heads and heads["content-length"] == "4"


def test_what_is_spoken_is_shown(scene):
    peer = scene.keep(H2Peer())
    daemon = before(scene, peer)
    assert daemon.upstream("peer")["http"] == "2"
    asked = daemon.admin("/explain?method=GET&path=/x")
    assert asked.json()["calls"][0]["upstream"]["http"] == "2", asked.raw
    told = run_gatherd("explain", "CONFIG", "GET /x", config=f"""
upstreams:
  peer: {{servers: ["{peer.url}"], http: 2}}
routes:
  GET /x: {{calls: {{a: peer/x}}}}
""").stdout
    assert f"peer at 127.0.0.1:{peer.port}, http 2\n" in told, told


# --- pass --------------------------------------------------------------------------------------------


def test_a_slow_browser_holds_its_own_stream_only(scene):
    """The peer sends what the window lets it; others on the connection are not held up."""
    sent, parts = collections.Counter(), {}

    def answer(connection, stream):
        if stream > 1:
            connection.reply(stream)
            return
        connection.send(h2.head(stream))
        parts["connection"] = connection
        while sent[stream] < 200_000:
            connection.send(h2.body(stream, b"x" * 10_000, end=False))
            sent[stream] += 10_000

    peer = scene.keep(H2Peer(answer))
    daemon = before(scene, peer, ", timeout: 20s", "  GET /large: {pass: peer}\n")
    client = scene.client(daemon).request("GET", "/large")
    peer.wait(lambda: "connection" in parts, "the request")
    assert good(daemon) and good(daemon)
    assert len(peer.connections) == 1
    client.close()


def test_bodies_stream_both_ways_with_flat_memory(scene):
    peer = scene.keep(Node("node", tls=True, h2=True))
    daemon = before(scene, peer, ", timeout: 20s", "  /echo: {pass: peer}\n  GET /large: {pass: peer}\ndefaults: {max_body: 64MiB}\n")
    body = os.urandom(1 << 20) * 6
    rss = daemon.rss_bytes()
    client = scene.client(daemon)
    sender = threading.Thread(target=client.request, args=("POST", "/echo", None, body))
    sender.start()
    answer = client.response()
    sender.join()
    assert answer.status == 200 and answer.body == body
    assert daemon.rss_bytes() - rss < 8 << 20
    with daemon.client() as client:
        client.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        client.send("6\r\n world\r\n0\r\n\r\n")
        assert client.response().body == b"hello world"
