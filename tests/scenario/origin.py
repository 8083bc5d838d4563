"""Scripted upstreams: each request is answered as the test says, honest or not."""
import json
import os
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

from waits import PATIENCE_S, Board, until
from wire import Closed, Reader, Reset, read_request


class Gone(Exception):
    """The daemon closed the connection."""


def reply_bytes(status=200, value=None, headers=None, body=None, length=True):
    """A well-formed reply; `value` is sent as JSON, `body` as it is."""
    if body is None:
        body = json.dumps(value).encode()
    lines = [f"HTTP/1.1 {status} Whatever", "Content-Type: application/json"]
    lines += [f"{name}: {text}" for name, text in (headers or {}).items()]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Exchange:
    """One request on a connection of an origin, and what can be done to it."""

    def __init__(self, origin, sock, request, number, turn):
        self.origin, self.sock, self.request = origin, sock, request
        self.connection, self.turn = number, turn  # both count from 0
        self.time = time.monotonic()
        self.gone = None  # when the daemon was seen to leave

    def reply(self, value=None, status=200, headers=None, body=None):
        self.send(reply_bytes(status, value, headers, body))

    def send(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as err:
            self.note_gone()
            raise Gone from err

    def drip(self, data, seconds, step=1):
        """Sends step bytes every so many seconds."""
        for at in range(0, len(data), step):
            self.send(data[at:at + step])
            self.pause(seconds)

    def pause(self, seconds):
        """Lets time pass, unless the daemon leaves or the origin stops."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            ready, _, _ = select.select([self.sock, self.origin.stopped], [], [], max(left, 0))
            if self.origin.stopped in ready:
                raise Gone
            if not ready:
                return
            try:
                data = self.sock.recv(1, socket.MSG_PEEK)
            except ConnectionResetError:
                data = b""
            if not data:
                self.note_gone()
                raise Gone
            time.sleep(min(max(left, 0), 0.001))

    def silence(self):
        """Says nothing until the daemon leaves."""
        self.pause(3600)

    def note_gone(self):
        now = time.monotonic()
        self.origin.board.note(lambda: setattr(self, "gone", now))

    def close(self):
        self.sock.close()
        raise Gone

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def until_gone(self, what="the daemon leaves the upstream"):
        """For the test's thread: when the daemon left, after which it is a fact."""
        return self.origin.board.wait(lambda: self.gone, what)


class Origin:
    """A server on a port of its own; a thread a connection.

    `answer(exchange)` runs for each request; what it raises ends the connection. The
    paths given to `on` come first. All requests are kept in `.exchanges`.
    """

    def __init__(self, answer=None, port=0, host="127.0.0.1"):
        self.board = Board()
        self.answer = answer or (lambda exchange: exchange.reply({"path": exchange.request.target}))
        self.paths = {}
        self.exchanges, self.errors, self.socks = [], [], set()
        self.connections = 0
        self.stopped, self.stopper = socket.socketpair()
        self.listener = socket.create_server(
            (host, port), backlog=1024,
            family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.acceptor = threading.Thread(target=self.accept, daemon=True)
        self.acceptor.start()

    def on(self, path, answer):
        """Answers requests of this path by a function, or with this value as JSON."""
        self.paths[path] = answer if callable(answer) else lambda exchange: exchange.reply(answer)
        return self

    def accept(self):
        while True:
            ready, _, _ = select.select([self.listener, self.stopped], [], [])
            if self.stopped in ready:
                self.listener.close()
                return
            sock, _ = self.listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number = self.connections
            self.board.note(lambda sock=sock: self.add(sock))
            threading.Thread(target=self.serve, args=(sock, number), daemon=True).start()

    def add(self, sock):
        self.connections += 1
        self.socks.add(sock)

    def opened(self, sock):
        """What requests are read from; for those who put something in between."""
        return sock

    def serve(self, sock, number):
        turn = 0
        try:
            sock = self.opened(sock)
            reader = Reader(sock)
            while True:
                request = read_request(reader)
                exchange = Exchange(self, sock, request, number, turn)
                turn += 1
                self.board.note(lambda exchange=exchange: self.exchanges.append(exchange))
                self.paths.get(request.path, self.answer)(exchange)
        except (Gone, Closed, Reset, ConnectionError, ssl.SSLError):
            pass
        except Exception as err:  # a broken request, or a broken test: told at its end
            self.errors.append(err)
        finally:
            self.board.note(lambda: self.socks.discard(sock))
            sock.close()

    @property
    def requests(self):
        return [exchange.request for exchange in self.exchanges]

    def wait_requests(self, count=1):
        """Waits until that many requests have come; returns the last of them."""
        self.board.wait(lambda: len(self.exchanges) >= count, f"{count} requests upstream")
        return self.exchanges[count - 1]

    def wait_connections(self, open_now):
        self.board.wait(lambda: len(self.socks) == open_now, f"{open_now} open connections")

    def stop(self):
        """Stops listening and cuts what is open."""
        self.stopper.close()
        self.acceptor.join()
        for sock in list(self.socks):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class OriginProcess:
    """An upstream as a process of its own, to be stopped and killed. It answers each
    request with {"pid": …} at once."""

    def __init__(self, port=0):
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), str(port)],
            stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def signal(self, number):
        self.process.send_signal(number)

    def freeze(self):
        """Stops the process, and waits until each of its threads has stopped."""
        self.signal(signal.SIGSTOP)
        tasks = f"/proc/{self.process.pid}/task"

        def all_stopped():
            states = []
            for task in os.listdir(tasks):
                with open(f"{tasks}/{task}/stat", encoding="utf-8") as file:
                    states.append(file.read().rpartition(")")[2].split()[0])
            return all(state == "T" for state in states)

        until(all_stopped, "the process stops")

    def stop(self):
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        self.process.stdin.close()


def main():
    origin = Origin(lambda exchange: exchange.reply({"pid": os.getpid()}), int(sys.argv[1]))
    print(origin.port, flush=True)
    sys.stdin.read()  # until the test's process ends


if __name__ == "__main__":
    main()
