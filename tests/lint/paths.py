"""No file names a place of the machine it was written on."""
import re

from common import files, read

# In halves, so that this file does not find itself.
PLACES = re.compile("|".join([
    r"(?<![\w.])/" + r"(?:root|work|mnt)/\w",
    r"(?<![\w.])/" + r"home/\w",
    r"(?<![\w.])/" + r"tmp/(?:wt|brief|bash)\w*",
]))


def check(root):
    for path in files(root):
        for number, line in enumerate(read(root, path).split("\n"), 1):
            place = PLACES.search(line)
            if place:
                yield path, number, f"a path of some machine: {place.group(0)}…"


BREAKS = [
    ({"docs/a.md": "see /ho" + "me/someone/gatherd\n"}, "a path of some machine"),
]
