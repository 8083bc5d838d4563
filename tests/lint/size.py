"""Functions of at most 60 lines, C files of at most 500, headers of at most 250."""
import json
import os
import subprocess

from common import c_files, files, read

FUNCTION_LINES = 60
LINES = {".c": 500, ".h": 250, ".py": 500}


def functions(root, paths):
    """(path, line, name, lines) of each function, told by universal-ctags."""
    if not paths:
        return
    out = subprocess.run(
        ["ctags", "--options=NONE", "--languages=C", "--map-C=+.h", "--output-format=json",
         "--fields=+ne", "--kinds-C=f", "-f", "-", "-L", "-"],
        input="\n".join(paths), cwd=root, capture_output=True, text=True, check=True)
    for line in out.stdout.splitlines():
        tag = json.loads(line)
        if "end" in tag:
            yield tag["path"], tag["line"], tag["name"], tag["end"] - tag["line"] + 1


def check(root):
    for path, line, name, lines in functions(root, c_files(root)):
        if lines > FUNCTION_LINES:
            yield path, line, f"{name} has {lines} lines, {FUNCTION_LINES} are the limit"
    for path in c_files(root) + files(root, ("tests",), (".py",)):
        limit = LINES[os.path.splitext(path)[1]]
        lines = read(root, path).count("\n")
        if lines > limit:
            yield path, limit, f"the file has {lines} lines, {limit} are the limit"


BREAKS = [
    ({"lib/base/err.c": "int f(int a)\n{\n" + "    a++;\n" * 60 + "    return a;\n}\n"},
     "f has 64 lines"),
    ({"lib/base/err.c": "int x;\n" * 501}, "the file has 501 lines"),
    ({"lib/base/err.h": "int x;\n" * 251}, "the file has 251 lines"),
]
