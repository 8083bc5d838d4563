"""A service manager as a daemon sees it."""
import os
import socket
import tempfile
import threading
import time

from waits import Board


class Manager:
    """Listens as systemd does; what it hears is kept, a text and a time each."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="gatherd-test-")
        self.board, self.heard = Board(), []
        self.path = os.path.join(self.folder.name, "notify")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        while True:
            text = self.sock.recv(4096).decode()
            if text == "end":
                return
            self.board.note(lambda text=text: self.heard.append((text, time.monotonic())))

    def texts(self):
        return [text for text, _ in self.heard]

    def wait(self, text, count=1):
        self.board.wait(lambda: self.texts().count(text) >= count, f"{count} times {text}")

    def stop(self):
        self.sock.connect(self.path)
        self.sock.send(b"end")
        self.thread.join()
        self.sock.close()
        self.folder.cleanup()
