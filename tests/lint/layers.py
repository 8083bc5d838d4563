"""A file includes only its own layer and the layers to its right (docs/ARCHITECTURE.md)."""
import re

from common import c_files, read

LAYERS = ["daemon", "front", "gather", "upstream", "h2", "net", "plan", "http", "json", "base"]
# libevhtp redefines regcomp and regexec for whoever includes it, and is to stay replaceable.
EVHTP_FILES = ("lib/front/",)
NGHTTP2_FILES = ("lib/h2/",)
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def layer_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "lib" and len(parts) > 2 else parts[0]


def check(root):
    for path in c_files(root, ("lib", "daemon")):
        own = layer_of(path)
        if own not in LAYERS:
            yield path, 1, f"folder {own} is not a layer; layers are {' '.join(LAYERS)}"
            continue
        for number, line in enumerate(read(root, path).split("\n"), 1):
            include = INCLUDE.match(line)
            if not include:
                continue
            quote, target = include.groups()
            if "evhtp" in target and not path.startswith(EVHTP_FILES):
                yield path, number, "only lib/front may include libevhtp"
            if "nghttp2" in target and not path.startswith(NGHTTP2_FILES):
                yield path, number, "only lib/h2 may include nghttp2"
            if quote == "<":
                continue
            used = target.split("/")[0]
            if "/" not in target and own == "daemon":
                continue
            if used not in LAYERS:
                yield path, number, f'"{target}" does not name a layer: write "base/err.h"'
            elif LAYERS.index(used) < LAYERS.index(own):
                yield path, number, f"layer {own} may not include {target}: " \
                                    f"only {' '.join(LAYERS[LAYERS.index(own):])}"


BREAKS = [
    ({"lib/json/scan.c": '#include "net/stream.h"\n'}, "layer json may not include net/stream.h"),
    ({"lib/base/err.c": '#include "err.h"\n'}, "does not name a layer"),
    ({"lib/misc/x.c": ""}, "folder misc is not a layer"),
    ({"lib/net/stream.c": "#include <evhtp/evhtp.h>\n"}, "only lib/front may include libevhtp"),
    ({"lib/upstream/pool.c": "#include <nghttp2/nghttp2.h>\n"}, "only lib/h2 may include nghttp2"),
]
