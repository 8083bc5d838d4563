"""Calls that depend on calls: what is mentioned, when they start, what they send."""
import json

from daemon import run_gatherd
from waits import within

SHOP = """
upstreams:
  users: {users}
  orders: {orders}
  repos: {repos}
routes:
  GET /profile/{{id}}:
    calls:
      user: users/users/{{id}}
      orders: orders/by-user/{{id}}?limit=10
      repos: repos/users/{{user.login}}/repos
"""


def after(seconds, value):
    def answer(exchange):
        exchange.pause(seconds)
        exchange.reply(value)
    return answer


def one(scene, calls, route="", answers=None, top=""):
    """A daemon with an upstream `o` and the calls, indented text, of `GET /x/{id}`."""
    origin = scene.origin()
    for path, answer in (answers or {}).items():
        origin.on(path, answer)
    lines = [top, "upstreams:", f"  o: {origin.url}", "routes:", "  /x/{id}:"]
    lines += [f"    {line}" for line in route.split("\n") if line] + ["    calls:"]
    lines += [f"      {line}" for line in calls.strip("\n").split("\n")]
    return origin, scene.gatherd("\n".join(lines) + "\n")


def test_a_call_starts_when_what_it_mentions_is_there(scene):
    users = scene.origin(after(0.2, {"id": 7, "login": "ada"}))
    orders = scene.origin(after(0.3, [1, 2]))
    repos = scene.origin(after(0.2, [{"name": "engine"}]))
    daemon = scene.gatherd(SHOP.format(users=users.url, orders=orders.url, repos=repos.url))
    answer = daemon.get("/profile/7")
    assert answer.status == 200, answer.raw
    assert answer.body == b'{"user":{"id": 7, "login": "ada"},"orders":[1, 2],"repos":[{"name": "engine"}]}'
    assert [origin.requests[0].target for origin in (users, orders, repos)] == [
        "/users/7", "/by-user/7?limit=10", "/users/ada/repos"]
    times = [origin.exchanges[0].time for origin in (users, orders, repos)]
    assert abs(times[1] - times[0]) < within(0.1), "side by side"
    assert 0.19 < times[2] - times[0] < within(0.3), "as soon as the user was there"
    assert 0.39 < answer.elapsed < within(0.5), "the slowest chain, not the sum"


def test_a_chain_whose_first_call_fails_goes_no_further(scene):
    origin, daemon = one(scene, "a: o/a\nb: o/b/{a.id}",
                         answers={"/a": lambda exchange: exchange.reply({}, status=404)})
    answer = daemon.get("/x/1")
    assert answer.status == 404
    assert (answer.json()["call"], answer.json()["class"]) == ("a", "status")
    assert [request.target for request in origin.requests] == ["/a"]


def test_what_depends_on_an_optional_call_that_failed_is_unresolved(scene):
    _, daemon = one(scene, "a: {url: o/a, optional: true}\nb: {url: 'o/b/{a.id}', optional: true}",
                    answers={"/a": lambda exchange: exchange.reply({}, status=500)})
    answer = daemon.get("/x/1")
    assert answer.json() == {"a": None, "b": None}
    assert answer.header("Gather-Parts") == "a;error=status, b;error=unresolved"


def test_the_default_of_a_failed_call_is_what_others_see(scene):
    origin, daemon = one(scene, "a: {url: o/a, default: {id: 5}}\nb: 'o/b/{a.id}'",
                         answers={"/a": lambda exchange: exchange.reset()})
    assert daemon.get("/x/1").json() == {"a": {"id": 5}, "b": {"path": "/b/5"}}
    assert origin.requests[-1].target == "/b/5"


def test_a_placeholder_without_a_value_fails_its_call_before_anything_is_sent(scene):
    for value in ({}, {"v": None}, {"v": {"a": 1}}, {"v": [1]}, "text", {"v": ""}, {"v": ".."}):
        origin, daemon = one(scene, "a: o/a\nb: 'o/b/{a.v}'", answers={"/a": value})
        answer = daemon.get("/x/1")
        assert answer.status == 502 and answer.json()["class"] == "unresolved", (value, answer.raw)
        assert answer.json()["call"] == "b"
        assert len(origin.requests) == 1


def test_paths_go_into_answers(scene):
    value = {"list": [{"n": 1}, {"n": 2}], "odd key": {"a.b": "x y"}, "t": True, "dup": 1}
    text = json.dumps(value)[:-1] + ', "dup": 2, "\\u00e9\\n": "\\ud83d\\ude00/"}'
    origin, daemon = one(
        scene, "a: o/a\nb: 'o/{a.list[1].n}/{a[\"odd key\"][\"a.b\"]}/{a.t}/{a.dup}?all={a.list[*].n}"
        "&none={a.nope?}&dflt={a.nope=7}&st={a:status}&h={a:header.x-tag}'",
        answers={"/a": lambda exchange: exchange.reply(body=text.encode(), headers={"X-Tag": "t/1"})})
    assert daemon.get("/x/1").status == 200
    assert origin.requests[1].target == "/2/x%20y/true/2?all=1%2C2&dflt=7&st=200&h=t%2F1"


def test_the_request_can_be_mentioned(scene):
    origin, daemon = one(
        scene, "a:\n  url: 'o/{request.method}/{query.q}/{cookie.sid}'\n"
        "  headers: {X-A: \"{header.x-in} {request.host}\", X-P: \"{request.path}\", X-I: \"{request.id}\"}")
    answer = daemon.get("/x/a%20b?q=1%2F2", {"X-In": "hello", "Cookie": "a=b; sid=s1; c=d"})
    request = origin.requests[0]
    assert request.target == "/GET/1%2F2/s1"
    assert request.header("X-A") == "hello gateway.test"
    assert request.header("X-P") == "/x/a b"
    assert request.header("X-I") == answer.header("X-Request-Id")


# Values that try to get out of where they stand. Each is a JSON string of an answer.
HOSTILE = ["/", "..", ".", "a/../b", "?x=1", "#f", "a&b=c", "%2f", "%2e%2e", "a b", '"', "\\", "'",
           "\r\nX-Evil: 1", "\n", "\0", "\u007f", "é", "\u2028", "//evil.test", "http://evil.test/",
           "@evil.test", "a;b", "a,b", "a=b", "{a}", "$x", "x" * 100_000, "\ud83d\ude00"]


def test_no_value_gets_out_of_its_place(scene):
    origin, daemon = one(
        scene, "a: o/a\n"
        "p: {url: 'o/p/{a.v}/end', optional: true}\n"
        "q: {url: 'o/q?k={a.v}&z=1', optional: true}\n"
        "h: {url: o/h, headers: {X-V: \"{a.v}\"}, optional: true}\n"
        "j: {url: o/j, json: {v: $a.v, t: \"<{a.v}>\"}, optional: true}\n"
        "f: {url: o/f, form: {v: $a.v, z: \"1\"}, optional: true}")
    for value in HOSTILE + ["\\ud800", "\\udc00x"]:
        text = json.dumps(value) if not value.startswith("\\u") else f'"{value}"'
        origin.on("/a", lambda exchange, text=text: exchange.reply(body=b'{"v":' + text.encode() + b"}"))
        before = len(origin.exchanges)
        answer = daemon.get("/x/1")
        assert answer.status == 200, (value, answer.raw)
        for request in origin.requests[before:]:
            where = (value[:40], request.target[:80])
            path = request.target.partition("?")[0]
            assert request.header("Host") == f"127.0.0.1:{origin.port}", where
            assert request.header("X-Evil") is None, where
            if path.startswith("/p"):
                assert path.count("/") == 3 and path.endswith("/end") and "?" not in request.target, where
                assert "/../" not in path and "/./" not in path, where
            elif path.startswith("/q"):
                assert request.target.count("&") == 1 and request.target.endswith("&z=1"), where
            elif path == "/h":
                assert len(request.headers("X-V")) == 1, where
            elif path == "/j":
                sent = json.loads(request.body)
                plain = json.loads(text)
                assert sent["v"] == plain, where
                assert list(sent) == ["v", "t"], where
            elif path == "/f":
                assert request.body.count(b"&") == 1 and request.body.endswith(b"&z=1"), where


def test_bodies_are_made_of_shapes(scene):
    origin, daemon = one(scene, "a: o/a\nb: {url: o/b, json: {who: $a.id, all: $body.items, n: 1, "
                         "raw: $a, none: $a.nope, t: \"{a.id}-{id}\", m: \"$$x\", h: $header.x-h}}",
                         answers={"/a": {"id": 7.0}})
    answer = daemon.call("POST", "/x/9", {"X-H": "v"}, b'{"items":[1,{"b":"\\u00e9"}]}')
    assert answer.status == 200, answer.raw
    request = origin.requests[-1]
    assert request.method == "POST" and request.header("Content-Type") == "application/json"
    assert request.body == (b'{"who":7.0,"all":[1,{"b":"\\u00e9"}],"n":1,"raw":{"id": 7.0},"none":null,'
                            b'"t":"7.0-9","m":"$x","h":"v"}')


def test_a_body_that_is_mentioned_has_to_be_json(scene):
    origin, daemon = one(scene, "a: {url: 'o/a/{body.id=none}'}")
    assert daemon.call("POST", "/x/1", body=b'{"id": 1}').json()["a"]["path"] == "/a/1"
    assert daemon.call("POST", "/x/1", body=b"").json()["a"]["path"] == "/a/none"
    answer = daemon.call("POST", "/x/1", body=b'{"id": ')
    assert answer.status == 400 and "JSON" in answer.json()["detail"]
    assert len(origin.requests) == 2


def test_a_form_is_sent(scene):
    origin, daemon = one(scene, "a: {url: o/a, method: PUT, form: {\"a b\": \"{id} &=\", n: $query.n?, z: 'é'}}")
    daemon.get("/x/1%262?n=5")
    assert origin.requests[0].method == "PUT"
    assert origin.requests[0].body == b"a%20b=1%262%20%26%3D&n=5&z=%C3%A9"
    assert origin.requests[0].header("Content-Type") == "application/x-www-form-urlencoded"
    daemon.get("/x/1")
    assert origin.requests[1].body == b"a%20b=1%20%26%3D&z=%C3%A9"


def test_the_browsers_body_goes_to_every_call_that_forwards_it(scene):
    origin, daemon = one(scene, "a: {url: o/a, body: forward}\nb: {url: o/b, method: PUT, body: forward}\nc: o/c")
    body = b"\x00\xff not JSON" * 1000
    daemon.call("POST", "/x/1", {"Content-Type": "image/x"}, body)
    sent = {request.target: request for request in origin.requests}
    assert sent["/a"].method == "POST" and sent["/b"].method == "PUT" and sent["/c"].method == "GET"
    for path in ("/a", "/b"):
        assert sent[path].body == body and sent[path].header("Content-Type") == "image/x"
    assert sent["/c"].body == b""


def test_only_what_is_listed_is_forwarded(scene):
    top = "defaults: {forward: {headers: [Accept-Language], query: [page], cookies: [sid]}}"
    origin, daemon = one(
        scene, "a: o/a?fixed=1\nb: {url: o/b, forward: {headers: [Authorization, X-Own], query: []}, "
        "headers: {X-Own: mine}}", top=top)
    daemon.get("/x/1?page=2%263&secret=1", {
        "Accept-Language": "de", "Authorization": "Bearer t", "X-Own": "theirs", "X-Other": "no",
        "Cookie": "sid=1; other=2; sid2=3"})
    a, b = sorted(origin.requests, key=lambda request: request.target)
    assert a.target == "/a?fixed=1&page=2%263" and b.target == "/b"
    assert a.header("Accept-Language") == "de" and b.header("Accept-Language") is None
    assert a.header("Authorization") is None and b.header("Authorization") == "Bearer t"
    assert b.headers("X-Own") == ["mine"]
    for request in (a, b):
        assert request.header("Cookie") == "sid=1" and request.header("X-Other") is None


def test_a_call_is_skipped_when_its_condition_does_not_hold(scene):
    origin, daemon = one(
        scene, "a: o/a\nb: {url: o/b, when: 'query.b == \"1\" && a.plan in [\"gold\", \"silver\"]'}\n"
        "c: {url: o/c, when: '!a.locked', default: [0]}\nd: {url: 'o/d/{b.path=none}'}",
        answers={"/a": {"plan": "gold", "locked": True}})
    answer = daemon.get("/x/1?b=1")
    assert answer.json()["b"] == {"path": "/b"} and answer.json()["c"] == [0]
    assert answer.header("Gather-Parts") is None, "skipped is no failure"
    answer = daemon.get("/x/1?b=2")
    assert answer.json()["b"] is None and answer.json()["d"]["path"] == "/d/none"
    assert "/c" not in [request.target for request in origin.requests]


def test_statuses_that_are_ok_are_data(scene):
    _, daemon = one(scene, "a: {url: o/a, ok: [2xx, 404]}\nb: {url: o/b, when: 'a:status == 404'}",
                    answers={"/a": lambda exchange: exchange.reply({"none": 1}, status=404)})
    assert daemon.get("/x/1").json() == {"a": {"none": 1}, "b": {"path": "/b"}}


def test_clients_choose_parts(scene):
    origin, daemon = one(scene, "a: o/a\nb: 'o/b/{a.path}'\nc: o/c\nd: {url: o/d, hidden: true}",
                         route="parts: query")
    assert list(daemon.get("/x/1?parts=c").json()) == ["c"]
    assert [request.target for request in origin.requests] == ["/c"]
    assert list(daemon.get("/x/1?parts=c,b").json()) == ["b", "c"], "in the order of the file"
    assert [request.path for request in origin.requests[1:]].count("/a") == 1, "b depends on a"
    assert list(daemon.get("/x/1").json()) == ["a", "b", "c"]
    for odd in ("nope", "c,nope", "d", "c,,b"):
        answer = daemon.get(f"/x/1?parts={odd}")
        assert answer.status == 400, odd


def test_what_a_call_has_itself_is_not_forwarded_as_well(scene):
    origin, daemon = one(scene, "a: {url: 'o/a?page=1&b%20c=2&d={query.d?}', forward: {query: [page, b c, d, e]}}")
    daemon.get("/x/1?page=7&b%20c=7&d=7&e=7")
    daemon.get("/x/1?page=7&d=&e=")
    assert [request.target for request in origin.requests] == [
        "/a?page=1&b%20c=2&d=7&e=7", "/a?page=1&b%20c=2&d=&e="]


def test_what_is_forwarded_brings_no_separators_with_it(scene):
    origin, daemon = one(scene, "a: {url: o/a, forward: {query: [q]}}")
    for sent, passed in (("a;b=c", "a%3Bb%3Dc"), ("a+b'%26", "a%20b%27%26"), ("%C3%a4", "%C3%A4"), ("", "")):
        daemon.get(f"/x/1?q={sent}&other=1")
        assert origin.requests[-1].target == f"/a?q={passed}"


def test_a_name_is_forwarded_once(scene):
    config = "upstreams: {o: http://127.0.0.1:1}\nroutes:\n  /x: {calls: {a: {url: o/a, forward: {%s}}}}\n"
    for names in ("query: [a, a]", "cookies: [a, b, a]", "headers: [X-A, x-a]"):
        done = run_gatherd("check", "CONFIG", config=config % names)
        assert done.returncode == 78 and "stands twice in the list" in done.stderr, (names, done.stderr)
    assert run_gatherd("check", "CONFIG", config=config % "query: [a, A], cookies: [b, B]").returncode == 0


def test_a_body_whose_merge_has_a_conflict_fails_its_call_with_conflict(scene):
    origin, daemon = one(scene, "a: o/a\nb: {url: o/b, json: {$merge: [$a, {x: 2}], conflict: error}, optional: true}",
                         answers={"/a": {"x": 1}})
    assert daemon.get("/x/1").header("Gather-Parts") == "a, b;error=conflict"
    assert len(origin.requests) == 1


def test_what_comes_from_the_environment_is_data(scene):
    origin = scene.origin()
    lines = ["upstreams: {o: {servers: [%s], headers: {X-Up: \"${S}\"}}}" % origin.url, "routes:", "  /x/{id}:",
             "    calls:",
             "      a: {url: o/a, form: {v: \"${S}\", w: \"${R}\", x: \"${R}-{id}\"}, headers: {X-S: \"${S}\", X-T: \"${P}-{id}\"}}",
             "      b: {url: o/b, json: {v: \"${S}\", w: \"${R}\", x: \"${R}-{id}\"}}"]
    daemon = scene.gatherd("\n".join(lines) + "\n", env={"S": "{id} }&", "R": "$id", "P": "p"})
    daemon.get("/x/1")
    a, b = sorted(origin.requests, key=lambda request: request.target)
    assert a.body == b"v=%7Bid%7D%20%7D%26&w=%24id&x=%24id-1"
    assert a.header("X-S") == "{id} }&" and a.header("X-T") == "p-1" and a.header("X-Up") == "{id} }&"
    assert b.json() == {"v": "{id} }&", "w": "$id", "x": "$id-1"}


def test_a_chain_of_64_calls_is_answered_and_bounded(scene):
    calls = "a0: o/0\n" + "\n".join(f"a{n}: 'o/{n}?from={{a{n - 1}.n}}'" for n in range(1, 64))
    answers = {f"/{n}": {"n": n} for n in range(64)}
    origin, daemon = one(scene, calls, "timeout: 10s", answers)
    assert daemon.get("/x/1").json() == {f"a{n}": {"n": n} for n in range(64)}
    assert [request.target for request in origin.requests][1:] == [f"/{n}?from={n - 1}" for n in range(1, 64)]
    answers["/20"] = lambda exchange: exchange.silence()
    origin, daemon = one(scene, calls, "timeout: 500ms", answers)
    answer = daemon.get("/x/1")
    assert answer.status == 504 and answer.json()["call"] == "a20" and answer.json()["class"] == "timeout"
    assert answer.elapsed < within(0.8) and len(origin.requests) == 21


def test_more_items_than_connections_and_queue_are_overload(scene):
    calls = "l: o/l\n" + "\n".join(f"a{n}: {{url: 'o/{n}/{{item}}', each: l, optional: true}}" for n in range(63))
    _, daemon = one(scene, calls, "timeout: 20s", {"/l": list(range(8))})
    answer = daemon.get("/x/1")
    assert answer.status == 200 and ";error=overload;failed=" in answer.header("Gather-Parts")
    values = answer.json()
    assert all(len(values[f"a{n}"]) == 8 for n in range(63))
