"""Answers in any shape: select, pick, drop, rename, merge, respond, each and join."""
import json

from test_depend import HOSTILE, after, one
from waits import within
from wire import Reset


def test_select_takes_a_part_of_the_answer(scene):
    _, daemon = one(scene, "a: {url: o/a, select: data.items}\nb: {url: o/a, select: 'data.nope'}\n"
                    "c: 'o/{a[0].n}'", answers={"/a": {"data": {"items": [{"n": 5}], "x": 1}}})
    assert daemon.get("/x/1").body == b'{"a":[{"n": 5}],"b":null,"c":{"path": "/5"}}'


def test_pick_drop_and_rename_cut_what_is_shown(scene):
    value = [{"id": 1, "name": "x", "owner": {"login": "ada", "mail": "m"}, "stargazers_count": 5},
             {"id": 2, "name": "y", "owner": None, "secret": 1}]
    _, daemon = one(
        scene, "a: {url: o/a, pick: [name, owner.login, stargazers_count], rename: {stargazers_count: stars}}\n"
        "b: {url: o/a, drop: [owner.mail, secret, stargazers_count, name]}\nc: 'o/c/{a[0].id}'",
        answers={"/a": value})
    answer = daemon.get("/x/1").json()
    assert answer["a"] == [{"name": "x", "owner": {"login": "ada"}, "stars": 5}, {"name": "y", "owner": None}]
    assert answer["b"] == [{"id": 1, "owner": {"login": "ada"}}, {"id": 2, "owner": None}]
    assert answer["c"] == {"path": "/c/1"}, "other calls see what was cut away"


def test_flat_and_deep_merges(scene):
    answers = {"/a": {"id": 1, "in": {"x": 1, "l": [1]}, "only": 1}, "/b": {"id": 2, "in": {"y": 2, "l": [2]}},
               "/c": [1, 2]}
    calls = "a: o/a\nb: o/b\nc: o/c\nh: {url: o/h, hidden: true}"

    def merged(route):
        return one(scene, calls, route, answers)[1].get("/x/1")

    flat = merged("merge: flat").json()
    assert flat == {"id": 2, "in": {"y": 2, "l": [2]}, "only": 1, "c": [1, 2]}
    assert list(flat) == ["id", "in", "only", "c"], "where the first one stood"
    assert merged("merge: deep").json() == {"id": 2, "in": {"x": 1, "l": [2], "y": 2}, "only": 1, "c": [1, 2]}
    assert merged("merge: {mode: flat, conflict: first}").json()["id"] == 1
    assert merged("merge: {mode: deep, conflict: concat}").json() == {
        "id": [1, 2], "in": {"x": 1, "l": [1, 2], "y": 2}, "only": 1, "c": [1, 2]}
    answer = merged("merge: {mode: flat, conflict: error}")
    assert answer.status == 502 and answer.json()["class"] == "conflict" and answer.json()["member"] == "id"


def test_collisions_are_counted(scene):
    _, daemon = one(scene, "a: o/a\nb: o/b", "merge: flat", {"/a": {"x": 1, "y": 1}, "/b": {"x": 2, "y": 2}})
    daemon.get("/x/1")
    assert daemon.route("/x/{id}")["collisions"] == 2


def test_respond_gives_the_answer_any_shape(scene):
    route = ("status: 201\nresponse_headers: {X-User: \"{a.name}\", X-None: \"{a.nope}\", X-Fixed: f}\n"
             "respond: {who: $a.name, all: $a, tags: '$a.tags[*].t', text: \"{a.name} has {a.tags[0].t}\", "
             "cost: \"$$5\", n: 1, deep: [{id: $id}], miss: $a.nope, none: \"{a.nope}!\", st: $a:status, "
             "merged: {$merge: [$a, {name: new, id: $id}]}, cat: {$concat: [$a.tags, $b, [9]]}, "
             "first: {$first: [$a.nope, $b.nope, $b.path]}, gone: $c}")
    _, daemon = one(scene, "a: o/a\nb: o/b\nc: {url: o/c, optional: true}", route,
                    {"/a": {"name": "Ada", "tags": [{"t": "x"}, {"t": "y"}]},
                     "/c": lambda exchange: exchange.reply({}, status=500)})
    answer = daemon.get("/x/7")
    tags = [{"t": "x"}, {"t": "y"}]
    assert answer.status == 201
    assert answer.json() == {
        "who": "Ada", "all": {"name": "Ada", "tags": tags}, "tags": ["x", "y"], "text": "Ada has x",
        "cost": "$5", "n": 1, "deep": [{"id": "7"}], "miss": None, "none": None, "st": 200,
        "merged": {"name": "new", "tags": tags, "id": "7"}, "cat": [*tags, {"path": "/b"}, 9],
        "first": "/b", "gone": None}
    assert answer.header("X-User") == "Ada" and answer.header("X-Fixed") == "f"
    assert answer.header("X-None") is None
    assert answer.header("Gather-Parts") == "a, b, c;error=status"


def test_a_shape_shows_parts_as_they_are_cut(scene):
    _, daemon = one(scene, "a: {url: o/a, drop: [in.secret], rename: {old: new}}",
                    "respond: {whole: $a, inside: $a.in, renamed: $a.new, text: \"{a.new}\"}",
                    {"/a": {"in": {"secret": 1, "x": 2}, "old": 3}})
    assert daemon.get("/x/1").json() == {
        "whole": {"in": {"x": 2}, "new": 3}, "inside": {"x": 2}, "renamed": 3, "text": "3"}


def test_the_status_of_a_call_can_be_that_of_the_answer(scene):
    _, daemon = one(scene, "a: {url: o/a, ok: [2xx, 4xx]}", "status: a",
                    {"/a": lambda exchange: exchange.reply({"e": 1}, status=418)})
    answer = daemon.get("/x/1")
    assert answer.status == 418 and answer.json() == {"a": {"e": 1}}


def test_a_route_can_answer_by_itself(scene):
    daemon = scene.gatherd("routes:\n  /ping/{id}: {respond: {pong: $id, fixed: [1, null]}, status: 202}\n")
    answer = daemon.call("POST", "/ping/a%20b", body=b"x")
    assert answer.status == 202 and answer.json() == {"pong": "a b", "fixed": [1, None]}


ORDERS = [{"no": 1, "product_id": 10}, {"no": 2, "product_id": 11}, {"no": 3, "product_id": 10},
          {"no": 4, "product_id": None}]


def product(exchange):
    number = int(exchange.request.target.rpartition("/")[2])
    exchange.reply({"id": number, "name": f"p{number}"})


def test_each_makes_one_call_for_each_different_value(scene):
    origin, daemon = one(scene, "orders: o/orders\nproducts: {url: 'o/products/{item}', each: 'orders[*].product_id'}",
                         answers={"/orders": ORDERS, "/products/10": product, "/products/11": product})
    answer = daemon.get("/x/1").json()
    assert answer["products"] == [{"id": 10, "name": "p10"}, {"id": 11, "name": "p11"}]
    assert sorted(request.target for request in origin.requests[1:]) == ["/products/10", "/products/11"]


def test_each_joins_with_the_list_it_came_from(scene):
    _, daemon = one(
        scene, "orders: {url: o/orders, drop: [no]}\n"
        "products: {url: 'o/products/{item}', each: 'orders[*].product_id', drop: [id]}",
        "respond: {orders: {$join: [$orders, $products], on: {product_id: $item}, as: product}}",
        {"/orders": ORDERS, "/products/10": product, "/products/11": product})
    assert daemon.get("/x/1").json()["orders"] == [
        {"product_id": 10, "product": {"name": "p10"}}, {"product_id": 11, "product": {"name": "p11"}},
        {"product_id": 10, "product": {"name": "p10"}}, {"product_id": None}]


def test_each_is_bounded_and_runs_side_by_side(scene):
    origin, daemon = one(
        scene, "l: o/l\nitems: {url: 'o/i/{item.id}', each: l, each_limit: 20, each_parallel: 4}",
        answers={"/l": [{"id": n} for n in range(20)], **{f"/i/{n}": after(0.05, n) for n in range(20)}})
    answer = daemon.get("/x/1")
    assert answer.json()["items"] == list(range(20)), "in the order of the list"
    assert 0.24 < answer.elapsed < within(0.6), answer.elapsed
    origin.on("/l", [{"id": n} for n in range(21)])
    answer = daemon.get("/x/1")
    assert answer.status == 502 and answer.json()["class"] == "too_large"


def test_each_over_what_is_no_list_is_unresolved(scene):
    for value in ({"a": 1}, "text", None, 7):
        _, daemon = one(scene, "l: o/l\ni: {url: 'o/i/{item}', each: l}", answers={"/l": value})
        assert daemon.get("/x/1").json()["class"] == "unresolved", value
    _, daemon = one(scene, "l: o/l\ni: {url: 'o/i/{item}', each: l}", answers={"/l": []})
    assert daemon.get("/x/1").json() == {"l": [], "i": []}


def test_an_item_that_fails_costs_only_itself_when_there_is_a_default(scene):
    answers = {"/l": [1, 2, 3], "/i/2": lambda exchange: exchange.reply({}, status=500)}
    _, daemon = one(scene, "l: o/l\ni: {url: 'o/i/{item}', each: l, default: {none: true}}", answers=answers)
    answer = daemon.get("/x/1")
    assert answer.json()["i"] == [{"path": "/i/1"}, {"none": True}, {"path": "/i/3"}]
    assert answer.header("Gather-Parts") == "l, i;error=status;failed=1"
    _, daemon = one(scene, "l: o/l\ni: {url: 'o/i/{item}', each: l, optional: true}", answers=answers)
    assert daemon.get("/x/1").json()["i"] == [{"path": "/i/1"}, None, {"path": "/i/3"}]
    _, daemon = one(scene, "l: o/l\ni: {url: 'o/i/{item}', each: l}", answers=answers)
    answer = daemon.get("/x/1")
    assert answer.status == 502 and answer.json()["call"] == "i"


def test_each_can_be_mentioned_by_others(scene):
    origin, daemon = one(
        scene, "l: o/l\ni: {url: 'o/i/{item}', each: l}\nlast: 'o/last?all={i[*].path}'", answers={"/l": [1, 2]})
    assert daemon.get("/x/1").status == 200
    assert origin.requests[-1].target == "/last?all=%2Fi%2F1%2C%2Fi%2F2"


def test_a_thousand_items_that_fail_at_once_need_no_stack(scene):
    _, daemon = one(
        scene, "l: o/l\ni: {url: 'o/i/{item.x}', each: l, each_limit: 10000, each_parallel: 3, optional: true}",
        answers={"/l": [{"n": n} for n in range(10000)]})
    answer = daemon.get("/x/1")
    assert answer.json()["i"] == [None] * 10000
    assert answer.header("Gather-Parts") == "l, i;error=unresolved;failed=10000"


def test_memory_of_a_request_is_bounded_whatever_is_composed(scene):
    big = {"rows": [{"a": "x" * 100, "b": n} for n in range(2000)]}
    _, daemon = one(
        scene, "\n".join(f"c{n}: {{url: o/big, drop: [rows.b]}}" for n in range(12)), "merge: deep", {"/big": big},
        top="limits: {request_memory: 1MiB}")
    answer = daemon.get("/x/1")
    assert answer.status == 502 and answer.json()["class"] == "too_large", answer.raw[:200]
    text = json.dumps(big)
    assert len(text) * 12 > 1 << 20


def test_a_join_cannot_make_an_answer_larger_than_the_memory_of_a_request(scene):
    left, right = [{"k": n % 2} for n in range(2000)], [{"k": 0, "pad": "x" * 10_000}]
    _, daemon = one(scene, "l: {url: o/l, hidden: true}\nr: {url: o/r, hidden: true}",
                    "respond: {n: 1, j: {$join: [$l, $r], on: k, as: r}}", {"/l": left, "/r": right},
                    top="limits: {request_memory: 1MiB}")
    answer = daemon.get("/x/1")
    assert answer.status == 502 and answer.json()["class"] == "too_large"
    with daemon.client() as client:
        client.request("GET", "/x/1", {"Accept": "application/x-ndjson"})
        try:
            raise AssertionError(f"an answer: {client.response().raw[:200]}")
        except Reset:
            pass
    assert daemon.route("/x/{id}")["failures"]["too_large"] == 2


def test_a_shape_shows_what_nobody_chose_as_if_it_were_skipped(scene):
    _, daemon = one(
        scene, "l: o/l\na: o/a\nb: {url: 'o/b/{item}', each: l}\nc: {url: o/c, default: [0]}",
        "parts: query\nrespond: {a: $a, in: $a.path, text: \"{a.path}\", b: $b, c: $c, last: '$c[0]', "
        "merged: {$merge: [$a, {x: 1}]}, first: {$first: [$a, $a.path, 5]}, "
        "cat: {$concat: [$a, $b, $c]}, joined: {$join: [$l, $b], on: {id: $item}, as: b}, l: $l}", {"/l": [1]})
    assert daemon.get("/x/1?parts=l").json() == {
        "a": None, "in": None, "text": None, "b": None, "c": [0], "last": 0, "merged": {"x": 1},
        "first": 5, "cat": [0], "joined": [1], "l": [1]}
    assert daemon.get("/x/1?parts=c").json()["l"] is None


def test_header_fields_of_an_answer_can_mention_each(scene):
    _, daemon = one(scene, "l: o/l\nb: {url: 'o/b/{item}', each: l, drop: [path]}",
                    "response_headers: {X-First: \"{b[0].path}\", X-All: \"{b[*].path}\"}", {"/l": [1, 2]})
    answer = daemon.get("/x/1")
    assert answer.header("X-First") == "/b/1" and answer.header("X-All") == "/b/1,/b/2"
    assert answer.json()["b"] == [{}, {}], "header fields see all of an answer"


def test_header_fields_that_fit_no_head_fail_the_route(scene):
    _, daemon = one(scene, "a: o/a", "response_headers: {X-V: \"{a.v}\"}", {"/a": {"v": "x" * 30_000}})
    assert len(daemon.get("/x/1").header("X-V")) == 30_000
    _, daemon = one(scene, "a: o/a", "response_headers: {X-V: \"{a.v}\"}", {"/a": {"v": "x" * 100_000}})
    answer = daemon.get("/x/1")
    assert answer.status == 502 and answer.json()["class"] == "too_large"


def test_a_name_that_stands_twice_is_the_last_one_everywhere(scene):
    text = b'{"x":{"y":1},"l":[9],"x":{"y":2},"l":[3,3,"3"],"\\u0078":{"y":3}}'
    origin, daemon = one(
        scene, "a: {url: o/a, pick: [x.y]}\nb: 'o/b/{a.x.y}'\nc: {url: o/a, select: x}\n"
        "d: {url: 'o/d/{item}', each: 'a.l[*]'}\ne: {url: o/a, drop: [x]}",
        "respond: {a: $a, in: $a.x.y, c: $c, m: {$merge: [$a, {}]}, e: $e.l, d: '$d[*].path'}",
        {"/a": lambda exchange: exchange.reply(body=text)})
    assert daemon.get("/x/1").json() == {
        "a": {"x": {"y": 3}}, "in": 3, "c": {"y": 3}, "m": {"x": {"y": 3}}, "e": [3, 3, "3"],
        "d": ["/d/3", "/d/3"]}
    assert "/b/3" in [request.target for request in origin.requests]


def test_an_upstream_that_breaks_off_in_the_middle_of_each_costs_its_items_only(scene):
    def half(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        exchange.close()

    _, daemon = one(
        scene, "l: o/l\ni: {url: 'o/i/{item}', each: l, each_parallel: 2, default: 0}",
        answers={"/l": list(range(8)), "/i/1": lambda exchange: exchange.reset(), "/i/3": half,
                 "/i/4": lambda exchange: exchange.reply(body=b'{"cut": "of'),
                 "/i/6": lambda exchange: exchange.reply(body=b'{"bad": "\xff"}')})
    answer = daemon.get("/x/1")
    assert [item if item == 0 else item["path"] for item in answer.json()["i"]] == [
        "/i/0", 0, "/i/2", 0, 0, "/i/5", 0, "/i/7"]
    assert answer.header("Gather-Parts") == "l, i;error=reset;failed=4"


def test_a_client_that_leaves_during_each_takes_the_items_with_it(scene):
    origin, daemon = one(
        scene, "l: o/l\ni: {url: 'o/i/{item}', each: l, each_parallel: 3}",
        answers={"/l": list(range(20)), **{f"/i/{n}": lambda exchange: exchange.silence() for n in range(2, 20)}})
    client = scene.client(daemon)
    client.request("GET", "/x/1")
    origin.wait_requests(6)
    client.reset()
    daemon.assert_at_rest()
    for exchange in origin.exchanges:
        if exchange.request.target in ("/i/2", "/i/3", "/i/4"):
            exchange.until_gone()
    assert len(origin.requests) == 6, "nothing was started after it had left"


def test_a_deadline_in_the_middle_of_each_ends_it(scene):
    origin, daemon = one(
        scene, "l: o/l\ni: {url: 'o/i/{item}', each: l, default: 0}", "timeout: 200ms",
        {"/l": [1, 2], "/i/2": lambda exchange: exchange.silence()})
    answer = daemon.get("/x/1")
    assert answer.json() == {"l": [1, 2], "i": []}
    assert answer.header("Gather-Parts") == "l, i;error=timeout"
    assert 0.19 < answer.elapsed < within(0.4)
    next(e for e in origin.exchanges if e.request.target == "/i/2").until_gone()


def test_an_answer_is_bounded_however_little_is_repeated_in_it(scene):
    left = b"[" + b",".join([b'{"k":1}'] * 5000) + b"]"
    right = b'[{"k":1,"t":"' + b"x" * 100_000 + b'"}]'
    answers = {"/l": lambda exchange: exchange.reply(body=left), "/r": lambda exchange: exchange.reply(body=right)}
    for bound, status in (("32MiB", 502), ("1GiB", 200)):
        _, daemon = one(scene, "l: o/l\nr: o/r", "respond: {$join: [$l, $r], on: k, as: z}", answers,
                        top=f"limits: {{request_memory: {bound}}}")
        with daemon.client() as client:
            head = client.request("GET", "/x/1").reader.head()
        assert head.startswith(b"HTTP/1.1 %d " % status), head
        assert (b"Content-Length: 500" in head) == (status == 200), head


def test_a_status_without_content_has_none(scene):
    for status in (204, 205, 304):
        _, daemon = one(scene, "a: {url: o/a, ok: [2xx]}", f"status: {status}", {"/a": {"v": 1}})
        with daemon.client() as client:
            assert client.get("/x/1").body == b"" and client.get("/x/1").status == status


def test_a_target_that_is_too_long_is_too_large(scene):
    origin, daemon = one(scene, "a: o/a\nb: {url: 'o/b/{a.v}', optional: true}", answers={"/a": {"v": "x" * 140_000}})
    assert daemon.get("/x/1").header("Gather-Parts") == "a, b;error=too_large"
    assert len(origin.requests) == 1


def test_no_item_gets_out_of_its_place(scene):
    values = [value for value in HOSTILE if len(value) < 1000] + [{"a": "/"}, ["x"], True, 1.5, "", " "]
    more = "each: l, each_limit: 100, optional: true}\n"
    origin, daemon = one(
        scene, "l: o/l\n" + "p: {url: 'o/p/{item}/end', " + more + "q: {url: 'o/q?k={item}&z=1', " + more
        + "h: {url: o/h, headers: {X-V: '{item}'}, " + more + "j: {url: o/j, json: {v: $item, t: '<{item}>'}, " + more
        + "f: {url: o/f, form: {v: $item, z: '1'}, " + more, answers={"/l": values})
    assert daemon.get("/x/1").status == 200
    sent = []
    for request in origin.requests[1:]:
        path, _, query = request.target.partition("?")
        assert request.header("X-Evil") is None, request.raw
        assert path.count("/") == 3 and path.endswith("/end") if path.startswith("/p/") else path in ("/q", "/h", "/j", "/f")
        assert query.count("&") == (path == "/q") and query.endswith("&z=1") == (path == "/q"), request.target
        assert len(request.headers("X-V")) == (path == "/h"), request.raw
        if path == "/j":
            assert list(request.json()) == ["v", "t"]
            sent.append(request.json()["v"])
        elif path == "/f":
            assert request.body.count(b"&") == 1 and request.body.endswith(b"&z=1"), request.raw
    plain = json.loads(json.dumps(values))
    assert len(sent) == len(plain) and all(value in plain for value in sent)
