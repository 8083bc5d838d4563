#!/usr/bin/env python3
"""Measures gatherd beside nginx in one run, and its counts against the budgets.

usage: bench.py --build DIR [quick] [compare|counts|composed|memory|pool|tls|h2|start|abuse]...

Server under test on one core, origin and clients on the other. CPU seconds are those of
the server alone. Counts (system calls, allocations, instructions) are the difference of
two runs of N and 2N requests, so start and end do not count, and they do not depend on
how busy the machine is.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

from abuse import measure as measure_abuse
from first_event import first_event_ms
from servers import CLIENT_CORE, Gatherd, Nginx, Origin, TlsOrigin, all_descriptors
from works import COMPOSED, KEPT, RATIOS, WORKS, config

# Per request: system calls, heap allocations, instructions in user space.
BUDGETS = {"/pass": (6, 22, 25_000), "/g1": (6, 22, 25_000), "/g3": (11, 26, 50_000)}


def wrk(port, path, connections, seconds, field=""):
    """(requests, requests/s, p50 ms, p99 ms, errors) of a run of wrk."""
    out = subprocess.run(
        ["taskset", "-c", CLIENT_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
         "--latency", *(["-H", field] if field else []), f"http://127.0.0.1:{port}{path}"],
        capture_output=True, text=True, check=True).stdout

    def ms(percent):
        match = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)$", out, re.M)
        if not match:
            raise RuntimeError("wrk printed no latency:\n" + out)
        return float(match[1]) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[match[2]]

    errors = re.search(r"Socket errors: (.*)", out)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    wrong = (errors.group(1) if errors else "") + (f" {bad.group(1)} bad" if bad else "")
    return (int(re.search(r"(\d+) requests in", out).group(1)),
            float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), ms(50), ms(99), wrong)


def load(build, port, path, connections, requests, field=""):
    """A fixed number of requests; what bench_load prints."""
    done = subprocess.run(
        ["taskset", "-c", CLIENT_CORE, os.path.join(build, "tests", "bench", "bench_load"),
         str(port), path, str(connections), str(requests), *([field] if field else [])],
        capture_output=True, text=True, check=False)
    if not done.stdout:
        raise RuntimeError("bench_load: " + done.stderr)
    return json.loads(done.stdout)


def table(title, head, rows):
    print(f"\n{title}\n")
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        cells = [str(cell).ljust(width) if i == 0 else str(cell).rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        print("  " + "  ".join(cells), flush=True)


def mark(value, budget):
    return "PASS" if value <= budget else "MISS"


# --- beside nginx -------------------------------------------------------------------------

class Measured:
    """The best of several runs: what else the machine does only makes them worse."""

    def __init__(self, server, path, connections, field=""):
        self.server, self.path, self.connections, self.field = server, path, connections, field
        self.cpu, self.rate, self.p50, self.p99 = float("inf"), 0, 0, 0
        self.wrong = set()
        wrk(server.port, path, connections, 1, field)

    def run(self, seconds):
        before = self.server.cpu_s()
        requests, rate, p50, p99, wrong = wrk(self.server.port, self.path, self.connections, seconds,
                                              self.field)
        self.cpu = min(self.cpu, (self.server.cpu_s() - before) / requests * 100_000)
        if rate > self.rate:
            self.rate, self.p50, self.p99 = rate, p50, p99
        if wrong:
            self.wrong.add(wrong)

    def cells(self):
        return [f"{self.rate:,.0f}", f"{self.p50:.2f}", f"{self.p99:.2f}", f"{self.cpu:.2f}"]


def measure_in_turn(candidates, options):
    """Runs all of them in turn, so that a busy while of the machine hits each."""
    for _ in range(1 if options.quick else 3):
        for candidate in candidates:
            candidate.run(2)


def compare_one(work, gatherd, nginx, options):
    """The rows of one kind of work, and what went wrong."""
    print(f"... {work.name}", file=sys.stderr, flush=True)
    ours = Measured(gatherd, work.path, work.connections, work.field)
    there = work.path if work.lua else f"/part/{work.target}" if work.target else None
    theirs = Measured(nginx, there, work.connections) if there else None
    measure_in_turn([ours, theirs] if theirs else [ours], options)
    complaints = [f"{work.name}: {text}" for text in ours.wrong | (theirs.wrong if theirs else set())]
    if theirs is None:
        return [[work.name, "gatherd", *ours.cells(), ""]], complaints
    return [[work.name, "gatherd", *ours.cells(), f"{ours.cpu / theirs.cpu:.2f}"],
            ["", "nginx+lua" if work.lua else "nginx", *theirs.cells(), "1.00"]], complaints


def compare(options):
    rows, complaints = [], []
    works = WORKS + COMPOSED
    with Origin(options.build) as origin:
        with Gatherd(options.build, config(origin.port)) as gatherd, \
                Nginx(origin.port, [work.lua for work in works]) as nginx:
            for work in works:
                more, wrong = compare_one(work, gatherd, nginx, options)
                rows += more
                complaints += wrong
    table("Beside nginx, best of alternating runs, one core each (nginx+lua joins the parts unchecked;\n"
          "what is picked it decodes and encodes with cjson)",
          ["work", "server", "requests/s", "p50 ms", "p99 ms", "CPU s/100k", "ratio"], rows)
    for complaint in complaints:
        print(f"  errors: {complaint}")


# --- counts -------------------------------------------------------------------------------

def run_counted(options, origin, work, requests, wrap=(), env=None):
    with Gatherd(options.build, config(origin.port, top=options.top), wrap, env) as gatherd:
        result = load(options.build, gatherd.port, work.path, 8, requests, work.field)
    if result["failed"]:
        raise RuntimeError(f"{work.name}: {result}")


def system_calls(options, origin, work, requests):
    with tempfile.NamedTemporaryFile("r") as out:
        run_counted(options, origin, work, requests, ["strace", "-f", "-c", "-qq", "-o", out.name])
        text = out.read()
    return int(re.search(r"^100\.00\s+[\d.]+\s+\d*\s+(\d+)\s+(?:\d+\s+)?total", text, re.M).group(1))


def allocations(options, origin, work, requests):
    with tempfile.NamedTemporaryFile("r") as out:
        module = os.path.abspath(os.path.join(options.build, "tests", "bench", "count_malloc.so"))
        run_counted(options, origin, work, requests,
                    env={"LD_PRELOAD": module, "COUNT_MALLOC_FILE": out.name})
        # taskset, which starts it, writes its own number first; the daemon's comes last.
        return int(out.read())


def instructions(options, origin, work, requests):
    with tempfile.TemporaryDirectory() as folder:
        run_counted(options, origin, work, requests,
                    ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out"])
        with open(f"{folder}/out", encoding="ascii") as file:
            return int(re.search(r"^(?:totals|summary): (\d+)", file.read(), re.M).group(1))


KINDS = [("system calls", system_calls), ("allocations", allocations), ("instructions", instructions)]


def per_request(options, origin, work, kind):
    what, count = kind
    requests = max((1000 if options.quick else 4000) // work.share, 16)
    print(f"... {what} of {work.name}", file=sys.stderr, flush=True)
    return (count(options, origin, work, 2 * requests)
            - count(options, origin, work, requests)) / requests


LOG_COST = 1.10  # of a request with the access log, in instructions of one without


def logged(options, origin, plain):
    """The same with an access log: JSON lines to a file, which another thread writes. plain:
    instructions without, by path."""
    rows, missed = [], 0
    with tempfile.TemporaryDirectory() as folder:
        options.top = f"log: {{access: {folder}/access.log}}"
        for work in (WORKS[0], WORKS[2]):
            for kind, budget in zip(KINDS, BUDGETS[work.path]):
                value = per_request(options, origin, work, kind)
                if kind[1] is instructions:
                    budget = int(plain[work.path] * LOG_COST)
                verdict = mark(value, budget)
                missed += verdict == "MISS"
                rows.append([work.name, kind[0], f"{value:,.1f}", f"{budget:,}", verdict])
        options.top = ""
    table("The same with an access log (JSON, to a file); instructions are 10 % more at most",
          ["work", "what", "count", "budget", ""], rows)
    return missed


def counts(options):
    rows, missed, plain = [], 0, {}
    with Origin(options.build) as origin:
        for work in WORKS[:3]:
            for kind, budget in zip(KINDS, BUDGETS[work.path]):
                value = per_request(options, origin, work, kind)
                verdict = mark(value, budget)
                missed += verdict == "MISS"
                rows.append([work.name, kind[0], f"{value:,.1f}", f"{budget:,}", verdict])
                plain[work.path] = value  # the last kind is that of instructions
        table("Counts per request (8 connections)", ["work", "what", "count", "budget", ""], rows)
        missed += logged(options, origin, plain)
    return missed


def composed(options):
    """Counts of composed answers, and what they cost beside plain ones."""
    rows, cost = [], {}
    with Origin(options.build) as origin:
        for work in COMPOSED:
            values = [per_request(options, origin, work, kind) for kind in KINDS]
            cost.setdefault(work.path, values[-1])
            rows.append([work.name, *(f"{value:,.1f}" for value in values)])
    table("Composed answers, counts per request (8 connections)",
          ["work", *(kind[0] for kind in KINDS)], rows)
    rows, missed = [], 0
    for title, path, calls, other, others, most in RATIOS:
        value = cost[path] / calls / (cost[other] / others)
        rows.append([title, f"{value:.2f}", f"{most}", mark(value, most)])
    value = first_event_ms(options.build)
    rows.append(["from a part's last byte to its event", f"{value:.2f} ms", "1 ms", mark(value, 1)])
    missed = sum(row[3] == "MISS" for row in rows)
    table("What composing costs, in instructions; the event is the median of some hundreds",
          ["", "", "at most", ""], rows)
    return missed


# --- memory -------------------------------------------------------------------------------

def memory(options):
    limit = all_descriptors()
    idle = in_flight = 10_000
    rows = []
    pool = min(in_flight, limit - in_flight - 500)
    if pool < in_flight // 2:
        in_flight = idle = pool = (limit - 500) // 2
    # They all come at once and then again and again, so most of the time they wait for a
    # turn on the core; deadlines are for real traffic.
    upstream = f", timeout: 60s, connect_timeout: 60s, max_in_flight: {in_flight}, " \
               f"pool: {{max: {pool}, idle: 32, queue: {in_flight}}}"
    with Origin(options.build, 50) as origin, Gatherd(
            options.build, config(origin.port, upstream, "defaults: {timeout: 60s}")) as gatherd:
        load(options.build, gatherd.port, "/pass", 8, 100)
        before, peak, ended = gatherd.rss_bytes(), [0], threading.Event()

        def watch():
            while not ended.wait(0.02):
                peak[0] = max(peak[0], gatherd.rss_bytes())

        watcher = threading.Thread(target=watch)
        watcher.start()
        rounds = 2 if options.quick else 4
        result = load(options.build, gatherd.port, "/pass", in_flight, in_flight * rounds)
        ended.set()
        watcher.join()
        each = (peak[0] - before) / in_flight / 1024
        rows.append([f"{in_flight:,} clients waiting on 50 ms", f"{each:.1f} KiB each", "20 KiB",
                     mark(each, 20)])
        rows.append(["  errors", result["failed"], 0, mark(result["failed"], 0)])
        rows.append(["  p50, p99", f"{result['p50'] / 1000:.0f}, {result['p99'] / 1000:.0f} ms", "", ""])
    with Origin(options.build) as origin, Gatherd(options.build, config(origin.port)) as gatherd:
        load(options.build, gatherd.port, "/pass", 8, 100)
        before = gatherd.rss_bytes()
        idle = min(idle, 10_000)
        holder = subprocess.Popen(
            [os.path.join(options.build, "tests", "bench", "bench_load"), str(gatherd.port),
             "/pass", str(idle), "hold"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        json.loads(holder.stdout.readline())
        each = (gatherd.rss_bytes() - before) / idle / 1024
        holder.communicate("")
        rows.append([f"{idle:,} idle connections", f"{each:.1f} KiB each", "", ""])
    table("Memory (resident, one worker)", ["state", "memory", "budget", ""], rows)
    return sum(row[3] == "MISS" for row in rows)


# --- sessions, start ----------------------------------------------------------------------

def pool(options):
    rows = []
    with Origin(options.build) as origin, \
            Gatherd(options.build, config(origin.port)) as pooled, \
            Gatherd(options.build, config(origin.port, ", pool: {max: 256, idle: 256, max_requests: 1}")) as fresh:
        for work in WORKS[:3]:
            print(f"... {work.name}, pooled and fresh", file=sys.stderr, flush=True)
            kept, single = Measured(pooled, work.path, 32), Measured(fresh, work.path, 32)
            measure_in_turn([kept, single], options)
            rows += [[work.name, "pooled", *kept.cells()], ["", "fresh each", *single.cells()],
                     ["", "gain", f"{kept.rate / single.rate:.1f}x", "", "",
                      f"{single.cpu / kept.cpu:.1f}x"]]
    table("Pooled sessions against a fresh connection for each call",
          ["work", "connections", "requests/s", "p50 ms", "p99 ms", "CPU s/100k"], rows)


def tls(options):
    """What TLS to the upstream costs: connections that are kept, and those that are not."""
    name, path, connections = "gather 3 x 1 KiB", "/g3", 32
    budget = 1.35
    fresh = KEPT.replace("}", ", max_requests: 1}")
    with TlsOrigin() as origin, TlsOrigin(tickets=False) as forgetful:
        trust = f", tls: {{ca: \"{origin.cert}\"}}"
        other = f", tls: {{ca: \"{forgetful.cert}\"}}"
        with Gatherd(options.build, config(origin.port)) as plain, \
                Gatherd(options.build, config(origin.tls_port, KEPT + trust, scheme="https")) as kept, \
                Gatherd(options.build, config(origin.port, fresh)) as plain_fresh, \
                Gatherd(options.build, config(origin.tls_port, fresh + trust, scheme="https")) as resumed, \
                Gatherd(options.build, config(forgetful.tls_port, fresh + other, scheme="https")) as full:
            runs = [(what, Measured(server, path, connections)) for what, server in
                    (("kept, plain", plain), ("kept, TLS", kept), ("fresh each, plain", plain_fresh),
                     ("fresh each, TLS resumed", resumed), ("fresh each, TLS in full", full))]
            measure_in_turn([run for _, run in runs], options)
    first = runs[0][1].cpu
    rows = [[what, *run.cells(), f"{run.cpu / first:.2f}"] for what, run in runs]
    ratio = runs[1][1].cpu / first
    rows[1] += [f"{budget}", mark(ratio, budget)]
    table(f"TLS to the upstream, {name}; the upstream is nginx",
          ["connections", "requests/s", "p50 ms", "p99 ms", "CPU s/100k", "ratio", "budget", ""],
          [row + [""] * (8 - len(row)) for row in rows])
    for what, run in runs:
        for wrong in run.wrong:
            print(f"  errors: {what}: {wrong}")
    return int(ratio > budget)


def h2(options):
    """What HTTP/2 to the upstream costs beside HTTP/1.1, both kept."""
    path, connections = "/g3", 32
    with TlsOrigin() as origin:
        trust = f", tls: {{ca: \"{origin.cert}\"}}"
        spoken = ", http: 2"
        with Gatherd(options.build, config(origin.port)) as plain, \
                Gatherd(options.build, config(origin.h2_port, KEPT + spoken)) as plain_h2, \
                Gatherd(options.build, config(origin.tls_port, KEPT + trust, scheme="https")) as tls_1, \
                Gatherd(options.build, config(origin.tls_port, KEPT + trust + spoken, scheme="https")) as tls_h2:
            runs = [(what, Measured(server, path, connections)) for what, server in
                    (("HTTP/1.1, plain", plain), ("HTTP/2, plain", plain_h2), ("HTTP/1.1, TLS", tls_1),
                     ("HTTP/2, TLS", tls_h2))]
            measure_in_turn([run for _, run in runs], options)
    first = runs[0][1].cpu
    table("HTTP/2 to the upstream, gather 3 x 1 KiB; the upstream is nginx",
          ["spoken", "requests/s", "p50 ms", "p99 ms", "CPU s/100k", "ratio"],
          [[what, *run.cells(), f"{run.cpu / first:.2f}"] for what, run in runs])
    for what, run in runs:
        for wrong in run.wrong:
            print(f"  errors: {what}: {wrong}")


def start(options):
    lines = ["upstreams: {o: 'http://127.0.0.1:1'}", "routes:"]
    for number in range(2000):
        lines += [f"  GET /r{number}/{{id}}:", "    calls:", f"      a: o/a/{{id}}?n={number}",
                  f"      b: o/b{number}"]
    took = []
    for _ in range(5):
        with Gatherd(options.build, "\n".join(lines) + "\n") as gatherd:
            took.append(gatherd.start_s * 1000)
    best = sorted(took)[len(took) // 2]
    table("Start with 2,000 routes", ["", "median of 5", "budget", ""],
          [["until ready", f"{best:.0f} ms", "200 ms", mark(best, 200)]])
    return int(best > 200)


def abused(options):
    """Ordinary requests beside slowhttptest and wrk."""
    rows = measure_abuse(options.build, options.quick)
    table("abuse: ordinary requests before and meanwhile", ("", "held", "requests", "p50 ms", "p99 ms", "slowest ms",
                                                             "errors", "CPU"), rows)


PARTS = {"compare": compare, "counts": counts, "composed": composed, "memory": memory, "pool": pool,
         "tls": tls, "h2": h2, "start": start, "abuse": abused}
ASKED_FOR = ("abuse",)  # not part of a run of all


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("words", nargs="*", metavar="quick|" + "|".join(PARTS))
    options = parser.parse_args()
    options.quick, options.top = "quick" in options.words, ""
    options.build = os.path.abspath(options.build)
    parts = [word for word in options.words if word != "quick"] or [part for part in PARTS if part not in ASKED_FOR]
    unknown = [word for word in parts if word not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]}; there are {', '.join(PARTS)}")
    all_descriptors()
    missed = 0
    for part in parts:
        missed += PARTS[part](options) or 0
    print(f"\n{missed} budgets missed" if missed else "\nall budgets met")
    return 0


if __name__ == "__main__":
    sys.exit(main())
