"""A new program takes the listening sockets over, and nobody notices."""
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import tempfile

from client import Client
from daemon import PROGRAM
from supervisor import Manager
from tls import Silent, authority
from traffic import Traffic
from waits import PATIENCE_S, until, within

ROUTES = "routes: {GET /x: {respond: {value: VALUE}}}\n"


def fine(answer):
    return "" if answer.status == 200 else f"status {answer.status}"


def test_the_successor_answers_by_the_configuration_of_now(scene):
    daemon = scene.gatherd(ROUTES.replace("VALUE", "1"))
    first = daemon.pid
    daemon.configure(ROUTES.replace("VALUE", "2"))
    daemon.restart()
    until(lambda: daemon.get("/x").json() == {"value": 2}, "the first one accepts no more")
    until(lambda: not os.path.exists(f"/proc/{first}/fd/0"), "the first one has ended")
    assert daemon.status()["uptime_s"] < PATIENCE_S
    assert daemon.admin("/readyz").status == 200


def test_requests_in_flight_end_in_the_process_they_began_in(scene):
    origin = scene.origin(lambda exchange: (exchange.pause(0.5), exchange.reply(1)))
    daemon = scene.gather({"users": origin})
    with daemon.client() as client:
        client.request("GET", "/x")
        origin.wait_requests(1)
        daemon.restart()
        answer = client.response()
        assert (answer.status, answer.json()) == (200, {"users": 1})
        assert answer.header("Connection") == "close"
        assert client.closed()


def test_a_kept_alive_client_is_told_before_it_has_to_go(scene):
    daemon = scene.gatherd(ROUTES.replace("VALUE", "1"))
    with daemon.client() as client:
        assert client.get("/x").header("Connection") is None
        daemon.restart()
        answer = client.get("/x")
        assert (answer.status, answer.header("Connection")) == (200, "close")
        assert client.closed()


def test_an_idle_client_is_waited_for_so_long(scene):
    daemon = scene.gatherd("drain: {timeout: 300ms}\n" + ROUTES.replace("VALUE", "1"))
    first = daemon.pid
    with daemon.client() as client:
        assert client.get("/x").status == 200
        daemon.restart()
        assert client.closed()
        until(lambda: not os.path.exists(f"/proc/{first}/fd/0"), "the first one has ended")


def test_twenty_restarts_under_load_lose_nothing(scene):
    daemon = scene.gatherd(ROUTES.replace("VALUE", "1"), workers=2)
    with Traffic(daemon.client, "/x", fine) as traffic:
        for _ in range(20):
            count = traffic.answers
            daemon.restart()
            until(lambda count=count: traffic.answers > count + 10, "traffic goes on", 10)
    assert not traffic.wrong, traffic.wrong[:5]


def test_a_configuration_with_errors_leaves_the_old_one_serving(scene):
    daemon = scene.gatherd(ROUTES.replace("VALUE", "1"))
    daemon.configure("routes: {x: 1}\n")
    daemon.signal(signal.SIGUSR2)
    until(lambda: "before it was ready; this one goes on" in daemon.log(), "the failure is told")
    assert re.search(r"process \d+ ended with 78 before it was ready", daemon.log())
    assert daemon.get("/x").json() == {"value": 1}
    assert daemon.status()["process"]["restarts_failed"] == 1
    daemon.configure(ROUTES.replace("VALUE", "2"))
    daemon.restart()
    until(lambda: daemon.get("/x").json() == {"value": 2}, "the first one accepts no more")


def test_a_port_in_use_leaves_the_old_one_serving_with_its_sockets(scene):
    daemon = scene.gatherd("listen: ['http://127.0.0.1:0', 'unix:FOLDER/s']\n" + ROUTES.replace("VALUE", "1"))
    path = os.path.join(daemon.folder.name, "s")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        daemon.configure(f"listen: ['http://127.0.0.1:0', 'unix:FOLDER/s', 'http://127.0.0.1:{port}']\n"
                         + ROUTES.replace("VALUE", "2"))
        daemon.signal(signal.SIGUSR2)
        until(lambda: "ended with 71 before it was ready" in daemon.log(), "the failure is told")
    assert daemon.get("/x").json() == {"value": 1}
    with Client(path=path) as client:
        assert client.get("/x").json() == {"value": 1}


def test_a_successor_that_is_not_ready_ends_with_a_stop(scene):
    """The first session of its upstream keeps it waiting; meanwhile all is to stop."""
    silent = scene.keep(Silent())
    daemon = scene.gatherd(ROUTES.replace("VALUE", "1"))
    daemon.configure(f"upstreams: {{up: {{servers: 'https://127.0.0.1:{silent.port}', connect_timeout: 1h, "
                     "pool: {min: 1}}}\nroutes: {GET /x: {calls: {a: up/x}}}\n")
    daemon.signal(signal.SIGUSR2)
    pid = int(until(lambda: re.search(r"process (\d+) is started", daemon.log()), "a successor").group(1))
    assert daemon.admin("/reload", "POST").status == 409
    daemon.signal(signal.SIGTERM)
    assert daemon.wait_exit() == 0
    assert not os.path.exists(f"/proc/{pid}")


def test_unix_sockets_are_handed_over_and_their_files_stay(scene):
    daemon = scene.gatherd("listen: ['http://127.0.0.1:0', 'unix:FOLDER/s']\n" + ROUTES.replace("VALUE", "1"))
    path, first = os.path.join(daemon.folder.name, "s"), daemon.pid
    daemon.restart()
    until(lambda: not os.path.exists(f"/proc/{first}/fd/0"), "the first one has ended")
    assert stat.S_ISSOCK(os.stat(path).st_mode)
    with Client(path=path) as client:
        assert client.get("/x").status == 200
    daemon.assert_clean_end()
    assert not os.path.exists(path)


def test_tls_listeners_are_handed_over(scene):
    pair = authority().issue()
    daemon = scene.gatherd(f"listen: {{url: 'https://127.0.0.1:0', tls: {{cert: {pair.cert}, key: {pair.key}}}}}\n"
                           + ROUTES.replace("VALUE", "1"))

    def connect():
        return daemon.client(tls=ssl.create_default_context(cafile=authority().cert), name="localhost")
    with connect() as kept:
        assert kept.get("/x").status == 200
        daemon.restart()
        with connect() as client:
            assert client.get("/x").status == 200
        assert kept.get("/x").header("Connection") == "close"


def test_listeners_that_are_no_longer_wanted_are_closed(scene):
    daemon = scene.gatherd("listen: ['http://127.0.0.1:0', 'unix:FOLDER/s']\n" + ROUTES.replace("VALUE", "1"))
    daemon.configure("listen: http://127.0.0.1:0\n" + ROUTES.replace("VALUE", "2"))
    daemon.restart()
    until(lambda: daemon.get("/x").json() == {"value": 2}, "the first one accepts no more")

    def refused():
        try:
            with Client(path=os.path.join(daemon.folder.name, "s")):
                return False
        except (ConnectionRefusedError, FileNotFoundError):
            return True
    until(refused, "nobody listens there")


def test_the_service_manager_hears_who_is_the_main_process(scene):
    manager = scene.keep(Manager())
    daemon = scene.gatherd(ROUTES.replace("VALUE", "1"), env={"NOTIFY_SOCKET": manager.path})
    manager.wait("READY=1")
    daemon.restart()
    manager.wait(f"MAINPID={daemon.pid}")
    assert "STOPPING=1" not in manager.texts()


def test_a_program_that_cannot_be_started_is_told(scene):
    with tempfile.TemporaryDirectory(prefix="gatherd-test-") as folder:
        program = os.path.join(folder, "gatherd")
        shutil.copy(PROGRAM, program)
        daemon = scene.gatherd(ROUTES.replace("VALUE", "1"), program=program)
    daemon.signal(signal.SIGUSR2)
    until(lambda: f"{program} cannot be started" in daemon.log(), "the log")
    assert daemon.get("/x").status == 200


def test_a_daemon_that_is_killed_is_up_again_at_once(scene):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = f"listen: http://127.0.0.1:{port}\n" + ROUTES.replace("VALUE", "1")
    for number in range(10):
        daemon = scene.gatherd(config)
        assert daemon.start_s < within(0.2), daemon.start_s
        with Traffic(daemon.client, "/x", fine) as traffic:
            until(lambda count=7 * number: traffic.answers > count, "traffic")
            daemon.signal(signal.SIGKILL)
            assert daemon.wait_exit() == -signal.SIGKILL
        scene.daemons.remove(daemon)
        daemon.kill()
