"""`gatherd explain` and the admin page: what would be done with a request, told without
doing it."""
import json
import re
from urllib.parse import quote

from daemon import run_gatherd

SHOP = """
upstreams:
  users: http://10.0.0.5:8001
  orders: [http://10.0.0.6:8002, http://10.0.0.7:8002]
  stock:
    mock:
      GET /of/{id}: {json: {left: 3}}
routes:
  GET /profile/{id}:
    timeout: 1s
    response_headers: {X-Login: "{user.login}", X-For: "{id}"}
    calls:
      user: users/users/{id}
      orders: orders/by-user/{id}?limit={query.n=10}&page={query.page?}
      repos:
        url: http://api.example/users/{user.login}/repos?tag={query.tag}
        when: query.repos != "0"
        select: data.items
        pick: [name, owner.login]
        timeout: 400ms
        default: []
      stock:
        url: stock/of/{item}
        each: orders[*].sku
        each_limit: 9
        hidden: true
  GET /profile/me: {respond: {me: true}, status: 203}
  POST /profile/{id}: {respond: {}}
  GET shop.example/profile/{id}: {respond: {}}
  GET /{rest...}: {respond: {rest: $rest}}
"""

PROFILE = """\
request          GET /profile/7%2F8?tag=a+b&n=3
route            GET /profile/{id}
why              the most specific of the routes that fit
not              POST /profile/{id}: another method: POST
                 GET shop.example/profile/{id}: another host: shop.example
                 GET /{rest...}: less specific: {rest...} stands where the winner has profile
parameter        id = 7%2F8
does             makes calls and merges their answers
timeout          1s
at once          user, orders
then             repos, stock

call             user
  sends          GET http://10.0.0.5:8001/users/7%2F8
  starts         at once
  upstream       users at 10.0.0.5:8001
  headers        Host: 10.0.0.5:8001
                 User-Agent: gatherd/VERSION
                 Accept: application/json
                 X-Request-Id: {request.id}
                 X-Forwarded-For: (the client)
                 X-Forwarded-Proto: (http, or https)
                 X-Forwarded-Host: {request.host}
                 traceparent: (the trace, a new parent)
  not passed on  query tag, n
  ok             2xx
  timeouts       2s a try, 1s the route; the first is that of the route
  sent again     when it fails
  if it fails    the route fails: 4xx as it came, timeout 504, overload 503, else 502

call             orders
  sends          GET http://10.0.0.6:8002/by-user/7%2F8?limit=3
  starts         at once
  upstream       orders at 10.0.0.6:8002, 10.0.0.7:8002, least_pending
  headers        Host: 10.0.0.6:8002
                 User-Agent: gatherd/VERSION
                 Accept: application/json
                 X-Request-Id: {request.id}
                 X-Forwarded-For: (the client)
                 X-Forwarded-Proto: (http, or https)
                 X-Forwarded-Host: {request.host}
                 traceparent: (the trace, a new parent)
  used by name   query n
  not passed on  query tag
  ok             2xx
  timeouts       2s a try, 1s the route; the first is that of the route
  sent again     when it fails
  if it fails    the route fails: 4xx as it came, timeout 504, overload 503, else 502

call             repos
  sends          GET http://api.example/users/{user.login}/repos?tag=a%20b
  starts         after user
  when           query.repos != "0" (holds)
  upstream       api.example at api.example:80
  headers        Host: api.example
                 User-Agent: gatherd/VERSION
                 Accept: application/json
                 X-Request-Id: {request.id}
                 X-Forwarded-For: (the client)
                 X-Forwarded-Proto: (http, or https)
                 X-Forwarded-Host: {request.host}
                 traceparent: (the trace, a new parent)
  used by name   query tag
  not passed on  query n
  ok             2xx
  select         data.items
  pick           name, owner.login
  timeouts       400ms the call, 2s a try, 1s the route; the first is that of the call
  sent again     when it fails
  if it fails    [] stands in for it

call             stock
  sends          GET http://stock/of/{item}
  starts         after orders
  upstream       stock, a mock in the configuration
  headers        Host: stock
                 User-Agent: gatherd/VERSION
                 Accept: application/json
                 X-Request-Id: {request.id}
                 X-Forwarded-For: (the client)
                 X-Forwarded-Proto: (http, or https)
                 X-Forwarded-Host: {request.host}
                 traceparent: (the trace, a new parent)
  not passed on  query tag, n
  each           orders[*].sku
  each_limit     9
  each_parallel  8
  ok             2xx
  timeouts       2s a try, 1s the route; the first is that of the route
  sent again     when it fails
  if it fails    the route fails: 4xx as it came, timeout 504, overload 503, else 502
  hidden         other calls use it; it is not in the answer

upstream         users, orders, api.example, stock
  timeout        2s
  connect_timeout 500ms
  pool           POOL
  max_in_flight  1024
  eject          errors 5, for 10s, max 50%
  retry          tries 1, on [connect, reset, 502, 503, 504], methods [GET, HEAD, PUT, DELETE, OPTIONS, TRACE], budget 20%
  health         off
  hedge          off

answer
  status         200
  members        user, orders, repos
  headers        X-Login: {user.login}
                 X-For: 7/8
  stream         parts as they complete, when asked for
"""

FORWARDING = """
upstreams:
  keyed:
    servers: [http://10.0.0.8]
    timeout: 500ms
    headers: {X-Api-Key: literal-key, X-Region: "eu-${SECRET}"}
routes:
  PUT /things/{id}:
    forward: {headers: [Accept-Language, Authorization], query: [page], cookies: [sid]}
    status: it
    merge: {mode: deep, conflict: first}
    calls:
      it:
        url: keyed/${SECRET}/{header.x-a=none}?key=${SECRET}&access_token=literal-token
        method: PUT
        headers: {X-User: "{cookie.sid} {id}", X-Own: "${SECRET}"}
        json: {who: "$id", password: literal-word, more: "${SECRET}", list: [1, "$query.q"]}
        when: header.x-a != "${SECRET}"
        default: {token: literal-default, n: 1.5, of: "${SECRET}"}
        rename: {access_token: token}
        ok: [2xx, 404]
"""

THING = """\
request          PUT /things/7?page=2&token=***
route            PUT /things/{id}
why              the only route whose host, method and path fit
parameter        id = 7
does             makes calls and merges their answers
timeout          2s
at once          it

call             it
  sends          PUT http://10.0.0.8/***/a%2Fb?key=***&access_token=***&page=2
  starts         at once
  when           header.x-a != "***" (holds)
  upstream       keyed at 10.0.0.8:80
  headers        Host: 10.0.0.8
                 User-Agent: gatherd/VERSION
                 Accept: application/json
                 X-Api-Key: ***
                 X-Region: ***
                 X-Own: ***
                 X-Request-Id: {request.id}
                 X-Forwarded-For: (the client)
                 X-Forwarded-Proto: (http, or https)
                 X-Forwarded-Host: {request.host}
                 traceparent: (the trace, a new parent)
                 X-User: *** 7
                 Accept-Language: de
                 Authorization: ***
                 Cookie: ***
                 Content-Type: application/json
  passed on      headers Accept-Language, Authorization
                 query page
                 cookies sid
  used by name   headers X-A
  not passed on  headers X-Junk
                 query token
                 cookies other
  json           {"who":"$id","password":"***","more":"***","list":[1,"$query.q"]}
  ok             2xx, 404
  rename         {"access_token":"token"}
  timeouts       500ms a try, 2s the route; the first is that of the try
  sent again     when it fails
  if it fails    {"token":"***","n":1.5,"of":"***"} stands in for it

upstream         keyed
  timeout        500ms
  connect_timeout 500ms
  pool           POOL
  max_in_flight  1024
  eject          errors 5, for 10s, max 50%
  retry          tries 1, on [connect, reset, 502, 503, 504], methods [GET, HEAD, PUT, DELETE, OPTIONS, TRACE], budget 20%
  health         off
  hedge          off

answer
  status of      it
  members        it
  merge          {"mode":"deep","conflict":"first"}
  stream         parts as they complete, when asked for
"""
# With a daemon: no name in it that would have to be looked up.
LOCAL = SHOP.replace("api.example", "127.0.0.1:9")
FIELDS = ("-H", "X-A: a/b", "-H", "Accept-Language: de", "-H", "Authorization: Bearer my-token",
          "-H", "Cookie: sid=my-sid; other=my-other", "-H", "X-Junk: 1")
SECRETS = ("s3cr3t", "literal-", "my-")


def explain(*arguments, config=SHOP, env=None):
    done = run_gatherd("explain", "CONFIG", *arguments, config=config, env=env)
    assert not done.stderr or done.returncode in (64, 78), done
    return done


def text_of(*arguments, **options):
    done = explain(*arguments, **options)
    assert done.returncode == 0, done
    text = re.sub(r"gatherd/\d+\.\d+\.\d+", "gatherd/VERSION", done.stdout)
    return re.sub(r"^(  pool +)max \d.*", r"\1POOL", text, flags=re.M)


def document_of(*arguments, status=0, **options):
    done = explain("--json", *arguments, **options)
    assert done.returncode == status, done
    return json.loads(done.stdout)


def same(text, want):
    for number, (line, wanted) in enumerate(zip(text.splitlines(), want.splitlines()), 1):
        assert line == wanted, f"line {number} is\n{line}\nand not\n{wanted}"
    assert text == want, text


def test_a_gather_is_explained_word_for_word(_):
    same(text_of("GET /profile/7%2f8?tag=a+b&n=3"), PROFILE)


def test_what_is_passed_on_and_what_is_secret_is_explained_word_for_word(_):
    same(text_of("PUT /things/7?page=2&token=my-query", *FIELDS, config=FORWARDING,
                 env={"SECRET": "s3cr3t"}), THING)


def test_secrets_are_in_neither_form(_):
    for form in ((), ("--json",)):
        done = explain("PUT /things/7?page=2&token=my-query", *FIELDS, *form, config=FORWARDING,
                       env={"SECRET": "s3cr3t"})
        assert done.returncode == 0 and "***" in done.stdout
        for secret in SECRETS:
            assert secret not in done.stdout, secret


def test_a_route_that_calls_nothing_is_explained_word_for_word(_):
    same(text_of("GET", "/profile/me"), """\
request          GET /profile/me
route            GET /profile/me
why              the most specific of the routes that fit
not              GET /profile/{id}: less specific: {id} stands where the winner has me
                 POST /profile/{id}: another method: POST
                 GET shop.example/profile/{id}: another host: shop.example
                 GET /{rest...}: less specific: {rest...} stands where the winner has profile
does             answers by itself and calls nothing
timeout          2s

answer
  status         203
  respond        {"me":true}
""")


def test_no_route_is_1_and_names_what_is_near(_):
    config = SHOP.replace("  GET /{rest...}: {respond: {rest: $rest}}\n", "")
    done = explain("GET /profil/7", config=config)
    assert done.returncode == 1
    same(done.stdout, """\
request          GET /profil/7
route            none
why              no route has this path
answer           404 Not Found
nearest          GET /profile/{id}
                 POST /profile/{id}
                 GET shop.example/profile/{id}
""")
    done = explain("PATCH /profile/7", config=config)
    assert done.returncode == 1
    same(done.stdout, """\
request          PATCH /profile/7
route            none
why              the path is there, but not with this method
answer           405 Method Not Allowed
allow            GET, HEAD, POST, OPTIONS
not              GET /profile/{id}: another method: GET
                 POST /profile/{id}: another method: POST
                 GET shop.example/profile/{id}: another host: shop.example
""")
    done = explain("OPTIONS /profile/7", config=config)
    assert done.returncode == 0 and "204 No Content" in done.stdout, done


def test_a_host_given_decides(_):
    for given in (("-H", "Host: SHOP.example:8080", "GET /profile/7"),
                  ("GET", "/profile/7", "-H", "host:shop.example"),
                  ("http://shop.example/profile/7",)):
        document = document_of(*given)
        assert document["route"] == "GET shop.example/profile/{id}", given
        lost = {other["route"]: other["lost_by"] for other in document["others"]}
        assert lost["GET /profile/{id}"] == "no_host", lost


def test_the_document_says_the_same_in_fields(_):
    document = document_of("/profile/7?tag=x&repos=0")
    assert (document["result"], document["kind"]) == ("route", "gather")
    assert document["params"] == {"id": "7"} and document["timeout_ms"] == 1000
    assert document["stages"] == [["user", "orders"], ["repos", "stock"]]
    calls = {call["name"]: call for call in document["calls"]}
    assert list(calls) == ["user", "orders", "repos", "stock"]
    user, repos, stock = calls["user"], calls["repos"], calls["stock"]
    assert user["url"] == "http://10.0.0.5:8001/users/7" and user["url_is_final"] is True
    assert user["if_it_fails"] == "route_fails" and user["after"] == []
    assert repos["url_is_final"] is False and repos["after"] == ["user"]
    assert repos["when_holds"] is False and repos["if_it_fails"] == "default"
    assert repos["default"] == [] and repos["pick"] == ["name", "owner.login"]
    assert repos["timeouts"] == {"call_ms": 400, "try_ms": 2000, "route_ms": 1000, "first": "call"}
    assert stock["upstream"].pop("settings") == user["upstream"]["settings"]
    assert stock["upstream"] == {"name": "stock", "mock": True} and stock["hidden"] is True
    assert document["answer"]["members"] == ["user", "orders", "repos"]


def test_a_value_that_is_missing_is_told_and_its_call_would_fail(_):
    document = document_of("/profile/7")
    repos = next(call for call in document["calls"] if call["name"] == "repos")
    assert repos["unresolved"] == "{query.tag}"
    assert repos["url"] == "http://api.example/users/{user.login}/repos?tag={query.tag}"
    assert "{query.tag} has no value that can stand there" in text_of("/profile/7")


def test_no_control_character_reaches_the_terminal(_):
    done = explain("/profile/7?%1b%5B31m=1&%C2%9B=2&tag=%0A")
    assert done.returncode == 0 and "%1b" in done.stdout
    assert all(line.isprintable() for line in done.stdout.split("\n"))


def test_numbers_are_shown_as_they_are_written(_):
    config = SHOP.replace("default: []", "default: [59.90, 12345678901234567890, 1e400, 7, true, ~]")
    document = document_of("/profile/7", config=config)
    assert document["calls"][2]["default"] == [59.9, "12345678901234567890", "1e400", 7, True, None]
    assert '[59.9,"12345678901234567890","1e400",7,true,null] stands' in text_of("/profile/7", config=config)


def test_only_calls_that_are_wanted_are_explained(_):
    config = SHOP.replace("    timeout: 1s\n", "    timeout: 1s\n    parts: query\n")
    document = document_of("/profile/7?parts=repos", config=config)
    assert document["stages"] == [["user"], ["repos"]]
    assert document["answer"]["members"] == ["repos"]
    assert document_of("/profile/7?parts=stock", config=config)["refused"].startswith("400")


def test_wrong_usage_is_64_and_a_bad_file_78(_):
    for arguments in (("/profile/7", "more", "words"), (), ("GET nothing",), ("GET *",),
                      ("GE T", "/"), ("/", "-H"), ("/", "-H", "no colon"), ("/", "-H", "a b: c"),
                      ("/", "--nonsense"), ("/", "-H", "Host: a b"), ("/%zz",)):
        done = explain(*arguments)
        assert done.returncode == 64 and "usage" in done.stderr and not done.stdout, (arguments, done)
    done = explain("/", config="nonsense: 1\n")
    assert done.returncode == 78 and "gatherd.yaml:1:1: nonsense" in done.stderr, done


SENDING = """
upstreams:
  up: {servers: ["URL"], headers: {X-Fixed: "1"}}
routes:
  /x/{id}/{rest...}:
    forward: {headers: [Accept-Language], query: [page, odd name]}
    calls:
      a: up/a/{id}/{query.q}?x={query.q}&n={query.n?}&d={header.x-d=a b}&t={query.none=ä}
      b: {url: "up/b/{rest=none}", headers: {X-Q: "{query.q}", Accept: text/plain}}
"""


def test_what_is_explained_is_what_is_sent_and_explaining_sends_nothing(scene):
    origin = scene.origin()
    config = SENDING.replace("URL", origin.url)
    daemon = scene.gatherd(config)
    given = {"Accept-Language": "de", "X-D": "1/2 ?&", "X-Other": "x"}
    target = "/x/%2e%2Fa/b//c?q=%C3%A4+%2F%26&page=1%202&odd+name=z&other=1"
    fields = [word for name, value in given.items() for word in ("-H", f"{name}: {value}")]
    document = document_of("GET", target, *fields, config=config)
    daemon.admin("/explain?path=" + quote(target, safe=""))
    assert not origin.requests, "explaining calls nothing"
    assert daemon.get(target, given).status == 200
    sent = {request.target.split("/")[1]: request for request in origin.requests}
    assert len(sent) == len(document["calls"]) == 2
    for call in document["calls"]:
        request = sent[call["name"]]
        assert call["url"] == origin.url + request.target
        headers = [(field["name"].lower(), field["value"]) for field in call["headers"]]
        for name, value in headers:
            if not value.startswith(("(", "{")):
                assert request.header(name) == value.encode().decode("latin-1"), (name, request.raw)
        names = [name for name, _ in request.fields]
        assert names == [name for name, _ in headers], "the same fields in the same order"


def test_the_admin_page_gives_the_document(scene):
    daemon = scene.gatherd(LOCAL)
    target = "/profile/7?tag=a+b&n=3"
    answer = daemon.admin("/explain?method=GET&path=" + quote(target, safe=""))
    assert answer.status == 200 and answer.header("Content-Type") == "application/json"
    assert answer.json() == document_of("GET", target, config=LOCAL)
    answer = daemon.admin("/explain?path=/profile/7&host=shop.example")
    assert answer.json()["route"] == "GET shop.example/profile/{id}"
    answer = daemon.admin("/explain?path=/nothing&method=DELETE")
    assert answer.status == 200 and answer.json()["result"] == "method_not_allowed"
    for query in ("", "?path=", "?path=nothing", "?path=/%00", "?path=/&method=a%20b",
                  "?path=/&method=", "?path=/&host=a%20b"):
        assert daemon.admin("/explain" + query).status == 400, query
    assert daemon.admin("/explain?path=/", "POST").status == 405


def test_the_admin_page_is_not_on_the_public_listener(scene):
    daemon = scene.gatherd(LOCAL)
    assert daemon.get("/explain?path=/").json() == {"rest": "explain"}


def test_passes_and_redirects_are_explained(_):
    config = ("upstreams: {users: 'http://127.0.0.1:8001'}\nroutes:\n"
              "  /a/{rest...}: {pass: 'users/x/{rest}'}\n"
              "  /b/{id}: {redirect: 'https://new.example/{id}?k={query.k?}'}\n")
    document = document_of("POST", "/a/1/2?x=1", config=config)
    assert document["kind"] == "pass"
    assert document["pass"]["upstream"].pop("settings")["timeout"] == "2s"
    assert document["pass"] == {"method": "POST", "url": "http://127.0.0.1:8001/x/1/2?x=1",
                                "upstream": {"name": "users", "mock": False, "servers": ["127.0.0.1:8001"]}}
    assert "  sends          POST http://127.0.0.1:8001/x/1/2?x=1\n" in text_of("POST", "/a/1/2?x=1", config=config)
    document = document_of("GET", "/b/7?k=%2F", config=config)
    assert document["answer"] == {"status": 308, "location": "https://new.example/7?k=%2F"}
    assert "  location       https://new.example/7\n" in text_of("GET", "/b/7", config=config)


def test_what_a_route_makes_of_its_answers_is_explained(_):
    config = """
upstreams: {up: "http://10.0.0.5:8001"}
defaults: {response_headers: {X-A: "1"}, cache_control: max-age=5, cors: {origins: "*"}, compress: {level: 7}}
routes:
  GET /made: {respond: 1, etag: on, server_timing: on}
  GET /through: {pass: up}
  GET /file/{path...}: {files: {dir: ., fallback: index.html}}
"""
    wanted = {"headers": [{"name": "X-A", "value": "1"}], "cache_control": "max-age=5",
              "cors": {"origins": ["*"], "credentials": False}}
    coded = {"compress": {"min_bytes": 1024, "level": 7, "codings": ["br", "gzip"]}}

    def answer(target):
        done = run_gatherd("explain", "--json", "CONFIG", f"GET {target}", config=config)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert answer("/through")["answer"] == wanted
    document = answer("/file/a/")
    assert document["answer"] == {**wanted, **coded} and document["kind"] == "files"
    assert document["files"] == {"dir": ".", "path": "a/index.html", "fallback": "index.html", "precompressed": False,
                                 "dotfiles": False}
    made = answer("/made")["answer"]
    assert made == {**wanted, **coded, "status": 200, "respond": 1, "etag": True, "server_timing": True}
    done = run_gatherd("explain", "CONFIG", "GET /made", config=config)
    assert "kept           max-age=5" in done.stdout and "etag           true" in done.stdout
