"""What upstreams can do wrong: a table of cases, each with the class it has to end in.

A row is a line of the table in docs/operations.md; `want` is a failure class, or "ok" where
the answer counts all the same. All cases of a row want the same.
"""
import collections
import gzip
import os
import re
import socket

from origin import Gone

Case = collections.namedtuple("Case", "row name want answer")

MAX_RESPONSE = 4096
VALUE = {"a": [1, 2]}
BODY = b'{"a":[1, 2]}'
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX-A: b\r\n\r\n" + BODY
CHUNKED = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
           b"5;x=y\r\n{\"a\":\r\n7\r\n[1, 2]}\r\n0\r\nT: u\r\n\r\n")
UNTIL_END = b"HTTP/1.1 200 OK\r\n\r\n" + BODY


def sends(data, then="keep"):
    """Answers with these bytes and then keeps, closes, resets, ends its side or waits."""
    def answer(exchange):
        exchange.send(data)
        if then == "end":
            exchange.sock.shutdown(socket.SHUT_WR)
        if then in ("end", "wait"):
            exchange.silence()
        if then in ("close", "reset"):
            getattr(exchange, then)()
    return answer


def endless(start, piece):
    def answer(exchange):
        exchange.send(start)
        for _ in range(100_000):
            exchange.send(piece)
        raise AssertionError("all of it was taken")
    return answer


def drips(data):
    return lambda exchange: exchange.drip(data, 0.05)


def breaks_off():
    for name, data in (("length", LENGTH), ("chunks", CHUNKED)):
        for then, row in (("close", "closes before its answer is complete"), ("reset", "resets the connection")):
            for at in range(len(data)):
                yield Case(row, f"{then}s at byte {at} of {name}", "reset", sends(data[:at], then))
        for at in range(0, len(data), 16):
            yield Case("stops before its answer is complete, or drips", f"stops at byte {at} of {name}",
                       "timeout", sends(data[:at], "wait"))
        yield Case("stops before its answer is complete, or drips", f"drips {name}", "timeout", drips(data))
        for at in (10, len(data) - 3):
            yield Case("closes before its answer is complete", f"ends its side at byte {at} of {name}", "reset",
                       sends(data[:at], "end"))
    for at in range(len(UNTIL_END) - len(BODY) + 1, len(UNTIL_END)):
        yield Case("ends an answer that has no length too soon", f"ends at byte {at}", "json",
                   sends(UNTIL_END[:at], "close"))


def head(*lines, body=BODY):
    return b"\r\n".join([b"HTTP/1.1 200 OK", *lines]) + b"\r\n\r\n" + body


def lengths():
    row = "announces a length that is not valid"
    for text in (b"-12", b"+12", b"12,12", b"12, 12", b"12 12", b"0xc", b"1e1", b"", b"12.0", b"\xd9\xa1", b"12;",
                 b"1" * 19, b"99999999999999999999", b"twelve"):
        yield Case(row, repr(text), "protocol", sends(head(b"Content-Length: " + text)))
    for name, lines in {
            "two that differ": (b"Content-Length: 12", b"Content-Length: 13"),
            "two that do not": (b"Content-Length: 12", b"content-length: 12"),
            "one and chunks": (b"Content-Length: 12", b"Transfer-Encoding: chunked"),
            "chunks and one": (b"Transfer-Encoding: chunked", b"Content-Length: 12"),
            "chunks twice": (b"Transfer-Encoding: chunked, chunked",),
            "chunks in two lines": (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
            "gzip and chunks": (b"Transfer-Encoding: gzip, chunked",),
            "chunks not last": (b"Transfer-Encoding: chunked, identity",),
            "another coding": (b"Transfer-Encoding: identity",),
            "odd chunks": (b"Transfer-Encoding: xchunked",),
            "no coding": (b"Transfer-Encoding: ",)}.items():
        yield Case(row, name, "protocol", sends(head(*lines, body=b"c\r\n" + BODY + b"\r\n0\r\n\r\n")))
    row = "announces less than it sends"
    for behind in (b"x", b"\r\n", b"\0" * 100, BODY):
        yield Case(row, f"{behind[:9]!r} behind", "ok", sends(LENGTH + behind))
    yield Case(row, "nothing announced", "ok", sends(head(b"Content-Length: 0")))
    yield Case("sends a body that is not JSON", "a byte less announced", "json", sends(head(b"Content-Length: 11")))
    row = "announces more than it sends"
    for length in (b"13", b"4096"):
        yield Case(row, f"{length} of 12 bytes, and closes", "reset", sends(head(b"Content-Length: " + length), "close"))


def chunks():
    start = head(b"Transfer-Encoding: chunked", body=b"")
    for text in (b"x\r\n", b"\r\n", b"-c\r\n", b"+c\r\n", b"0xc\r\n", b"c \r\n", b" c\r\n", b"c\n", b"\tc\r\n", b"c\r\r\n",
                 b"f" * 16 + b"\r\n", b"0" * 17 + b"c\r\n", b"c;" + b"x" * 600 + b"\r\n", b"c;\x01\r\n", b"c;a\n\r\n",
                 b"\xc3\xa9\r\n", b"c\0\r\n", b"c,c\r\n"):
        yield Case("breaks the chunked coding", f"size {text[:12]!r}", "protocol",
                   sends(start + text + BODY + b"\r\n0\r\n\r\n"))
    for text in (b"c\r\n" + BODY + b"0\r\n\r\n", b"b\r\n" + BODY + b"\r\n0\r\n\r\n", b"c\r\n" + BODY + b"\n0\r\n\r\n",
                 b"c\r\n" + BODY + b"\r\r\n0\r\n\r\n", b"c\r\n" + BODY + b"\r\n0\r\nT\r\n\r\n",
                 b"c\r\n" + BODY + b"\r\n0\r\nT : u\r\n\r\n", b"c\r\n" + BODY + b"\r\n0\r\n: u\r\n\r\n",
                 b"c\r\n" + BODY + b"\r\n0\r\nT: \x01\r\n\r\n", b"c\r\n" + BODY + b"\r\n0\r\n T: u\r\n\r\n",
                 b"c\r\n" + BODY + b"\r\n0\r\nT: u\n\r\n"):
        yield Case("breaks the chunked coding", repr(text[12:]), "protocol", sends(start + text))


def heads():
    row = "sends a head that is not HTTP/1"
    for line in (b"HTTP/2 200 OK", b"HTTP/2.0 200 OK", b"HTTP/1.1 99 X", b"HTTP/1.1 1000 X", b"HTTP/1.1 20 X",
                 b"HTTP/1.1  200 OK", b"HTTP/1.1\t200 OK", b"http/1.1 200 OK", b"HTTP/1.1 +20 OK", b"HTTP/1.1 2e2 OK",
                 b"HTTP/1.1200 OK", b"HTTP/1,1 200 OK", b"HTTP/11 200 OK", b"HTTP/1.1 200 O\0K", b"HTTP/1.1 200 O\rK",
                 b"HTTP 200 OK", b"ICY 200 OK", b" HTTP/1.1 200 OK", b"200 OK", b"GET / HTTP/1.1", b""):
        yield Case(row, repr(line), "protocol", sends(line + b"\r\nContent-Length: 12\r\n\r\n" + BODY))
    for name, data in {"html": b"<html>\r\n", "ssh": b"SSH-2.0-OpenSSH_9.2\r\n", "smtp": b"220 mail ESMTP\r\n",
                       "zeros": b"\0" * 100, "line feeds": b"\n" * 10, "ones": b"\xff" * 100 + b"\r\n",
                       "json": BODY + b"\r\n", "a TLS alert": b"\x15\x03\x01\x00\x02\x02\x46",
                       "HTTP/2 settings": b"\0\0\x12\4\0\0\0\0\0" + b"\0" * 18,
                       "no carriage returns": LENGTH.replace(b"\r", b"")}.items():
        yield Case(row, name, "protocol", sends(data, "wait"))
    row = "sends header fields that are not valid"
    for line in (b"X A: b", b"X-A : b", b": b", b"X-A", b" X-A: b", b"\tb", b"X-A: b\rc", b"X-A: b\nc", b"X-A: b\0c",
                 b"X-A: \x01", b"X-A: \x7f", b"X-\xc3\xa9: b", b"X-A: b\r\n folded", b"(X): b", b"X-A: b\r\n\tc",
                 b"X-A: b\r\rSet-Cookie: c=d"):
        yield Case(row, repr(line), "protocol", sends(head(b"Content-Length: 12", line)))


def too_much():
    row = "sends more than its limits"
    yield Case(row, "an endless head", "too_large", endless(b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"b" * 1000 + b"\r\n"))
    yield Case(row, "an endless field", "too_large", endless(b"HTTP/1.1 200 OK\r\nX-A: ", b"b" * 1000))
    yield Case(row, "an endless reason", "too_large", endless(b"HTTP/1.1 200 ", b"O" * 1000))
    yield Case(row, "101 fields", "too_large", sends(head(*[b"X-A: b"] * 101, b"Content-Length: 12")))
    yield Case(row, "an endless body", "too_large", endless(b"HTTP/1.1 200 OK\r\n\r\n[", b" " * 1000))
    yield Case(row, "endless chunks", "too_large",
               endless(head(b"Transfer-Encoding: chunked", body=b"1\r\n[\r\n"), b"1\r\n \r\n" * 200))
    for length in (MAX_RESPONSE + 1, 1 << 40, 10 ** 17):
        yield Case(row, f"a length of {length}", "too_large", sends(head(b"Content-Length: %d" % length), "wait"))
    yield Case(row, "a chunk above the limit", "too_large",
               sends(head(b"Transfer-Encoding: chunked", body=b"1001\r\n" + b" " * 4097 + b"\r\n0\r\n\r\n"), "wait"))
    yield Case("breaks the chunked coding", "an endless extension", "protocol",
               endless(head(b"Transfer-Encoding: chunked", body=b"1;"), b"x" * 1000))
    yield Case("breaks the chunked coding", "endless trailers", "protocol",
               endless(head(b"Transfer-Encoding: chunked", body=b"0\r\n"), b"T: " + b"u" * 1000 + b"\r\n"))


def interim():
    row = "sends interim answers (1xx) before its answer"
    yield Case(row, "one", "ok", sends(b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH))
    yield Case(row, "sixteen", "ok", sends(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 16 + LENGTH))
    row = "sends interim answers without end, or upgrades"
    yield Case(row, "seventeen", "protocol", sends(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 17 + LENGTH))
    yield Case(row, "endless", "protocol", endless(b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 20))
    yield Case(row, "101", "protocol", sends(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "wait"))


def odd_ends():
    row = "answers twice"
    yield Case(row, "at once", "ok", sends(LENGTH + LENGTH))
    yield Case(row, "in chunks", "ok", sends(CHUNKED + CHUNKED))
    yield Case(row, "and again", "ok", sends(LENGTH * 20))
    yield Case(row, "with an error", "ok", sends(LENGTH + b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"))
    row = "closes behind its answer"
    for name, data in (("length", LENGTH), ("chunks", CHUNKED), ("no length", UNTIL_END)):
        yield Case(row, name, "ok", sends(data, "close"))
        yield Case(row, f"{name}, its side only", "ok", sends(data, "end"))
    yield Case(row, "HTTP/1.0", "ok", sends(b"HTTP/1.0 200 OK\r\nContent-Length: 12\r\n\r\n" + BODY, "close"))
    yield Case(row, "as it said", "ok", sends(head(b"Connection: close", b"Content-Length: 12"), "close"))
    row = "answers with a status that is no success"
    for status in (b"300", b"304", b"400", b"404", b"418", b"500", b"503", b"599", b"600", b"999"):
        yield Case(row, status.decode(), "status", sends(b"HTTP/1.1 " + status + b" X\r\nContent-Length: 0\r\n\r\n"))


def bodies():
    row = "sends a body that is not JSON"
    for body in (b" ", b"{", b"[1,]", b"{a:1}", b"nul", b"NaN", b"'a'", b"[1] [2]", b"\xef\xbb\xbf[]", b'"\xff"',
                 b'"\xed\xa0\x80"', b'"\x01"', b"01", b"[" * 200 + b"]" * 200, b"<html>", b'"a', b"\0", b"[1]\0"):
        yield Case(row, repr(body[:12]), "json", sends(head(b"Content-Length: %d" % len(body), body=body)))
    row = "answers in a content coding that was not asked for"
    for name in (b"gzip", b"br", b"zstd", b"gzip, gzip"):
        yield Case(row, name.decode(), "protocol",
                   sends(head(b"Content-Encoding: " + name, b"Content-Length: %d" % len(gzip.compress(BODY, mtime=0)),
                              body=gzip.compress(BODY, mtime=0))))


CASES = [case for make in (breaks_off, lengths, chunks, heads, too_much, interim, odd_ends, bodies) for case in make()]
ROWS = {}
for case in CASES:
    assert ROWS.setdefault(case.row, case.want) == case.want, case


def answer_of(number):
    """What the case does, told apart from a daemon that leaves first."""
    def answer(exchange):
        try:
            CASES[number].answer(exchange)
        except (BrokenPipeError, ConnectionResetError) as err:
            raise Gone from err
    return answer


def check_documented(heading, rows):
    """The table below this heading of operations.md has these rows, {event: class}, in this
    order, and each tells where its class is counted."""
    path = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "operations.md")
    with open(path, encoding="utf-8") as file:
        section = re.search(rf"^{heading}\n(.*?)^##", file.read(), re.M | re.S).group(1)
    told = [[cell.strip() for cell in line.split("|")[1:4]] for line in section.splitlines()
            if line.startswith("| ")][1:]
    assert [row[0] for row in told] == list(rows)
    for event, _, counted in told:
        assert (re.findall(r"`failures\.(\w+)`", counted) or ["ok"]) == [rows[event]], event
