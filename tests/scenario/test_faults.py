"""Whatever an upstream does, its call ends in the right class and in time, and costs
nobody else anything."""
import collections
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

from faults import CASES, MAX_RESPONSE, ROWS, VALUE, answer_of, check_documented
from waits import SLOWDOWN, within

CONFIG = """
upstreams:
  u: {{servers: ["{url}"], timeout: 30s, max_response: {most}B, pool: {{max: 16}}}}
routes:
  GET /fault/{{n}}: {{timeout: 3s, calls: {{a: "u/fault/{{n}}"}}}}
  GET /wait/{{n}}: {{timeout: 200ms, calls: {{a: "u/fault/{{n}}"}}}}
  GET /good/{{n}}: {{timeout: 20s, calls: {{a: "u/good/{{n}}"}}}}
"""
WAIT_S = 0.2


def answer(exchange):
    _, kind, number = exchange.request.path.split("/")
    if kind == "good":
        exchange.reply({"n": number})
    else:
        answer_of(int(number))(exchange)


class Bystander(threading.Thread):
    """A client that asks the same upstream for something good all the while."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.gatherd, self.over = daemon, threading.Event()
        self.answers, self.wrong = 0, []

    def run(self):
        with self.gatherd.client() as client:
            for number in itertools.count():
                if self.over.wait(0.01):
                    return
                reply = client.get(f"/good/by-{number}")
                self.answers += 1
                if reply.status != 200 or reply.json() != {"a": {"n": f"by-{number}"}}:
                    self.wrong.append(reply.raw)

    def stop(self):
        self.over.set()
        self.join()


def try_case(daemon, number):
    """Runs one case and a good request behind it; what was wrong, "" when nothing was."""
    case = CASES[number]
    with daemon.client() as client:
        reply = client.get(f"/{'wait' if case.want == 'timeout' else 'fault'}/{number}")
        good = client.get(f"/good/{number}")
    if case.want == "ok":
        seen = reply.status == 200 and reply.json()["a"] == (None if case.name == "nothing announced" else VALUE)
    else:
        seen = reply.status >= 400 and reply.json().get("class") == case.want
    in_time = reply.elapsed < within(WAIT_S + 0.8 if case.want == "timeout" else 5)
    clean = good.status == 200 and good.json() == {"a": {"n": str(number)}}
    if seen and in_time and clean:
        return ""
    return f"{case.row}: {case.name}: want {case.want}, {reply.elapsed:.3f} s, {reply.raw!r}, then {good.raw!r}"


def test_every_fault_ends_in_its_class_and_nobody_else_notices(scene):
    origin = scene.origin(answer)
    daemon = scene.gatherd(CONFIG.format(url=origin.url, most=MAX_RESPONSE))
    assert len(CASES) >= 150
    bystander = Bystander(daemon)
    bystander.start()
    before = daemon.rss_bytes()
    try:
        with ThreadPoolExecutor(4) as pool:
            wrong = [text for text in pool.map(lambda number: try_case(daemon, number), range(len(CASES))) if text]
    finally:
        bystander.stop()
    assert not wrong, "\n".join([f"{len(wrong)} of {len(CASES)}:", *wrong])
    assert bystander.answers > 10 and not bystander.wrong, bystander.wrong
    # A sanitizer keeps what was freed.
    assert SLOWDOWN > 1 or daemon.rss_bytes() - before < 16 << 20
    failures = {word: count for word, count in daemon.upstream("u")["failures"].items() if count}
    assert failures == collections.Counter(case.want for case in CASES if case.want != "ok")


def test_the_documented_table_is_the_one_that_is_tried(_):
    check_documented("## What happens when an upstream …", ROWS)
