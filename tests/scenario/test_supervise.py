"""What the service manager hears: ready, reloading, stopping, and that all is well."""
import ctypes
import os
import signal
import time

from supervisor import Manager
from waits import until, within

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
ROUTES = "routes: {GET /x: {respond: 1}}\n"


def managed(scene, config=ROUTES, watchdog_ms=None, **options):
    manager = scene.keep(Manager())
    env = {"NOTIFY_SOCKET": manager.path}
    if watchdog_ms:
        env["WATCHDOG_USEC"] = str(watchdog_ms * 1000)
    daemon = scene.gatherd(config, env=env, **options)
    manager.wait("READY=1")
    return manager, daemon


def test_a_reload_is_announced_and_its_end_told(scene):
    manager, daemon = managed(scene)
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    daemon.reload()
    manager.wait("READY=1", 2)
    said = next(text for text in manager.texts() if text.startswith("RELOADING=1"))
    words = dict(line.split("=") for line in said.split("\n"))
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert before <= int(words["MONOTONIC_USEC"]) <= after
    daemon.reload("routes: {x: 1}\n")
    manager.wait("READY=1", 3)


def test_a_stop_is_announced(scene):
    manager, daemon = managed(scene)
    daemon.signal(signal.SIGTERM)
    manager.wait("STOPPING=1")
    assert daemon.wait_exit() == 0


def test_all_is_well_while_all_workers_answer(scene):
    manager, daemon = managed(scene, watchdog_ms=400, workers=2)
    manager.wait("WATCHDOG=1", 3)
    times = [at for text, at in manager.heard if text == "WATCHDOG=1"]
    assert max(b - a for a, b in zip(times, times[1:])) < within(0.4)
    assert daemon.get("/x").status == 200


def test_without_a_watchdog_nothing_is_told(scene):
    manager, daemon = managed(scene)
    daemon.reload()
    manager.wait("READY=1", 2)
    assert "WATCHDOG=1" not in manager.texts()


class Stuck:
    """One thread of the daemon is stopped, as if it hung, while this is entered."""

    def __init__(self, pid, name):
        self.libc = ctypes.CDLL(None, use_errno=True)
        for tid in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{tid}/comm", encoding="ascii") as file:
                if file.read().strip() == name:
                    self.tid = int(tid)

    def trace(self, request):
        if self.libc.ptrace(request, self.tid, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def __enter__(self):
        self.trace(PTRACE_SEIZE)
        self.trace(PTRACE_INTERRUPT)
        os.waitpid(self.tid, 0x40000000)  # __WALL

    def __exit__(self, *_):
        self.trace(PTRACE_DETACH)


def test_a_worker_that_is_stuck_stops_it(scene):
    manager, daemon = managed(scene, watchdog_ms=200, workers=2)
    manager.wait("WATCHDOG=1")
    with Stuck(daemon.process.pid, "worker-1"):
        until(lambda: "a worker does not answer" in daemon.log(), "the log")
        count = manager.texts().count("WATCHDOG=1")
        until(lambda: daemon.admin("/healthz").status == 200, "the main thread answers")
        time.sleep(0.3)  # nothing is to come: so much time has to pass for it
        assert manager.texts().count("WATCHDOG=1") == count
    manager.wait("WATCHDOG=1", count + 1)
    assert daemon.get("/x").status == 200
