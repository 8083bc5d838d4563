"""Upstreams whose parts meet: HTTP/2, pools, drains, reloads and names at the same time."""
import contextlib
import socket
from concurrent.futures import ThreadPoolExecutor

import h2_peer as h2
from h2_peer import H2Peer
from nameserver import Nameserver
from waits import until, within

VALUE = {"a": 1}


class Holder:
    """A peer that answers at once, but for the next `keep` requests, which wait for `release`."""

    def __init__(self, scene, host="127.0.0.1", port=0):
        self.held, self.keep = [], 0
        self.peer = scene.keep(H2Peer(self.answer, host=host, port=port))
        self.port, self.url = self.peer.port, self.peer.url

    def answer(self, connection, stream):
        self.peer.board.note(lambda: self.take(connection, stream))

    def take(self, connection, stream):
        if self.keep:
            self.keep -= 1
            self.held.append((connection, stream))
        else:
            connection.reply(stream)

    def wait_held(self, count):
        self.peer.wait(lambda: len(self.held) >= count, f"{count} held requests")

    def release(self):
        held, self.held = self.held, []
        for connection, stream in held:
            with contextlib.suppress(h2.Gone, OSError):  # whose client has left may be closed
                connection.reply(stream)


def config(servers, options="", more=""):
    return f"""
upstreams:
  u: {{{servers}, http: 2, timeout: 10s{options}}}
routes:
  GET /x: {{timeout: 10s, calls: {{a: u/x}}}}
  /pass: {{pass: u/x}}
{more}"""


def listed(*holders):
    return "servers: [" + ", ".join(f'"{holder.url}"' for holder in holders) + "]"


def good(daemon, path="/x"):
    answer = daemon.get(path)
    return answer.status == 200 and answer.json() == {"a": VALUE}


def drain(daemon, address, action="drain"):
    answer = daemon.admin(f"/upstreams/u/servers/{address}/{action}", method="POST")
    assert answer.status == 200, answer.raw


def hold(scene, daemon, holder, count=1, path="/x"):
    """Clients whose request waits at the holder."""
    before = len(holder.held)
    holder.keep = count
    clients = [scene.client(daemon).request("GET", path) for _ in range(count)]
    holder.wait_held(before + count)
    return clients


def hold_at_each(scene, daemon, holders, count):
    """The same where requests go to holders by turns: so many wait at each."""
    for holder in holders:
        holder.keep = count
    clients = [scene.client(daemon).request("GET", "/x") for _ in range(count * len(holders))]
    for holder in holders:
        holder.wait_held(count)
    return clients


def whole(clients):
    return all(client.response().json() == {"a": VALUE} for client in clients)


def leave(daemon, *clients):
    """Clients that go in the middle, and are seen to have gone."""
    before = daemon.status()["worker"]["connections_open"]
    for client in clients:
        client.close()
    until(lambda: daemon.status()["worker"]["connections_open"] <= before - len(clients), "they are gone")


# --- requests that no server looks at -----------------------------------------------------------


def test_a_server_that_refuses_everything_is_asked_about_twice(scene):
    """Requests of each kind: calls, POST as well, and passes."""
    peer = scene.keep(H2Peer(lambda connection, stream: connection.send(h2.reset(stream, h2.REFUSED_STREAM))))
    daemon = scene.gatherd(f"""
upstreams:
  u: {{servers: ["{peer.url}"], http: 2, retry: off, eject: off}}
routes:
  /post: {{calls: {{a: {{url: u/x, method: POST, json: {{b: 1}}}}}}}}
  /pass: {{pass: u}}
""")
    with daemon.client() as client:
        for number in range(100):
            assert client.get(("/post", "/pass")[number % 2]).status == 502
    # Two of each, what was saved up before the first one (10), and a fifth of those that came.
    assert 200 <= peer.requests <= 200 + 10 + 20, peer.requests
    upstream = daemon.upstream("u")
    assert upstream["over_budget"] >= 70 and upstream["failures"]["reset"] == 100, upstream


def test_refusals_never_hold_a_try_back(scene):
    """Clients leave while their request is sent again and again."""
    def answer(connection, stream):
        if len(connection.streams) > 1 and connection.peer.requests % 3:
            connection.send(h2.reset(stream, h2.REFUSED_STREAM))

    peer = scene.keep(H2Peer(answer))
    daemon = scene.gatherd(config(listed(peer)))
    for _ in range(30):
        before = peer.requests
        client = scene.client(daemon).request("GET", "/x")
        peer.wait(lambda before=before: peer.requests > before, "a request")
        client.close()
    until(lambda: not daemon.busy(), "nothing in flight")
    peer.answer = h2.Connection.reply
    assert all(good(daemon) for _ in range(5))


# --- a connection that takes no more ---------------------------------------------------------------


def test_one_in_doubt_makes_room_where_no_more_are_allowed(scene):
    """It died silently, and only one is allowed: nobody waits for the ping to be lost."""
    peer = scene.keep(H2Peer())
    daemon = scene.gatherd(f"""
upstreams:
  u: {{servers: ["{peer.url}"], http: 2, timeout: 3s, connect_timeout: 100ms, retry: off, eject: off, pool: {{max: 1}}}}
routes:
  GET /x: {{timeout: 10s, calls: {{a: u/x}}}}
  GET /short: {{timeout: 300ms, calls: {{a: u/x}}}}
""")
    assert good(daemon)
    peer.bare = True
    peer.answer = lambda connection, stream: connection.reply(stream) if connection.serial else None
    assert daemon.get("/short").json()["class"] == "timeout"
    assert daemon.server("u")["pings"] == 1
    clients = [scene.client(daemon).request("GET", "/x") for _ in range(3)]
    answers = [client.response() for client in clients]
    assert [answer.status for answer in answers] == [200] * 3, [answer.raw for answer in answers]
    assert max(answer.elapsed for answer in answers) < within(1)
    assert daemon.server("u")["pings_lost"] == 0 and len(peer.connections) == 2


def test_who_waits_for_a_connection_without_room_gets_another_when_it_ends(scene):
    """It allows no request at all, so it is idle while they wait."""
    peer = scene.keep(H2Peer(hello=h2.settings(streams=0)))
    daemon = scene.gatherd(config(listed(peer), ", retry: off, pool: {max: 1}"))
    clients = [scene.client(daemon).request("GET", "/x") for _ in range(3)]
    until(lambda: daemon.server("u")["queued"] == 3 and daemon.server("u")["sessions"]["idle"] == 1, "they wait")
    leave(daemon, clients.pop(0))
    peer.hello = h2.settings()
    peer.connections[0].sock.shutdown(2)
    assert whole(clients)
    assert len(peer.connections) == 2


def test_who_wants_a_fresh_connection_makes_do_where_there_is_none(scene):
    """What was refused is sent on another connection, unless the server has no other."""
    def answer(connection, stream):
        if len(connection.streams) == 2:
            connection.send(h2.reset(stream, h2.REFUSED_STREAM))
        else:
            connection.reply(stream)

    peer = scene.keep(H2Peer(answer))
    daemon = scene.gatherd(config(listed(peer), ", retry: off"))
    assert good(daemon)
    peer.hello = h2.settings() + h2.goaway(0)
    answer_ = daemon.get("/x")
    assert answer_.json() == {"a": VALUE} and answer_.elapsed < within(1), answer_.raw
    assert [len(connection.streams) for connection in peer.connections] == [3, 0]


def test_a_connection_has_no_more_requests_than_it_may(scene):
    """Counted as they are sent, not when they end."""
    holder = Holder(scene)
    daemon = scene.gatherd(config(listed(holder), ", pool: {max_requests: 3}"))
    clients = hold(scene, daemon, holder, 7)
    assert sorted(len(connection.streams) for connection in holder.peer.connections) == [1, 3, 3]
    leave(daemon, clients.pop())
    holder.release()
    assert whole(clients)
    holder.peer.wait(lambda: holder.peer.open == 1, "those that are worn are closed")


def test_the_least_number_of_connections_is_kept_while_others_leave(scene):
    holder = Holder(scene)
    daemon = scene.gatherd(config(listed(holder), ", pool: {min: 2, max_requests: 2}"))
    until(lambda: daemon.server("u")["sessions"]["idle"] == 2, "two connections")
    clients = hold(scene, daemon, holder, 5)
    leave(daemon, *clients[:2])
    holder.release()
    assert whole(clients[2:])
    until(lambda: daemon.server("u")["sessions"]["idle"] == 2, "two connections again")


# --- draining ---------------------------------------------------------------------------------------


def test_streams_on_a_drained_server_end_in_peace_and_leave_nothing(scene):
    one, other = Holder(scene), Holder(scene)
    daemon = scene.gatherd(config(listed(one, other), ", balance: round_robin, pool: {min: 1}"))
    until(lambda: all(server["sessions"]["idle"] == 1 for server in daemon.upstream("u")["servers"]), "warm")
    clients = hold_at_each(scene, daemon, (one, other), 2)
    drain(daemon, f"127.0.0.1:{one.port}")
    before = one.peer.requests
    assert all(good(daemon) for _ in range(6)) and one.peer.requests == before
    leave(daemon, clients[0])
    one.release()
    one.peer.wait(lambda: one.peer.open == 0, "the drained connection is closed")
    other.release()
    assert whole(clients[1:])
    drain(daemon, f"127.0.0.1:{one.port}", "resume")
    one.peer.wait(lambda: one.peer.open == 1, "the least number is there again")
    until(lambda: good(daemon) and one.peer.requests > before, "use of the server")


def test_a_server_that_is_taken_out_keeps_its_streams(scene):
    """Its stream that is open ends well, although others fail until it is out."""
    one, other = Holder(scene), Holder(scene)
    daemon = scene.gatherd(config(listed(one, other), ", balance: round_robin, retry: off, eject: {errors: 3, for: 60s}"))
    clients = hold_at_each(scene, daemon, (one, other), 1)
    one.peer.answer = lambda connection, stream: connection.send(h2.head(stream, status="500", end=True))
    until(lambda: daemon.get("/x") and daemon.server("u")["state"]["out"], "it is out")
    assert all(good(daemon) for _ in range(4))
    one.release()
    other.release()
    assert whole(clients)
    assert daemon.server("u")["state"]["out"] == 1


# --- reloads ---------------------------------------------------------------------------------------


def test_streams_go_on_over_each_kind_of_reload(scene):
    """The upstream stays, changes, is drained, and is gone, while streams are open on it."""
    holder, fresh = Holder(scene), Holder(scene)
    stays = config(listed(holder), ", pool: {min: 1}")
    daemon = scene.gatherd(stays)
    clients = hold(scene, daemon, holder, 2)
    gone = hold(scene, daemon, holder, 2) + hold(scene, daemon, holder, 1, "/pass")
    assert daemon.reload(stays + "  GET /more: {calls: {a: u/x}}\n")["state"] == "done"
    assert good(daemon, "/more") and len(holder.peer.connections) == 1  # the pool stays
    leave(daemon, gone.pop())
    assert daemon.reload(config(listed(holder), ", pool: {min: 2}"))["state"] == "done"
    clients += hold(scene, daemon, holder)  # on a connection of the new pool
    leave(daemon, gone.pop())
    drain(daemon, f"127.0.0.1:{holder.port}")
    assert daemon.get("/x").json()["class"] == "overload"
    assert daemon.reload(f"""
upstreams:
  other: {{servers: ["{fresh.url}"], http: 2}}
routes:
  GET /x: {{calls: {{a: other/x}}}}
""")["state"] == "done"
    assert good(daemon) and fresh.peer.requests == 1
    leave(daemon, gone.pop())
    holder.release()
    assert whole(clients)
    holder.peer.wait(lambda: holder.peer.open == 0, "its connections are closed")
    until(lambda: daemon.status()["process"]["configs"] == 1, "only the newest configuration")


def test_reloads_meet_a_server_that_goes_away(scene):
    """GOAWAY, reload and clients that leave, all the time: nobody else fails."""
    def answer(connection, stream):
        connection.reply(stream)
        if len(connection.streams) == 5:
            connection.send(h2.goaway(stream))

    peer = scene.keep(H2Peer(answer))
    daemon = scene.gatherd(config(listed(peer), ", retry: off"))

    def ask(_):
        statuses = []
        for number in range(20):
            with daemon.client() as client:
                client.request("GET", "/x")
                if number % 4 == 3:
                    client.close()
                else:
                    statuses.append(client.response().status)
        return statuses

    with ThreadPoolExecutor(5) as pool:
        running = [pool.submit(ask, number) for number in range(4)]
        for number in range(5):
            assert daemon.reload(config(listed(peer), f", retry: off, pool: {{idle: {number + 1}}}"))["state"] == "done"
        statuses = [status for each in running for status in each.result()]
    assert statuses == [200] * 60, statuses


# --- names -------------------------------------------------------------------------------------------


def named(names, kind, options=""):
    return f'resolver: {{servers: ["127.0.0.1:{names.port}"], timeout: 5s, min_ttl: 100ms}}' + config(kind, options)


def two_places(scene):
    one = Holder(scene)
    return one, Holder(scene, "127.0.0.2", one.port)


def test_streams_at_an_address_that_vanishes_end_in_peace(scene):
    names, (one, other) = scene.keep(Nameserver()), two_places(scene)
    names.set("u.test", A=["127.0.0.1"])
    daemon = scene.gatherd(named(names, f'dns: "http://u.test:{one.port}"', ", pool: {min: 1}"))
    clients = hold(scene, daemon, one, 3)
    names.set("u.test", A=["127.0.0.2"])
    until(lambda: good(daemon) and other.peer.requests, "use of the new address")
    before = one.peer.requests
    assert all(good(daemon) for _ in range(5)) and one.peer.requests == before
    leave(daemon, clients.pop())
    one.release()
    assert whole(clients)
    one.peer.wait(lambda: one.peer.open == 0, "the connection is closed")


def test_a_connection_to_where_a_server_was_takes_no_more_requests(scene):
    """One server, whose name has another address now, while a stream is open."""
    names, (one, other) = scene.keep(Nameserver()), two_places(scene)
    names.set("u.test", A=["127.0.0.1"])
    daemon = scene.gatherd(named(names, f'servers: ["http://u.test:{one.port}"]'))
    clients = hold(scene, daemon, one, 2)
    names.set("u.test", A=["127.0.0.2"])
    until(lambda: daemon.upstream("u")["names"][0]["changes"] == 2, "the change")
    before = one.peer.requests
    assert all(good(daemon) for _ in range(5))
    assert one.peer.requests == before and other.peer.requests == 5
    leave(daemon, clients.pop())
    one.release()
    assert whole(clients)
    one.peer.wait(lambda: one.peer.open == 0, "the connection is closed")


def test_who_waits_where_an_address_vanishes_is_served_elsewhere(scene):
    """The only connection that is allowed there is full."""
    names, (one, other) = scene.keep(Nameserver()), two_places(scene)
    one.peer.hello = other.peer.hello = h2.settings(streams=1)
    names.set("u.test", A=["127.0.0.1"])
    daemon = scene.gatherd(named(names, f'dns: "http://u.test:{one.port}"', ", pool: {max: 1}"))
    clients = hold(scene, daemon, one)
    waiting = [scene.client(daemon).request("GET", "/x") for _ in range(3)]
    until(lambda: daemon.server("u")["queued"] == 3, "three wait")
    leave(daemon, waiting.pop())
    names.set("u.test", A=["127.0.0.2"])
    assert whole(waiting) and other.peer.requests == 2
    one.release()
    assert whole(clients)


def test_an_address_that_accepts_and_stalls_is_left_for_the_next_one(scene):
    """As one that stalls in its TLS handshake does: here its settings do not come."""
    names, stalled = scene.keep(Nameserver()), socket.create_server(("127.0.0.1", 0))
    with stalled:
        peer = scene.keep(H2Peer(host="127.0.0.2", port=stalled.getsockname()[1]))
        names.set("u.test", A=["127.0.0.1", "127.0.0.2"])
        where = f'servers: ["http://u.test:{peer.port}"]'
        daemon = scene.gatherd(named(names, where, ", connect_timeout: 200ms, retry: off"))
        until(lambda: good(daemon), "the other address")  # after one failure at most
        assert daemon.upstream("u")["failures"]["connect"] <= 1
        assert daemon.reload(named(names, where, ", connect_timeout: 201ms"))["state"] == "done"
        assert all(good(daemon) for _ in range(5))  # the retry goes there


def test_a_drain_outlives_the_reload_of_an_upstream_that_follows_a_name(scene):
    names, (one, other) = scene.keep(Nameserver()), two_places(scene)
    names.set("u.test", A=["127.0.0.1", "127.0.0.2"])
    names.set("v.test", A=["127.0.0.2", "127.0.0.1"])
    daemon = scene.gatherd(named(names, f'dns: "http://u.test:{one.port}"'))
    drain(daemon, f"127.0.0.1:{one.port}")
    for name, idle in (("u.test", 3), ("v.test", 4)):
        assert daemon.reload(named(names, f'dns: "http://{name}:{one.port}"', f", pool: {{idle: {idle}}}"))["state"] == "done"
        drained = {server["address"]: server["state"]["drained"] for server in daemon.upstream("u")["servers"]}
        assert drained == {f"127.0.0.1:{one.port}": 1, f"127.0.0.2:{one.port}": 0}, (name, drained)
    assert all(good(daemon) for _ in range(6)) and one.peer.requests == 0
    drain(daemon, f"127.0.0.1:{one.port}", "resume")
    until(lambda: good(daemon) and one.peer.requests, "use of the address", within(5))
    assert other.peer.requests >= 6
