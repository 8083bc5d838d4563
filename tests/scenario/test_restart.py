"""An upstream that goes and comes back heals without anyone's help."""
import os
import signal
import socket
import subprocess
import sys
import tempfile

from waits import PATIENCE_S, until


def test_a_killed_upstream_is_502_and_heals_when_it_is_back(scene):
    other = scene.origin()
    killed = scene.origin_process()
    daemon = scene.gather({"other": other, "killed": killed})
    assert daemon.get("/x").status == 200
    killed.signal(signal.SIGKILL)
    killed.process.wait()
    for _ in range(5):
        answer = daemon.get("/x")
        assert (answer.status, answer.json()["call"]) == (502, "killed")
    back = scene.origin_process(killed.port)
    answer = until(lambda: daemon.get("/x"), "an answer")
    assert answer.status == 200
    assert answer.json()["killed"] == {"pid": back.process.pid}


def test_a_killed_upstream_of_an_optional_call_gives_its_default(scene):
    killed = scene.origin_process()
    daemon = scene.gather({"other": scene.origin(), "killed": killed},
                          calls={"killed": ", default: []"})
    killed.signal(signal.SIGKILL)
    killed.process.wait()
    answer = daemon.get("/x")
    assert answer.status == 200
    assert answer.json() == {"other": {"path": "/other"}, "killed": []}
    assert answer.header("Gather-Parts") == "other, killed;error=connect"


def test_a_restart_between_two_requests_is_not_noticed(scene):
    """The pooled connection is dead, the server is there again: the retry finds it."""
    first = scene.origin_process()
    daemon = scene.gather({"users": first})
    assert daemon.get("/x").status == 200
    first.signal(signal.SIGKILL)
    first.process.wait()
    scene.origin_process(first.port)
    for _ in range(10):
        assert daemon.get("/x").status == 200


class FileServer:
    """A web server that is none of ours: Python's own, which speaks HTTP/1.0."""

    def __init__(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.folder = folder
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", self.folder,
             str(self.port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.answers, "the file server answers", 20)

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def stop(self):
        self.process.kill()
        self.process.wait(PATIENCE_S)


def test_nine_lines_gather_from_servers_that_are_not_ours(scene):
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "users"))
        os.mkdir(os.path.join(folder, "by-user"))
        for path, text in (("users/7", '{"login": "ada"}'), ("by-user/7", "[1, 2]")):
            with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
                file.write(text)
        users, orders = scene.keep(FileServer(folder)), scene.keep(FileServer(folder))
        daemon = scene.gatherd(f"""upstreams:
  users:  http://127.0.0.1:{users.port}
  orders: http://127.0.0.1:{orders.port}
routes:
  GET /profile/{{id}}:
    calls:
      user:   users/users/{{id}}
      orders: orders/by-user/{{id}}?limit=10
""")
        whole = b'{"user":{"login": "ada"},"orders":[1, 2]}'
        assert daemon.get("/profile/7").body == whole
        assert daemon.get("/profile/8").status == 404
        orders.stop()
        answer = daemon.get("/profile/7")
        assert (answer.status, answer.json()["call"], answer.json()["class"]) == (502, "orders", "connect")
        orders.start()
        assert daemon.get("/profile/7").body == whole
