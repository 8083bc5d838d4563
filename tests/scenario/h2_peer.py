"""Scripted upstreams that speak HTTP/2, honest or not, frame by frame."""
import select
import socket
import struct
import threading

from waits import Board

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 3, 4
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CANCEL = 0, 1, 2, 7, 8
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Gone(Exception):
    """The daemon closed the connection."""


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(**values):
    ids = {"streams": MAX_CONCURRENT_STREAMS, "window": INITIAL_WINDOW_SIZE}
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", ids[name], value) for name, value in values.items()))


def number(value, bits, first=0):
    """An integer of HPACK (RFC 7541 5.1)."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = bytes([first | most]), value - most
    while value >= 128:
        out, value = out + bytes([value % 128 + 128]), value // 128
    return out + bytes([value])


def text(value):
    value = value if isinstance(value, bytes) else value.encode("latin-1")
    return number(len(value), 7) + value


def fields(*pairs):
    """Field lines, each as it is: literal, not indexed, not coded."""
    return b"".join(b"\0" + text(name) + text(value) for name, value in pairs)


def head(stream, *pairs, status="200", end=False, flags=END_HEADERS):
    return frame(HEADERS, flags | (END_STREAM if end else 0), stream, fields((":status", status), *pairs))


def body(stream, data, end=True):
    """DATA frames of at most 16 KiB."""
    pieces = [data[at:at + 16384] for at in range(0, len(data), 16384)] or [b""]
    last = len(pieces) - 1
    return b"".join(frame(DATA, END_STREAM if end and at == last else 0, stream, piece)
                    for at, piece in enumerate(pieces))


def reset(stream, code):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def goaway(last, code=NO_ERROR):
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code))


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


class Connection:
    """One of the daemon's connections. `.frames` has what came: (kind, flags, stream, payload)."""

    def __init__(self, peer, sock, serial):
        self.peer, self.sock, self.serial = peer, sock, serial  # serial counts from 0
        self.frames, self.streams = [], []

    def send(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as err:
            raise Gone from err

    def reply(self, stream, value=b'{"a":1}', *more):
        self.send(head(stream, ("content-type", "application/json"), *more) + body(stream, value))

    def close(self):
        raise Gone

    def exactly(self, count):
        data = b""
        while len(data) < count:
            ready, _, _ = select.select([self.sock, self.peer.stopped], [], [])
            if self.peer.stopped in ready:
                raise Gone
            try:
                piece = self.sock.recv(count - len(data))
            except ConnectionResetError as err:
                raise Gone from err
            if not piece:
                raise Gone
            data += piece
        return data

    def next_frame(self):
        start = self.exactly(9)
        kind, flags, stream = struct.unpack(">BBI", start[3:])
        payload = self.exactly(struct.unpack(">I", b"\0" + start[:3])[0])
        self.peer.board.note(lambda: self.frames.append((kind, flags, stream, payload)))
        return self.frames[-1]

    def count(self, kind, stream=None):
        return sum(f[0] == kind and stream in (None, f[2]) for f in self.frames)

    def resets(self):
        """(stream, code) of each that the daemon has sent."""
        return [(f[2], struct.unpack(">I", f[3])[0]) for f in self.frames if f[0] == RST_STREAM]


class H2Peer:
    """`answer(connection, stream)` runs for each request; a thread a connection. hello: what
    is sent first, on each connection. bare: frames are not even acknowledged."""

    def __init__(self, answer=None, hello=settings(), bare=False, wrap=None, host="127.0.0.1", port=0):
        self.board, self.answer, self.hello, self.bare, self.wrap = Board(), answer or Connection.reply, hello, bare, wrap
        self.connections, self.errors = [], []
        self.open = 0
        self.stopped, self.stopper = socket.socketpair()
        self.listener = socket.create_server((host, port), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.url = f"http{'s' if wrap else ''}://{host}:{self.port}"
        self.acceptor = threading.Thread(target=self.accept, daemon=True)
        self.acceptor.start()

    def accept(self):
        while True:
            ready, _, _ = select.select([self.listener, self.stopped], [], [])
            if self.stopped in ready:
                self.listener.close()
                return
            sock, _ = self.listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, sock, len(self.connections))
            self.board.note(lambda connection=connection: self.add(connection))
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def add(self, connection):
        self.connections.append(connection)
        self.open += 1

    def serve(self, connection):
        try:
            if self.wrap:
                connection.sock = self.wrap(connection.sock)
            connection.send(self.hello)
            assert connection.exactly(len(PREFACE)) == PREFACE
            while True:
                self.take(connection, *connection.next_frame())
        except (Gone, OSError):
            pass
        except Exception as err:  # a broken test: told at its end
            self.errors.append(err)
        finally:
            connection.sock.close()
            self.board.note(lambda: setattr(self, "open", self.open - 1))

    def take(self, connection, kind, flags, stream, payload):
        if kind == SETTINGS and not flags & ACK and not self.bare:
            connection.send(frame(SETTINGS, ACK))
        elif kind == PING and not flags & ACK and not self.bare:
            connection.send(frame(PING, ACK, 0, payload))
        elif kind == HEADERS:
            self.board.note(lambda: connection.streams.append(stream))
            self.answer(connection, stream)

    @property
    def requests(self):
        return sum(len(connection.streams) for connection in self.connections)

    def wait(self, condition, what, seconds=5):
        return self.board.wait(condition, what, seconds)

    def stop(self):
        self.stopper.close()
        self.acceptor.join()
