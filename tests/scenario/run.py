#!/usr/bin/env python3
"""Runs scenario tests: what users are promised, tried on the real daemon.

usage: run.py [--jobs N] [TOPIC[.TEST]...]

A topic is a file test_TOPIC.py, a test each of its functions test_*. A test is given a
`Scene`, which starts daemons and upstreams and clears them away; at the end of each test
all counters and descriptors of the daemon must be back, and it must leave with exit 0.
Output is TAP: `ok - NAME (seconds)`.
"""
import argparse
import ctypes
import glob
import importlib
import os
import subprocess
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from daemon import Daemon  # noqa: E402  (needs the path above)
from origin import Origin, OriginProcess  # noqa: E402


class Scene:
    """What one test has on its stage."""

    def __init__(self):
        self.daemons, self.origins, self.clients = [], [], []

    def gatherd(self, config, **options):
        daemon = Daemon(config, **options)
        self.daemons.append(daemon)
        return daemon

    def origin(self, answer=None, port=0, host="127.0.0.1"):
        return self.keep(Origin(answer, port, host))

    def origin_process(self, port=0):
        return self.keep(OriginProcess(port))

    def keep(self, origin):
        self.origins.append(origin)
        return origin

    def gather(self, names, route="", upstream="", **options):
        """A daemon with `GET /x`, which calls /NAME of an upstream NAME for each of the
        names: a dict NAME: Origin, further options of all calls by `calls`, `log` of the
        daemon."""
        calls = options.pop("calls", {})
        lines = [f"log: {options.pop('log')}"] if "log" in options else []
        lines.append("upstreams:")
        for name, origin in names.items():
            lines.append(f"  {name}: {{servers: [\"{origin.url}\"]{upstream}}}")
        lines += ["routes:", "  GET /x:"] + [f"    {line}" for line in route.split("\n") if line]
        lines.append("    calls:")
        for name in names:
            more = calls.get(name, "")
            lines.append(f"      {name}: {{url: \"{name}/{name}\"{more}}}")
        return self.gatherd("\n".join(lines) + "\n", **options)

    def client(self, daemon):
        client = daemon.client()
        self.clients.append(client)
        return client

    def end(self, passed):
        try:
            for client in self.clients:
                client.close()
            if passed:
                for daemon in self.daemons:
                    daemon.assert_clean_end()
                for origin in self.origins:
                    for err in getattr(origin, "errors", []):
                        raise err
        finally:
            for origin in self.origins:
                origin.stop()
            for daemon in self.daemons:
                daemon.kill()


def run_test(test):
    """Runs one test; returns what went wrong as text, or an empty one."""
    scene = Scene()
    error = ""
    try:
        test(scene)
    except BaseException:  # a failed test of any kind ends its stage, too
        error = traceback.format_exc()
    try:
        scene.end(not error)
    except BaseException:
        error += traceback.format_exc()
    if error:
        for daemon in scene.daemons:
            error += "\nlog:\n" + daemon.log()
    return error


def tests_of(topic, only=None):
    module = importlib.import_module(f"test_{topic}")
    found = [(f"{topic}.{name[5:]}", value) for name, value in vars(module).items()
             if name.startswith("test_") and callable(value)]
    return [(name, test) for name, test in found if only in (None, name.split(".")[1])]


def run_topic(topic, only=None):
    tests = tests_of(topic, only)
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    for name, test in tests:
        start = time.monotonic()
        error = run_test(test)
        failed += bool(error)
        for line in error.splitlines():
            print(f"# {line}")
        took = time.monotonic() - start
        print(f"{'not ok' if error else 'ok'} - {name} ({took:.1f} s)", flush=True)
    return 1 if failed or not tests else 0


def run_side_by_side(topics, jobs):
    """A process a topic, `jobs` at a time; prints the output of each as a whole."""
    slots, lock, totals = threading.Semaphore(jobs), threading.Lock(), {"ok": 0, "not ok": 0}

    def run(topic):
        with slots:
            done = subprocess.run([sys.executable, __file__, topic], capture_output=True,
                                  text=True, check=False)
        with lock:
            sys.stdout.write(done.stdout + done.stderr)
            sys.stdout.flush()
            for line in done.stdout.splitlines():
                for word in totals:
                    totals[word] += line.startswith(f"{word} - ")
            totals["not ok"] += done.returncode not in (0, 1)

    threads = [threading.Thread(target=run, args=(topic,)) for topic in topics]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{totals['ok']} passed, {totals['not ok']} failed")
    return 1 if totals["not ok"] else 0


def adopt_orphans():
    """Successors of a daemon that was restarted become children of this process."""
    ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("topics", nargs="*")
    options = parser.parse_args()
    adopt_orphans()
    if len(options.topics) == 1:
        topic, _, only = options.topics[0].partition(".")
        return run_topic(topic, only or None)
    topics = options.topics or sorted(os.path.basename(path)[5:-3] for path in
                                      glob.glob(os.path.join(HERE, "test_*.py")))
    return run_side_by_side(topics, options.jobs)


if __name__ == "__main__":
    sys.exit(main())
