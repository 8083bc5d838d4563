#!/usr/bin/env python3
"""Compares how gatherd and a reference read mutated streams of requests.

usage: differ_http.py VERDICT_PROGRAM [COUNT [SEED]]

The reference is written apart from the parser, with other means (regular expressions over
whole lines), as a recipient that repairs nothing. For each stream both must read the same
requests, byte for byte, and agree whether it was refused; gatherd may refuse earlier.
"""
import ipaddress
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
sys.dont_write_bytecode = True
from strict_http import (ABSOLUTE_FORM, HOST, ORIGIN_FORM, TOKEN, Deviation, Incomplete,  # noqa: E402
                         Source, read_fields)

REQUEST_LINE = re.compile(rb"([^ ]+) ([^ ]+) HTTP/1\.([0-9])")
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(;[\t \x21-\x7e\x80-\xff]*)?")
FORBIDDEN_ESCAPE = re.compile(rb"%([01].|7[Ff])")

SEEDS = [
    b"GET /a/./b?c=%0a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost:\r\nX: y \r\n\r\n",
    b"GET http://a.example:80/%2e/x HTTP/1.1\r\nHost: b\r\nConnection: te, close\r\n\r\n",
    b"HEAD / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
    b"\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\r\nPOST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"PUT /p HTTP/1.1\r\nHost: a:1\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
    b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;x=\"y\"\r\nhello\r\n0a\r\n0123456789\r\n0\r\nT: v\r\nU:\r\n\r\n",
    b"GET /../a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"M-SEARCH /%7e HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n",
]
PIECES = [b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"\0", b"\x80", b"%2e", b"..", b"/", b",",
          b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: a\r\n",
          b"Connection: close\r\n", b"chunked", b"0\r\n\r\n", b"HTTP/1.0", b"HTTP/2.0", b";",
          b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"+", b"-", b"0x", b"5", b"CONNECT", b"@", b"?"]


def path_stays_below_root(path):
    depth = 0
    for segment in path.split(b"/")[1:]:
        plain = re.sub(rb"%2[eE]", b".", segment)
        if plain == b"..":
            depth -= 1
            if depth < 0:
                return False
        elif plain != b".":
            depth += 1
    return True


def check_target(method, target):
    # What browsers leave as it is in a query is taken there, though RFC 3986 would escape it.
    path, mark, query = target.partition(b"?")
    target = path + mark + re.sub(rb"[][\\^`{|}]", b"x", query)
    if target == b"*":
        if method != b"OPTIONS":
            raise Deviation("asterisk")
        return
    absolute = ABSOLUTE_FORM.fullmatch(target)
    if not absolute and not ORIGIN_FORM.fullmatch(target):
        raise Deviation("target")
    path = target.split(b"?")[0]
    if absolute:
        if not absolute[1] or absolute[1].startswith(b":"):
            raise Deviation("no host")
        check_host(absolute[1])
        path = b"/" + (path.split(b"/", 3) + [b""])[3]
    if FORBIDDEN_ESCAPE.search(path) or not path_stays_below_root(path):
        raise Deviation("path")


def check_host(host):
    if not HOST.fullmatch(host) or FORBIDDEN_ESCAPE.search(host) or b"%20" in host:
        raise Deviation("host")
    port = re.search(rb":([0-9]*)$", host)
    if port and (len(port[1]) > 5 or int(port[1] or b"0") > 65535):
        raise Deviation("port")
    if host.startswith(b"["):
        try:
            ipaddress.IPv6Address(host[1:host.index(b"]")].decode())
        except ValueError:
            raise Deviation("IPv6") from None


def values(fields, name):
    return [value for key, value in fields if key.lower() == name]


def content_framing(fields, minor):
    lengths, codings = values(fields, b"content-length"), values(fields, b"transfer-encoding")
    if len(lengths) + len(codings) > 1:
        raise Deviation("framing twice")
    if lengths and not re.fullmatch(rb"[0-9]{1,18}", lengths[0]):
        raise Deviation("length")
    if codings and (minor == 0 or codings[0].lower() != b"chunked"):
        raise Deviation("coding")
    return bool(codings), int(lengths[0]) if lengths else 0


def chunked_body(source):
    body = b""
    while True:
        match = CHUNK_LINE.fullmatch(source.line())
        if not match:
            raise Deviation("chunk")
        size = int(match[1], 16)
        if size == 0:
            read_fields(source)
            return body
        body += source.take(size)
        if source.take(2) != b"\r\n":
            raise Deviation("chunk end")


def one_request(source):
    """(method, target, body, keep-alive), as a recipient that repairs nothing."""
    blank = 0
    while not (line := source.line()):
        blank += 1
        if blank > 3:
            raise Deviation("blank lines")
    match = REQUEST_LINE.fullmatch(line)
    if not match or not TOKEN.fullmatch(match[1]) or match[1] == b"CONNECT":
        raise Deviation("request line")
    minor = min(int(match[3]), 1)
    check_target(match[1], match[2])
    fields = read_fields(source)
    hosts = values(fields, b"host")
    if len(hosts) > 1 or (minor and not hosts):
        raise Deviation("Host")
    for host in hosts:
        check_host(host)
    if any(value.lower() != b"100-continue" for value in values(fields, b"expect")):
        raise Deviation("Expect")
    chunked, length = content_framing(fields, minor)
    body = chunked_body(source) if chunked else source.take(length)
    options = [option.strip(b" \t").lower() for value in values(fields, b"connection")
               for option in value.split(b",")]
    return match[1], match[2], body, b"close" not in options and (
        minor == 1 or b"keep-alive" in options)


def reference(stream):
    source, found = Source(stream), ""
    try:
        while True:
            method, target, body, keep = one_request(source)
            found += f"{method.hex()} {target.hex()} {body.hex()},"
            if not keep:
                return found, "close"
    except Incomplete:
        return found, "more"
    except Deviation:
        return found, "refused"


def mutate(rng):
    stream = bytearray(b"".join(rng.choices(SEEDS, k=rng.randint(1, 3))))
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        at = rng.randrange(len(stream) + 1)
        kind = rng.randrange(5)
        if kind == 0:
            stream[at:at] = rng.choice(PIECES)
        elif kind == 1:
            stream[at:at + rng.randint(1, 12)] = rng.choice(PIECES)
        elif kind == 2:
            del stream[at:at + rng.randint(1, 4)]
        elif kind == 3 and at < len(stream):
            stream[at] = rng.randrange(256)
        else:
            start = rng.randrange(len(stream) + 1)
            stream[at:at] = stream[start:start + rng.randint(1, 30)]
    return bytes(stream)


def agree(ours, theirs):
    found, end = theirs
    if end != "more":
        return ours == found + end
    return ours in (found + "more", found + "refused")


def main():
    program, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5000
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    streams = [mutate(rng) for _ in range(count)]
    data = b"".join(b"%d\n%s" % (len(stream), stream) for stream in streams)
    lines = subprocess.run([program], input=data, stdout=subprocess.PIPE,
                           check=True).stdout.decode().split("\n")
    ends = {"close": 0, "refused": 0, "more": 0}
    for stream, ours in zip(streams, lines, strict=False):
        theirs = reference(stream)
        ends[theirs[1]] += 1
        if not agree(ours, theirs):
            sys.exit(f"disagreement on {stream!r}\n  gatherd:   {ours}\n  reference: {theirs}")
    if len(lines) != count + 1 or min(ends.values()) < count / 20:
        sys.exit(f"only {len(lines) - 1} of {count} read, ends {ends}")
    print(f"{count} streams read alike: {ends}")


if __name__ == "__main__":
    main()
