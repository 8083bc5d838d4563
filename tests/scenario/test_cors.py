"""Scripts of other origins: who may read answers, and preflights."""
CORS = """
upstreams:
  up: {{url}}
  dead: {servers: ["http://127.0.0.1:1"], connect_timeout: 500ms}
defaults:
  cors: {origins: ["https://app.example", "https://*.dev.example:8443"], credentials: true, max_age: 1h}
  response_headers: {X-Content-Type-Options: nosniff, Cache-Control: max-age=60}
routes:
  GET /user: {calls: {user: up/user}}
  POST /user: {calls: {user: up/user}}
  GET /broken: {calls: {user: dead/user}}
  GET /fixed: {respond: {ok: true}, response_headers: {X-Frame-Options: DENY}}
  /pass/{rest...}: {pass: up, response_headers: {Server: gatherd}}
  /old: {redirect: /user}
  GET /public: {respond: 1, cors: {origins: "*", methods: [GET], headers: [X-Key], expose: [X-A, X-B]}}
  POST /public: {respond: 1, cors: {origins: "*", methods: GET}}
  /closed/{rest...}: {pass: up, cors: off}
limits: {body: 1KiB}
"""
APP = "https://app.example"


def reply(exchange):
    exchange.reply({"n": 1}, headers={"Access-Control-Allow-Origin": "*", "Vary": "Accept", "Server": "old",
                                      "X-Own": "1"})


def started(scene):
    origin = scene.origin(reply)
    return scene.gatherd(CORS.replace("{{url}}", origin.url)), origin


def preflight(daemon, target, origin, method="GET", headers=None):
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        asked["Access-Control-Request-Headers"] = headers
    with daemon.client() as client:
        return client.call("OPTIONS", target, asked)


def test_an_origin_that_is_listed_may_read(scene):
    daemon, _ = started(scene)
    for origin in (APP, "https://a.dev.example:8443", "https://a.b.dev.example:8443"):
        answer = daemon.get("/user", {"Origin": origin})
        assert answer.status == 200
        assert answer.header("Access-Control-Allow-Origin") == origin
        assert answer.header("Access-Control-Allow-Credentials") == "true"
        assert answer.header("Access-Control-Expose-Headers") == "Gather-Parts, Retry-After, X-Request-Id"
        assert answer.header("Vary") == "Origin"


def test_no_other_origin_may(scene):
    daemon, _ = started(scene)
    for origin in ("https://evil.example", "http://app.example", "https://app.example:444", "https://app.example.evil",
                   "https://xapp.example", "null", "https://dev.example:8443", "https://.dev.example:8443",
                   "https://evil.test/.dev.example:8443", "https://evil.test#.dev.example:8443",
                   "https://a:b@x.dev.example:8443", "https://x.dev.example", "HTTPS://APP.EXAMPLE",
                   APP + ", https://evil.example", ""):
        answer = daemon.get("/user", {"Origin": origin})
        assert answer.status == 200 and answer.header("Access-Control-Allow-Origin") is None, origin
        assert answer.header("Access-Control-Allow-Credentials") is None
        assert answer.header("Vary") == "Origin", "what a cache keeps is for one origin"
    assert daemon.get("/user").header("Vary") == "Origin"
    with daemon.client() as client:
        client.send(f"GET /user HTTP/1.1\r\nHost: h\r\nOrigin: {APP}\r\nOrigin: {APP}\r\n\r\n")
        assert client.response().header("Access-Control-Allow-Origin") is None


def test_problems_can_be_read_too(scene):
    daemon, _ = started(scene)
    for method, target, status, body in (("GET", "/broken", 502, None), ("GET", "/nothing", 404, None),
                                         ("DELETE", "/user", 405, None), ("POST", "/user", 413, b"x" * 2000)):
        with daemon.client() as client:
            answer = client.call(method, target, {"Origin": APP}, body)
        assert answer.status == status, (target, answer.status)
        assert answer.header("Content-Type") == "application/problem+json"
        assert answer.header("Access-Control-Allow-Origin") == APP, target
        assert answer.header("X-Content-Type-Options") == "nosniff", "fixed fields of defaults are there as well"
        assert answer.header("Cache-Control") is None, "what speaks of a content is not"
        assert answer.header("X-Request-Id")


def test_fields_of_defaults_stand_beside_those_of_a_route(scene):
    daemon, _ = started(scene)
    answer = daemon.get("/fixed")
    assert (answer.header("X-Content-Type-Options"), answer.header("X-Frame-Options"),
            answer.header("Cache-Control")) == ("nosniff", "DENY", "max-age=60")
    answer = daemon.get("/old")
    assert (answer.status, answer.header("X-Content-Type-Options"), answer.header("Cache-Control")) == \
        (308, "nosniff", "max-age=60")


def test_a_pass_has_the_fields_of_its_route_instead_of_the_upstreams(scene):
    daemon, origin = started(scene)
    answer = daemon.get("/pass/x", {"Origin": APP})
    assert answer.headers("Access-Control-Allow-Origin") == [APP]
    assert answer.headers("Vary") == ["Accept", "Origin"] or answer.headers("Vary") == ["Origin", "Accept"]
    assert answer.headers("Server") == ["gatherd"] and answer.header("X-Own") == "1"
    assert answer.header("X-Content-Type-Options") == "nosniff" and answer.header("Cache-Control") == "max-age=60"
    answer = daemon.get("/closed/x", {"Origin": APP})
    assert answer.headers("Access-Control-Allow-Origin") == ["*"], "without cors it is the upstream's business"
    assert len(origin.exchanges) == 2


def test_preflights_are_answered_by_gatherd(scene):
    daemon, origin = started(scene)
    for target, method in (("/user", "GET"), ("/user", "POST"), ("/user", "HEAD"), ("/pass/x", "DELETE"),
                           ("/fixed", "GET")):
        answer = preflight(daemon, target, APP, method, "x-key, content-type")
        assert answer.status == 204 and answer.body == b"", target
        assert answer.header("Access-Control-Allow-Origin") == APP
        assert answer.header("Access-Control-Allow-Methods") == method
        assert answer.header("Access-Control-Allow-Headers") == "x-key, content-type"
        assert answer.header("Access-Control-Allow-Credentials") == "true"
        assert answer.header("Access-Control-Max-Age") == "3600"
        assert answer.header("Vary").startswith("Origin")
        assert answer.header("X-Request-Id") and answer.header("X-Content-Type-Options") == "nosniff"
    assert not origin.exchanges
    assert daemon.status()["worker"]["preflights"] == {"allowed": 5, "denied": 0}


def test_a_preflight_that_is_not_allowed_says_so_by_what_is_missing(scene):
    daemon, origin = started(scene)
    for target, who, method in (("/user", "https://evil.example", "GET"), ("/pass/x", "https://evil.example", "PUT"),
                                ("/public", APP, "POST")):
        answer = preflight(daemon, target, who, method)
        assert answer.status == 204 and answer.header("Access-Control-Allow-Origin") is None, target
        assert answer.header("Access-Control-Allow-Methods") is None and "Origin" in answer.header("Vary")
    assert not origin.exchanges
    assert daemon.status()["worker"]["preflights"]["denied"] == 3


def test_all_origins_may_read_what_is_public(scene):
    daemon, _ = started(scene)
    for headers in ({}, {"Origin": "https://whoever.example"}):
        answer = daemon.get("/public", headers)
        assert answer.header("Access-Control-Allow-Origin") == "*" and answer.header("Vary") is None
        assert answer.header("Access-Control-Allow-Credentials") is None
        assert answer.header("Access-Control-Expose-Headers") == "X-A, X-B"
    answer = preflight(daemon, "/public", "https://whoever.example", "GET", "x-key")
    assert answer.header("Access-Control-Allow-Origin") == "*"
    assert answer.header("Access-Control-Allow-Headers") == "X-Key"
    assert answer.header("Access-Control-Allow-Methods") == "GET"


def test_options_without_a_preflight_stays_what_it_is(scene):
    daemon, origin = started(scene)
    with daemon.client() as client:
        for headers in ({}, {"Origin": APP}, {"Access-Control-Request-Method": "GET"}):
            answer = client.call("OPTIONS", "/user", headers)
            assert answer.status == 204 and answer.header("Allow") == "GET, HEAD, POST, OPTIONS"
            assert answer.header("Access-Control-Allow-Methods") is None
        answer = client.call("OPTIONS", "/user", {"Origin": APP, "Access-Control-Request-Method": "DELETE"})
        assert answer.header("Allow") and answer.header("Access-Control-Allow-Methods") is None
        assert client.call("OPTIONS", "*").status == 204
        assert not origin.exchanges
        answer = client.call("OPTIONS", "/closed/x", {"Origin": APP, "Access-Control-Request-Method": "PUT"})
        assert answer.status == 200 and origin.exchanges[0].request.method == "OPTIONS"
