"""How long it takes from a part's last byte to its event on the wire."""
import socket
import statistics
import threading
import time

from servers import Gatherd

BODY = b'{"id":7,"name":"Ada Lovelace","tags":["first","second"]}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
ROUNDS = 300


class Slow:
    """An upstream whose part `a` is sent at once, its last byte apart, and whose others
    are when the client has seen an event of it."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.seen = threading.Semaphore(0)
        self.last_byte_s = 0.0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        with sock:
            while head := sock.recv(4096):
                if head.startswith(b"GET /a "):
                    sock.sendall(HEAD + BODY[:-1])
                    self.last_byte_s = time.monotonic()
                    sock.sendall(BODY[-1:])
                else:
                    self.seen.acquire()
                    sock.sendall(HEAD + BODY)


def read_until(sock, text):
    have = b""
    while text not in have:
        piece = sock.recv(65536)
        if not piece:
            raise RuntimeError("gatherd closed the connection")
        have += piece


def first_event_ms(build):
    """The median of some hundred answers of three parts."""
    slow, took = Slow(), []
    route = "routes:\n  GET /:\n    calls: {a: o/a, b: o/b, c: o/c}\n"
    with Gatherd(build, f"upstreams: {{o: 'http://127.0.0.1:{slow.port}'}}\n{route}") as gatherd, \
            socket.create_connection(("127.0.0.1", gatherd.port), 10) as sock:
        for _ in range(ROUNDS):
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
            read_until(sock, b"event: part")
            took.append((time.monotonic() - slow.last_byte_s) * 1000)
            slow.seen.release(2)
            read_until(sock, b"event: end")
    slow.listener.close()
    return statistics.median(took)
