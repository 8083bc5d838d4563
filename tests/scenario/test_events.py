"""Parts as they complete: each is sent the moment it is there."""
import json
import time

from test_depend import after, one
from waits import until, within
from wire import Reset


def event_lines(client):
    """The events of a stream, as (event, data, when), until the answer ends."""
    text, when = "", []
    for chunk in client.chunks():
        text += chunk.decode()
        when.append((len(text), time.monotonic()))
    events, at = [], 0
    for block in text.split("\n\n")[:-1]:
        at += len(block) + 2
        time_s = next(t for end, t in when if end >= at)
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        events.append((fields.get("event"), json.loads(fields["data"]) if "data" in fields else None, time_s))
    return events


def ask(daemon, target, accept="text/event-stream"):
    """A connection on which a stream has begun, and the head of its answer."""
    client = daemon.client()
    client.request("GET", target, {"Accept": accept})
    head = client.stream_head()
    return client, head


SLOW = {"/a": after(0.3, {"n": 1}), "/b": after(0.1, [2]), "/c": after(0.2, "c")}
CALLS = "a: o/a\nb: o/b\nc: {url: o/c, hidden: true}\nd: 'o/d/{c}'"


def test_parts_come_in_the_order_in_which_they_complete(scene):
    _, daemon = one(scene, CALLS, answers=SLOW)
    start = time.monotonic()
    client, head = ask(daemon, "/x/1")
    assert head.status == 200 and head.header("Content-Type") == "text/event-stream"
    assert head.header("Cache-Control") == "no-store"
    events = event_lines(client)
    assert [(event, data) for event, data, _ in events] == [
        ("part", {"b": [2]}), ("part", {"d": {"path": "/d/c"}}), ("part", {"a": {"n": 1}}),
        ("end", {"complete": True, "failed": {}})]
    for (_, _, when), least in zip(events, (0.1, 0.2, 0.3, 0.3)):
        assert least - 0.01 < when - start < within(least + 0.1), (when - start, least)
    assert list(daemon.get("/x/1").json()) == ["a", "b", "d"], "the plain answer is in the order of the file"


def test_lines_of_json_come_as_they_complete(scene):
    _, daemon = one(scene, CALLS, answers=SLOW)
    client, head = ask(daemon, "/x/1", "application/x-ndjson")
    assert head.header("Content-Type") == "application/x-ndjson"
    lines = b"".join(client.chunks()).decode().split("\n")
    assert [json.loads(line) for line in lines[:-1]] == [
        {"b": [2]}, {"d": {"path": "/d/c"}}, {"a": {"n": 1}}, {"complete": True, "failed": {}}]


def test_what_the_client_likes_best_is_sent(scene):
    _, daemon = one(scene, "a: o/a")
    _, silent = one(scene, "a: o/a", "stream: false")
    for accept, got in (("*/*", "application/json"), ("application/json, text/event-stream", "application/json"),
                        ("text/event-stream, */*;q=0.5", "text/event-stream"),
                        ("text/event-stream;q=0.2, application/json;q=0.9", "application/json"),
                        ("text/html", "application/json"), ("application/x-ndjson;q=0", "application/json")):
        client, head = ask(daemon, "/x/1", accept)
        assert head.header("Content-Type") == got, accept
        client.close()
        assert silent.get("/x/1", {"Accept": accept}).header("Content-Type") == "application/json"


def test_an_optional_part_that_fails_is_sent_and_named_at_the_end(scene):
    _, daemon = one(scene, "a: o/a\nb: {url: o/b, default: 7}\nc: {url: o/c, optional: true}",
                    answers={"/b": lambda exchange: exchange.reply({}, status=500),
                             "/c": lambda exchange: exchange.reset()})
    events = [(event, data) for event, data, _ in event_lines(ask(daemon, "/x/1")[0])]
    assert sorted(events[:-1], key=str) == [("part", {"a": {"path": "/a"}}), ("part", {"b": 7}), ("part", {"c": None})]
    assert events[-1] == ("end", {"complete": False, "failed": {"b": "status", "c": "reset"}})
    assert daemon.route("/x/{id}")["incomplete"] == 1


def test_a_failure_before_the_first_part_is_a_problem_and_later_an_end(scene):
    _, daemon = one(scene, "a: o/a\nb: o/b", answers={"/a": after(0.2, 1), "/b": lambda exchange: exchange.reset()})
    answer = daemon.get("/x/1", {"Accept": "text/event-stream"})
    assert answer.status == 502 and answer.json()["call"] == "b"
    _, daemon = one(scene, "a: o/a\nb: o/b",
                    answers={"/b": lambda exchange: (exchange.pause(0.2), exchange.reset())})
    events = [(event, data) for event, data, _ in event_lines(ask(daemon, "/x/1")[0])]
    assert events == [("part", {"a": {"path": "/a"}}), ("end", {"complete": False, "failed": {"b": "reset"}})]


def test_members_of_a_shape_go_out_when_all_they_mention_is_there(scene):
    _, daemon = one(scene, "a: o/a\nb: o/b\nc: o/c",
                    "respond: {fixed: 1, both: {$concat: [$a, $b]}, c: {t: $c}}", SLOW)
    events = [(event, data) for event, data, _ in event_lines(ask(daemon, "/x/1")[0])]
    assert events == [("part", {"fixed": 1}), ("part", {"c": {"t": "c"}}), ("part", {"both": [{"n": 1}, 2]}),
                      ("end", {"complete": True, "failed": {}})]


def test_line_ends_between_tokens_do_not_break_events(scene):
    body = b'{\r\n  "a": [1,\n\n 2],\n  "s": "x\\ny"\r\n}'
    _, daemon = one(scene, "a: o/a", answers={"/a": lambda exchange: exchange.reply(body=body)})
    assert event_lines(ask(daemon, "/x/1")[0])[0][1] == {"a": {"a": [1, 2], "s": "x\ny"}}


def test_a_client_that_leaves_takes_its_calls_along(scene):
    origin, daemon = one(scene, "a: o/a\nb: o/b", answers={"/b": lambda exchange: exchange.silence()})
    client, _ = ask(daemon, "/x/1")
    origin.wait_requests(2)
    exchange = next(e for e in origin.exchanges if e.request.target == "/b")
    left = time.monotonic()
    client.reset()
    assert exchange.until_gone() - left < within(0.1)
    until(lambda: daemon.route("/x/{id}")["client_gone"] == 1, "the client is counted as gone")


def test_a_slow_reader_holds_nothing_up_but_itself(scene):
    big = {"rows": ["x" * 1000] * 1500}
    _, daemon = one(scene, "a: o/a\nb: o/a\nc: o/a", answers={"/a": big}, route="timeout: 20s")
    slow, _ = ask(daemon, "/x/1")
    assert daemon.get("/x/1").status == 200
    events = event_lines(slow)
    assert [len(next(iter(data.values()))["rows"]) for event, data, _ in events[:-1]] == [1500] * 3
    assert events[-1][0] == "end"
    assert slow.get("/x/2").status == 200, "the connection goes on"


def test_a_stream_that_no_memory_is_left_for_is_refused(scene):
    calls = "\n".join(f"c{n}: o/c" for n in range(60))
    _, daemon = one(scene, calls, top="limits: {request_memory: 64KiB, body: 64KiB}")
    refused = 0
    for size in range(20_000, 65_000, 3_000):
        answer = daemon.call("POST", "/x/1", {"Accept": "text/event-stream"}, b"x" * size)
        refused += answer.status == 503
    assert refused > 3, "most of these bodies leave too little"
    assert daemon.get("/x/1").status in (200, 502), "the daemon lives on"


def test_a_silent_stream_has_comments_where_the_format_has_them(scene):
    origin = scene.origin(lambda exchange: exchange.silence()).on("/a", 1)
    daemon = scene.gatherd(
        f"upstreams: {{o: {{servers: [{origin.url}], timeout: 1m}}}}\n"
        "routes: {/x/1: {timeout: 16s, calls: {a: o/a, b: {url: o/b, optional: true}}}}\n")
    events, lines = ask(daemon, "/x/1")[0], ask(daemon, "/x/1", "application/x-ndjson")[0]
    for client in (events, lines):
        client.sock.settimeout(30)
    assert b"".join(events.chunks()).startswith(b'event: part\ndata: {"a":1}\n\n: \n\n')
    assert [json.loads(line) for line in b"".join(lines.chunks()).decode().split("\n")[:-1]] == [
        {"a": 1}, {"b": None}, {"complete": False, "failed": {"b": "timeout"}}]


def test_a_conflict_is_told_as_in_a_plain_answer(scene):
    _, daemon = one(scene, "a: o/a\nb: o/b\nc: o/c", "respond: {m: {$merge: [$a, $b], conflict: error}, c: $c}",
                    {"/a": {"k": 1}, "/b": {"k": 2}, "/c": after(0.3, 3)})
    plain, stream = (daemon.get("/x/1", headers) for headers in ({}, {"Accept": "text/event-stream"}))
    assert (plain.status, plain.json()) == (stream.status, stream.json())
    assert stream.json()["class"] == "conflict" and stream.json()["member"] == "k"
    _, late = one(scene, "a: o/a\nb: o/b\nc: o/c", "respond: {c: $c, m: {$merge: [$a, $b], conflict: error}}",
                  {"/a": {"k": 1}, "/b": after(0.2, {"k": 2}), "/c": 3})
    client, _ = ask(late, "/x/1")
    try:
        raise AssertionError(f"a whole stream: {b''.join(client.chunks())}")
    except Reset:
        pass
    assert late.route("/x/{id}")["failures"]["conflict"] == 1
