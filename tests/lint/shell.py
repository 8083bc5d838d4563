"""shellcheck has nothing to say about our scripts."""
import os
import re
import subprocess

from common import files, read

FINDING = re.compile(r"^([^:]+):(\d+):\d+: \w+: (.*)$")


def scripts(root):
    for path in files(root):
        if os.path.splitext(path)[1] in ("", ".sh") and os.access(os.path.join(root, path), os.X_OK):
            if re.match(r"#!.*\b(ba)?sh\b", read(root, path)[:80]):
                yield path


def check(root):
    paths = list(scripts(root))
    if not paths:
        return
    out = subprocess.run(["shellcheck", "--format=gcc", *paths], cwd=root,
                         capture_output=True, text=True, check=False)
    for line in out.stdout.splitlines():
        finding = FINDING.match(line)
        if finding:
            yield finding.group(1), int(finding.group(2)), finding.group(3)
    if out.returncode != 0 and not out.stdout:
        yield paths[0], 1, out.stderr.strip()


BREAKS = [
    ({"tool.sh": "#!/bin/bash\nrm -r $1/*\n"}, "Double quote"),
]
