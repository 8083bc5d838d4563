"""What caches and developer tools are told: Cache-Control, ETag and what a client has, Server-Timing."""
import re

CONFIG = """
upstreams:
  up: {{url}}
  dead: {servers: ["http://127.0.0.1:1"], connect_timeout: 500ms}
defaults: {cache_control: "public, max-age=60", etag: on, server_timing: on}
routes:
  GET /two: {calls: {a: up/a, "b c": up/b}}
  GET /plain: {calls: {a: up/a}, stream: off}
  GET /partial: {calls: {a: up/a, b: {url: dead/b, optional: true}, c: {url: up/c, when: query.c}}}
  GET /failed: {calls: {a: dead/a}}
  GET /created: {status: 201, calls: {a: up/a}}
  POST /two: {calls: {a: up/a}}
  GET /fixed: {respond: {v: 1}}
  GET /loose: {respond: {v: 1}, etag: off, server_timing: off, response_headers: {X: "1"}}
  GET /pass/{rest...}: {pass: up}
  GET /old: {redirect: /new}
"""


def started(scene, answer=None):
    origin = scene.origin(answer or (lambda exchange: exchange.reply(
        {"p": exchange.request.target}, headers={"Expires": "0", "Cache-Control": "private"})))
    return scene.gatherd(CONFIG.replace("{{url}}", origin.url)), origin


def test_a_complete_answer_has_a_validator_of_its_bytes(scene):
    daemon, _ = started(scene)
    first, second = daemon.get("/two"), daemon.get("/two")
    assert first.status == 200 and first.header("Cache-Control") == "public, max-age=60"
    assert re.fullmatch(r'"[0-9a-f]{32}"', first.header("ETag")) and first.header("ETag") == second.header("ETag")
    assert daemon.get("/plain").header("ETag") != first.header("ETag")
    assert first.header("Vary") == "Accept", "with another Accept it would be a stream"
    assert daemon.get("/plain").header("Vary") is None
    with daemon.client() as client:
        head = client.call("HEAD", "/two")
    assert head.header("ETag") == first.header("ETag") and head.header("Content-Length") == str(len(first.body))


def test_what_a_client_has_is_not_sent_again(scene):
    daemon, origin = started(scene)
    etag = daemon.get("/two").header("ETag")
    for method in ("GET", "HEAD"):
        for said in (etag, "W/" + etag, '"x", ' + etag, "*"):
            with daemon.client() as client:
                answer = client.call(method, "/two", {"If-None-Match": said})
                assert answer.status == 304 and answer.body == b"", (method, said)
                assert answer.header("ETag") == etag and answer.header("Cache-Control") == "public, max-age=60"
                assert answer.header("Content-Type") is None and answer.header("Vary") == "Accept"
                assert client.get("/two").status == 200, "the connection goes on"
    for said in ('"x"', etag[:-1], "", etag.strip('"')):
        assert daemon.get("/two", {"If-None-Match": said}).status == 200, said
    assert daemon.get("/two", {"If-Modified-Since": "Fri, 31 Dec 9999 23:59:59 GMT"}).status == 200
    answer = daemon.get("/two", {"If-Match": '"x"'})
    assert answer.status == 412 and answer.header("Content-Type") == "application/problem+json"
    assert daemon.get("/two", {"If-Match": etag}).status == 200
    assert daemon.route("GET /two")["answers"]["3xx"] == 8


def test_other_bytes_are_another_answer(scene):
    numbers = iter(range(100))
    daemon, _ = started(scene, lambda exchange: exchange.reply({"n": next(numbers)}))
    etag = daemon.get("/plain").header("ETag")
    answer = daemon.get("/plain", {"If-None-Match": etag})
    assert answer.status == 200 and answer.header("ETag") != etag


def test_what_is_not_complete_is_not_kept(scene):
    daemon, _ = started(scene)
    etag = daemon.get("/two").header("ETag")
    answer = daemon.get("/partial", {"If-None-Match": "*, " + etag})
    assert answer.status == 200 and answer.header("Gather-Parts")
    assert answer.header("ETag") is None and answer.header("Cache-Control") == "no-store"
    assert daemon.get("/partial", {"If-None-Match": "*"}).status == 200
    answer = daemon.get("/failed")
    assert answer.status == 502 and answer.header("Cache-Control") == "no-store" and answer.header("ETag") is None
    answer = daemon.get("/nothing")
    assert answer.status == 404 and answer.header("Cache-Control") is None, "no route says anything of it"


def test_only_what_is_read_and_found_has_a_tag(scene):
    daemon, _ = started(scene)
    answer = daemon.get("/created", {"If-None-Match": "*"})
    assert answer.status == 201 and answer.header("ETag") is None
    with daemon.client() as client:
        answer = client.call("POST", "/two", {"If-None-Match": "*"})
        assert answer.status == 200 and answer.header("ETag") is None
    assert daemon.get("/fixed").header("ETag")
    answer = daemon.get("/loose")
    assert answer.header("ETag") is None and answer.header("Server-Timing") is None and answer.header("X") == "1"


def test_the_time_of_each_call_is_told(scene):
    daemon, _ = started(scene)
    number = r"\d+\.\d"
    timing = daemon.get("/two").header("Server-Timing")
    assert re.fullmatch(f"a;dur={number}, b_c;dur={number}, total;dur={number}", timing), timing
    timing = daemon.get("/partial").header("Server-Timing")
    assert re.fullmatch(f'a;dur={number}, b;dur={number};desc="connect", c;dur=0.0;desc="skipped", '
                        f"total;dur={number}", timing), timing
    timing = daemon.get("/failed").header("Server-Timing")
    assert re.fullmatch(f'a;dur={number};desc="connect", total;dur={number}', timing), timing
    timing = daemon.get("/pass/x").header("Server-Timing")
    assert re.fullmatch(f"up;dur={number}", timing), timing


def test_a_call_takes_as_long_as_it_takes(scene):
    def slow(exchange):
        exchange.pause(0.08)
        exchange.reply({})

    daemon, _ = started(scene, slow)
    took = dict(re.findall(r"(\w+);dur=([\d.]+)", daemon.get("/plain").header("Server-Timing")))
    assert 79 <= float(took["a"]) <= float(took["total"]) < 5000, took


def test_passes_and_redirects_say_how_they_are_kept(scene):
    daemon, _ = started(scene)
    answer = daemon.get("/pass/x")
    assert answer.headers("Cache-Control") == ["public, max-age=60"] and answer.header("Expires") is None
    assert daemon.get("/old").header("Cache-Control") == "public, max-age=60"
    daemon, _ = started(scene, lambda exchange: exchange.reply({}, status=404, headers={"Cache-Control": "private"}))
    answer = daemon.get("/pass/x")
    assert answer.status == 404 and answer.headers("Cache-Control") == ["private"], "the upstream's own error"
