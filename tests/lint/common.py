"""What the lints share: which files there are, and how a finding is told.

A lint is a module with `check(root)`, a generator of `(path, line, message)`, and
`BREAKS`, a list of `(files, words)`: a small tree given as {path: text} that must give a
finding with these words in it. run.py runs both.
"""
import os
import re

SKIPPED_FOLDERS = re.compile(r"^(build.*|\.git|__pycache__|corpus)$")


def files(root, folders=("",), suffixes=("",)):
    """Paths below root/folder, relative to root, sorted, that end in one of suffixes."""
    found = []
    for folder in folders:
        for at, below, names in os.walk(os.path.join(root, folder)):
            below[:] = [d for d in below if not SKIPPED_FOLDERS.match(d)]
            found += [os.path.relpath(os.path.join(at, name), root) for name in names
                      if name.endswith(tuple(suffixes)) and name != ".git"]
    return sorted(set(found))


def c_files(root, folders=("lib", "daemon", "tests")):
    return files(root, folders, (".c", ".h"))


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def code_lines(text):
    """The lines of C text with comments and the insides of literals blanked out."""
    def blank(match):
        piece = match.group(0)
        if piece.startswith("/"):
            return re.sub(r"[^\n]", " ", piece)
        return piece[0] + " " * (len(piece) - 2) + piece[-1]

    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, blank, text, flags=re.S).split("\n")
