#!/usr/bin/env python3
"""How the program was built: hard to attack, and the same wherever it is built. Output is TAP.

usage: hardening.py PROGRAM COMPILE_COMMANDS SOURCE BUILD      needs readelf
"""
import json
import re
import subprocess
import sys

ENDBR64 = b"\xf3\x0f\x1e\xfa"  # where an indirect call may lead to, with CET


class Program:
    def __init__(self, path, commands, source, build):
        with open(path, "rb") as file:
            self.bytes = file.read()
        out = subprocess.run(["readelf", "-W", "-h", "-l", "-d", "--dyn-syms", path], capture_output=True,
                             text=True, check=True).stdout
        self.elf, self.source, self.build = out, source, build
        with open(commands, encoding="utf-8") as file:
            self.commands = [entry["command"] for entry in json.load(file)
                             if re.match(r"\.\./(lib|daemon)/", entry["file"])]


def position_independent(it):
    """it is a PIE: its addresses are others each time"""
    return re.search(r"Type:\s+DYN", it.elf) and "INTERP" in it.elf


def relocations_are_read_only(it):
    """full RELRO: what it jumps through cannot be written once it runs"""
    return "GNU_RELRO" in it.elf and re.search(r"\(FLAGS(_1)?\).*(BIND_)?NOW", it.elf)


def stack_is_no_code(it):
    """neither its stack nor any segment can be written and executed"""
    flags = re.findall(r"^\s+(?:LOAD|GNU_STACK)\s+(?:0x\w+\s+){5}([RWE ]{3})", it.elf, re.M)
    return len(flags) > 2 and not any("W" in flag and "E" in flag for flag in flags)


def stack_is_guarded(it):
    """stack protector: an overrun of a buffer on the stack ends it"""
    return "__stack_chk_fail" in it.elf and all("-fstack-protector-strong" in each for each in it.commands)


def library_calls_are_checked(it):
    """FORTIFY, level 3: memcpy and its kind know how large their targets are"""
    return len(set(re.findall(r"\b__\w+_chk\b", it.elf))) > 3 and all(
        "-D_FORTIFY_SOURCE=3" in each for each in it.commands)


def indirect_calls_are_marked(it):
    """CET: an indirect call can only go where a function begins (x86-64)"""
    return "X86-64" not in it.elf or it.bytes.count(ENDBR64) > 500


def searches_no_folders(it):
    """it takes libraries from the system's places only"""
    return "RPATH" not in it.elf and "RUNPATH" not in it.elf


def says_not_where_it_was_built(it):
    """no path of the machine it was built on is in it, and so no difference between two"""
    return it.source.encode() not in it.bytes and it.build.encode() not in it.bytes


def says_not_when_it_was_built(it):
    """no source asks for the time it is compiled at"""
    return all("-Wdate-time" in each for each in it.commands)


TESTS = [position_independent, relocations_are_read_only, stack_is_no_code, stack_is_guarded,
         library_calls_are_checked, indirect_calls_are_marked, searches_no_folders, says_not_where_it_was_built,
         says_not_when_it_was_built]


def main(*arguments):
    it, failed = Program(*arguments), False
    print(f"1..{len(TESTS)}")
    for test in TESTS:
        passed = bool(it.commands) and bool(test(it))
        failed = failed or not passed
        print(f"{'ok' if passed else 'not ok'} - {test.__doc__}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
