"""Service to others while somebody abuses the gateway: slowhttptest in its four modes, and wrk
with thousands of connections, each with ordinary traffic beside it, which is measured before
and meanwhile."""
import http.client
import subprocess
import tempfile
import threading
import time

from servers import CLIENT_CORE, Gatherd, Origin
from works import config

ORDINARY, PAUSE_S = 4, 0.01  # clients, and how long each waits between two requests
# What the abuser does, and its command behind the common options. (On loopback the kernel takes
# megabytes for each slow reader at once, so more of them are a flood before they are slow.)
SLOW = [
    ("slow headers (-H)", 10000, ["-H", "-i", "5", "-r", "2500"], "/g3"),
    ("slow bodies (-B)", 5000, ["-B", "-i", "5", "-r", "2500", "-s", "8192"], "/post"),
    ("ranges (-R)", 5000, ["-R", "-r", "2500", "-t", "HEAD"], "/g3"),
    ("slow reading (-X)", 1000, ["-X", "-r", "500", "-w", "10", "-y", "20", "-n", "5", "-z", "32"], "/wide"),
]
MORE = """  POST /post: {calls: {it: {url: o/1024, body: forward}}}
  GET /wide: {pass: wide/262144}
"""
# Who reads slowly holds an upstream's connections: large passes have an upstream of their own.
WIDE = "wide: {servers: [\"http://127.0.0.1:%d\"], pool: {max: 64, queue: 16}}"


class Ordinary:
    """Some clients with a request every few milliseconds each; all their times, in ms."""

    def __init__(self, port, path="/g3"):
        self.port, self.path = port, path
        self.times, self.errors, self.over = [], 0, threading.Event()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(ORDINARY)]
        for thread in self.threads:
            thread.start()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        while not self.over.wait(PAUSE_S):
            start = time.monotonic()
            try:
                connection.request("GET", self.path)
                answer = connection.getresponse()
                answer.read()
                self.errors += answer.status != 200
                self.times.append((time.monotonic() - start) * 1e3)
            except OSError:
                self.errors += 1
                connection.close()

    def take(self, seconds):
        """What the next seconds are like: (requests, p50, p99, slowest, errors)."""
        self.times, self.errors = [], 0
        time.sleep(seconds)
        times = sorted(self.times)
        if not times:
            return 0, 0.0, 0.0, 0.0, self.errors
        return len(times), times[len(times) // 2], times[len(times) * 99 // 100], times[-1], self.errors

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


def connections_of(server):
    """TCP connections that clients hold to it, and that it has accepted."""
    with open(f"/proc/{server.pids()[-1]}/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file.readlines()[1:]]
    return sum(row[1].endswith(f":{server.port:04X}") and row[3] == "01" for row in rows)


def abuse(server, command, before_s, during_s):
    """(before, connections held, during, the share of a core that the server took), while the
    command runs."""
    ordinary = Ordinary(server.port)
    try:
        before = ordinary.take(before_s)
        with tempfile.TemporaryFile() as out:
            abuser = subprocess.Popen(["taskset", "-c", CLIENT_CORE, *command], stdout=out, stderr=out)
            try:
                time.sleep(3)  # until its connections are there
                held = connections_of(server)
                start, spent = time.monotonic(), server.cpu_s()
                during = ordinary.take(during_s)
                held = max(held, connections_of(server))
                share = (server.cpu_s() - spent) / (time.monotonic() - start)
            finally:
                abuser.terminate()
                abuser.wait(30)
    finally:
        ordinary.stop()
    return before, max(held - ORDINARY, 0), during, share


def line(what, held, took, share=""):
    count, p50, p99, slowest, errors = took
    return (what, held, str(count), f"{p50:.2f}", f"{p99:.2f}", f"{slowest:.1f}", str(errors), share)


def measure(build, quick):
    """Rows for a table: what, connections held, requests beside it, p50, p99, slowest, errors, CPU."""
    before_s, during_s = (2, 4) if quick else (5, 15)
    rows = []
    origin = Origin(build)
    try:
        for name, connections, words, path in [*SLOW, ("wrk", 5000, None, "/pass")]:
            text = config(origin.port).replace("upstreams: {", "upstreams: {" + WIDE % origin.port + ", ")
            server = Gatherd(build, text + MORE)
            url = f"http://127.0.0.1:{server.port}{path}"
            command = (["slowhttptest", "-c", str(connections), "-l", str(during_s + 6), "-p", "5", "-v", "0", *words,
                        "-u", url] if words else
                       ["wrk", "-t1", f"-c{connections}", f"-d{during_s + 6}s", "--timeout", "10s", url])
            try:
                before, held, during, share = abuse(server, command, before_s, during_s)
            finally:
                server.stop()
            rows += [line("before", "", before), line(f"{name}, {connections} connections", str(held), during,
                                                      f"{100 * share:.0f}%")]
    finally:
        origin.stop()
    return rows
