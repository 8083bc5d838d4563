#!/usr/bin/env python3
"""Runs the lints over the source tree, and first proves of each that it can fail.

usage: run.py [NAME...]    output is TAP; findings are `FILE:LINE: what is wrong`
"""
import importlib
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
NAMES = ["banned", "changelog", "format", "guards", "layers", "leftovers", "paths", "shell",
         "size"]


def finds_what_it_should(lint):
    """The fixture trees of a lint for which it does not tell what it should."""
    missed = []
    for tree, words in lint.BREAKS:
        with tempfile.TemporaryDirectory() as root:
            for path, text in tree.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as file:
                    file.write(text)
                os.chmod(full, 0o755)
            findings = [message for _, _, message in lint.check(root)]
            if not any(words in message for message in findings):
                missed.append(f"{words!r}, but {findings}")
    return missed


def main(names):
    failed = False
    print(f"1..{2 * len(names)}")
    for name in names:
        lint = importlib.import_module(name)
        missed = finds_what_it_should(lint)
        for miss in missed:
            print(f"# {name} should have found {miss}")
        print(f"{'not ok' if missed else 'ok'} - {name} can fail")
        findings = list(lint.check(ROOT))
        for path, line, message in findings:
            print(f"# {path}:{line}: {message}")
        print(f"{'not ok' if findings else 'ok'} - {name}: {lint.__doc__.splitlines()[0]}")
        failed = failed or bool(missed or findings)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.path.insert(0, HERE)
    sys.dont_write_bytecode = True
    sys.exit(main(sys.argv[1:] or NAMES))
