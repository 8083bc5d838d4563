"""The sandbox that the other topics run in (tests/tools/sandbox.py) does refuse things."""
import os
import signal
import subprocess
import sys

from daemon import ROOT

UNIT = os.path.join(ROOT, "systemd", "gatherd.service")
SANDBOX = [sys.executable, os.path.join(ROOT, "tests", "tools", "sandbox.py"), UNIT]

# What an intruder would like to do, as lines of Python.
REFUSED = {
    "write code and run it": "import mmap; mmap.mmap(-1, 4096, prot=7)",
    "listen in on the network": "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "become another": "import os; os.setuid(0)",
    "give a program its owner's rights": "import os; os.chmod('.', 0o4755)",
    "change the root": "import os; os.chroot('.')",
    "have a network of its own": "import ctypes; ctypes.CDLL(None).unshare(0x40000000)",
    "set the clock": "import time; time.clock_settime(time.CLOCK_REALTIME, 0)",
    "look into others": "import ctypes; ctypes.CDLL(None).ptrace(16, 1, 0, 0)",
    "mount": "import ctypes; ctypes.CDLL(None).mount(b'a', b'/', b'b', 0, 0)",
    "go first": "import os; os.nice(-1)",
}


def run(code):
    return subprocess.run([*SANDBOX, sys.executable, "-c", code], capture_output=True, text=True, check=False,
                          timeout=60)


def test_what_is_harmless_runs(_):
    done = run("import socket, threading; threading.Thread(target=socket.socket).start(); print('done')")
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_what_the_unit_refuses_ends_the_process(_):
    for what, code in REFUSED.items():
        done = run(code)
        assert done.returncode == -signal.SIGSYS, f"{what}: {done.returncode} {done.stderr}"


def test_it_has_no_capabilities(_):
    done = run("print(open('/proc/self/status').read())")
    assert done.returncode == 0, done.stderr
    for kind in "Prm", "Eff", "Bnd", "Amb":
        assert f"Cap{kind}:\t{0:016x}" in done.stdout, done.stdout
