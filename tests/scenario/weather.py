"""Bad weather: servers that are frozen, killed, restarted, slowed and moved to other
addresses at random, and many clients who ask all the while and judge every answer."""
import asyncio
import bisect
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

from strict_http import parse_response
from waits import PATIENCE_S, SLOWDOWN

HERE = os.path.dirname(os.path.abspath(__file__))
# The failure classes, and the status of a route whose required call has failed with it.
STATUSES = {"connect": 502, "reset": 502, "timeout": 504, "overload": 503}
LATE_S = 0.05 * SLOWDOWN  # after the deadline of the route


class WeatherServer:
    """A process that serves; see weather_server.py."""

    def __init__(self, port=0):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "weather_server.py"), str(port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self.process.stdin.close()
        self.process.stdout.close()


class Weather:
    """The servers, and what happens to them, at FRONTS places at a time. Those whose index
    is in `moving` may also move to another port, which moved() is to tell the world."""

    FRONTS = 4

    def __init__(self, count, seed, moving=(), moved=None):
        self.moving, self.moved = moving, moved
        self.servers = [WeatherServer() for _ in range(count)]
        self.happened = {"freeze": 0, "kill": 0, "slow": 0, "move": 0}
        self.over = threading.Event()
        self.fronts = [threading.Thread(target=self.run, args=(seed, front))
                       for front in range(self.FRONTS)]

    def ports(self):
        return [server.port for server in self.servers]

    def run(self, seed, front):
        """What happens to the servers of one front, one thing at a time."""
        dice = random.Random(seed * self.FRONTS + front)
        places = range(front, len(self.servers), self.FRONTS)
        while not self.over.is_set():
            at = dice.choice(places)
            events = [self.freeze, self.kill, self.slow] + [self.move] * (at in self.moving)
            event = dice.choice(events)
            self.happened[event.__name__] += 1
            event(dice, at)
            self.over.wait(dice.uniform(0, 0.2))

    def freeze(self, dice, at):
        self.servers[at].signal(signal.SIGSTOP)
        self.over.wait(dice.uniform(0.1, 1.5))
        self.servers[at].signal(signal.SIGCONT)

    def kill(self, dice, at):
        port = self.servers[at].port
        self.servers[at].kill()
        self.over.wait(dice.uniform(0, 0.8))
        self.servers[at] = WeatherServer(port)

    def slow(self, dice, at):
        self.servers[at].signal(signal.SIGUSR1)
        self.over.wait(dice.uniform(0.1, 1.5))
        self.servers[at].signal(signal.SIGUSR2)

    def move(self, _dice, at):
        """Another address; the old one is gone at once, whoever still believes in it."""
        old, self.servers[at] = self.servers[at], WeatherServer()
        self.moved()
        old.kill()

    def start(self):
        for front in self.fronts:
            front.start()

    def calm(self):
        """Ends it; all servers are well afterwards."""
        self.over.set()
        for front in self.fronts:
            if front.is_alive():
                front.join()

    def stop(self):
        self.calm()
        for server in self.servers:
            server.kill()


class Stalls:
    """How long the machine kept this process or the daemon from running: nobody can be in
    time then. The kernel counts the waiting of each thread (schedstat)."""

    TICK_S = 0.02

    def __init__(self, daemon_pid):
        self.pids = [daemon_pid, os.getpid()]
        self.marks = [(0, self.waited())]  # (when, seconds waited until then)

    def waited(self):
        total = 0
        for pid in self.pids:
            for task in os.listdir(f"/proc/{pid}/task"):
                try:
                    with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                        total += int(file.read().split()[1])
                except FileNotFoundError:
                    pass  # a thread that has ended
        return total / 1e9

    async def watch(self):
        while True:
            await asyncio.sleep(self.TICK_S)
            self.marks.append((asyncio.get_running_loop().time(), self.waited()))

    def since(self, start):
        return self.waited() - self.marks[bisect.bisect_right(self.marks, (start, 0)) - 1][1]


class Asking:
    """What all clients share: how to judge, and what came of it."""

    def __init__(self, daemon, parts, deadline_s):
        self.port, self.parts, self.deadline_s = daemon.port, parts, deadline_s
        self.stalls = Stalls(daemon.process.pid)
        self.wrong, self.late = [], []
        self.seen = {"whole": 0, "in part": 0, "failed": 0, "left": 0}
        self.slowest = 0

    def judge(self, mark, raw, start, end):
        parsed, rest = parse_response(raw, "GET")
        took = end - start
        self.slowest = max(self.slowest, took)
        if took > self.deadline_s + LATE_S + self.stalls.since(start):
            self.late.append((mark, took))
        kind = None if rest else self.kind_of(mark, parsed.status, parsed.get(b"gather-parts", ""),
                                                 parsed.body)
        if kind:
            self.seen[kind] += 1
        else:
            self.wrong.append((mark, raw))

    def kind_of(self, mark, status, told, body):
        """whole, in part or failed; None for an answer that must not be."""
        value = json.loads(body)
        if status != 200:
            good = value["call"] == self.parts[0] and STATUSES.get(value["class"]) == status
            return "failed" if good else None
        for part in self.parts:
            failed = f"{part};error=" in told
            if value[part] is not None if failed else value[part]["mark"] != mark:
                return None
        return "in part" if told else "whole"


class Browser(asyncio.Protocol):
    """One connection that asks again and again."""

    def connection_made(self, transport):
        self.transport, self.data, self.asked = transport, b"", None
        self.lost = False

    def ask(self, mark):
        self.data, self.answered = b"", asyncio.get_running_loop().create_future()
        self.asked = mark
        self.transport.write(f"GET /all/{mark} HTTP/1.1\r\nHost: gateway.test\r\n\r\n".encode())

    def data_received(self, data):
        self.data += data
        head, _, body = self.data.partition(b"\r\n\r\n")
        lower = head.lower()
        if self.asked is None:
            self.lost = True  # nobody has asked
        elif b"\r\n\r\n" in self.data:
            length = int(lower.partition(b"content-length:")[2].partition(b"\r\n")[0])
            if len(body) >= length:
                self.end(self.data)

    def end(self, answer):
        self.asked = None
        if not self.answered.done():
            self.answered.set_result(answer)

    def connection_lost(self, error):
        self.lost = True
        if self.asked is not None:
            self.end(None)


async def browse(asking, number, until_s):
    loop = asyncio.get_running_loop()
    dice, turn, browser = random.Random(number), 0, None
    while loop.time() < until_s:
        await asyncio.sleep(dice.uniform(0, 0.6))
        if browser is None:
            _, browser = await loop.create_connection(Browser, "127.0.0.1", asking.port)
        mark, start = f"{number}-{turn}", loop.time()
        turn += 1
        browser.ask(mark)
        if dice.randrange(20) == 0:
            await asyncio.sleep(dice.uniform(0, 0.05))
            browser.transport.abort()
            browser = None
            asking.seen["left"] += 1
            continue
        try:
            raw = await asyncio.wait_for(asyncio.shield(browser.answered), 10 * SLOWDOWN)
        except asyncio.TimeoutError:
            raw = None
        if raw is None or browser.lost:
            asking.wrong.append((mark, b"no answer" if raw is None else b"more than one answer"))
            browser = None
        else:
            asking.judge(mark, raw, start, loop.time())
    if browser:
        browser.transport.close()


async def ask_all(asking, clients, seconds):
    watch = asyncio.create_task(asking.stalls.watch())
    until_s = asyncio.get_running_loop().time() + seconds
    await asyncio.gather(*[browse(asking, number, until_s) for number in range(clients)])
    watch.cancel()


def ask_for(daemon, parts, deadline_s, clients, seconds):
    """So many clients ask for so long; returns what came of it."""
    asking = Asking(daemon, parts, deadline_s)
    asyncio.run(ask_all(asking, clients, seconds))
    return asking
