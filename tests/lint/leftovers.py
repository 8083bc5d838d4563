"""Nothing is left for later: no notes to self, no disabled code, no merge marks."""
import re

from common import files, read

# Written in two halves, so that this file does not find itself.
NOTES = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
DISABLED = re.compile(r"^\s*#\s*if\s+0\b")
MERGE = re.compile(r"^(<{7} |={7}$|>{7} )")
CODE_COMMENT = re.compile(r"^\s*(//|/\*)\s*[\w>.\-\[\]]+\s*(=[^=]|\().*;\s*(\*/)?\s*$")
SUFFIXES = (".c", ".h", ".py", ".md", ".build", ".yaml", ".service", "dev")


def check(root):
    for path in files(root, suffixes=SUFFIXES):
        is_c = path.endswith((".c", ".h"))
        for number, line in enumerate(read(root, path).split("\n"), 1):
            if NOTES.search(line):
                yield path, number, "a note for later; do it, or leave it out"
            if is_c and DISABLED.match(line):
                yield path, number, "disabled code; remove it"
            if is_c and CODE_COMMENT.match(line):
                yield path, number, "code in a comment; remove it"
            if MERGE.match(line):
                yield path, number, "a mark of an unfinished merge"


BREAKS = [
    ({"lib/base/a.c": "/* TO" + "DO: later */\n"}, "a note for later"),
    ({"lib/base/a.c": "#if 0\nint x;\n#endif\n"}, "disabled code"),
    ({"lib/base/a.c": "    // x = f(y);\n"}, "code in a comment"),
    ({"docs/a.md": "<<<<<<< HEAD\n"}, "unfinished merge"),
]
