"""Steady traffic of kept-alive clients beside whatever a test does meanwhile."""
import threading
import time

from waits import PATIENCE_S
from wire import Closed, Reset


class Traffic:
    """Clients that each send one request after the other, about `rate` a second together.

    `check(answer)` says what is wrong with an answer, or nothing. A connection that ends
    although the answer before did not say so counts as broken; one that ends after
    `Connection: close` is opened anew.
    """

    def __init__(self, connect, target, check, clients=6, rate=400):
        self.connect, self.target, self.check = connect, target, check
        self.pause_s = clients / rate
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.answers, self.opened, self.times_s, self.wrong = 0, 0, [], []
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def run(self):
        client = None
        while not self.stopping.is_set():
            try:
                if client is None:
                    client = self.connect()
                    self.note(opened=1)
                answer = client.get(self.target)
                self.note(answers=1, times=[answer.elapsed], wrong=self.check(answer))
                if answer.header("Connection") == "close":
                    client.close()
                    client = None
            except (Closed, Reset, OSError) as err:
                self.note(wrong=f"{type(err).__name__}: {err}")
                client = None
            time.sleep(self.pause_s)
        if client:
            client.close()

    def note(self, answers=0, opened=0, times=(), wrong=None):
        with self.lock:
            self.answers += answers
            self.opened += opened
            self.times_s += times
            if wrong:
                self.wrong.append(wrong)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends it and waits until all connections are closed."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(PATIENCE_S)
