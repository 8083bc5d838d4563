"""The programs that are measured: started on free ports, pinned to a core, ended by id."""
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")
SERVER_CORE, CLIENT_CORE = "0", "1" if (os.cpu_count() or 1) > 1 else "0"
LUA_MODULES = "/usr/lib/nginx/modules"


def all_descriptors():
    """The soft limit up to the hard one, for thousands of connections."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def until(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"not within {seconds} s: {what}")
        time.sleep(0.002)


class Server:
    """A process and those it starts; measured together."""

    traced = False  # it is the child of a tracer

    def __init__(self, command, env=None, core=SERVER_CORE):
        self.folder = tempfile.TemporaryDirectory(prefix="gatherd-bench-")
        self.process = subprocess.Popen(
            ["taskset", "-c", core, *command], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=self.folder.name, env={**os.environ, **(env or {})})

    def pids(self):
        """The process and its children."""
        found = [self.process.pid]
        for pid in found:
            try:
                with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                    found += [int(word) for word in file.read().split()]
            except FileNotFoundError:
                pass
        return found

    def cpu_s(self):
        """CPU seconds so far, user and system."""
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                fields = file.read().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def rss_bytes(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def stop(self, seconds=30):
        if self.process.poll() is None:
            # The first is nginx's master, or a tracer that would keep the signal to itself.
            pids = self.pids()
            os.kill(pids[-1] if self.traced else pids[0], signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                for pid in pids:
                    os.kill(pid, signal.SIGKILL)
                self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        self.folder.cleanup()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Origin(Server):
    def __init__(self, build, delay_ms=0):
        super().__init__([os.path.join(build, "tests", "bench", "bench_origin"), str(delay_ms)],
                         core=CLIENT_CORE)
        self.port = int(self.process.stdout.readline())


class Gatherd(Server):
    """gatherd with this configuration; `wrap` is a command that runs it."""

    def __init__(self, build, config, wrap=(), env=None):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False) as file:
            file.write("listen: http://127.0.0.1:0\nadmin: off\nworkers: 1\n" + config)
        self.log, self.port, self.traced = [], None, bool(wrap)
        start = time.monotonic()
        program = os.path.join(build, "daemon", "gatherd")
        try:
            super().__init__([*wrap, program, "run", "-c", file.name], env)
            for line in self.process.stderr:
                self.log.append(line)
                match = re.search(r"listening on http://127\.0\.0\.1:(\d+)", line)
                if match:
                    self.port = int(match.group(1))
                if "info: ready" in line:
                    break
        finally:
            os.unlink(file.name)
        self.start_s = time.monotonic() - start
        if self.port is None:
            raise RuntimeError("gatherd did not start:\n" + "".join(self.log))
        self.drain = threading.Thread(target=self.drain_log, daemon=True)
        self.drain.start()

    def drain_log(self):
        for line in self.process.stderr:
            self.log.append(line)


NGINX = """
daemon off;
master_process on;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
load_module {modules}/ndk_http_module.so;
load_module {modules}/ngx_http_lua_module.so;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    subrequest_output_buffer_size 1m;
    upstream origin {{
        server 127.0.0.1:{origin};
        keepalive 256;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_buffers 16 64k;
        proxy_buffer_size 64k;
        proxy_busy_buffers_size 128k;
        location /part/ {{ proxy_pass http://origin/; }}
{gathers}
    }}
}}
"""
TLS_ORIGIN = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{h2_port} http2;
        listen 127.0.0.1:{tls_port} ssl http2;
        ssl_certificate {folder}/cert.pem;
        ssl_certificate_key {folder}/key.pem;
        ssl_session_tickets {tickets};
        default_type application/json;
        location / {{ return 200 '{body}'; }}
    }}
}}
"""
GATHER = """
        location = {path} {{
            content_by_lua_block {{
                local parts = {{ngx.location.capture_multi{{{captures}}}}}
                for i = 1, {count} do
                    if parts[i].status ~= 200 then return ngx.exit(502) end
                end
                ngx.header.content_type = "application/json"
                ngx.print({pieces}, "}}")
            }}
        }}
"""


def captures_of(target, count):
    return ", ".join(f'{{"/part/{target}/{n}"}}' for n in range(count))


def nginx_gather(path, target, count):
    captures = captures_of(target, count)
    pieces = ", ".join(f"'{',' if n else '{'}\"p{n}\":', parts[{n + 1}].body" for n in range(count))
    return GATHER.format(path=path, captures=captures, count=count, pieces=pieces)


# The same as `pick` and `rename` of works.CUT.
PICKED = """
        location = {path} {{
            content_by_lua_block {{
                local cjson = require "cjson"
                local parts = {{ngx.location.capture_multi{{{captures}}}}}
                local answer = {{}}
                for i = 1, {count} do
                    if parts[i].status ~= 200 then return ngx.exit(502) end
                    local list = cjson.decode(parts[i].body)
                    for k, record in ipairs(list) do
                        list[k] = {{id = record.id, title = record.name, created = record.created,
                                    owner = {{login = record.owner.login}}}}
                    end
                    answer["p" .. (i - 1)] = list
                end
                ngx.header.content_type = "application/json"
                ngx.print(cjson.encode(answer))
            }}
        }}
"""


def nginx_picked(path, target, count):
    return PICKED.format(path=path, captures=captures_of(target, count), count=count)


class NginxBase(Server):
    """nginx in a folder of its own."""

    core = SERVER_CORE

    def __init__(self, text, **values):
        self.port = free_port()
        self.home = tempfile.TemporaryDirectory(prefix="gatherd-nginx-")
        self.prepare()
        config = os.path.join(self.home.name, "nginx.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(text.format(folder=self.home.name, port=self.port, **values))
        super().__init__(["nginx", "-p", self.home.name, "-c", config,
                          "-e", os.path.join(self.home.name, "error.log")], core=self.core)
        until(self.answers, "nginx answers")

    def prepare(self):
        """Puts into the folder what else it needs."""

    def answers(self):
        if self.process.poll() is not None:
            raise RuntimeError("nginx did not start: " + self.process.stderr.read())
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def stop(self, seconds=30):
        code = super().stop(seconds)
        self.home.cleanup()
        return code


class Nginx(NginxBase):
    """nginx as a proxy with keep-alive, and with Lua that joins and picks parts."""

    def __init__(self, origin_port, gathers):
        super().__init__(NGINX, modules=LUA_MODULES, origin=origin_port, gathers="".join(gathers))


class TlsOrigin(NginxBase):
    """nginx as an upstream: the same 1 KiB at `port`, by HTTP/2 at `h2_port`, and by TLS,
    with either, at `tls_port`."""

    core = CLIENT_CORE

    def __init__(self, tickets=True):
        self.tls_port, self.h2_port = free_port(), free_port()
        body = '["' + "x" * 1020 + '"]'
        super().__init__(TLS_ORIGIN, tls_port=self.tls_port, h2_port=self.h2_port, body=body,
                         tickets="on" if tickets else "off")
        self.cert = os.path.join(self.home.name, "cert.pem")

    def prepare(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
             "-keyout", os.path.join(self.home.name, "key.pem"),
             "-out", os.path.join(self.home.name, "cert.pem")], check=True, capture_output=True)
