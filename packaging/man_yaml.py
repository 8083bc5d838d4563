#!/usr/bin/env python3
"""Makes gatherd.yaml(5) from docs/reference.md, which gatherd prints from its table of options.

usage: man_yaml.py REFERENCE VERSION     prints the page

A table's row becomes a tagged paragraph, a section a heading, and `code` bold.
"""
import re
import sys

DATE = "2026-11-28"  # of the words below; the options are as old as the version
HEAD = r'''.\" Made by packaging/man_yaml.py from docs/reference.md: change the table of options instead.
.TH GATHERD.YAML 5 {date} "gatherd {version}" "File Formats"
.SH NAME
gatherd.yaml \- configuration of gatherd
.SH DESCRIPTION
.BR gatherd (8)
reads
.I /etc/gatherd/gatherd.yaml
unless it is told another file.
It is YAML 1.1, and it is read strictly: what is not described here, a key that stands twice,
or a value that YAML could take for another type is an error.
.B gatherd check
.I FILE
tells all errors of a file with their line and column; what it accepts,
.B gatherd run
accepts.
.PP
'''
TAIL = r'''.SH EXAMPLES
One request, two calls side by side, one answer:
.PP
.nf
.RS 4
upstreams:
  users:  http://10.0.0.5:8001
  orders: [http://10.0.0.6:8002, http://10.0.0.7:8002]

routes:
  GET /profile/{id}:
    calls:
      user:   users/users/{id}
      orders: orders/by\-user/{id}?limit=10
.RE
.fi
.SH FILES
.TP
.I /etc/gatherd/gatherd.yaml
the configuration that is read when none is named
.TP
.I /usr/share/gatherd/gatherd.schema.json
the same options as a JSON Schema, for editors
.SH SEE ALSO
.BR gatherd (8)
.PP
.I /usr/share/doc/gatherd/configuration.md
explains the file as a whole, and
.I /usr/share/doc/gatherd/guide/README.md
how answers are composed.
'''
SPECIAL = {"\\": r"\e", "'": r"\(aq", "^": r"\(ha", "~": r"\(ti", "-": r"\-"}


def literal(text):
    """Text that is to be typed as it is."""
    return "".join(SPECIAL.get(char, char) for char in text)


def prose(text):
    r"""Markdown of a line as roff: `code` is bold; \| is a bar of a table."""
    out = []
    for i, piece in enumerate(text.replace(r"\|", "|").split("`")):
        out.append(rf"\fB{literal(piece)}\fR" if i % 2 else piece.replace("\\", r"\e"))
    line = "".join(out)
    return r"\&" + line if line[:1] in (".", "'") else line


def sentences(text):
    """A line of input for each sentence, as roff wants it."""
    return "\n".join(prose(part) for part in re.split(r"(?<=[a-z`)][.;]) (?=[A-Z`])", text) if part)


def row(cells):
    option, value, default, what = (cell.strip() for cell in cells)
    kind = value + (", needed" if default == "needed" else f"; default {default}" if default else "")
    return f".TP\n{prose(option)} ({prose(kind)})\n{sentences(what)}\n"


def page(reference, version):
    out = [HEAD.format(date=DATE, version=version)]
    text, in_front = [], True

    def flush():
        if text:
            out.append(sentences(" ".join(text)) + "\n")
            text.clear()

    for line in reference.split("\n"):
        cells = re.split(r"(?<!\\)\|", line)[1:-1]
        if line.startswith("## "):
            flush()
            in_front = False
            title = line[3:].replace("`", "")
            out.append(f'.SH "{literal(title).upper() if title == "Top level" else literal(title)}"\n')
        elif len(cells) == 4 and cells[0].strip() not in ("option", "---"):
            flush()
            out.append(row(cells))
        elif line and not cells and not line.startswith("#"):
            if not (in_front and line.startswith(("Printed by", "by. Nothing"))):
                text.append(line)
        elif not line:
            flush()
    flush()
    return "".join(out) + TAIL


def main(reference, version):
    with open(reference, encoding="utf-8") as file:
        sys.stdout.reconfigure(encoding="utf-8")
        sys.stdout.write(page(file.read(), version))


if __name__ == "__main__":
    main(*sys.argv[1:])
