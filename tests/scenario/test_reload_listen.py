"""A reload opens, closes and changes listeners while requests go on."""
import os
import shutil
import socket
import ssl
import stat

from client import Client
from tls import authority, origin_of, trusting
from traffic import Traffic
from waits import until

ROUTES = "routes: {GET /x: {respond: {value: VALUE}}}\n"
PORT = "http://127.0.0.1:0"


def config(*listens, value=1, more=""):
    texts = ", ".join(f"'{text}'" if isinstance(text, str) and not text.startswith("{") else text
                      for text in listens)
    return f"listen: [{texts}]\n{more}" + ROUTES.replace("VALUE", str(value))


def fine(answer):
    return "" if answer.status == 200 else f"status {answer.status}"


def path_of(daemon, name="s"):
    return os.path.join(daemon.folder.name, name)


def test_a_listener_that_is_added_answers_and_the_others_go_on(scene):
    daemon = scene.gatherd(config(PORT), workers=2)
    with daemon.client() as kept:
        assert kept.get("/x").json() == {"value": 1}
        assert daemon.reload(config(PORT, "unix:FOLDER/s", value=2))["state"] == "done"
        with Client(path=path_of(daemon)) as client:
            assert client.get("/x").json() == {"value": 2}
        assert kept.get("/x").json() == {"value": 2}
        assert daemon.get("/x").json() == {"value": 2}
        daemon.reload(config(PORT, value=3))


def test_a_listener_that_is_removed_is_closed_and_its_clients_told(scene):
    daemon = scene.gatherd(config(PORT, "unix:FOLDER/s"), workers=2)
    with Client(path=path_of(daemon)) as client:
        assert client.get("/x").header("Connection") is None
        daemon.reload(config(PORT, value=2))
        assert not os.path.exists(path_of(daemon))
        answer = client.get("/x")
        assert (answer.json(), answer.header("Connection")) == ({"value": 2}, "close")
        assert client.closed()
    with daemon.client() as client:
        assert client.get("/x").header("Connection") is None


def test_a_port_in_use_refuses_the_reload(scene):
    daemon = scene.gatherd(config(PORT))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        there = f"http://127.0.0.1:{taken.getsockname()[1]}"
        said = daemon.reload(config(PORT, "unix:FOLDER/s", there, value=2))
    assert said["state"] == "refused"
    assert said["errors"] == [f"cannot listen on {there}: Address already in use"]
    assert daemon.get("/x").json() == {"value": 1}
    assert not os.path.exists(path_of(daemon))


def test_the_file_of_a_unix_socket_gets_another_mode(scene):
    daemon = scene.gatherd(config(PORT, "{url: 'unix:FOLDER/s', mode: \"0600\"}"))
    assert stat.S_IMODE(os.stat(path_of(daemon)).st_mode) == 0o600
    daemon.reload(config(PORT, "{url: 'unix:FOLDER/s', mode: \"0666\"}"))
    assert stat.S_IMODE(os.stat(path_of(daemon)).st_mode) == 0o666
    with Client(path=path_of(daemon)) as client:
        assert client.get("/x").status == 200


def test_the_admin_endpoint_moves(scene):
    daemon = scene.gatherd(config(PORT))
    first = daemon.admin_port
    with Client(first) as asking:
        daemon.configure("admin: unix:FOLDER/admin\n" + config(PORT, value=2))
        answer = asking.call("POST", "/reload")
        assert answer.json()["state"] == "done", answer.json()
        assert answer.json()["warnings"] == []
        assert answer.header("Connection") == "close"
    with Client(path=path_of(daemon, "admin")) as client:
        assert client.get("/readyz").status == 200
        try:
            Client(first).close()
            raise AssertionError("the old endpoint accepts connections")
        except ConnectionRefusedError:
            pass
        daemon.configure(f"admin: http://127.0.0.1:{first}\n" + config(PORT, value=3))
        assert client.call("POST", "/reload").json()["state"] == "done"
    assert daemon.get("/x").json() == {"value": 3}
    assert not os.path.exists(path_of(daemon, "admin"))


def test_the_admin_token_changes(scene):
    daemon = scene.gatherd(config(PORT))
    daemon.token = "open-sesame"
    daemon.configure(config(PORT))
    assert daemon.admin("/reload", "POST").status == 200
    assert daemon.admin("/status").status == 401
    assert daemon.admin("/status", headers={"Authorization": "Bearer open-sesame"}).status == 200
    daemon.token = None
    daemon.configure(config(PORT))
    assert daemon.admin("/reload", "POST", headers={"Authorization": "Bearer open-sesame"}).status == 200


class Certificates:
    """Files that a configuration names, and what is in them now."""

    def __init__(self, daemon_folder):
        self.folder = daemon_folder

    def put(self, pair):
        shutil.copy(pair.cert, os.path.join(self.folder, "site.pem"))
        shutil.copy(pair.key, os.path.join(self.folder, "site.key"))


def browser():
    return ssl.create_default_context(cafile=authority().cert)


def subject(client):
    return dict(part[0] for part in client.sock.getpeercert()["subject"])["commonName"]


def secure(scene, **options):
    """A daemon with a plain and a TLS listener, whose files are in its folder."""
    daemon = scene.gatherd(config(PORT), **options)
    files = Certificates(daemon.folder.name)
    files.put(authority().issue())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = config(PORT, f"{{url: 'https://127.0.0.1:{port}', tls: {{cert: site.pem, key: site.key}}}}")
    assert daemon.reload(text)["state"] == "done"
    daemon.idle_fds = until(daemon.fd_count_at_rest, "descriptors with another listener")

    def connect():
        return Client(port, tls=browser(), name="localhost")
    return daemon, files, connect


def test_files_of_certificates_are_read_again(scene):
    daemon, files, connect = secure(scene, workers=2)
    other = authority().issue("other", "DNS:localhost")
    with connect() as kept:
        assert kept.get("/x").status == 200
        assert subject(kept) == "localhost"
        files.put(other)
        assert daemon.reload()["state"] == "done"
        with connect() as client:
            assert subject(client) == "other"
            assert client.get("/x").status == 200
        assert kept.get("/x").header("Connection") is None
    with open(os.path.join(daemon.folder.name, "site.pem"), "w", encoding="ascii") as file:
        file.write("nothing\n")
    said = daemon.reload()
    assert said["state"] == "refused" and "site.pem" in said["errors"][0]
    with connect() as client:
        assert subject(client) == "other"


def test_a_hundred_reloads_with_routes_and_certificates_lose_nothing(scene):
    daemon, files, connect = secure(scene, workers=2)
    pairs = [authority().issue(), authority().issue("other", "DNS:localhost")]
    with open(daemon.path, encoding="utf-8") as file:
        text = file.read()
    with Traffic(connect, "/x", fine, clients=4, rate=200) as secret, \
            Traffic(daemon.client, "/x", fine, clients=4, rate=200) as plain:
        for number in range(100):
            files.put(pairs[number % 2])
            more = f"  GET /other{number}: {{respond: {number}}}\n"
            changed = text.replace("routes: {GET /x: {respond: {value: 1}}}",
                                   f"routes:\n  GET /x: {{respond: {{value: {number}}}}}\n{more}")
            assert daemon.reload(changed)["state"] == "done"
        until(lambda: secret.answers >= 40 and plain.answers >= 40, "traffic", 10)
    for traffic in (secret, plain):
        assert not traffic.wrong, traffic.wrong[:5]
        assert traffic.opened == len(traffic.threads)


def test_the_files_of_an_upstream_tell_whether_it_stays(scene):
    origin = origin_of(scene)
    daemon = scene.gatherd(config(PORT))
    shutil.copy(authority().cert, os.path.join(daemon.folder.name, "ca.pem"))
    text = (f"upstreams: {{a: {{servers: '{origin.url}'{trusting(ca='ca.pem')}}}}}\n"
            "routes: {GET /x: {calls: {a: a/x}}}\n")
    daemon.reload(text)
    for _ in range(3):
        assert daemon.get("/x").status == 200
        daemon.reload(text)
    assert origin.connections == 1
    with open(os.path.join(daemon.folder.name, "ca.pem"), "a", encoding="ascii") as file:
        file.write("\n")
    daemon.reload(text)
    assert daemon.get("/x").status == 200
    assert origin.connections == 2
