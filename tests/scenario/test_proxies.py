"""nginx and HAProxy in front of gatherd, with the configurations of packaging/: connections
are kept, the client is known, bodies and errors go through as they are."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

from client import Client
from daemon import ROOT
from waits import PATIENCE_S, until

ROUTES = """
  GET /me: {respond: {ip: $request.ip, host: $request.host, proto: "$header.x-forwarded-proto"}}
  POST /echo: {respond: {body: $body}}
  GET /broken: {calls: {it: "http://127.0.0.1:1/"}}
  POST /small: {max_body: 1KiB, respond: {body: $body}}
  /pass/{rest...}: {pass: "origin/{rest}"}
  GET /parts: {timeout: 60s, calls: {slow: origin/slow, quick: origin/quick}}
"""
REQUESTS, LARGE, CLIENT = 200, 1 << 20, "127.0.0.2"
NGINX_MAIN = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr crit;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def replaced(text, *pairs):
    """The text of a file of packaging/ with other addresses; each of them has to be there."""
    for old, new in pairs:
        assert old in text, f"{old} is not in it"
        text = text.replace(old, new)
    return text


class Proxy:
    """A proxy on a port of its own, in front of one daemon; a context."""

    def __init__(self, file, daemon):
        self.folder = tempfile.TemporaryDirectory(prefix="gatherd-proxy-")
        os.chmod(self.folder.name, 0o755)
        self.daemon, self.port = daemon, free_port()
        with open(os.path.join(ROOT, "packaging", file), encoding="utf-8") as text:
            command = self.write(text.read())
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, cwd=self.folder.name, text=True)

    def path(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def write(self, text):
        raise NotImplementedError

    def answers(self):
        assert self.process.poll() is None, self.process.stderr.read()
        try:
            with self.client() as client:
                return client.get("/me").status == 200
        except OSError:
            return False

    def client(self):
        """One that has another address than the proxy."""
        return Client(self.port, source=CLIENT)

    def __enter__(self):
        until(self.answers, "the proxy answers", 20)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.process.stderr.close()
        self.folder.cleanup()


class Nginx(Proxy):
    def write(self, text):
        self.path("site.conf", replaced(text, ("listen 80;", f"listen 127.0.0.1:{self.port};"),
                                        ("unix:/run/gatherd/http.sock", f"unix:{self.daemon.folder.name}/http.sock")))
        return [shutil.which("nginx") or "/usr/sbin/nginx", "-p", self.folder.name, "-e", "stderr", "-c",
                self.path("nginx.conf", NGINX_MAIN.format(folder=self.folder.name))]


class HAProxy(Proxy):
    def write(self, text):
        text = replaced(text, ("bind :80\n", f"bind 127.0.0.1:{self.port}\n"),
                        ("10.0.0.5:8080", f"127.0.0.1:{self.daemon.port}"),
                        ("check port 9901", f"check port {self.daemon.admin_port}"))
        return self.command(text)

    def command(self, text):
        return [shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f",
                self.path("haproxy.cfg", re.sub(r"^    server two .*\n", "", text, flags=re.M))]


class TcpHAProxy(HAProxy):
    """It knows of connections only."""

    def write(self, text):
        return self.command(replaced(text, ("bind :443\n", f"bind 127.0.0.1:{self.port}\n"),
                                     ("10.0.0.5:8443", f"127.0.0.1:{self.daemon.port}"),
                                     ("check port 9901", f"check port {self.daemon.admin_port}")))


def behind_nginx(scene, more=""):
    """nginx's workers are another user, hence the mode."""
    daemon = scene.gatherd(
        "listen: {url: \"unix:FOLDER/http.sock\", mode: 0666}\ntrusted_proxies: [unix]\n" + more)
    os.chmod(daemon.folder.name, 0o755)
    return daemon, Nginx("nginx.conf", daemon)


def behind_haproxy(scene, more=""):
    daemon = scene.gatherd("trusted_proxies: [127.0.0.1]\n" + more)
    return daemon, HAProxy("haproxy.cfg", daemon)


def config(origin=None):
    return f"upstreams: {{origin: {origin.url if origin else 'http://127.0.0.1:1'}}}\nroutes:{ROUTES}"


def connections_are_kept(daemon, proxy):
    with proxy.client() as client:
        client.get("/me")
        before = daemon.status()["worker"]
        for _ in range(REQUESTS):
            assert client.get("/me").status == 200
        after = daemon.status()["worker"]
    assert after["requests"] - before["requests"] >= REQUESTS
    opened = after["connections"] - before["connections"]
    assert opened <= 2, f"{opened} connections for {REQUESTS} requests"


def the_client_is_known(proxy, proto="http"):
    """Whatever it says of itself. proto: what gatherd reads in X-Forwarded-Proto."""
    lies = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "Forwarded": "for=6.6.6.6"}
    with proxy.client() as client:
        assert client.get("/me", lies).json() == {"ip": CLIENT, "host": "gateway.test", "proto": proto}


def bodies_go_through(proxy, origin):
    """Both ways, a MiB of each; and what is too large is told by gatherd."""
    large = os.urandom(LARGE)
    origin.on("/large", lambda exchange: exchange.reply(body=large))
    origin.on("/count", lambda exchange: exchange.reply({"bytes": len(exchange.request.body)}))
    with proxy.client() as client:
        assert client.get("/pass/large").body == large
        assert client.call("POST", "/pass/count", body=large[:LARGE - 1]).json() == {"bytes": LARGE - 1}
        text = json.dumps("n" * 100_000).encode()
        assert client.call("POST", "/echo", {"Content-Type": "application/json"}, text).json() == {"body": "n" * 100_000}
    with proxy.client() as client:
        answer = client.call("POST", "/small", body=b"n" * 2000)
        assert (answer.status, answer.header("Content-Type")) == (413, "application/problem+json")


def errors_go_through(proxy):
    with proxy.client() as client:
        for target, status in ("/nowhere", 404), ("/broken", 502):
            answer = client.get(target)
            assert (answer.status, answer.header("Content-Type")) == (status, "application/problem+json")
            assert answer.json()["status"] == status


def parts_come_as_they_complete(proxy, origin):
    """The first part is here while the second is still held back."""
    origin.on("/quick", {"n": 1})
    seen = threading.Event()
    origin.on("/slow", lambda exchange: (seen.wait(PATIENCE_S), exchange.reply({"n": 2})))
    with proxy.client() as client:
        client.request("GET", "/parts", {"Accept": "application/x-ndjson"})
        head = client.stream_head()
        assert head.status == 200
        chunks = client.chunks()
        assert next(chunks) == b'{"quick":{"n": 1}}\n'
        seen.set()
        assert b"".join(chunks).startswith(b'{"slow":{"n": 2}}\n')


def all_of_it(daemon, proxy, origin):
    with proxy:
        connections_are_kept(daemon, proxy)
        the_client_is_known(proxy)
        bodies_go_through(proxy, origin)
        errors_go_through(proxy)
        parts_come_as_they_complete(proxy, origin)


def test_nginx_in_front_over_a_unix_socket(scene):
    origin = scene.origin()
    daemon, proxy = behind_nginx(scene, config(origin))
    all_of_it(daemon, proxy, origin)


def test_haproxy_in_front(scene):
    origin = scene.origin()
    daemon, proxy = behind_haproxy(scene, config(origin))
    all_of_it(daemon, proxy, origin)


def test_haproxy_in_front_with_the_proxy_protocol(scene):
    """What clients say of themselves is not believed: they are no trusted proxies."""
    origin = scene.origin()
    daemon = scene.gatherd("listen: {url: \"http://127.0.0.1:0\", proxy_protocol: true}\n"
                           "trusted_proxies: [127.0.0.1]\n" + config(origin))
    with TcpHAProxy("haproxy-tcp.cfg", daemon) as proxy:
        the_client_is_known(proxy, proto="https")  # nobody took the field away, but it is not believed
        bodies_go_through(proxy, origin)
        errors_go_through(proxy)
        parts_come_as_they_complete(proxy, origin)


def test_a_draining_gatherd_is_taken_out_before_it_stops_accepting(scene):
    """/readyz says so on the admin port while requests are still answered."""
    origin = scene.origin()
    daemon, proxy = behind_haproxy(scene, config(origin))
    held = threading.Event()
    origin.on("/held", lambda exchange: (held.wait(PATIENCE_S), exchange.reply({"done": True})))
    with proxy:
        with proxy.client() as client:
            client.request("GET", "/pass/held")
            until(lambda: origin.exchanges, "the request is under way")
            daemon.signal(signal.SIGTERM)
            until(lambda: daemon.admin("/readyz").status == 503, "it says that it drains")
            held.set()
            assert client.response().json() == {"done": True}
    assert daemon.wait_exit() == 0
