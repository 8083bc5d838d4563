"""What the tests of pass routes share: bare upstreams, a daemon, and much to send."""
import os
import socket
import threading

from waits import SLOWDOWN
from wire import Closed, Reader, Reset

MIB = 1024 * 1024
# Sanitizers keep freed memory for a while.
MAY_GROW_BYTES = 4 * MIB if SLOWDOWN == 1 else 64 * MIB
BULK_BYTES = int(os.environ.get("GATHERD_BULK_MIB", "256" if SLOWDOWN == 1 else "16")) * MIB
PIECE = bytes(range(256)) * 256


class Server:
    """An upstream that is given the bare socket and the head of each connection's first
    request; what it raises besides the usual ends of a connection fails the test."""

    def __init__(self, serve):
        self.serve, self.errors, self.socks = serve, [], []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.socks.append(sock)
            threading.Thread(target=self.run, args=(sock,), daemon=True).start()

    def run(self, sock):
        reader = Reader(sock)
        try:
            self.serve(sock, reader, reader.head())
        except (Closed, Reset, ConnectionError):
            pass
        except Exception as err:  # told at the end of the test
            self.errors.append(err)
        finally:
            sock.close()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for sock in self.socks:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def passing(scene, origin, route="", upstream="", path="/{rest...}", to="o", limits="", **options):
    """A daemon that passes everything to one origin."""
    return scene.gatherd(
        f"limits: {{{limits}}}\n"
        f"upstreams: {{o: {{servers: [\"{origin.url}\"]{upstream}}}}}\n"
        f"routes:\n  \"{path}\": {{pass: \"{to}\"{route}}}\n", **options)


class Watch:
    """The most memory a daemon has while this runs."""

    def __init__(self, daemon):
        self.daemon, self.before, self.peak = daemon, daemon.rss_bytes(), 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over.wait(0.01):
            self.peak = max(self.peak, self.daemon.rss_bytes())

    def grown(self):
        self.over.set()
        self.thread.join()
        return max(self.peak, self.daemon.rss_bytes()) - self.before


def send_bulk(sock, count):
    for _ in range(count // len(PIECE)):
        sock.sendall(PIECE)


def take_bulk(reader, count):
    """Reads count bytes and drops them; they are those of send_bulk."""
    seen = len(reader.data)
    assert reader.data == (PIECE + PIECE)[:seen]
    reader.data = b""
    room = bytearray(MIB)
    while seen < count:
        got = reader.sock.recv_into(room, min(MIB, count - seen))
        assert got, f"closed after {seen} of {count} bytes"
        at = seen % 256
        assert room[0] == at and room[got - 1] == (seen + got - 1) % 256
        seen += got
