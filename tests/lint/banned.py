"""Functions that are not called here, each with what to use instead."""
import re

from common import c_files, code_lines, read

EVERYWHERE = {
    "strcpy": "a span and memcpy with a length",
    "strcat": "struct gd_buf",
    "sprintf": "snprintf",
    "vsprintf": "vsnprintf",
    "strtok": "a loop over a span",
    "atoi": "a parser that tells errors",
    "atol": "a parser that tells errors",
    "atof": "a parser that tells errors",
    "gmtime": "gmtime_r",
    "localtime": "localtime_r",
    "ctime": "strftime",
    "asctime": "strftime",
    "gets": "fgets",
    "alloca": "the arena",
    "tmpnam": "mkstemp",
    "setlocale": "nothing: bytes of peers have no locale",
    "time": "gd_loop_now_us, or gd_loop_wall_s for what people read",
    "gettimeofday": "gd_loop_now_us, or gd_loop_wall_s for what people read",
}
# The wall clock jumps, so no wait may depend on it: it is read in one place, for dates.
WALL_CLOCK, ITS_PLACE = re.compile(r"\bCLOCK_(REALTIME|TAI)"), "lib/base/loop.c"
# Memory of lib/ is taken through base/mem.h alone, which aborts or says so.
MEMORY = {name: "base/mem.h" for name in
          ("malloc", "calloc", "realloc", "reallocarray", "free", "strdup", "strndup")}
# They look at the locale, and are undefined for bytes above 127 in a char.
LOCALE = {name: "comparisons of bytes; peers' bytes have no locale" for name in
          ("isalpha", "isdigit", "isalnum", "isspace", "isxdigit", "isupper", "islower",
           "isprint", "ispunct", "toupper", "tolower", "strcasecmp", "strncasecmp")}


def check(root):
    for path in c_files(root):
        banned = dict(EVERYWHERE)
        if path.startswith("lib/"):
            banned.update(LOCALE)
            if not path.startswith("lib/base/"):
                banned.update(MEMORY)
        call = re.compile(r"(?<![\w.>])(" + "|".join(banned) + r")\s*\(")
        for number, line in enumerate(code_lines(read(root, path)), 1):
            if WALL_CLOCK.search(line) and path != ITS_PLACE and not path.startswith("tests/"):
                yield path, number, "the wall clock is banned here; use gd_loop_now_us"
            for match in call.finditer(line):
                name = match.group(1)
                yield path, number, f"{name} is banned here; use {banned[name]}"


BREAKS = [
    ({"lib/net/a.c": "void f(char *d, char *s)\n{\n    strcpy(d, s);\n}\n"}, "strcpy is banned"),
    ({"lib/net/a.c": "void *f(void)\n{\n    return malloc(3);\n}\n"}, "malloc is banned"),
    ({"lib/http/a.c": "int f(int c)\n{\n    return tolower(c);\n}\n"}, "tolower is banned"),
    ({"lib/net/a.c": "void f(struct timespec *t)\n{\n    clock_gettime(CLOCK_REALTIME, t);\n}\n"},
     "the wall clock is banned"),
    ({"daemon/a.c": "long f(void)\n{\n    return time(0);\n}\n"}, "time is banned"),
    ({"daemon/a.c": "int f(char *c)\n{\n    return atoi(c);\n}\n"}, "atoi is banned"),
]
