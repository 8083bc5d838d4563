"""Upstreams that are none of ours: nginx, Node and Python's http.server, each with the same
documents: /item.json (says by whom), /large (8 MiB), and anything else is a 404."""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

from tls import authority
from waits import PATIENCE_S, until

HERE = os.path.dirname(os.path.abspath(__file__))
LARGE_BYTES = 8 << 20
NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr crit;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    types {{ application/json json; }}
    gzip on; gzip_types application/json; gzip_http_version 1.0;
    server {{ listen 127.0.0.1:{port}{h2}{tls}; root {folder}; {more} }}
}}
"""
NGINX_TLS = " ssl; ssl_certificate {cert}; ssl_certificate_key {key}"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Peer:
    """A server as a process, which can be killed and started again on the same port. h2:
    it speaks HTTP/2; without TLS nothing else. more: directives of nginx's own."""

    def __init__(self, name, tls=False, h2=False, more=""):
        self.home = tempfile.TemporaryDirectory(prefix=f"gatherd-{name}-")
        os.chmod(self.home.name, 0o755)  # its workers may be someone else
        self.name, self.port = name, free_port()
        self.pair, self.h2, self.more = authority().issue() if tls else None, h2, more
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        with open(os.path.join(self.home.name, "item.json"), "w", encoding="ascii") as file:
            json.dump({"by": name, "words": "n" * 2000}, file)
        with open(os.path.join(self.home.name, "large"), "wb") as file:
            file.write(b"n" * LARGE_BYTES)
        self.start()

    def command(self):
        raise NotImplementedError

    def start(self):
        self.process = subprocess.Popen(self.command(), stdin=subprocess.PIPE, cwd=self.home.name,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.answers, f"{self.name} answers", 20)

    def answers(self):
        assert self.process.poll() is None, f"{self.name} did not start"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def end(self):
        """It leaves, and its children with it."""
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.process.stdin.close()

    def stop(self):
        self.end()
        self.home.cleanup()


class Nginx(Peer):
    def command(self):
        tls = NGINX_TLS.format(cert=self.pair.cert, key=self.pair.key) if self.pair else ""
        config = os.path.join(self.home.name, "nginx.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(NGINX.format(folder=self.home.name, port=self.port, tls=tls,
                                    h2=" http2" if self.h2 else "", more=self.more))
        return [shutil.which("nginx") or "/usr/sbin/nginx", "-p", self.home.name, "-c", config,
                "-e", "stderr"]


class Node(Peer):
    def command(self):
        files = [self.pair.key, self.pair.cert] if self.pair else []
        return ["node", os.path.join(HERE, "peer_node.js"), "2" if self.h2 else "1",
                str(self.port), *files]


class PythonServer(Peer):
    """It speaks HTTP/1.0 and closes behind each answer."""

    def command(self):
        return [sys.executable, "-m", "http.server", str(self.port), "--bind", "127.0.0.1"]
