"""The tree is as clang-format 14 with .clang-format would write it: ./dev format."""
import os
import re
import shutil
import subprocess

from common import c_files

ERROR = re.compile(r"^(?:\./)?([^:]+):(\d+):\d+: (?:error|warning): .*clang-format")


def check(root):
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    paths = c_files(root)
    if not tool:
        yield ".clang-format", 1, "clang-format 14 is not installed"
        return
    if not paths:
        return
    style = os.path.join(os.path.dirname(__file__), "..", "..", ".clang-format")
    out = subprocess.run([tool, "--dry-run", "-Werror", f"--style=file:{style}", *paths],
                         cwd=root, capture_output=True, text=True, check=False)
    told = set()
    for line in out.stderr.splitlines():
        error = ERROR.match(line)
        if error and error.group(1) not in told:
            told.add(error.group(1))
            yield error.group(1), int(error.group(2)), "not formatted; run ./dev format"
    if out.returncode != 0 and not told:
        yield ".clang-format", 1, out.stderr.strip() or "clang-format failed"


BREAKS = [
    ({"lib/base/a.c": "int  f( int a ){return a;}\n"}, "not formatted"),
]
