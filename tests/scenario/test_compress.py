"""Answers in gzip and br: by negotiation, once, in slices."""
import functools
import gzip
import json
import os
import random
import string
import subprocess
import threading
import time

CONFIG = """
upstreams: {up: {servers: ["{{url}}"], max_response: 20MiB, timeout: 20s}}
defaults: {compress: on, stream: off, timeout: 20s}
routes:
  GET /get/{size}: {calls: {a: "up/json/{size}"}}
  GET /kept/{size}: {calls: {a: "up/json/{size}"}, etag: on, cache_control: max-age=5}
  GET /off/{size}: {calls: {a: "up/json/{size}"}, compress: off}
  GET /own/{size}: {calls: {a: "up/json/{size}"}, compress: {min: 10KiB, codings: gzip, level: 9}}
  GET /types/{size}: {calls: {a: "up/json/{size}"}, compress: {types: [text/html]}}
  GET /fixed: {respond: {text: "{{long}}"}}
  GET /stream/{size}: {calls: {a: "up/json/{size}"}, stream: on}
"""
BOTH = {"Accept-Encoding": "gzip, deflate, br"}
MIB = 1024 * 1024


@functools.cache
def content(size):
    text, parts = 0, []
    while text < size:
        parts.append(f'{{"id":{len(parts)},"name":"name {len(parts) * 7919}"}}')
        text += len(parts[-1]) + 1
    return ("[" + ",".join(parts) + "]").encode()


def started(scene, config=CONFIG):
    def answer(exchange):
        exchange.reply(body=content(int(exchange.request.target.rsplit("/", 1)[1])))

    origin = scene.origin(answer)
    return scene.gatherd(config.replace("{{url}}", origin.url).replace("{{long}}", "long " * 1000))


def decoded(answer):
    coding = answer.header("Content-Encoding")
    if coding == "gzip":
        return gzip.decompress(answer.body)
    if coding == "br":
        return subprocess.run(["brotli", "-d", "-c"], input=answer.body, stdout=subprocess.PIPE, check=True).stdout
    assert coding is None, coding
    return answer.body


def test_a_client_gets_the_coding_it_likes(scene):
    daemon = started(scene)
    plain = daemon.get("/get/5000")
    assert plain.header("Content-Encoding") is None and plain.header("Vary") == "Accept-Encoding"
    for said, coding in (("gzip", "gzip"), ("br", "br"), ("gzip, br", "br"), ("gzip;q=1, br;q=0.5", "gzip"),
                         ("*", "br"), ("*;q=0", None), ("identity", None), ("gzip;q=0", None), ("deflate", None),
                         ("", None), ("x-gzip", "gzip"), ("br;q=0.3, identity", None), ("zstd, gzip;q=0.001", "gzip")):
        answer = daemon.get("/get/5000", {"Accept-Encoding": said})
        assert answer.status == 200 and answer.header("Content-Encoding") == coding, said
        assert answer.header("Vary") == "Accept-Encoding" and answer.header("Content-Type") == "application/json"
        assert decoded(answer) == plain.body, said
        assert coding is None or len(answer.body) < len(plain.body) / 2
        assert answer.header("Content-Length") == str(len(answer.body)), "a short one has a length"
    worker = daemon.status()["worker"]["compressed"]
    assert worker == {"gzip": 4, "br": 3}, worker


def test_long_answers_come_as_they_are_made(scene):
    daemon = started(scene)
    for size in (32000, 33000, 300000, MIB):
        plain = daemon.get(f"/get/{size}").body
        for coding in ("gzip", "br"):
            with daemon.client() as client:
                answer = client.get(f"/get/{size}", {"Accept-Encoding": coding})
                assert answer.header("Content-Encoding") == coding and decoded(answer) == plain, (size, coding)
                if size > 33000:
                    assert answer.header("Transfer-Encoding") == "chunked"
                assert client.get("/fixed").status == 200, "the connection goes on"


def test_http_1_0_gets_it_to_the_end_of_the_connection(scene):
    daemon = started(scene)
    with daemon.client() as client:
        client.send("GET /get/300000 HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n")
        answer = client.response()
        assert answer.header("Transfer-Encoding") is None and json.loads(decoded(answer))["a"]
        assert client.closed()


def test_what_is_short_or_of_another_type_goes_as_it_is(scene):
    daemon = started(scene)
    for path in ("/get/500", "/off/5000", "/own/5000", "/types/5000"):
        answer = daemon.get(path, BOTH)
        assert answer.header("Content-Encoding") is None and answer.header("Vary") is None, path
        assert json.loads(answer.body)["a"]
    assert daemon.get("/own/50000", BOTH).header("Content-Encoding") == "gzip"
    assert daemon.get("/own/50000", {"Accept-Encoding": "br"}).header("Content-Encoding") is None
    answer = daemon.get("/fixed", BOTH)
    assert answer.header("Content-Encoding") == "br" and json.loads(decoded(answer)) == {"text": "long " * 1000}
    answer = daemon.get("/nothing", BOTH)
    assert answer.status == 404 and answer.header("Content-Encoding") is None


def test_head_says_what_get_would_without_a_length_it_cannot_know(scene):
    daemon = started(scene)
    with daemon.client() as client:
        for path in ("/get/5000", "/get/300000", "/kept/5000"):
            answer = client.call("HEAD", path, BOTH)
            assert answer.status == 200 and answer.body == b"" and answer.header("Content-Encoding") == "br"
            assert answer.header("Content-Length") is None and answer.header("Transfer-Encoding") is None
            assert client.call("HEAD", path).header("Content-Length")


def test_a_tag_of_what_is_coded_is_weak(scene):
    daemon = started(scene)
    plain = daemon.get("/kept/5000").header("ETag")
    answer = daemon.get("/kept/5000", BOTH)
    assert answer.header("ETag") == "W/" + plain and answer.header("Content-Encoding") == "br"
    for had in (plain, "W/" + plain):
        for coding in ({}, BOTH):
            again = daemon.get("/kept/5000", {"If-None-Match": had, **coding})
            assert again.status == 304 and again.header("Vary") == "Accept-Encoding"
            assert again.header("Content-Encoding") is None
    assert daemon.get("/kept/5000", {"If-Match": plain, **BOTH}).status == 412, "weak tags are never strongly equal"


def test_streams_of_parts_are_not_coded(scene):
    daemon = started(scene)
    answer = daemon.get("/stream/5000", {"Accept": "application/x-ndjson", **BOTH})
    assert answer.header("Content-Encoding") is None and answer.header("Content-Type") == "application/x-ndjson"


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(scene):
    daemon = started(scene)
    for _ in range(3):
        with daemon.client() as client:
            client.request("GET", f"/get/{2 * MIB}", {"Accept-Encoding": "gzip"})
            assert client.reader.more()
            client.reset()
    assert daemon.get("/get/5000").status == 200


def test_a_reader_that_is_slow_holds_back_the_coding(scene):
    daemon = started(scene)
    with daemon.client() as client:
        client.request("GET", f"/get/{3 * MIB}", {"Accept-Encoding": "gzip"})
        assert client.reader.more()
        assert daemon.get("/get/5000", BOTH).status == 200
        answer = client.response()
        assert len(decoded(answer)) > 3 * MIB


def test_without_memory_for_a_coder_the_answer_goes_as_it_is(scene):
    daemon = started(scene, CONFIG + "limits: {request_memory: 512KiB}\n")
    plain = daemon.get("/get/200000", {"Accept-Encoding": "br"})
    assert plain.status == 200 and plain.header("Content-Encoding") is None
    assert plain.header("Vary") == "Accept-Encoding" and json.loads(plain.body)["a"]


def test_a_coder_that_runs_out_of_memory_has_sent_nothing(scene):
    """Whatever is left when the coder has begun: the answer is whole, coded or not."""
    content = "".join(random.Random(7).choices(string.ascii_letters, k=30000))
    config = "limits: {{request_memory: {}KiB}}\nroutes: {{GET /x: {{respond: {{text: {}}}, compress: {{codings: gzip}}}}}}\n"
    daemon = scene.gatherd(config.format(512, content))
    seen = set()
    for memory in range(512, 700, 8):
        daemon.reload(config.format(memory, content))
        answer = daemon.get("/x", {"Accept-Encoding": "gzip"})
        assert answer.status == 200 and json.loads(decoded(answer)) == {"text": content}, memory
        seen.add(answer.header("Content-Encoding"))
    assert seen == {None, "gzip"}


def test_others_go_on_while_much_is_coded(scene):
    """While answers of a MiB are coded by the only worker, another client's short requests do not wait for
    them: no longer than some slices each."""
    daemon = started(scene, CONFIG + "workers: 1\n")
    stop, errors = threading.Event(), []

    def load():
        try:
            with daemon.client() as client:
                while not stop.is_set():
                    assert client.get(f"/get/{MIB}", {"Accept-Encoding": "gzip"}).status == 200
        except Exception as err:  # told below
            errors.append(err)

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    took = []
    with daemon.client() as client:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            begin = time.monotonic()
            assert client.get("/fixed").status == 200
            took.append(time.monotonic() - begin)
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors, errors
    took.sort()
    median = took[len(took) // 2]
    assert median < 0.03 * int(os.environ.get("GATHERD_SLOWDOWN", "1")), f"median {median * 1000:.1f} ms"
