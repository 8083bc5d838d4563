#!/usr/bin/env python3
"""Runs a command as the unit would as far as the system call filter goes, but stricter.

usage: sandbox.py UNIT COMMAND...

What SystemCallFilter=, RestrictAddressFamilies=, MemoryDenyWriteExecute=, RestrictNamespaces=,
RestrictSUIDSGID= and LockPersonality= of the unit would refuse ends the process with SIGSYS
here, so that a daemon which lives has not even tried. It has no capabilities either. Needs
systemd-analyze, which knows the groups of calls, and libseccomp.
"""
import ctypes
import errno
import os
import re
import socket
import subprocess
import sys

PR_CAPBSET_DROP, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 24, 47, 4
CAPABILITIES = 64
PROT_WRITE, PROT_EXEC, SHM_EXEC = 2, 4, 0o100000
NAMESPACES = 0x7E020080  # the CLONE_NEW* flags
SET_ID = 0o6000
WITH_MODE = {"chmod": 1, "fchmod": 1, "fchmodat": 2, "mkdir": 1, "mkdirat": 2, "mknod": 1, "mknodat": 2}
KILL_PROCESS, ALLOW, ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
NO_SUCH_CALL, NO_SUCH_FAMILY = ERRNO | errno.ENOSYS, ERRNO | errno.EAFNOSUPPORT
EQUAL, MASKED = 4, 7


class Condition(ctypes.Structure):
    """scmp_arg_cmp of libseccomp: `argument == value`, or `(argument & value) == rest`."""
    _fields_ = [("argument", ctypes.c_uint), ("kind", ctypes.c_int), ("value", ctypes.c_uint64),
                ("rest", ctypes.c_uint64)]


class Filter:
    """A filter that ends the process at whatever is not allowed."""

    def __init__(self):
        self.lib = ctypes.CDLL("libseccomp.so.2")
        self.lib.seccomp_init.restype = ctypes.c_void_p
        self.filter = ctypes.c_void_p(self.lib.seccomp_init(ctypes.c_uint32(KILL_PROCESS)))

    def add(self, call, *conditions, action=ALLOW):
        number = self.lib.seccomp_syscall_resolve_name(call.encode())
        if number < 0:
            return  # one that this kind of machine does not have
        array = (Condition * len(conditions))(*conditions)
        if self.lib.seccomp_rule_add_array(self.filter, ctypes.c_uint32(action), number, len(conditions), array):
            raise OSError(f"libseccomp refuses the rule for {call}")

    def load(self):
        if self.lib.seccomp_load(self.filter):
            raise OSError("libseccomp cannot load the filter")


def settings(unit):
    """The settings of a unit: {key: [value, …]}, in the order of the file."""
    found = {}
    with open(unit, encoding="utf-8") as file:
        for key, value in re.findall(r"^(\w+)=(.*)$", file.read(), re.M):
            found.setdefault(key, []).append(value)
    return found


def call_groups():
    """The groups of system calls that systemd knows: {"@group": {call or group, …}}."""
    out = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True,
                         check=True).stdout
    groups, members = {}, set()
    for line in out.splitlines():
        word = line.strip()
        if line.startswith("@"):
            members = groups.setdefault(word, set())
        elif word and not word.startswith("#"):
            members.add(word)
    return groups


def calls_of(word, groups):
    """The system calls of a group, or the call itself."""
    if not word.startswith("@"):
        return {word}
    return set().union(*(calls_of(member, groups) for member in groups[word]))


def allowed_calls(filters):
    """What a list of SystemCallFilter= allows; the first one has to be an allow list."""
    groups, calls = call_groups(), set()
    for value in filters:
        named = set().union(*(calls_of(word, groups) for word in value.lstrip("~").split()))
        calls = calls - named if value.startswith("~") else calls | named
    return calls


def add_conditions(rules, unit):
    """Calls of which only some arguments are allowed. Returns their names."""
    for family in unit["RestrictAddressFamilies"][0].split():
        rules.add("socket", (0, EQUAL, getattr(socket, family), 0))
    # The C library asks which addresses the machine has before it sorts those of a name, and does without.
    rules.add("socket", (0, EQUAL, socket.AF_NETLINK, 0), action=NO_SUCH_FAMILY)
    if unit["MemoryDenyWriteExecute"] == ["yes"]:
        for bit in PROT_WRITE, PROT_EXEC:
            rules.add("mmap", (2, MASKED, bit, 0))
        rules.add("mprotect", (2, MASKED, PROT_EXEC, 0))
        rules.add("shmat", (2, MASKED, SHM_EXEC, 0))
    if unit["RestrictNamespaces"] == ["yes"]:
        rules.add("clone", (0, MASKED, NAMESPACES, 0))
        rules.add("clone3", action=NO_SUCH_CALL)  # as systemd does: its flags cannot be seen
    if unit["RestrictSUIDSGID"] == ["yes"]:
        for call, argument in WITH_MODE.items():
            rules.add(call, (argument, MASKED, SET_ID, 0))
    return {"socket", "mmap", "mprotect", "pkey_mprotect", "shmat", "clone", "clone3", "unshare", "setns",
            "personality", *WITH_MODE}


def confine(unit):
    """Applies the filter of the unit to this process, for good."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for capability in range(CAPABILITIES):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    rules = Filter()
    conditional = add_conditions(rules, unit)
    for call in sorted(allowed_calls(unit["SystemCallFilter"]) - conditional):
        rules.add(call)
    rules.load()


def main(unit, *command):
    confine(settings(unit))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
