/* What is wrong with calls that depend on each other, and with the shape of answers. */
#include "plan_text.h"
#include "suite.h"

START_TEST(calls_that_wait_for_themselves_are_refused)
{
    PLAN_REFUSE(
        "upstreams: {u: http://10.0.0.1}\n"
        "routes:\n"
        "  GET /cycle/{id}:\n"
        "    calls:\n"
        "      a: u/{b.x}\n"
        "      b: {url: u/, json: {v: $c.y}}\n"
        "      c: {url: u/, when: 'a.ok'}\n"
        "      d: u/{d.x}\n",
        "gw.yaml:6:7: routes.\"GET /cycle/{id}\".calls.b: waits for itself: b → c "
        "→ a → b");
}
END_TEST

START_TEST(what_calls_mention_has_to_be_there)
{
    PLAN_REFUSE(
        "upstreams: {u: http://10.0.0.1}\n"
        "routes:\n"
        "  GET /names/{id}:\n"
        "    calls:\n"
        "      user: {url: 'u/{usr.id}/{header.x}'}\n"
        "      a: {url: u/, headers: {X-A: \"{user.}\"}}\n"
        "      b: {url: u/, json: {v: $usr.x, w: \"{nope}\", x: $, y: '$user['}}\n"
        "      c: {url: u/, when: 'user.n = 1'}\n"
        "      d: {url: u/, when: 'usr.n == 1'}\n"
        "      e: {url: u/, each: id}\n"
        "      f: {url: u/, each: 'user.l[*', headers: {X-B: \"{item}\"}}\n"
        "      g: {url: 'u/{item.x}'}\n",
        "gw.yaml:5:22: routes.\"GET /names/{id}\".calls.user.url: {usr.id} is not "
        "known here; did you mean {user.id}?",
        "gw.yaml:6:35: routes.\"GET /names/{id}\".calls.a.headers.X-A: \"{user.}\" "
        "is not a placeholder; it is written {name}, {name?} or {name=default}, "
        "and a literal brace {{ or }}",
        "gw.yaml:7:30: routes.\"GET /names/{id}\".calls.b.json.v: $usr.x is not "
        "known here; did you mean $user.x?",
        "gw.yaml:7:42: routes.\"GET /names/{id}\".calls.b.json.w: {nope} is not "
        "known here; it is no path parameter and no call of the route, nor one of "
        "query, header, cookie, body and request",
        "gw.yaml:7:54: routes.\"GET /names/{id}\".calls.b.json.x: $ is no "
        "reference; it is written name, call.field, call[0], call:status or "
        "query.name (a literal $ is written $$)",
        "gw.yaml:7:60: routes.\"GET /names/{id}\".calls.b.json.y: $user[ is no "
        "reference; it is written name, call.field, call[0], call:status or "
        "query.name",
        "gw.yaml:8:34: routes.\"GET /names/{id}\".calls.c.when: expected && or || "
        "or the end; comparisons are ==, !=, <, <=, >, >= and in",
        "gw.yaml:9:27: routes.\"GET /names/{id}\".calls.d.when: usr.n is not known "
        "here; did you mean user.n?",
        "gw.yaml:10:26: routes.\"GET /names/{id}\".calls.e.each: each takes a list "
        "in the answer of a call, like orders[*].product_id, or in the body of the "
        "request",
        "gw.yaml:11:26: routes.\"GET /names/{id}\".calls.f.each: user.l[* is no "
        "reference; it is written name, call.field, call[0], call:status or "
        "query.name",
        "gw.yaml:12:19: routes.\"GET /names/{id}\".calls.g.url: {item.x} is not "
        "known here; item belongs to calls with each");
}
END_TEST

START_TEST(mistakes_in_what_calls_send_and_take_are_found)
{
    PLAN_REFUSE(
        "upstreams: {u: http://10.0.0.1}\n"
        "routes:\n"
        "  GET /names/{id}:\n"
        "    calls:\n"
        "      h: {url: u/, json: 1, body: forward}\n"
        "      i: {url: u/, json: 1, form: {a: b}}\n"
        "      j: {url: u/, form: {}}\n"
        "      k: {url: u/, ok: [2xx, 99, 6xx, abc]}\n"
        "      l: {url: u/, ok: []}\n"
        "      m: {url: u/, select: 'a[*]'}\n"
        "      n: {url: u/, pick: ['a[0]', b]}\n",
        "gw.yaml:5:20: routes.\"GET /names/{id}\".calls.h.json: a call has one "
        "body: json, form or body: forward",
        "gw.yaml:6:29: routes.\"GET /names/{id}\".calls.i.form: a call has one "
        "body: json, form or body: forward",
        "gw.yaml:7:26: routes.\"GET /names/{id}\".calls.j.form: a form has fields",
        "gw.yaml:8:30: routes.\"GET /names/{id}\".calls.k.ok[1]: expected a status "
        "like 404 or 2xx, found \"99\"",
        "gw.yaml:8:34: routes.\"GET /names/{id}\".calls.k.ok[2]: expected a status "
        "like 404 or 2xx, found \"6xx\"",
        "gw.yaml:8:39: routes.\"GET /names/{id}\".calls.k.ok[3]: expected a status "
        "like 404 or 2xx, found \"abc\"",
        "gw.yaml:9:24: routes.\"GET /names/{id}\".calls.l.ok: expected at least "
        "one status",
        "gw.yaml:10:28: routes.\"GET /names/{id}\".calls.m.select: select takes "
        "one value; a path with [*] names several",
        "gw.yaml:11:27: routes.\"GET /names/{id}\".calls.n.pick[0]: names fields "
        "only; it goes through lists by itself");
}
END_TEST

START_TEST(mistakes_in_what_calls_cut_and_pass_on_are_found)
{
    PLAN_REFUSE(
        "upstreams: {u: http://10.0.0.1}\n"
        "routes:\n"
        "  GET /names/{id}:\n"
        "    calls:\n"
        "      o: {url: u/, drop: []}\n"
        "      p: {url: u/, rename: {a: x, b: x}}\n"
        "      q: {url: u/, rename: {'a.': x}}\n"
        "      r: {url: u/, forward: {headers: [Host, \"X Y\"], cookies: [\"a b\"], "
        "query: [\"\"]}}\n"
        "      s: {url: u/, headers: {Host: x}}\n"
        "      t: {url: u/, each: o, each_limit: 0}\n"
        "      u: {url: 'u/{o:stat}/{o:header.x y}'}\n"
        "      v: {url: 'u/{request.nope}/{jwt.sub}'}\n",
        "gw.yaml:5:26: routes.\"GET /names/{id}\".calls.o.drop: expected at least "
        "one field",
        "gw.yaml:6:28: routes.\"GET /names/{id}\".calls.p.rename: b gets a name "
        "that another one gets too",
        "gw.yaml:7:35: routes.\"GET /names/{id}\".calls.q.rename.\"a.\": the path "
        "a. ends where a name is expected",
        "gw.yaml:8:40: routes.\"GET /names/{id}\".calls.r.forward.headers[0]: "
        "\"Host\" is no header field that can be forwarded",
        "gw.yaml:8:46: routes.\"GET /names/{id}\".calls.r.forward.headers[1]: \"X "
        "Y\" is no header field that can be forwarded",
        "gw.yaml:8:64: routes.\"GET /names/{id}\".calls.r.forward.cookies[0]: \"a "
        "b\" is no name of a cookie",
        "gw.yaml:8:80: routes.\"GET /names/{id}\".calls.r.forward.query[0]: \"\" "
        "is no name of a query parameter",
        "gw.yaml:9:30: routes.\"GET /names/{id}\".calls.s.headers.Host: Host is "
        "set by gatherd and cannot be given",
        "gw.yaml:10:41: routes.\"GET /names/{id}\".calls.t.each_limit: \"0\" is "
        "out of range: allowed is from 1 to 10000",
        "gw.yaml:11:19: routes.\"GET /names/{id}\".calls.u.url: {o:stat} is not "
        "known; of an answer there are :status and :header.NAME",
        "gw.yaml:12:19: routes.\"GET /names/{id}\".calls.v.url: {request.nope} is "
        "not known here; of the request there are id, ip, method, path and host");
}
END_TEST

START_TEST(what_would_do_nothing_or_happen_twice_is_a_mistake)
{
    PLAN_REFUSE("upstreams: {u: http://10.0.0.1}\n"
                "routes:\n"
                "  GET /a:\n"
                "    respond: {$merge: []}\n"
                "    merge: {mode: named, conflict: first}\n"
                "    calls:\n"
                "      a: {url: u/, each_parallel: 3}\n"
                "      b: {url: u/, forward: {headers: [A, a], query: [q, Q, q]}}\n",
                "gw.yaml:4:23: routes.\"GET /a\".respond.\"$merge\": expected at least "
                "one value",
                "gw.yaml:5:26: routes.\"GET /a\".merge.conflict: belongs to flat and "
                "deep; the names of calls differ",
                "gw.yaml:7:20: routes.\"GET /a\".calls.a.each_parallel: belongs to a "
                "call with each",
                "gw.yaml:8:43: routes.\"GET /a\".calls.b.forward.headers[1]: \"a\" "
                "stands twice in the list",
                "gw.yaml:8:61: routes.\"GET /a\".calls.b.forward.query[2]: \"q\" "
                "stands twice in the list");
}
END_TEST

START_TEST(mistakes_in_the_shape_of_an_answer_are_found)
{
    PLAN_REFUSE(
        "upstreams: {u: http://10.0.0.1}\n"
        "routes:\n"
        "  GET /answer/{id}:\n"
        "    status: nope\n"
        "    response_headers: {Content-Type: text/html, X-A: \"{user.x\"}\n"
        "    merge: flat\n"
        "    respond:\n"
        "      a: $usr\n"
        "      b: {$merge: $user}\n"
        "      c: {$mrge: [$user]}\n"
        "      d: {$join: [$user], on: id, as: x}\n"
        "      e: {$join: [$user, $user], as: x}\n"
        "      f: {$join: [$user, $user], on: {id: $item}, as: x}\n"
        "      g: {$merge: [$user], deep: maybe, conflict: never}\n"
        "      h: {$first: [], other: 1}\n"
        "      i: \"{user\"\n"
        "      j: {$join: [$user, $each], on: {'a[*]': b}, as: ''}\n"
        "    calls:\n"
        "      user: u/\n"
        "      each: {url: 'u/{item}', each: user.l}\n",
        "gw.yaml:4:13: routes.\"GET /answer/{id}\".status: expected a status from "
        "200 to 599 or the name of a call, found \"nope\"",
        "gw.yaml:5:24: routes.\"GET /answer/{id}\".response_headers.Content-Type: "
        "Content-Type is set by gatherd and cannot be given",
        "gw.yaml:5:54: routes.\"GET /answer/{id}\".response_headers.X-A: "
        "\"{user.x\": the brace isn't closed; a literal one is written {{",
        "gw.yaml:6:5: routes.\"GET /answer/{id}\".merge: a route has respond or "
        "merge, not both",
        "gw.yaml:8:10: routes.\"GET /answer/{id}\".respond.a: $usr is not known "
        "here; did you mean $user?",
        "gw.yaml:9:19: routes.\"GET /answer/{id}\".respond.b.\"$merge\": expected "
        "a list of values, found \"$user\"",
        "gw.yaml:10:11: routes.\"GET /answer/{id}\".respond.c.\"$mrge\": there is "
        "no such operator; did you mean \"$merge\"?",
        "gw.yaml:11:18: routes.\"GET /answer/{id}\".respond.d.\"$join\": $join "
        "takes two lists, found 1",
        "gw.yaml:12:10: routes.\"GET /answer/{id}\".respond.e: on is missing; a "
        "join is written {$join: [$orders, $products], on: {product_id: id}, as: "
        "product}",
        "gw.yaml:13:43: routes.\"GET /answer/{id}\".respond.f.on.id: $item is "
        "known where the second list is a whole call with each, like $products",
        "gw.yaml:14:34: routes.\"GET /answer/{id}\".respond.g.deep: expected true "
        "or false (or on, off), found \"maybe\"",
        "gw.yaml:14:51: routes.\"GET /answer/{id}\".respond.g.conflict: expected "
        "first, last, error or concat, found \"never\"",
        "gw.yaml:15:23: routes.\"GET /answer/{id}\".respond.h.other: cannot stand "
        "beside $first",
        "gw.yaml:16:11: routes.\"GET /answer/{id}\".respond.i: \"{user\": the "
        "brace isn't closed; a literal one is written {{",
        "gw.yaml:17:55: routes.\"GET /answer/{id}\".respond.j.as: expected the "
        "name of the new member");
}
END_TEST

START_TEST(mistakes_in_merges_and_statuses_are_found)
{
    PLAN_REFUSE(
        "upstreams: {u: http://10.0.0.1}\n"
        "routes:\n"
        "  GET /merge:\n"
        "    merge: deeply\n"
        "    calls: {a: u/}\n"
        "  GET /merge2:\n"
        "    merge: {mode: flat, conflict: never}\n"
        "    calls: {a: u/}\n"
        "  GET /status:\n"
        "    status: 99\n"
        "    calls: {a: u/}\n"
        "  GET /each:\n"
        "    status: b\n"
        "    calls: {a: u/, b: {url: 'u/{item}', each: a}}\n"
        "  GET /none: {timeout: 1s}\n"
        "  GET /call: {calls: {query: u/, a: 'u/{query.x}'}}\n",
        "gw.yaml:4:12: routes.\"GET /merge\".merge: expected named, flat or deep, "
        "or a map with mode and conflict, found \"deeply\"",
        "gw.yaml:7:35: routes.\"GET /merge2\".merge.conflict: expected last, "
        "first, error or concat, found \"never\"",
        "gw.yaml:10:13: routes.\"GET /status\".status: expected a status from 200 "
        "to 599 or the name of a call, found \"99\"",
        "gw.yaml:13:13: routes.\"GET /each\".status: a call with each has many "
        "statuses: \"b\"",
        "gw.yaml:15:14: routes.\"GET /none\": calls is missing (or pass, redirect, files "
        "or respond)",
        "gw.yaml:16:40: routes.\"GET /call\".calls.a: {query.x} could be the call "
        "\"query\" or what that word stands for; rename the call");
}
END_TEST

START_TEST(a_jar_and_a_cookie_field_exclude_each_other)
{
    PLAN_REFUSE(
        "upstreams: {u: {servers: [http://h], cookies: on, headers: {cookie: a}}}\n"
        "routes:\n"
        "  GET /a: {calls: {a: {url: u/, headers: {Cookie: b}}}}\n",
        "gw.yaml:1:61: upstreams.u.headers.cookie: with cookies: on the "
        "upstream's jar makes this field",
        "gw.yaml:3:43: routes.\"GET /a\".calls.a.headers.Cookie: with cookies: "
        "on the upstream's jar makes this field");
}
END_TEST

START_TEST(a_deadline_header_is_a_field_that_nothing_else_sets)
{
    PLAN_REFUSE("upstreams:\n"
                "  a: {servers: [http://h], deadline_header: X-D, headers: {x-d: 1}}\n"
                "  b: {servers: [http://h], deadline_header: Content-Length}\n"
                "  c: {servers: [http://h], deadline_header: a b}\n"
                "  d: {servers: [http://h], deadline_header: cookie}\n"
                "routes:\n"
                "  GET /a: {calls: {a: {url: a/, headers: {X-d: 2}}}}\n",
                "gw.yaml:2:60: upstreams.a.headers.x-d: this is the deadline_header of "
                "the upstream",
                "gw.yaml:3:45: upstreams.b.deadline_header: \"Content-Length\" is no "
                "header field that can be set to a number",
                "gw.yaml:4:45: upstreams.c.deadline_header: \"a b\" is no header field "
                "that can be set to a number",
                "gw.yaml:5:45: upstreams.d.deadline_header: \"cookie\" is no header "
                "field that can be set to a number",
                "gw.yaml:7:43: routes.\"GET /a\".calls.a.headers.X-d: this is the "
                "deadline_header of the upstream");
}
END_TEST

GD_SUITE("plan calls", a_deadline_header_is_a_field_that_nothing_else_sets,
         a_jar_and_a_cookie_field_exclude_each_other,
         calls_that_wait_for_themselves_are_refused, what_calls_mention_has_to_be_there,
         mistakes_in_what_calls_send_and_take_are_found,
         mistakes_in_what_calls_cut_and_pass_on_are_found,
         what_would_do_nothing_or_happen_twice_is_a_mistake,
         mistakes_in_the_shape_of_an_answer_are_found,
         mistakes_in_merges_and_statuses_are_found)
