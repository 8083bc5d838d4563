"""Told to stop, the daemon answers what it has accepted and then leaves with exit 0."""
import signal
import socket
import time

from waits import until


def test_a_request_in_flight_is_answered_then_the_daemon_ends(scene):
    origin = scene.origin(lambda exchange: (exchange.pause(0.5), exchange.reply(1)))
    daemon = scene.gather({"users": origin})
    with daemon.client() as client:
        client.request("GET", "/x")
        origin.wait_requests(1)
        daemon.signal(signal.SIGTERM)
        answer = client.response()
        assert (answer.status, answer.json()) == (200, {"users": 1})
        assert answer.header("Connection") == "close"
        assert client.closed()
    assert daemon.wait_exit() == 0


def test_readyz_is_503_and_connections_are_refused_while_draining(scene):
    origin = scene.origin(lambda exchange: (exchange.pause(1), exchange.reply(1)))
    daemon = scene.gather({"users": origin})
    with daemon.client() as client:
        client.request("GET", "/x")
        origin.wait_requests(1)
        daemon.signal(signal.SIGTERM)
        until(lambda: daemon.admin("/readyz").status == 503, "readyz 503")

        def refused():
            try:
                with socket.create_connection(("127.0.0.1", daemon.port), 1):
                    return False
            except ConnectionRefusedError:
                return True
        until(refused, "no new connections")
        assert daemon.status()["state"] == "draining"
        assert client.response().status == 200
    assert daemon.wait_exit() == 0


def test_idle_connections_do_not_hold_it_up(scene):
    daemon = scene.gather({"users": scene.origin()})
    clients = [scene.client(daemon) for _ in range(10)]
    for client in clients:
        assert client.get("/x").status == 200
    daemon.signal(signal.SIGTERM)
    assert daemon.wait_exit() == 0
    for client in clients:
        assert client.closed()


def test_what_does_not_end_in_time_is_cut(scene):
    origin = scene.origin(lambda exchange: exchange.silence())
    daemon = scene.gatherd(f"drain: {{timeout: 300ms}}\nupstreams:\n"
                           f"  up: {{servers: [\"{origin.url}\"], timeout: 30s}}\n"
                           "routes:\n  GET /x:\n    timeout: 30s\n    calls:\n      got: up/x\n")
    with daemon.client() as client:
        client.request("GET", "/x")
        origin.wait_requests(1)
        daemon.signal(signal.SIGTERM)
        daemon.wait_exit()


def test_a_second_signal_ends_at_once(scene):
    origin = scene.origin(lambda exchange: exchange.silence())
    daemon = scene.gather({"users": origin}, route="timeout: 30s", upstream=", timeout: 30s")
    with daemon.client() as client:
        client.request("GET", "/x")
        origin.wait_requests(1)
        daemon.signal(signal.SIGTERM)
        until(lambda: daemon.admin("/readyz").status == 503, "draining")
        daemon.signal(signal.SIGTERM)
        daemon.wait_exit()


def test_sigint_drains_too(scene):
    daemon = scene.gather({"users": scene.origin()})
    assert daemon.get("/x").status == 200
    daemon.signal(signal.SIGINT)
    assert daemon.wait_exit() == 0


def test_in_the_grace_connections_are_welcome_and_answers_the_last_ones(scene):
    daemon = scene.gatherd("drain: {grace: 1s}\nroutes: {GET /x: {respond: 1}}\n")
    kept = scene.client(daemon)
    assert kept.get("/x").header("Connection") is None
    start = time.monotonic()
    daemon.signal(signal.SIGTERM)
    until(lambda: daemon.admin("/readyz").status == 503, "readyz 503")
    answer = kept.get("/x")
    assert (answer.status, answer.header("Connection")) == (200, "close")
    assert kept.closed()
    idle = scene.client(daemon)
    assert daemon.get("/x").status == 200
    assert daemon.wait_exit() == 0
    assert time.monotonic() - start >= 1
    assert idle.closed()


def test_a_second_signal_ends_the_grace_too(scene):
    daemon = scene.gatherd("drain: {grace: 1h}\nroutes: {GET /x: {respond: 1}}\n")
    daemon.signal(signal.SIGTERM)
    until(lambda: daemon.admin("/readyz").status == 503, "readyz 503")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait_exit() == 0
