"""Upstreams that speak TLS, and what stands between them and the daemon."""
import os
import select
import re
import socket
import ssl
import subprocess
import tempfile
import threading

from certificates import Authority
from origin import Gone, Origin
from waits import until

V1_2, V1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
_AUTHORITIES = {}


def authority(name="Test CA"):
    """The CA of this run with that name."""
    if name not in _AUTHORITIES:
        _AUTHORITIES[name] = Authority(name)
    return _AUTHORITIES[name]


def server_context(pair, clients=None, lowest=None, highest=None):
    """How a server speaks: `clients` is a file of CAs whose certificates it wants."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    if lowest:
        context.minimum_version = lowest
    if highest:
        context.maximum_version = highest
    return context


class TlsOrigin(Origin):
    """An origin behind TLS. `.hellos` has the names asked for (SNI), `.resumed` whether each
    handshake resumed a session, `.refusals` why handshakes failed, `.ends` how each
    connection was closed: "notified", or otherwise."""

    def __init__(self, answer=None, context=None):
        self.context = context or server_context(authority().issue())
        self.context.sni_callback = lambda sock, name, _: self.hellos.append(name)
        self.hellos, self.resumed, self.refusals, self.ends = [], [], [], []
        super().__init__(answer)
        self.url = f"https://127.0.0.1:{self.port}"

    def opened(self, raw):
        try:
            sock = self.context.wrap_socket(raw, server_side=True, suppress_ragged_eofs=False)
        except OSError as err:
            self.board.note(lambda: (self.socks.discard(raw), self.refusals.append(str(err))))
            raise Gone from err
        self.board.note(lambda: (self.socks.discard(raw), self.socks.add(sock),
                                 self.resumed.append(sock.session_reused)))
        return Watched(sock, self)


class Watched:
    """A TLS socket whose end is noted: recv is the only one of its calls that is changed."""

    def __init__(self, sock, origin):
        self.sock, self.origin = sock, origin

    def __getattr__(self, name):
        return getattr(self.sock, name)

    def __hash__(self):
        return hash(self.sock)

    def __eq__(self, other):
        return self.sock == getattr(other, "sock", other)

    def recv(self, size, flags=0):
        if flags:
            return socket.socket.recv(self.sock, size, flags)
        try:
            data, end = self.sock.recv(size), "notified"
        except ssl.SSLError as err:
            data, end = b"", str(err)
        except ConnectionResetError:
            self.origin.board.note(lambda: self.origin.ends.append("reset"))
            raise
        if not data:
            self.origin.board.note(lambda: self.origin.ends.append(end))
        return data

    def goodbye(self):
        """Says close_notify, and waits for the daemon's."""
        self.sock.settimeout(5)
        try:
            self.sock.unwrap()
        except OSError:
            pass


class Tampered:
    """What the daemon connects to instead of an origin: bytes go both ways, those of the
    origin by step(data), which yields pieces; None among them ends the connection."""

    def __init__(self, origin, step):
        self.target, self.step = origin.port, step
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self.stopped, self.stopper = socket.socketpair()
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            ready, _, _ = select.select([self.listener, self.stopped], [], [])
            if self.stopped in ready:
                self.listener.close()
                return
            sock, _ = self.listener.accept()
            threading.Thread(target=self.carry, args=(sock,), daemon=True).start()

    def carry(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pipe = self.step()
        next(pipe)
        with sock, socket.create_connection(("127.0.0.1", self.target)) as there:
            there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while self.once(sock, there, pipe):
                    pass
            except OSError:
                pass

    def once(self, sock, there, pipe):
        ready, _, _ = select.select([sock, there, self.stopped], [], [])
        if self.stopped in ready:
            return False
        if sock in ready:
            data = sock.recv(65536)
            there.sendall(data)
            if not data:
                return False
        if there in ready:
            data = there.recv(65536)
            for piece in pipe.send(data):
                if piece is None:
                    return False
                sock.sendall(piece)
            return bool(data)
        return True

    def stop(self):
        self.stopper.close()
        self.thread.join()


def cut_after(count):
    """Ends each connection behind so many bytes of the origin."""
    def step():
        left, pieces = count, []
        while True:
            data = yield pieces
            pieces = [data[:left]] if len(data) < left else [data[:left], None]
            left -= len(data)
    return step


def one_by_one():
    """Each byte of the origin is a write of its own."""
    pieces = []
    while True:
        data = yield pieces
        pieces = [data[i:i + 1] for i in range(len(data))]


class Silent:
    """Accepts connections; `says` is all they ever hear."""

    def __init__(self, says=b"", scheme="https"):
        self.says, self.held = says, []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.held.append(sock)
            try:
                sock.sendall(self.says)
            except OSError:
                pass

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        for sock in self.held:
            sock.close()


def trusting(more="", ca=None):
    """The `tls` of an upstream, which trusts the CA of this run."""
    return f", tls: {{ca: \"{ca or authority().cert}\"{more}}}"


def origin_of(scene, answer=None, context=None):
    return scene.keep(TlsOrigin(answer, context))


def gather(scene, origin, more="", upstream="", **options):
    return scene.gather({"a": origin}, upstream=trusting(more) + upstream, **options)


def assert_fails(daemon, word, reason=None):
    """The call fails with this class, and the log says why."""
    answer = daemon.get("/x")
    assert (answer.status, answer.json()["class"]) == (502, word), answer.body
    assert daemon.upstream("a")["failures"][word] == 1
    if reason:
        until(lambda: re.search(rf"warn: upstream a: .*{reason}", daemon.log()), f"'{reason}' in the log")
    return answer


NGINX = """
daemon off;
pid {folder}/pid;
error_log stderr error;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 5;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        ssl_client_certificate {ca};
        ssl_verify_client {clients};
        ssl_protocols {versions};
        location /large {{ root {folder}; default_type application/json; }}
        location / {{ return 200 '["$ssl_protocol", "$ssl_session_reused", "$ssl_client_s_dn"]'; }}
    }}
}}
"""


class NginxOrigin:
    """nginx with TLS: at /large 1 MB of JSON, elsewhere what it knows of the connection. It
    closes each after five requests."""

    def __init__(self, versions="TLSv1.2 TLSv1.3", clients="off"):
        self.home = tempfile.TemporaryDirectory(prefix="gatherd-nginx-")
        os.chmod(self.home.name, 0o755)  # its workers may be someone else
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        pair = authority().issue()
        with open(f"{self.home.name}/nginx.conf", "w", encoding="ascii") as file:
            file.write(NGINX.format(folder=self.home.name, port=self.port, cert=pair.cert, key=pair.key,
                                    ca=authority().cert, versions=versions, clients=clients))
        with open(f"{self.home.name}/large", "w", encoding="ascii") as file:
            file.write('"' + "n" * 1_000_000 + '"')
        self.url = f"https://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            ["nginx", "-p", self.home.name, "-c", f"{self.home.name}/nginx.conf", "-e", "stderr"],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.answers, "nginx answers", 20)

    def answers(self):
        assert self.process.poll() is None, "nginx did not start"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.home.cleanup()
