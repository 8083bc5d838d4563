"""What a required call's failure is called, and what the client is told about it."""
import socket

from origin import reply_bytes


def fails_with(scene, answer, status, word, **options):
    """Tries a route whose only call is answered so; a good request must work after it."""
    origin = scene.origin(answer)
    daemon = scene.gather({"users": origin}, **options)
    reply = daemon.get("/x")
    assert reply.status == status, reply.raw
    assert reply.header("Content-Type") == "application/problem+json"
    problem = reply.json()
    assert problem["status"] == status
    assert (problem["call"], problem["class"]) == ("users", word), problem
    assert "title" in problem and "type" in problem
    told = reply.raw.decode("latin-1")
    assert "127.0.0.1" not in told and str(origin.port) not in told
    assert daemon.upstream("users")["failures"][word] == 1
    assert daemon.route("GET /x")["failures"][word] == 1
    origin.answer = lambda exchange: exchange.reply("good")
    assert daemon.get("/x").json() == {"users": "good"}
    return reply


def sends(data, then="close"):
    def answer(exchange):
        exchange.send(data)
        if then == "wait":
            exchange.silence()
        getattr(exchange, then)()
    return answer


def test_an_upstream_that_is_not_there_is_connect(scene):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    daemon = scene.gatherd(
        f"upstreams:\n  users: {{servers: \"http://127.0.0.1:{port}\", retry: off}}\n"
        "routes:\n  GET /x:\n    calls:\n      users: users/a\n")
    answer = daemon.get("/x")
    assert (answer.status, answer.json()["class"]) == (502, "connect")
    assert str(port) not in answer.raw.decode("latin-1")
    assert daemon.server("users")["connect_failures"] == 1


def test_the_log_says_of_each_upstream_why_there_is_no_connection(scene):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    daemon = scene.gatherd("\n".join([
        f"upstreams: {{one: 'http://127.0.0.1:{port}', two: 'http://127.0.0.1:{port}'}}",
        "routes:", "  GET /x:", "    calls:",
        "      a: {url: one/a, optional: true}", "      b: {url: two/a, optional: true}", ""]))
    assert daemon.get("/x").json() == {"a": None, "b": None}
    for name in ("one", "two"):
        line = f"upstream {name}: no connection to 127.0.0.1:{port}: Connection refused"
        daemon.board.wait(lambda line=line: f"gatherd: warn: {line}" in daemon.log(), line)


def test_a_reset_before_the_reply_is_reset(scene):
    fails_with(scene, lambda exchange: exchange.reset(), 502, "reset")


def test_a_close_within_the_head_is_reset(scene):
    fails_with(scene, sends(b"HTTP/1.1 200 OK\r\nContent-Le"), 502, "reset")


def test_a_close_within_the_body_is_reset(scene):
    fails_with(scene, sends(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[1,2"), 502, "reset")


def test_a_close_within_a_chunked_body_is_reset(scene):
    fails_with(scene, sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n[1,2\r\n"),
               502, "reset")


def test_garbage_is_protocol(scene):
    fails_with(scene, sends(b"SSH-2.0-OpenSSH_9.2\r\n", "wait"), 502, "protocol")


def test_two_lengths_are_protocol(scene):
    fails_with(scene, sends(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]"),
               502, "protocol")


def test_length_and_chunked_together_are_protocol(scene):
    fails_with(scene, sends(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n"
                            b"Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"), 502, "protocol")


def test_a_bad_chunk_size_is_protocol(scene):
    fails_with(scene, sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\n[]\r\n0\r\n\r\n"),
               502, "protocol")


def test_an_endless_head_is_too_large(scene):
    def answer(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\n")
        for number in range(100_000):
            exchange.send(b"X-%d: %s\r\n" % (number, b"y" * 100))
    fails_with(scene, answer, 502, "too_large")


def test_a_body_that_is_not_json_is_json(scene):
    fails_with(scene, lambda exchange: exchange.reply(body=b"<html>oops</html>"), 502, "json")


def test_invalid_utf_8_is_json(scene):
    fails_with(scene, lambda exchange: exchange.reply(body=b'["\xff"]'), 502, "json")


def test_json_deeper_than_the_limit_is_json(scene):
    deep = b"[" * 129 + b"]" * 129
    fails_with(scene, lambda exchange: exchange.reply(body=deep), 502, "json")


def test_a_body_above_its_limit_is_too_large(scene):
    fails_with(scene, lambda exchange: exchange.reply(body=b'"' + b"x" * 20_000 + b'"'),
               502, "too_large", upstream=", max_response: 10KiB")


def test_an_endless_body_is_too_large_before_its_end(scene):
    def endless(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\n\r\n[")
        while True:
            exchange.send(b" " * 65536)
    fails_with(scene, endless, 502, "too_large", upstream=", max_response: 100KiB")


def test_body_and_answers_of_a_request_share_its_memory(scene):
    origin = scene.origin(lambda exchange: exchange.reply(body=b'"' + b"x" * 12_000 + b'"'))
    daemon = scene.gatherd("limits: {request_memory: 64KiB}\nupstreams:\n"
                           f"  up: {origin.url}\nroutes:\n"
                           "  POST /x: {calls: {got: up/x}}\n")
    assert daemon.call("POST", "/x", body=b"x" * 1000).status == 200
    answer = daemon.call("POST", "/x", body=b"x" * 50_000)
    assert (answer.status, answer.json()["class"]) == (502, "too_large")


def test_a_5xx_is_status_and_502(scene):
    fails_with(scene, lambda exchange: exchange.reply({"secret": 1}, status=500), 502, "status")


def test_a_redirect_is_not_followed(scene):
    fails_with(scene, lambda exchange: exchange.reply(status=302, headers={"Location": "/elsewhere"}),
               502, "status")


def test_a_4xx_of_a_required_call_is_passed_on_with_our_body(scene):
    for status in (400, 403, 404, 409, 422, 429):
        reply = fails_with(scene, lambda exchange, status=status:
                           exchange.reply({"secret": 1}, status=status), status, "status")
        assert b"secret" not in reply.raw


def test_the_first_required_failure_cancels_the_rest_at_once(scene):
    bad = scene.origin(lambda exchange: exchange.reset())
    slow = scene.origin(lambda exchange: exchange.silence())
    daemon = scene.gather({"slow": slow, "bad": bad})
    answer = daemon.get("/x")
    assert (answer.status, answer.json()["call"], answer.json()["class"]) == (502, "bad", "reset")
    slow.wait_requests(1).until_gone()
    assert daemon.upstream("slow")["failures"]["cancelled"] == 1


def test_bytes_after_a_reply_do_not_answer_the_next_request(scene):
    origin = scene.origin(lambda exchange: exchange.send(
        reply_bytes(value=exchange.connection) + reply_bytes(value="poison")))
    daemon = scene.gather({"users": origin})
    for number in range(5):
        assert daemon.get("/x").json() == {"users": number}
    assert daemon.server("users")["reuses"] == 0


def test_bytes_on_an_idle_connection_are_not_read_as_a_reply(scene):
    origin = scene.origin()
    daemon = scene.gather({"users": origin})
    assert daemon.get("/x").status == 200
    exchange = origin.wait_requests(1)
    exchange.send(reply_bytes(value="poison"))
    exchange.origin.wait_connections(0)
    assert daemon.get("/x").json() == {"users": {"path": "/users"}}
    assert daemon.server("users")["evictions"] == 1
