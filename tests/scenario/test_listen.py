"""Where gatherd listens, and how it tells a service manager."""
import os
import socket
import tempfile

from client import Client
from daemon import run_gatherd

ROUTES = "routes: {GET /x: {calls: {it: up/x}}}\n"


def listening(scene, listen, **options):
    origin = scene.origin()
    return scene.gatherd(f"listen: {listen}\nupstreams: {{up: '{origin.url}'}}\n{ROUTES}", **options)


def test_a_unix_socket_is_served_and_removed_at_the_end(scene):
    daemon = listening(scene, "unix:FOLDER/http.sock")
    path = os.path.join(daemon.folder.name, "http.sock")
    with Client(path=path) as client:
        assert client.get("/x").json() == {"it": {"path": "/x"}}
    daemon.assert_clean_end()
    assert not os.path.exists(path)


def test_a_stale_unix_socket_is_replaced(scene):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "http.sock")
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(path)
        listening(scene, f"unix:{path}")
        with Client(path=path) as client:
            assert client.get("/x").status == 200


def test_a_unix_socket_in_use_is_not_taken(_):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "http.sock")
        with socket.socket(socket.AF_UNIX) as used:
            used.bind(path)
            used.listen()
            done = run_gatherd("run", "-c", "CONFIG",
                               config=f"listen: unix:{path}\nadmin: off\nroutes: {{}}\n")
        assert done.returncode == 71 and path in done.stderr, done
        assert os.path.exists(path)


def test_a_file_that_is_no_socket_is_not_removed(_):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "precious")
        with open(path, "w", encoding="utf-8") as file:
            file.write("data")
        done = run_gatherd("run", "-c", "CONFIG",
                           config=f"listen: unix:{path}\nadmin: off\nroutes: {{}}\n")
        assert done.returncode == 71, done
        with open(path, encoding="utf-8") as file:
            assert file.read() == "data"


def test_a_port_alone_is_ipv4_and_ipv6(scene):
    daemon = listening(scene, "0")
    line = next(line for line in daemon.lines if "listening on" in line)
    port = int(line.rpartition(":")[2])
    hosts = ["127.0.0.1"] + (["::1"] if socket.has_dualstack_ipv6() else [])
    for host in hosts:
        with Client(port, host) as client:
            assert client.get("/x").status == 200


def test_several_listeners_serve_the_same_routes(scene):
    daemon = listening(scene, "['http://127.0.0.1:0', 'unix:FOLDER/http.sock']", workers=2)
    with Client(path=os.path.join(daemon.folder.name, "http.sock")) as client:
        assert client.get("/x").status == 200
    assert daemon.get("/x").status == 200


def test_the_service_manager_hears_of_ready_and_of_stopping(scene):
    with tempfile.TemporaryDirectory() as folder, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        path = os.path.join(folder, "notify")
        manager.bind(path)
        manager.settimeout(5)
        daemon = listening(scene, "http://127.0.0.1:0", env={"NOTIFY_SOCKET": path})
        assert b"READY=1" in manager.recv(4096)
        daemon.assert_clean_end()
        assert b"STOPPING=1" in manager.recv(4096)
