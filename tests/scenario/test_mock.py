"""Upstreams that answer from the file, and the demo made of them."""
import json
import os
import signal
import socket
import subprocess

from client import Client
from daemon import PROGRAM
from waits import PATIENCE_S, until, within

MOCKS = """
upstreams:
  users:
    mock:
      GET /users/{id}: {json: {id: "{id}", roles: [1, 2.50, null, true]}, delay: 30ms}
      GET /broken: {status: 503}
      GET /flaky: {fail: 50%, json: {}}
      GET /late: {json: {id: late}, delay: 400ms}
      GET /slow: {json: 1, delay: 10s}
      POST /users: {status: 201, json: {created: true}, headers: {X-Kind: mock}}
routes:
  GET /u/{id}: {calls: {user: "users/users/{id}"}}
  GET /two/{id}: {calls: {a: "users/users/{id}", b: users/late, c: users/late}}
  GET /broken: {calls: {user: users/broken}}
  GET /flaky: {calls: {user: {url: users/flaky, optional: true}}}
  GET /slow: {timeout: 200ms, calls: {user: users/slow}}
  GET /missing: {calls: {user: users/nothing}}
  POST /new: {calls: {user: POST users/users}}
"""


def mocked(scene):
    daemon = scene.gatherd(MOCKS)
    daemon.has_mocks = True
    return daemon


def test_a_mock_answers_with_its_json_and_delay(scene):
    answer = mocked(scene).get("/u/7")
    assert answer.body == b'{"user":{"id":"7","roles":[1,2.50,null,true]}}'
    assert answer.elapsed >= 0.025


def test_mocks_run_side_by_side(scene):
    answer = mocked(scene).get("/two/7")
    assert answer.json()["b"]["id"] == "late"
    assert 0.39 < answer.elapsed < within(0.7), answer.elapsed


def test_a_value_in_a_mock_is_encoded_as_json(scene):
    answer = mocked(scene).get("/u/%22%5Cx")
    assert answer.json()["user"]["id"] == '"\\x'


def test_a_status_of_a_mock_is_a_failure_of_the_call(scene):
    answer = mocked(scene).get("/broken")
    assert (answer.status, answer.json()["class"]) == (502, "status")


def test_a_path_a_mock_does_not_have_is_404(scene):
    answer = mocked(scene).get("/missing")
    assert (answer.status, answer.json()["class"]) == (404, "status")


def test_a_share_of_failures_is_about_kept(scene):
    daemon = mocked(scene)
    with daemon.client() as client:
        failed = sum("error" in (client.get("/flaky").header("Gather-Parts") or "") for _ in range(200))
    assert 50 < failed < 150, failed


def test_a_slow_mock_meets_the_deadline_of_the_route(scene):
    answer = mocked(scene).get("/slow")
    assert (answer.status, answer.json()["class"]) == (504, "timeout")
    assert answer.elapsed < within(0.5)


def test_a_mock_takes_other_methods(scene):
    assert mocked(scene).call("POST", "/new").json() == {"user": {"created": True}}


def test_the_demo_answers_what_it_says_it_does(_):
    """It has fixed ports; when they are taken, there is nothing to try."""
    try:
        for port in (8080, 9901):
            socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return
    demo = subprocess.Popen([PROGRAM, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        lines = []
        while "Ctrl-C" not in "".join(lines):
            lines.append(demo.stdout.readline())
            assert lines[-1], demo.stderr.read()

        def reachable():
            try:
                return Client(8080)
            except OSError:
                return None
        with until(reachable, "the demo listens") as client:
            answers = [client.get("/profile/7") for _ in range(3)]
        assert list(answers[0].json()) == ["user", "orders", "recommendations"]
        # The slowest of the three takes 80 ms, their sum is 150; the machine may be busy.
        assert 0.075 < min(answer.elapsed for answer in answers) < within(0.14)
        assert "curl" in "".join(lines) and "/profile/7" in "".join(lines)
        demo.send_signal(signal.SIGINT)
        assert demo.wait(PATIENCE_S) == 0
    finally:
        demo.kill()
        demo.wait()
        demo.stdout.close()
        demo.stderr.close()


def test_the_schema_knows_every_key_of_the_demo(_):
    """Not a validator, but enough to see that schema and program speak of the same keys."""
    schema = json.loads(subprocess.run([PROGRAM, "schema"], capture_output=True, text=True,
                                       check=True).stdout)
    with open(os.path.join(os.path.dirname(__file__), "..", "..", "conf", "demo.yaml"),
              encoding="utf-8") as file:
        keys = {line.split(":")[0] for line in file if line[:1].isalpha()}
    assert keys <= set(schema["properties"]), keys


FAULTS = """
upstreams:
  u:
    timeout: 500ms
    mock:
      GET /reset: {json: [1], reset: 100%}
      GET /cut: {json: [1, 2, 3], truncate: 100%}
      GET /drip: {json: [1, 2, 3], drip: 10s}
      GET /quick: {json: [1, 2, 3], drip: 20ms, delay: 5ms..10ms}
routes:
  GET /{what}: {calls: {a: "u/{what}"}}
"""


def test_faults_of_a_mock_have_their_classes(scene):
    daemon = scene.gatherd(FAULTS)
    daemon.has_mocks = True
    with daemon.client() as client:
        for _ in range(3):
            assert client.get("/quick").json() == {"a": [1, 2, 3]}
            assert client.get("/reset").json()["class"] == "reset"
            assert client.get("/cut").json()["class"] == "reset"
        slow = client.get("/drip")
        assert (slow.status, slow.json()["class"]) == (504, "timeout")
        assert slow.elapsed < within(1), slow.elapsed
