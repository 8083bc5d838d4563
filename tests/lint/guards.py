"""Each header has an include guard made of its path: lib/net/stream.h is GD_NET_STREAM_H."""
import os
import re

from common import c_files, read


def guard_of(path):
    parts = os.path.splitext(path)[0].split("/")
    if parts[0] == "lib":
        parts = parts[1:]
    elif parts[0] == "tests":
        parts = ["tests", parts[-1]]
    return re.sub(r"\W", "_", "_".join(["gd", *parts, "h"])).upper()


def check(root):
    for path in c_files(root):
        if not path.endswith(".h"):
            continue
        guard = guard_of(path)
        lines = read(root, path).strip().split("\n")
        if lines[:2] != [f"#ifndef {guard}", f"#define {guard}"]:
            yield path, 1, f"does not begin with the include guard {guard}"
        elif not lines[-1].startswith("#endif"):
            yield path, len(lines), "does not end with the #endif of its include guard"


BREAKS = [
    ({"lib/net/stream.h": "#ifndef STREAM_H\n#define STREAM_H\n#endif\n"}, "GD_NET_STREAM_H"),
    ({"lib/net/stream.h": "#ifndef GD_NET_STREAM_H\n#define GD_NET_STREAM_H\n#endif\nint x;\n"},
     "does not end with"),
]
