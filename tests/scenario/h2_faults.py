"""What upstreams that speak HTTP/2 can do wrong: a table of cases, each with the class it
has to end in. A row is a line of the table in docs/operations.md."""
import collections
import struct

import h2_peer as h2
from h2_peer import DATA, END_HEADERS, END_STREAM, HEADERS, body, fields, frame, goaway, head, reset, window_update

Case = collections.namedtuple("Case", "row name want answer hello")

MAX_RESPONSE = 4096
GOOD = b'{"a":1}'


def case(row, name, want, answer, hello=h2.settings()):
    return Case(row, name, want, answer, hello)


def sends(*pieces):
    """Sends what each of the pieces, functions of the stream or bytes, gives."""
    def answer(connection, stream):
        connection.send(b"".join(piece if isinstance(piece, bytes) else piece(stream) for piece in pieces))
    return answer


def then_closes(*pieces):
    def answer(connection, stream):
        sends(*pieces)(connection, stream)
        connection.close()
    return answer


def endless(start, piece):
    def answer(connection, stream):
        connection.send(start(stream))
        for _ in range(200_000):
            connection.send(piece(stream) * 100)
        raise AssertionError("all of it was taken")
    return answer


def head_of(*pairs, **options):
    return lambda stream: head(stream, *pairs, **options)


def body_of(data, end=True):
    return lambda stream: body(stream, data, end)


def never(_connection, _stream):
    pass


def cases():
    row = "does not speak HTTP/2 (with `http: 2`)"
    yield case(row, "speaks HTTP/1.1", "protocol", never, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    yield case(row, "begins with another frame", "protocol", never, frame(h2.PING, 0, 0, b"12345678"))

    row = "does not send its settings, or closes before"
    yield case(row, "sends nothing", "connect", never, b"")

    row = "closes, or resets the stream, before its answer is complete"
    yield case(row, "closes without an answer", "reset", then_closes())
    yield case(row, "closes behind the head", "reset", then_closes(head_of()))
    yield case(row, "closes in the head", "reset", then_closes(lambda s: head(s)[:12]))
    yield case(row, "closes in the body", "reset", then_closes(head_of(), body_of(GOOD, end=False)))
    yield case(row, "goes away and closes", "reset", then_closes(lambda s: goaway(s, h2.INTERNAL_ERROR)))
    yield case(row, "resets at once", "reset", sends(lambda s: reset(s, h2.INTERNAL_ERROR)))
    yield case(row, "resets in the body", "reset", sends(head_of(), body_of(GOOD, end=False), lambda s: reset(s, h2.CANCEL)))
    yield case(row, "resets without an error", "reset", sends(lambda s: reset(s, h2.NO_ERROR)))

    row = "never looks at requests: goes away, or refuses each stream"
    yield case(row, "refuses each stream", "reset", sends(lambda s: reset(s, h2.REFUSED_STREAM)))
    yield case(row, "goes away before each request", "reset", then_closes(lambda s: goaway(0)))

    row = "does not answer, or stops before its answer is complete"
    yield case(row, "says nothing", "timeout", never)
    yield case(row, "stops behind the head", "timeout", sends(head_of()))
    yield case(row, "stops in the body", "timeout", sends(head_of(), body_of(GOOD, end=False)))

    row = "sends a head of HTTP/2 that is not valid"
    for name, pairs in {
            "an upper-case name": [("X-A", "b")], "a name with a space": [("x a", "b")], "an empty name": [("", "b")],
            "a line break in a value": [("x-a", "b\r\nx-c: d")], "a NUL in a value": [("x-a", "b\0c")],
            "Connection": [("connection", "close")], "Transfer-Encoding": [("transfer-encoding", "chunked")],
            "Upgrade": [("upgrade", "h3")], "two lengths": [("content-length", "7"), ("content-length", "7")],
            "a length that is none": [("content-length", "7x")], "an unknown pseudo-field": [(":path", "/")],
            "two statuses": [(":status", "200")]}.items():
        yield case(row, name, "protocol", sends(head_of(*pairs), body_of(GOOD)))
    for status in ("101", "99", "2000", "2x0", ""):
        yield case(row, f"status {status!r}", "protocol", sends(head_of(status=status), body_of(GOOD)))
    yield case(row, "no status", "protocol",
               sends(lambda s: frame(HEADERS, END_HEADERS, s, fields(("x-a", "b"))), body_of(GOOD)))
    yield case(row, "the status behind a field", "protocol",
               sends(lambda s: frame(HEADERS, END_HEADERS, s, fields(("x-a", "b"), (":status", "200"))), body_of(GOOD)))
    yield case(row, "no HPACK", "protocol", sends(lambda s: frame(HEADERS, END_HEADERS, s, b"\xff\xff\xff\xff\xff\xff")))
    yield case(row, "an index that is not there", "protocol", sends(lambda s: frame(HEADERS, END_HEADERS, s, b"\xfe")))
    yield case(row, "interim answers for ever", "protocol", endless(lambda s: b"", head_of(status="103")))
    yield case(row, "only an interim answer that ends", "protocol", sends(head_of(status="103", end=True)))

    row = "sends a body of HTTP/2 that is not valid"
    yield case(row, "shorter than its length", "protocol", sends(head_of(("content-length", "8")), body_of(GOOD)))
    yield case(row, "longer than its length", "protocol", sends(head_of(("content-length", "6")), body_of(GOOD)))
    yield case(row, "no body at all", "protocol", sends(head_of(("content-length", "6"), end=True)))
    yield case(row, "before the head", "protocol", sends(body_of(GOOD)))
    yield case(row, "trailers that are not the end", "protocol",
               sends(head_of(), body_of(GOOD, end=False), lambda s: frame(HEADERS, END_HEADERS, s, fields(("x-t", "u")))))
    yield case(row, "trailers with a pseudo-field", "protocol",
               sends(head_of(), body_of(GOOD, end=False), head_of(end=True)))
    yield case(row, "trailers that are too large", "protocol",
               sends(head_of(), body_of(GOOD, end=False),
                     lambda s: frame(HEADERS, END_HEADERS | END_STREAM, s, fields(("x-t", "u" * 9000)))))

    row = "breaks the rules of the connection"
    for name, piece in {
            "a frame that is too long": lambda s: frame(DATA, 0, s, b"x" * 20000),
            "a push": lambda s: frame(h2.PUSH_PROMISE, END_HEADERS, s, struct.pack(">I", 2) + fields((":path", "/"))),
            "a stream of its own": lambda s: frame(HEADERS, END_HEADERS, 2, fields((":status", "200"))),
            "a stream nobody opened": lambda s: head(s + 200),
            "a reset of no stream": lambda s: reset(s + 200, 0),
            "settings of a stream": lambda s: frame(h2.SETTINGS, 0, s),
            "settings of a wrong length": lambda s: frame(h2.SETTINGS, 0, 0, b"x"),
            "a ping of a wrong length": lambda s: frame(h2.PING, 0, 0, b"x"),
            "another frame within a head": lambda s: head(s, flags=0) + frame(h2.PING, 0, 0, b"12345678"),
            "a window that is opened by nothing": lambda s: window_update(0, 0),
            "a window that is opened too far": lambda s: window_update(0, 0x7fffffff) * 2,
            "a stream's window that is opened too far": lambda s: window_update(s, 0x7fffffff) * 2,
            "padding longer than its frame": lambda s: head(s) + frame(DATA, h2.PADDED, s, b"\xff123"),
    }.items():
        yield case(row, name, "protocol", sends(piece))

    row = "floods the connection with frames that lead to nothing"
    yield case(row, "settings", "protocol", endless(lambda s: b"", lambda s: h2.settings()))
    yield case(row, "pings", "protocol", endless(lambda s: b"", lambda s: frame(h2.PING, 0, 0, b"12345678")))
    yield case(row, "answers to pings", "protocol", endless(lambda s: b"", lambda s: frame(h2.PING, h2.ACK, 0, b"12345678")))
    yield case(row, "windows", "protocol", endless(lambda s: b"", lambda s: window_update(0, 1)))
    yield case(row, "priorities", "protocol", endless(lambda s: b"", lambda s: frame(h2.PRIORITY, 0, s, b"\0\0\0\0\1")))
    yield case(row, "frames of no kind", "protocol", endless(lambda s: b"", lambda s: frame(200, 0, s)))
    yield case(row, "empty data", "protocol", endless(head_of(), lambda s: frame(DATA, 0, s)))
    yield case(row, "a head without end", "protocol",
               endless(lambda s: frame(HEADERS, 0, s, fields((":status", "200"))),
                       lambda s: frame(h2.CONTINUATION, 0, s, fields(("x-a", "b" * 100)))))
    yield case(row, "a head without end or content", "protocol",
               endless(lambda s: frame(HEADERS, 0, s), lambda s: frame(h2.CONTINUATION, 0, s)))

    row = "sends a head of HTTP/2, or a body, above its limit"
    yield case(row, "long fields", "too_large",
               sends(lambda s: frame(HEADERS, 0, s, fields((":status", "200"), ("x-a", "b" * 16000))),
                     lambda s: frame(h2.CONTINUATION, 0, s, fields(("x-b", "b" * 16000))),
                     lambda s: frame(h2.CONTINUATION, END_HEADERS, s, fields(("x-c", "b" * 16000))), body_of(GOOD)))
    yield case(row, "many fields", "too_large", sends(head_of(*[("x-a", "b")] * 200), body_of(GOOD)))
    yield case(row, "a long body", "too_large", sends(head_of(), body_of(b"1" * (MAX_RESPONSE + 1))))
    yield case(row, "a body that is announced to be long", "too_large", sends(head_of(("content-length", "4097"))))
    yield case(row, "a body without end", "too_large", endless(head_of(), body_of(b"1" * 1000, end=False)))

    row = "does what HTTP/2 allows"
    for name, pieces in {
            "a body in many frames": [head_of(), *[body_of(bytes([c]), end=False) for c in GOOD], body_of(b"")],
            "padding": [head_of(), lambda s: frame(DATA, h2.PADDED | END_STREAM, s, b"\x05" + GOOD + b"\0" * 5)],
            "trailers": [head_of(), body_of(GOOD, end=False),
                         lambda s: frame(HEADERS, END_HEADERS | END_STREAM, s, fields(("x-t", "u")))],
            "a head in pieces": [lambda s: frame(HEADERS, 0, s, fields((":status", "200"))),
                                 lambda s: frame(h2.CONTINUATION, 0, s, b""),
                                 lambda s: frame(h2.CONTINUATION, END_HEADERS, s, fields(("x-a", "b"))), body_of(GOOD)],
            "interim answers": [head_of(("link", "</x>"), status="103"), head_of(status="100"), head_of(), body_of(GOOD)],
            "frames of no kind": [frame(200, 7, 0, b"what"), head_of(), lambda s: frame(201, 1, s, b"what"), body_of(GOOD)],
            "its length": [head_of(("content-length", "7")), body_of(GOOD)],
            "goes away behind its answer": [lambda s: goaway(s), head_of(), body_of(GOOD)],
            "resets behind its answer": [head_of(), body_of(GOOD), lambda s: reset(s, h2.NO_ERROR)],
    }.items():
        yield case(row, name, "ok", sends(*pieces))


CASES = list(cases())
ROWS = dict((row, want) for row, _, want, _, _ in CASES)
