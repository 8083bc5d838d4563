#!/usr/bin/env python3
"""Counts single tests in meson's logs and names the failed ones.

A unit program counts with its `Checks: N` line of the check library, a TAP program with
its `ok` and `not ok` lines, anything else as one test. The last line printed is
`N passed, N failed`; the exit status is 1 when something failed.
"""
import json
import re
import sys

CHECKS = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", re.M)
TAP = re.compile(r"^(not )?ok\b(?: \d+)?(?: - )? ?(.*)$", re.M)
SKIPPED = re.compile(r"# *skip", re.I)


def count(entry):
    """Of one program: (passed, [what failed], skipped)."""
    out = entry.get("stdout") or ""
    good = entry["result"] in ("OK", "EXPECTEDFAIL", "UNEXPECTEDPASS")
    if entry["result"] == "SKIP":
        return 0, [], 1
    checks = CHECKS.search(out)
    if checks:
        ran, failures, errors = (int(n) for n in checks.groups())
        failed = ["a check"] * (failures + errors)
        passed = ran - len(failed)
    else:
        lines = [m for m in TAP.finditer(out)]
        if not lines:
            return (1, [], 0) if good else (0, [entry["result"].lower()], 0)
        skipped = [m for m in lines if SKIPPED.search(m.group(2))]
        failed = [m.group(2) for m in lines if m.group(1) and m not in skipped]
        passed = len(lines) - len(failed) - len(skipped)
        if good or failed:
            return passed, failed, len(skipped)
    if not good and not failed:
        # All its tests passed and still it failed: a sanitizer, valgrind, a time limit.
        failed = ["ended with " + entry["result"].lower()]
    return passed, failed, 0


def show(entry, log, failed):
    print(f"\n--- failed: {entry['name']} ({log})")
    for name in failed:
        print(f"    {name}")
    for stream in ("stdout", "stderr"):
        text = (entry.get(stream) or "").splitlines()
        for line in text[-60:]:
            print(f"    {stream}| {line}")


def main(logs):
    passed = failed = skipped = 0
    for log in logs:
        try:
            with open(log, encoding="utf-8") as file:
                entries = [json.loads(line) for line in file if line.strip()]
        except OSError as err:
            print(f"\n--- failed: no results in {log}: {err.strerror}")
            failed += 1
            continue
        for entry in entries:
            good, bad, left_out = count(entry)
            passed, failed, skipped = passed + good, failed + len(bad), skipped + left_out
            if bad:
                show(entry, log, bad)
    print()
    if skipped:
        print(f"skipped: {skipped}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
