"""Answers of upstreams in content codings."""
import gzip
import json
import zlib

VALUE = {"a": [1, 2, 3], "text": "hello " * 20}
TEXT = json.dumps(VALUE).encode()
# `{"a":[1]}` as a brotli encoder writes it without compressing.
BR_VALUE, BR = {"a": [1]}, b"\x0b\x04\x80{\"a\":[1]}\x03"


def coded(body, *codings, **more):
    def answer(exchange):
        exchange.reply(body=body, headers={"Content-Encoding": ", ".join(codings)}, **more)
    return answer


def gateway(scene, answer, option="accept_encoding: on, max_response: 1MiB"):
    origin = scene.origin(answer)
    return origin, scene.gatherd(f"""
upstreams: {{u: {{servers: ["{origin.url}"], {option}}}}}
routes:
  GET /a: {{calls: {{a: u/a}}}}
  GET /raw: {{pass: u/a}}
""")


def test_each_coding_is_asked_for_and_undone(scene):
    origin, daemon = gateway(scene, None)
    with daemon.client() as client:
        for coding, body, value in (("gzip", gzip.compress(TEXT), VALUE), ("x-gzip", gzip.compress(TEXT), VALUE),
                                    ("deflate", zlib.compress(TEXT), VALUE), ("br", BR, BR_VALUE),
                                    ("identity", TEXT, VALUE)):
            origin.answer = coded(body, coding)
            assert client.get("/a").json() == {"a": value}, coding
    assert [request.header("Accept-Encoding") for request in origin.requests] == ["gzip, deflate, br"] * 5
    assert daemon.upstream("u")["decoded"] == 4
    assert origin.connections == 1


def test_several_codings_are_undone_from_the_last_to_the_first(scene):
    _, daemon = gateway(scene, coded(gzip.compress(zlib.compress(TEXT)), "deflate", "gzip"))
    assert daemon.get("/a").json() == {"a": VALUE}


def test_the_answer_to_a_retry_is_undone(scene):
    def answer(exchange):
        if len(origin.exchanges) % 2:
            coded(zlib.compress(b'"later"'), "deflate", status=503)(exchange)
        else:
            coded(gzip.compress(TEXT), "gzip")(exchange)

    origin, daemon = gateway(scene, answer)
    for _ in range(3):
        assert daemon.get("/a").json() == {"a": VALUE}
    assert (daemon.upstream("u")["retries"], daemon.upstream("u")["decoded"]) == (3, 3)


def test_the_answer_of_a_hedge_is_undone(scene):
    slow = scene.origin(lambda exchange: exchange.silence())
    quick = scene.origin(coded(gzip.compress(TEXT), "gzip"))
    daemon = scene.gatherd(f"""
upstreams: {{u: {{servers: ["{slow.url}", "{quick.url}"], balance: round_robin, hedge: 30ms, accept_encoding: on}}}}
routes: {{GET /a: {{calls: {{a: u/a}}}}}}
""")
    for _ in range(2):
        assert daemon.get("/a").json() == {"a": VALUE}
    assert (daemon.upstream("u")["hedges_won"], daemon.upstream("u")["decoded"]) == (1, 2)


def test_a_coding_in_chunks_is_undone(scene):
    body = gzip.compress(TEXT)

    def answer(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(body), 7):
            exchange.send(b"%x\r\n%s\r\n" % (len(body[at:at + 7]), body[at:at + 7]))
        exchange.send(b"0\r\n\r\n")
    _, daemon = gateway(scene, answer)
    assert daemon.get("/a").json() == {"a": VALUE}


def test_a_coding_nobody_asked_for_is_protocol(scene):
    origin, daemon = gateway(scene, coded(gzip.compress(TEXT), "gzip"), option="max_response: 1MiB")
    assert daemon.get("/a").json()["class"] == "protocol"
    assert origin.requests[0].header("Accept-Encoding") is None
    origin, daemon = gateway(scene, None)
    for name in ("zstd", "gzip, compress", "gzip, gzip, gzip, gzip"):
        origin.answer = coded(gzip.compress(TEXT), name)
        assert daemon.get("/a").json()["class"] == "protocol", name


def test_broken_codings_are_protocol_and_cost_no_connection(scene):
    origin, daemon = gateway(scene, None)
    whole = gzip.compress(TEXT)
    with daemon.client() as client:
        for body in (whole[:-1], whole[:20], whole + b"\0", whole[:-8] + b"\0" * 8, TEXT, b"\0"):
            origin.answer = coded(body, "gzip")
            answer = client.get("/a")
            assert (answer.status, answer.json()["class"]) == (502, "protocol"), body
        origin.answer = coded(whole, "gzip")
        assert client.get("/a").json() == {"a": VALUE}
    assert origin.connections == 1


def test_a_bomb_is_too_large_and_takes_no_memory(scene):
    bomb = gzip.compress(b"[" + b" " * (200 << 20) + b"]", 9)
    origin, daemon = gateway(scene, coded(bomb, "gzip"))
    before = daemon.rss_bytes()
    with daemon.client() as client:
        for _ in range(10):
            assert client.get("/a").json()["class"] == "too_large"
        origin.answer = coded(gzip.compress(bomb), "gzip", "gzip")
        assert client.get("/a").json()["class"] == "too_large"
    assert daemon.rss_bytes() - before < 32 << 20


def test_what_a_coding_stands_for_has_to_be_json_in_its_bound(scene):
    origin, daemon = gateway(scene, coded(gzip.compress(b"<html>"), "gzip"))
    assert daemon.get("/a").json()["class"] == "json"
    for size, status in ((1 << 20, 200), ((1 << 20) + 1, 502)):
        origin.answer = coded(gzip.compress(b'"' + b"x" * (size - 2) + b'"'), "gzip")
        assert daemon.get("/a").status == status


def test_an_empty_body_has_nothing_to_undo(scene):
    _, daemon = gateway(scene, coded(b"", "gzip"))
    assert daemon.get("/a").json() == {"a": None}


def test_a_status_counts_before_its_coding(scene):
    _, daemon = gateway(scene, coded(b"garbage", "gzip", status=404))
    answer = daemon.get("/a")
    assert (answer.status, answer.json()["class"]) == (404, "status")


def test_a_pass_hands_codings_on_as_they_are(scene):
    origin, daemon = gateway(scene, coded(b"not gzip at all", "gzip"))
    answer = daemon.get("/raw")
    assert (answer.body, answer.header("Content-Encoding")) == (b"not gzip at all", "gzip")
    assert origin.requests[0].header("Accept-Encoding") is None
    daemon.get("/raw", {"Accept-Encoding": "zstd"})
    assert origin.requests[1].header("Accept-Encoding") == "zstd"
