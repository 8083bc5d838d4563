"""The pages about the plan: what is configured, in effect, and never a secret."""
import json
import os

from daemon import ROOT, run_gatherd

SECRETS = ["canary-1", "canary-2", "canary-3", "canary-4", "canary-5"]

CONFIG = """
log:
  level: ${LEVEL:-debug}
limits: {header_fields: 50, body: 2KiB}
trusted_proxies: [10.0.0.0/8]
defaults: {timeout: 3s, forward: {headers: [Accept-Language]}}
upstreams:
  users: http://127.0.0.1:1
  orders:
    servers: [http://127.0.0.1:2, {url: "http://127.0.0.1:3", weight: 2}]
    cookies: on
    headers: {Authorization: Bearer canary-1, X-Note: "a ${SECRET} b"}
    retry: off
    eject: {errors: 3}
    max_in_flight: "${NUMBER}"
    health: {get: "/healthz?access_token=canary-2&a=1"}
  made: {mock: {GET /a: {json: {api_key: canary-3, seen: 1, got: "${SECRET}"}}}}
routes:
  GET /profile/{id}:
    forward: {query: [page]}
    max_body: 5KiB
    calls:
      user: users/users/{id}?access_token=canary-2
      orders: {url: "orders/by/{id}?k=${SECRET}", timeout: 1s, headers: {X-Api-Key: canary-3}}
      theirs: {url: "https://127.0.0.1:9/x", json: {password: canary-4, id: $id}}
  GET /profile/me: {redirect: "/x?token=canary-5"}
  GET /{all...}: {respond: {password: canary-4, text: "${SECRET}"}, status: 201}
  GET example.test/profile/me: {pass: users}
  /profile/me: {pass: users/here}
"""

CAREFUL = """
upstreams:
  plain: http://127.0.0.1:1
  careful:
    servers: [http://127.0.0.1:2, "https://127.0.0.1:3"]
    connect_timeout: 70ms
    retry: {tries: 3, on: [connect], methods: [POST]}
    hedge: p95
    eject: off
    health: {get: /up, every: 3s}
    pool: {min: 2}
    max_in_flight: 9
  quick: {servers: http://127.0.0.1:4, retry: off, hedge: 5ms}
routes:
  POST /x:
    calls: {a: GET plain/a, b: POST plain/b, c: GET careful/c, d: POST careful/d, e: quick/e}
  /y: {pass: careful}
"""


def told(method, target):
    done = run_gatherd("explain", "CONFIG", method, target, config=CAREFUL)
    assert done.returncode == 0, done
    return done.stdout


def explained(method, target):
    return json.loads(run_gatherd("explain", "CONFIG", "--json", method, target, config=CAREFUL).stdout)


def start(scene):
    return scene.gatherd(CONFIG, token="canary-5", env={"SECRET": "canary-1", "NUMBER": "77"})


def test_the_configuration_is_shown_in_effect_without_secrets(scene):
    daemon = start(scene)
    answer = daemon.admin("/config")
    assert answer.status == 200 and answer.header("Content-Type") == "application/json"
    for secret in SECRETS:
        assert secret.encode() not in answer.body, secret
    config = answer.json()
    assert (config["admin"]["url"], config["admin"]["token"]) == ("http://127.0.0.1:0", "***")
    assert (config["workers"], config["log"]["level"], config["drain"]["timeout"]) == (
        1, "debug", "30s")
    assert (config["limits"]["header_fields"], config["limits"]["header_bytes"]) == (50, "32KiB")
    users, orders = config["upstreams"]["users"], config["upstreams"]["orders"]
    assert users["servers"] == [{"url": "http://127.0.0.1:1", "weight": 1}]
    assert users["retry"]["on"] == ["connect", "reset", 502, 503, 504]
    assert users["pool"]["idle_timeout"] == "60s" and users["cookies"] is False
    assert orders["eject"] == {"errors": 3, "for": "10s", "max": "50%"}
    assert (orders["retry"], orders["cookies"], orders["max_in_flight"]) == ("off", True, 77)
    assert orders["headers"] == {"Authorization": "***", "X-Note": "a *** b"}
    assert orders["health"]["get"] == "/healthz?access_token=***&a=1"
    assert config["upstreams"]["made"]["mock"]["GET /a"]["json"] == {
        "api_key": "***", "seen": 1, "got": "***"}
    assert config["upstreams"]["127.0.0.1:9"]["tls"]["verify"] is True
    route = config["routes"]["GET /profile/{id}"]
    assert (route["timeout"], route["max_body"], route["stream"]) == ("3s", "5KiB", True)
    assert route["forward"] == {"headers": ["Accept-Language"], "query": ["page"], "cookies": None}
    assert route["calls"]["user"]["url"] == "users/users/{id}?access_token=***"
    assert route["calls"]["user"]["timeout"] == "3s"
    assert route["calls"]["orders"]["timeout"] == "1s"
    assert route["calls"]["orders"]["forward"] == route["forward"]
    assert config["routes"]["GET /profile/me"]["redirect"] == {"to": "/x?token=***", "status": 308}
    assert config["routes"]["GET /profile/me"]["max_body"] == "2KiB"
    assert config["routes"]["GET /{all...}"]["status"] == 201


def test_every_option_is_shown(scene):
    daemon = start(scene)
    config = daemon.admin("/config").json()
    with open(os.path.join(ROOT, "conf", "gatherd.schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    assert set(config) == set(schema["properties"])
    route = config["routes"]["GET /profile/{id}"]
    for shown in (config["limits"], config["upstreams"]["users"], config["upstreams"]["users"]["pool"],
                  config["upstreams"]["users"]["tls"], route, route["calls"]["user"]):
        assert any(set(shown) == keys for keys in key_sets(schema)), set(shown)


def key_sets(schema):
    """The keys of each map that the schema knows."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield set(schema["properties"])
        for value in schema.values():
            yield from key_sets(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from key_sets(value)


def test_no_page_shows_a_secret(scene):
    daemon = start(scene)
    for page in ("/status", "/metrics", "/config", "/routes", "/explain?path=/profile/7",
                 "/explain?path=/profile/me", "/explain?path=/else"):
        answer = daemon.admin(page)
        assert answer.status == 200, page
        for secret in SECRETS:
            assert secret.encode() not in answer.body, (page, secret)


def test_routes_are_listed_as_they_are_preferred(scene):
    daemon = start(scene)
    routes = daemon.admin("/routes").json()["routes"]
    assert [(route["route"], route["kind"]) for route in routes] == [
        ("GET example.test/profile/me", "pass"), ("GET /profile/me", "redirect"),
        ("/profile/me", "pass"), ("GET /profile/{id}", "gather"), ("GET /{all...}", "respond")]
    gather = routes[3]
    assert gather["calls"] == [{"name": "user", "upstream": "users"},
                               {"name": "orders", "upstream": "orders"},
                               {"name": "theirs", "upstream": "127.0.0.1:9"}]
    assert gather["upstreams"] == ["users", "orders", "127.0.0.1:9"]
    assert routes[0]["upstreams"] == ["users"]


def test_what_upstreams_do_when_their_servers_fail_is_explained(_):
    calls = {call["name"]: call for call in explained("POST", "/x")["calls"]}
    assert {name: call["sent_again"] for name, call in calls.items()} == {
        "a": "when it fails", "b": "never", "c": "when it takes long", "d": "when it fails",
        "e": "when it takes long"}
    settings = calls["c"]["upstream"]["settings"]
    assert settings["retry"] == {"tries": 3, "on": ["connect"], "methods": ["POST"], "budget": "20%"}
    assert (settings["hedge"], settings["eject"], settings["max_in_flight"]) == ("p95", "off", 9)
    assert settings["health"] == {"get": "/up", "every": "3s", "timeout": "1s", "up": 2, "down": 3}
    assert settings["pool"]["min"] == 2 and settings["connect_timeout"] == "70ms"
    text = told("POST", "/x")
    assert [line for line in text.splitlines() if line.startswith("upstream ")] == [
        "upstream         plain", "upstream         careful", "upstream         quick"]
    assert "  retry          tries 3, on [connect], methods [POST], budget 20%\n" in text
    assert "  health         get /up, every 3s, timeout 1s, up 2, down 3\n" in text
    assert "  hedge          5ms\n" in text and "  eject          off\n" in text
    text = told("GET", "/y")
    assert "upstream         careful\n" in text and "  max_in_flight  9\n" in text
