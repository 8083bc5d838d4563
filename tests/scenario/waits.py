"""Waiting in tests: for events, with a deadline; never for time to pass."""
import os
import threading
import time

# Sanitizers and valgrind make the daemon slower by about this factor; upper bounds of
# time in tests are multiplied by it.
WRAP = os.environ.get("GATHERD_WRAP", "")
WRAPPED = 1 if not WRAP else 2 if "sandbox.py" in WRAP else 10  # a sandbox costs only at the start
SLOWDOWN = float(os.environ.get("GATHERD_SLOWDOWN", "1")) * WRAPPED
PATIENCE_S = 5 * SLOWDOWN
# What a machine that has more to do than cores may add to any time.
BUSY_S = 0.25


def within(seconds):
    """An upper bound of time as it holds for this build."""
    return seconds * SLOWDOWN + BUSY_S


def until(condition, what, seconds=5):
    """Waits for condition() of something outside (another process); returns its value."""
    end = time.monotonic() + seconds * SLOWDOWN
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds * SLOWDOWN:g} s: {what}")
        time.sleep(0.002)


class Board:
    """Facts that threads write and a test waits for."""

    def __init__(self):
        self.changed = threading.Condition()

    def note(self, change):
        """Runs change() and wakes up who waits."""
        with self.changed:
            change()
            self.changed.notify_all()

    def wait(self, condition, what, seconds=5):
        with self.changed:
            if not self.changed.wait_for(condition, seconds * SLOWDOWN):
                raise AssertionError(f"not within {seconds * SLOWDOWN:g} s: {what}")
            return condition()
