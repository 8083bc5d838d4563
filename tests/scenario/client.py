"""A browser on a raw socket: what is sent is what the test says, byte for byte."""
import socket
import struct
import time

from waits import PATIENCE_S
from wire import Closed, Reader, Reset, read_chunks, read_response, read_response_head


class Client:
    """One connection to the daemon: to a port of `host`, or to the unix socket `path`.
    source: an address of our own to come from; first: bytes in front of everything else; tls: a context, name: whom it asks for,
    session: to be resumed."""

    def __init__(self, port=None, host="127.0.0.1", path=None, first=b"", tls=None, name=None,
                 session=None, source=None, asked="gateway.test"):
        self.asked = asked
        if path is None:
            self.sock = socket.create_connection((host, port), PATIENCE_S, source and (source, 0))
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(PATIENCE_S)
            self.sock.connect(path)
        self.sock.sendall(first)
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname=name, session=session,
                                        suppress_ragged_eofs=False)
        self.reader = Reader(self.sock)

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))
        return self

    def request(self, method, target, headers=None, body=None):
        """Sends a plain request, without waiting for the answer."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.asked}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        return self.send("\r\n".join(lines) + "\r\n\r\n").send(body or b"")

    def response(self, method="GET"):
        """The next answer; `.elapsed` is the time waited for it here."""
        start = time.monotonic()
        response = read_response(self.reader, method)
        response.elapsed = time.monotonic() - start
        return response

    def stream_head(self):
        """The head of an answer whose body comes in chunks (see chunks)."""
        return read_response_head(self.reader)

    def chunks(self):
        """The chunks of the body, each as soon as it is here."""
        return read_chunks(self.reader)

    def call(self, method, target, headers=None, body=None):
        start = time.monotonic()
        response = self.request(method, target, headers, body).response(method)
        response.elapsed = time.monotonic() - start
        return response

    def get(self, target, headers=None):
        return self.call("GET", target, headers)

    def closed(self):
        """Waits for the daemon to close; False when bytes come instead."""
        try:
            return not self.reader.data and not self.reader.more()
        except Reset:
            return True
        except socket.timeout as err:
            raise AssertionError("the connection was not closed") from err

    def answer_or_close(self):
        """An answer, or None when the daemon closed instead."""
        try:
            return self.response()
        except (Closed, Reset):
            return None

    def reset(self):
        """Leaves with RST, as a killed process does with unread data."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
