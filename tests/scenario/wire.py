"""Reading HTTP/1.1 messages off a socket, and handing each to the strict parser."""
import json

from strict_http import parse_request, parse_response


class Closed(Exception):
    """The peer closed before a message began."""


class Reset(Exception):
    """The peer reset the connection."""


class Reader:
    """Buffers what a socket delivers and cuts it where it is told."""

    def __init__(self, sock):
        self.sock = sock
        self.data = b""

    def more(self):
        """Reads once; False at the end of the stream."""
        try:
            piece = self.sock.recv(65536)
        except ConnectionResetError as err:
            raise Reset from err
        self.data += piece
        return bool(piece)

    def need(self, count):
        while len(self.data) < count:
            if not self.more():
                raise AssertionError(f"closed after {len(self.data)} of {count} bytes")
        return self.cut(count)

    def cut(self, count):
        piece, self.data = self.data[:count], self.data[count:]
        return piece

    def line(self):
        """One line with its end, as raw bytes."""
        while b"\n" not in self.data:
            if not self.more():
                raise AssertionError(f"closed within a line: {self.data!r}")
        return self.cut(self.data.index(b"\n") + 1)

    def head(self):
        """A head with its empty line; raises Closed when nothing came at all."""
        while b"\r\n\r\n" not in self.data:
            if not self.more():
                if self.data:
                    raise AssertionError(f"closed within a head: {self.data!r}")
                raise Closed
        return self.cut(self.data.index(b"\r\n\r\n") + 4)

    def chunked(self):
        """A chunked body with all its framing, as it is and decoded."""
        raw = body = b""
        while True:
            line = self.line()
            raw += line
            size = int(line.split(b";")[0], 16)
            if size == 0:
                break
            chunk = self.need(size + 2)
            raw, body = raw + chunk, body + chunk[:-2]
        while True:
            line = self.line()
            raw += line
            if line == b"\r\n":
                return raw, body

    def rest(self):
        while self.more():
            pass
        return self.cut(len(self.data))


def fields_of(head):
    """[(name, value)] of a head, names in lower case."""
    fields = []
    for line in head.split(b"\r\n")[1:]:
        if line:
            name, _, value = line.partition(b":")
            fields.append((name.decode("latin-1").lower(), value.strip(b" \t").decode("latin-1")))
    return fields


class Message:
    """What requests and replies have in common."""

    def __init__(self, head):
        self.raw = head
        self.start = head.split(b"\r\n")[0].decode("latin-1")
        self.fields = fields_of(head)
        self.body = b""

    def header(self, name, default=None):
        """The value of a field that is there at most once."""
        values = self.headers(name)
        assert len(values) < 2, f"{name} is there {len(values)} times"
        return values[0] if values else default

    def headers(self, name):
        return [value for key, value in self.fields if key == name.lower()]

    def json(self):
        return json.loads(self.body)


class Request(Message):
    def __init__(self, head):
        super().__init__(head)
        self.method, self.target, self.version = self.start.split(" ")
        self.path = self.target.partition("?")[0]


class Response(Message):
    def __init__(self, head):
        super().__init__(head)
        self.status = int(self.start.split(" ")[1])


def read_request(reader):
    """The next request, parsed strictly; Closed when the peer leaves instead."""
    request = Request(reader.head())
    if "chunked" in request.headers("transfer-encoding"):
        framing, request.body = reader.chunked()
    else:
        framing = request.body = reader.need(int(request.header("content-length", "0")))
    request.raw += framing
    _, rest = parse_request(request.raw)
    assert not rest, rest
    return request


def read_response(reader, method="GET"):
    """The next final reply, parsed strictly; interim ones are collected in `.interim`."""
    interim = []
    while True:
        response = Response(reader.head())
        if response.status >= 200 or response.status == 101:
            break
        parse_response(response.raw, method)
        interim.append(response)
    framing = b""
    length = response.header("content-length")
    if method == "HEAD" or response.status in (204, 304):
        pass
    elif "chunked" in response.headers("transfer-encoding"):
        framing, response.body = reader.chunked()
    else:
        framing = reader.rest() if length is None else reader.need(int(length))
        response.body = framing
    response.raw += framing
    response.interim = interim
    _, rest = parse_response(response.raw, method)
    assert not rest, rest
    return response


def read_response_head(reader):
    """The head of a final reply whose body is read by read_chunks."""
    response = Response(reader.head())
    assert response.status >= 200, response.start
    return response


def read_chunks(reader):
    """The chunks of a body, each as soon as it is here, until the last one."""
    while True:
        size = int(reader.line(), 16)
        chunk = reader.need(size + 2)
        assert chunk[-2:] == b"\r\n", chunk[-20:]
        if size == 0:
            return
        yield chunk[:-2]
