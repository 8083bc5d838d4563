"""An upstream that goes and comes back heals without anyone's help."""
import signal

from waits import until


def test_a_killed_upstream_is_502_and_heals_when_it_is_back(scene):
    other = scene.origin()
    killed = scene.origin_process()
    daemon = scene.gather({"other": other, "killed": killed})
    assert daemon.get("/x").status == 200
    killed.signal(signal.SIGKILL)
    killed.process.wait()
    for _ in range(5):
        answer = daemon.get("/x")
        assert (answer.status, answer.json()["call"]) == (502, "killed")
    back = scene.origin_process(killed.port)
    answer = until(lambda: daemon.get("/x"), "an answer")
    assert answer.status == 200
    assert answer.json()["killed"] == {"pid": back.process.pid}


def test_a_killed_upstream_of_an_optional_call_gives_its_default(scene):
    killed = scene.origin_process()
    daemon = scene.gather({"other": scene.origin(), "killed": killed},
                          calls={"killed": ", default: []"})
    killed.signal(signal.SIGKILL)
    killed.process.wait()
    answer = daemon.get("/x")
    assert answer.status == 200
    assert answer.json() == {"other": {"path": "/other"}, "killed": []}
    assert answer.header("Gather-Parts") == "other, killed;error=connect"


def test_a_restart_between_two_requests_is_not_noticed(scene):
    """The pooled connection is dead, the server is there again: the retry finds it."""
    first = scene.origin_process()
    daemon = scene.gather({"users": first})
    assert daemon.get("/x").status == 200
    first.signal(signal.SIGKILL)
    first.process.wait()
    scene.origin_process(first.port)
    for _ in range(10):
        assert daemon.get("/x").status == 200
