"""A scripted nameserver: answers by UDP and TCP what a test says, honest or not."""
import ipaddress
import select
import socket
import struct
import threading

from waits import Board

TYPES = {"A": 1, "AAAA": 28, "SRV": 33}
SERVFAIL, NXDOMAIN = 2, 3
TRUNCATED, ANSWER = 0x0200, 0x8180


def labels(name):
    return b"".join(bytes([len(label)]) + label.encode()
                    for label in name.rstrip(".").split(".") if label) + b"\0"


def read_question(message):
    """The name, the type as a number, and where the question ends."""
    at, parts = 12, []
    while message[at]:
        parts.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(parts), struct.unpack_from("!H", message, at + 1)[0], at + 5


def data_of(kind, value):
    if kind == "SRV":  # priority, weight, port, target
        return struct.pack("!HHH", *value[:3]) + labels(value[3])
    return ipaddress.ip_address(value).packed


class Nameserver:
    """`set(name, A=[…], ttl=1)` replaces what is known of a name; others do not exist.

    spoil: None, or a function (query, honest answer, by_tcp) → bytes, or None for silence.
    """

    def __init__(self):
        self.board, self.errors, self.names = Board(), [], {}
        self.spoil, self.queries, self.tcp_queries = None, [], 0
        self.stopped, self.stopper = socket.socketpair()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        while True:  # one port for both
            self.udp.bind(("127.0.0.1", 0))
            try:
                self.tcp = socket.create_server(self.udp.getsockname())
                break
            except OSError:
                self.udp.close()
                self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port = self.udp.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def set(self, name, ttl=1, **records):
        self.board.note(lambda: self.names.update({name.lower(): (ttl, records)}))

    def forget(self, name):
        self.board.note(lambda: self.names.pop(name.lower()))

    def fail(self, spoil):
        self.board.note(lambda: setattr(self, "spoil", spoil))

    def wait_queries(self, more=1):
        """Waits for so many further queries."""
        count = len(self.queries) + more
        self.board.wait(lambda: len(self.queries) >= count, f"{more} more queries")

    def answer(self, query, by_tcp):
        name, number, end = read_question(query)
        kind = next((key for key, value in TYPES.items() if value == number), None)
        known = self.names.get(name.lower())
        self.board.note(lambda: self.queries.append((name, kind)))
        values = known[1].get(kind, []) if known else []
        code = 0 if known else NXDOMAIN
        records = [b"\xc0\x0c" + struct.pack("!HHIH", number, 1, known[0], len(data)) + data
                   for data in (data_of(kind, value) for value in values)]
        flags, body = ANSWER | code, b"".join(records)
        room = 1232 if query[end:] else 512
        if not by_tcp and end + len(body) > room:
            flags, records, body = flags | TRUNCATED, [], b""
        honest = query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0) + \
            query[12:end] + body
        return self.spoil(query, honest, by_tcp) if self.spoil else honest

    def serve(self):
        while True:
            ready, _, _ = select.select([self.udp, self.tcp, self.stopped], [], [])
            if self.stopped in ready:
                return
            try:
                if self.udp in ready:
                    query, sender = self.udp.recvfrom(4096)
                    answer = self.answer(query, False)
                    if answer is not None:
                        self.udp.sendto(answer, sender)
                if self.tcp in ready:
                    self.serve_tcp()
            except OSError:
                pass  # the daemon has left

    def serve_tcp(self):
        sock, _ = self.tcp.accept()
        sock.settimeout(2)
        with sock, sock.makefile("rb") as file:
            self.tcp_queries += 1
            while True:
                head = file.read(2)
                if len(head) < 2:
                    return
                answer = self.answer(file.read(struct.unpack("!H", head)[0]), True)
                if answer is not None:
                    sock.sendall(struct.pack("!H", len(answer)) + answer)

    def stop(self):
        self.stopper.close()
        self.thread.join()
        self.udp.close()
        self.tcp.close()


def silence(*_):
    return None


def servfail(query, *_):
    return query[:2] + struct.pack("!HHHHH", ANSWER | SERVFAIL, 1, 0, 0, 0) + query[12:]
