"""The real daemon, started for one test and held to its promises at the end of it."""
import os
import re
import shlex
import signal
import subprocess
import tempfile
import threading
import time

from client import Client
from waits import PATIENCE_S, Board, until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("GATHERD", os.path.join(ROOT, "build", "daemon", "gatherd"))
WRAP = shlex.split(os.environ.get("GATHERD_WRAP", ""))
SANDBOXED = any("sandbox.py" in word for word in WRAP)  # it may do what the unit allows
LISTENING = re.compile(r"^(?:\S+Z )?gatherd: info: (listening|admin) on https?://(?:127\.0\.0\.1|\[::1?\]):(\d+)")
SUCCESSOR = re.compile(r"^gatherd: info: process (\d+) has taken over")
RELOADED = ("gatherd: info: reloaded",
            "gatherd: error: the configuration is not reloaded; the one before goes on")
TCP_LISTEN = "0A"  # in /proc/net/tcp
SANITIZERS = re.compile(r"Sanitizer|runtime error:|Assertion|==\d+== (Invalid|Conditional|.*lost:)")


def run_gatherd(*arguments, config=None, env=None, preexec=None):
    """Runs a command of gatherd that ends by itself. `config` becomes a file whose path is
    put where an argument is CONFIG. Returns the completed process, output as text."""
    with tempfile.TemporaryDirectory(prefix="gatherd-test-") as folder:
        path = os.path.join(folder, "gatherd.yaml")
        if config is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(config)
        words = [path if word == "CONFIG" else word for word in arguments]
        done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, cwd=folder,
                              timeout=PATIENCE_S, check=False, preexec_fn=preexec,
                              env={**os.environ, **(env or {})})
    done.stdout = done.stdout.replace(path, "gatherd.yaml")
    done.stderr = done.stderr.replace(path, "gatherd.yaml")
    return done


class Daemon:
    """A running gatherd on ports of its own. `listen: …` is put before the configuration
    unless it has that line; `admin` and `workers` always are. FOLDER in the configuration
    is a folder of this daemon. token: of the admin endpoint; env: further environment;
    preexec: runs before it starts; through: a command that ends up in it; passed: descriptors
    it inherits; program: another file than the one that is tested; log_file: in its folder,
    where its error log goes instead of standard error."""

    def __init__(self, config, workers=1, token=None, env=None, preexec=None, through=(),
                 passed=(), program=PROGRAM, log_file=None):
        self.folder = tempfile.TemporaryDirectory(prefix="gatherd-test-")
        self.board, self.lines, self.ports = Board(), [], {}
        self.ended = None  # the exit status, once the process has ended
        self.log_file = log_file
        self.path, self.workers, self.token = os.path.join(self.folder.name, "gatherd.yaml"), workers, token
        self.known = {"Authorization": f"Bearer {token}"} if token else {}
        self.configure(config)
        start = time.monotonic()
        self.process = subprocess.Popen(
            [*through, *WRAP, program, "run", "-c", self.path], stdin=subprocess.DEVNULL, pass_fds=passed,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=preexec,
            env={**os.environ, **(env or {})})
        self.pid = self.process.pid  # of the newest process, when there are successors
        self.reader = threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()
        self.board.wait(lambda: self.ended is not None or "info: ready" in self.log(),
                        "start", 10)
        self.start_s = time.monotonic() - start
        assert self.ended is None, f"ended with {self.ended}: {self.log()}"
        self.port, self.admin_port = self.ports.get("listening"), self.ports["admin"]
        until(lambda: self.admin("/readyz").status == 200, "ready")
        self.idle_fds = until(self.fd_count_at_rest, "descriptors at rest")

    def configure(self, config):
        """Writes the configuration, for the start or for a reload."""
        url = "http://127.0.0.1:0"
        admin = f'{{url: "{url}", token: {self.token}}}' if self.token else url
        head = "" if re.search("^admin:", config, re.M) else f"admin: {admin}\n"
        head += "" if re.search("^workers:", config, re.M) else f"workers: {self.workers}\n"
        if not re.search("^listen:", config, re.M):
            head += "listen: http://127.0.0.1:0\n"
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(head + config.replace("FOLDER", self.folder.name))

    def reload(self, config=None):
        """Reloads on SIGHUP, a new configuration when one is given; returns what /status
        says of it when it is over."""
        if config is not None:
            self.configure(config)
        before = self.reloads()
        self.signal(signal.SIGHUP)
        self.board.wait(lambda: self.reloads() > before, "the end of the reload", 10)
        return self.status()["reload"]

    def reloads(self):
        """How many have ended so far, says the log."""
        return sum(line in RELOADED for line in self.lines)
    def log_lines(self):
        """The lines of the log, as they come, until the process has ended."""
        if self.log_file is None:
            yield from self.process.stderr
            return
        path = os.path.join(self.folder.name, self.log_file)
        until(lambda: os.path.exists(path) or self.process.poll() is not None, "its log")
        with open(path, encoding="utf-8") as file:
            while True:
                ended = self.process.poll() is not None
                yield from file
                if ended:
                    return
                time.sleep(0.01)

    def restart(self):
        """A hot restart; returns when the successor has taken over."""
        before = self.pid
        self.signal(signal.SIGUSR2)
        self.board.wait(lambda: self.pid != before, "a successor", 10)

    def read_log(self):
        for line in self.log_lines():
            self.board.note(lambda line=line: self.read_line(line.rstrip("\n")))
        status = self.process.wait()
        for line in self.lines:  # successors, which are orphans of this process
            match = SUCCESSOR.match(line)
            if match:
                _, raw = os.waitpid(int(match.group(1)), 0)
                status = status or os.waitstatus_to_exitcode(raw)
        self.board.note(lambda: setattr(self, "ended", status))

    def read_line(self, line):
        self.lines.append(line)
        match = SUCCESSOR.match(line)
        if match:
            self.pid = int(match.group(1))
        match = LISTENING.match(line)
        if match:
            self.ports.setdefault(match.group(1), int(match.group(2)))

    def log(self):
        return "\n".join(self.lines)

    # --- talking to it --------------------------------------------------------------------

    def client(self, **options):
        return Client(self.port, **options)

    def get(self, target, headers=None):
        """One request on a connection of its own."""
        with self.client() as client:
            return client.get(target, headers)

    def call(self, method, target, headers=None, body=None):
        with self.client() as client:
            return client.call(method, target, headers, body)

    def admin(self, path, method="GET", headers=None):
        with Client(self.admin_port, asked="localhost") as client:
            return client.call(method, path,
                               {"Connection": "close", **self.known, **(headers or {})})

    def status(self):
        return self.admin("/status").json()

    def route(self, name):
        return next(r for r in self.status()["routes"] if r["route"] == name)

    def upstream(self, name):
        return next(u for u in self.status()["upstreams"] if u["name"] == name)

    def server(self, upstream, index=0):
        return self.upstream(upstream)["servers"][index]

    def signal(self, number):
        os.kill(self.pid, number)

    def wait_exit(self):
        return self.board.wait(lambda: (self.ended,) if self.ended is not None else None,
                               "the daemon's end")[0]

    def cpu_s(self):
        """CPU seconds used so far."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self):
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def rss_peak_bytes(self):
        """The most that rss_bytes has been."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmHWM:\s+(\d+) kB", file.read()).group(1)) * 1024

    # --- what holds after every test ------------------------------------------------------

    def fds(self):
        """Open descriptors. Those of admin connections do not count: whoever asks how many
        there are has just used one, and the daemon closes it when it comes to that."""
        links, admin = [], self.admin_sockets()
        for name in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                links.append(os.readlink(f"/proc/{self.pid}/fd/{name}"))
            except FileNotFoundError:
                pass  # closed meanwhile
        return sum(link not in admin for link in links)

    def admin_sockets(self):
        """What descriptors of accepted admin connections are links to."""
        with open(f"/proc/{self.pid}/net/tcp", encoding="ascii") as file:
            rows = [line.split() for line in file.readlines()[1:]]
        return {f"socket:[{row[9]}]" for row in rows
                if row[1].endswith(f":{self.admin_port:04X}") and row[3] != TCP_LISTEN}

    has_mocks = False  # its mocks have the other end of each pooled connection

    def fd_count_at_rest(self):
        """Descriptors besides pooled connections; None while clients are connected."""
        status = self.status()
        if status["worker"]["connections_open"] != 0:
            return None
        idle = sum(server["sessions"]["idle"] for upstream in status["upstreams"]
                   for server in upstream["servers"])
        return self.fds() - (2 * idle if self.has_mocks else idle)

    def holds_no_more_than_at_start(self):
        count = self.fd_count_at_rest()
        return count is not None and count <= self.idle_fds

    def busy(self):
        """What is not as it is without requests; empty when all is at rest."""
        status = self.status()
        values = {"requests_in_flight": status["worker"]["requests_in_flight"],
                  "connections_open": status["worker"]["connections_open"]}
        for route in status["routes"]:
            values[f"{route['route']} in_flight"] = route["in_flight"]
        for upstream in status["upstreams"]:
            values[f"{upstream['name']} in_flight"] = upstream["in_flight"]
            for server in upstream["servers"]:
                where = f"{upstream['name']} {server['address']}"
                values[f"{where} queued"] = server["queued"]
                values[f"{where} leased"] = server["sessions"]["leased"]
                values[f"{where} streams"] = server["streams"]
                values[f"{where} dialling"] = server["sessions"]["dialling"]
        return {key: value for key, value in values.items() if value != 0}

    def assert_at_rest(self):
        """All counters are back, and so are the descriptors."""
        try:
            until(lambda: not self.busy(), "idle counters")
        except AssertionError as err:
            raise AssertionError(f"not idle after the test: {self.busy()}") from err
        try:
            until(self.holds_no_more_than_at_start, "idle descriptors")
        except AssertionError as err:
            raise AssertionError(
                f"{self.fd_count_at_rest()} descriptors at rest, {self.idle_fds} at start") from err

    def assert_clean_end(self):
        """Leaves when told to, with exit 0, and no sanitizer has complained."""
        if self.ended is None:
            self.assert_at_rest()
            self.signal(signal.SIGTERM)
        status = self.wait_exit()
        self.reader.join(PATIENCE_S)
        assert status == 0, f"exit {status}, the log says:\n{self.log()}"
        assert not SANITIZERS.search(self.log()), f"the log says:\n{self.log()}"

    def kill(self):
        """Removes what a failed test left behind."""
        if self.ended is None:
            for pid in {self.pid, self.process.pid}:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        self.process.stderr.close()
        self.folder.cleanup()
