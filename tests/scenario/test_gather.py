"""One request, several calls side by side, one answer in the order of the file."""
import threading

from origin import reply_bytes
from waits import within


def after(seconds, value):
    def answer(exchange):
        exchange.pause(seconds)
        exchange.reply(value)
    return answer


def test_parts_stand_in_the_order_of_the_file_whatever_came_first(scene):
    slow, quick = scene.origin(after(0.2, {"n": 1})), scene.origin(after(0, {"n": 2}))
    answer = scene.gather({"slow": slow, "quick": quick}).get("/x")
    assert answer.status == 200
    assert answer.header("Content-Type") == "application/json"
    assert answer.body == b'{"slow":{"n": 1},"quick":{"n": 2}}'


def test_the_answer_takes_as_long_as_the_slowest_call_not_as_the_sum(scene):
    names = {f"part{n}": scene.origin(after(0.5, n)) for n in range(5)}
    answer = scene.gather(names).get("/x")
    assert answer.json() == {f"part{n}": n for n in range(5)}
    assert 0.49 < answer.elapsed < within(1), answer.elapsed


def test_bytes_of_the_upstream_are_not_rewritten(scene):
    odd = b'{"b":1.0e+02 , "a":"\\u00e9\\/","b":[ 12345678901234567890,-0 ] }'
    origin = scene.origin(lambda exchange: exchange.reply(body=odd))
    answer = scene.gather({"odd": origin}).get("/x")
    assert answer.body == b'{"odd":' + odd + b"}"


def test_an_empty_body_and_204_are_null(scene):
    empty = scene.origin(lambda exchange: exchange.reply(body=b""))
    none = scene.origin(lambda exchange: exchange.send(b"HTTP/1.1 204 No Content\r\n\r\n"))
    answer = scene.gather({"empty": empty, "none": none}).get("/x")
    assert answer.json() == {"empty": None, "none": None}


def test_an_optional_call_that_fails_is_null_and_named(scene):
    good = scene.origin()
    bad = scene.origin(lambda exchange: exchange.reply({}, status=500))
    daemon = scene.gather({"good": good, "bad": bad}, calls={"bad": ", optional: true"})
    answer = daemon.get("/x")
    assert answer.status == 200
    assert answer.json() == {"good": {"path": "/good"}, "bad": None}
    assert answer.header("Gather-Parts") == "good, bad;error=status"
    assert daemon.route("GET /x")["incomplete"] == 1


def test_a_default_stands_in_for_a_failed_call(scene):
    bad = scene.origin(lambda exchange: exchange.reset())
    daemon = scene.gather({"bad": bad}, calls={"bad": ', default: {"items": [1, "two"], "of": null}'})
    answer = daemon.get("/x")
    assert answer.status == 200
    assert answer.json() == {"bad": {"items": [1, "two"], "of": None}}
    assert answer.header("Gather-Parts") == "bad;error=reset"


def test_a_complete_answer_does_not_list_its_parts(scene):
    answer = scene.gather({"good": scene.origin()}).get("/x")
    assert answer.header("Gather-Parts") is None


def test_a_hidden_call_runs_and_is_not_in_the_answer(scene):
    seen, hidden = scene.origin(), scene.origin()
    daemon = scene.gather({"seen": seen, "hidden": hidden}, calls={"hidden": ", hidden: true"})
    assert daemon.get("/x").json() == {"seen": {"path": "/seen"}}
    hidden.wait_requests(1)


def test_a_hidden_call_that_fails_fails_the_route_when_required(scene):
    hidden = scene.origin(lambda exchange: exchange.reset())
    daemon = scene.gather({"seen": scene.origin(), "hidden": hidden},
                          calls={"hidden": ", hidden: true"})
    answer = daemon.get("/x")
    assert (answer.status, answer.json()["call"]) == (502, "hidden")


def test_a_hidden_call_is_named_among_the_parts_only_when_it_failed(scene):
    bad = scene.origin(lambda exchange: exchange.reset())
    daemon = scene.gather(
        {"seen": scene.origin(), "bad": bad, "quiet": scene.origin(), "broken": bad},
        calls={"bad": ", optional: true", "quiet": ", hidden: true",
               "broken": ", hidden: true, optional: true"})
    answer = daemon.get("/x")
    assert answer.json() == {"seen": {"path": "/seen"}, "bad": None}
    assert answer.header("Gather-Parts") == "seen, bad;error=reset, broken;error=reset"


def test_what_is_sent_upstream_is_plain_and_names_its_request(scene):
    origin = scene.origin()
    daemon = scene.gather({"users": origin})
    answer = daemon.get("/x", {"Cookie": "sid=secret", "Authorization": "Bearer secret",
                               "X-Anything": "secret", "X-Request-Id": "of-the-client"})
    request = origin.wait_requests(1).request
    assert request.start == "GET /users HTTP/1.1"
    assert request.header("Host") == f"127.0.0.1:{origin.port}"
    assert request.header("X-Request-Id") == answer.header("X-Request-Id")
    assert request.header("Accept") == "application/json"
    assert b"secret" not in request.raw and b"of-the-client" not in request.raw


def test_a_reply_in_chunks_or_until_the_end_is_as_good_as_one_with_a_length(scene):
    chunked = scene.origin(lambda exchange: exchange.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;x=y\r\n[1,\r\n00004\r\n2,3]\r\n0\r\nTrailer: yes\r\n\r\n"))

    def until_eof(exchange):
        exchange.send(reply_bytes(value=[4], length=False))
        exchange.close()

    daemon = scene.gather({"chunked": chunked, "eof": scene.origin(until_eof)})
    for _ in range(3):
        assert daemon.get("/x").json() == {"chunked": [1, 2, 3], "eof": [4]}


def test_interim_replies_are_skipped(scene):
    origin = scene.origin(lambda exchange: exchange.send(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        + reply_bytes(value=5)))
    assert scene.gather({"part": origin}).get("/x").json() == {"part": 5}


def test_large_parts_arrive_whole(scene):
    body = b'["' + b"x" * 3_000_000 + b'"]'
    names = {f"big{n}": scene.origin(lambda exchange: exchange.reply(body=body)) for n in range(3)}
    answer = scene.gather(names).get("/x")
    assert answer.body == b'{"big0":' + body + b',"big1":' + body + b',"big2":' + body + b"}"


def test_no_reply_belongs_to_another_request(scene):
    """Many clients at once, each with a mark of its own that must come back."""
    def echo(exchange):
        exchange.pause(0.001 * (hash(exchange.request.target) % 5))
        exchange.reply({"path": exchange.request.target})

    daemon = scene.gatherd("\n".join([
        "upstreams:", f"  a: {scene.origin(echo).url}", f"  b: {scene.origin(echo).url}",
        "routes:", "  GET /of/{mark}:", "    calls:", "      one: a/one/{mark}",
        "      two: b/two/{mark}", ""]), workers=2)
    wrong = []

    def browse(number):
        with daemon.client() as client:
            for turn in range(30):
                mark = f"{number}-{turn}"
                answer = client.get(f"/of/{mark}")
                if answer.json() != {"one": {"path": f"/one/{mark}"}, "two": {"path": f"/two/{mark}"}}:
                    wrong.append((mark, answer.raw))

    threads = [threading.Thread(target=browse, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:3]
    assert daemon.route("GET /of/{mark}")["requests"] == 16 * 30
