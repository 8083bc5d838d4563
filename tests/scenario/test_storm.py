"""Everything goes wrong at once: each answer is right or says what failed, and nothing stays."""
import random
import threading

from origin import reply_bytes
from waits import until

CLIENTS, TURNS = 24, 40
STATUSES = {"connect": 502, "reset": 502, "protocol": 502, "json": 502, "too_large": 502,
            "status": 502, "timeout": 504, "overload": 503}


def faulty(seed):
    """Answers with the request's own mark, or with one of many faults."""
    lock, dice = threading.Lock(), random.Random(seed)

    def answer(exchange):
        with lock:
            fault, at = dice.randrange(24), dice.random()
        mark = exchange.request.target.rpartition("/")[2]
        whole = reply_bytes(value={"mark": mark})
        cut = whole[:int(len(whole) * at)]
        if fault == 0:
            exchange.reset()
        elif fault == 1:
            exchange.close()
        elif fault in (2, 3):
            exchange.send(cut)
            exchange.reset() if fault == 2 else exchange.close()
        elif fault == 4:
            exchange.send(whole + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        elif fault == 5:
            exchange.send(b"\x00\xff garbage \r\n\r\n")
        elif fault == 6:
            exchange.reply({"mark": mark}, status=503)
        elif fault == 7:
            exchange.reply(body=b'{"mark": ')
        elif fault == 8:
            exchange.drip(whole, 0.002, step=7)
        elif fault == 9:
            exchange.pause(0.5)  # beyond the deadline: nobody reads this
            exchange.send(whole)
        elif fault == 10:
            exchange.send(whole.replace(b"Content-Length: ", b"Content-Length: 9"))
            exchange.pause(0.5)
        elif fault == 11:
            exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + whole)
        elif fault == 12:
            exchange.send(whole)
            exchange.close()
        else:
            exchange.send(whole)
    return answer


def storm(scene, servers, options=""):
    """Three upstreams of so many faulty servers, and clients that come and go."""
    origins = [scene.origin(faulty(seed)) for seed in range(3 * servers)]
    urls = [", ".join(f"\"{origin.url}\"" for origin in origins[n::3]) for n in range(3)]
    daemon = scene.gatherd("\n".join([
        "upstreams:", *[f"  u{n}: {{servers: [{urls[n]}]{options}}}" for n in range(3)],
        "routes:", "  GET /all/{mark}:", "    timeout: 300ms", "    calls:",
        *[f"      c{n}: {{url: \"u{n}/x/{{mark}}\", optional: {'false' if n == 0 else 'true'}}}"
          for n in range(3)], ""]), workers=2)
    wrong, seen, lock = [], {"whole": 0, "in part": 0, "failed": 0}, threading.Lock()

    def judge(mark, answer):
        """What is wrong with this answer, or None; and what kind it is."""
        if answer.status != 200:
            problem = answer.json()
            good = problem["call"] == "c0" and STATUSES.get(problem["class"]) == answer.status
            return None if good else answer.raw, "failed"
        parts = answer.header("Gather-Parts")
        for name, part in answer.json().items():
            failed = parts is not None and f"{name};error=" in parts
            if part != (None if failed else {"mark": mark}):
                return answer.raw, "in part"
        return None, "in part" if parts else "whole"

    def browse(number):
        dice = random.Random(number)
        client = daemon.client()
        for turn in range(TURNS):
            mark = f"{number}-{turn}"
            client.request("GET", f"/all/{mark}")
            if dice.randrange(10) == 0:
                client.reset() if dice.randrange(2) else client.close()
                client = daemon.client()
                continue
            complaint, kind = judge(mark, client.response())
            with lock:
                seen[kind] += 1
                if complaint:
                    wrong.append((mark, complaint))
        client.close()

    threads = [threading.Thread(target=browse, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, (len(wrong), wrong[:2])
    assert all(seen.values()), seen
    until(lambda: not daemon.busy(), "rest after the storm")
    status = daemon.status()
    for upstream in status["upstreams"]:
        assert upstream["calls"] == upstream["succeeded"] + sum(upstream["failures"].values()), upstream
    for origin in origins:
        origin.errors.clear()  # the daemon breaks off requests it has cancelled
    return status["upstreams"]


def test_no_fault_of_one_call_reaches_another_request(scene):
    storm(scene, 1, ", retry: off")


def test_none_does_while_servers_are_retried_overtaken_ejected_and_checked(scene):
    upstreams = storm(scene, 3, (
        ", eject: {errors: 2, for: 20ms}, hedge: 3ms, timeout: 200ms"
        ", retry: {tries: 3, on: [connect, reset, timeout, protocol, 5xx], budget: 100%}"
        ", health: {get: /healthz, every: 20ms, timeout: 20ms, down: 2}"))
    for key in ("retries", "hedges", "hedges_won"):
        assert sum(upstream[key] for upstream in upstreams) > 0, key
    for key in ("ejections", "trials"):
        assert sum(server[key] for upstream in upstreams for server in upstream["servers"]) > 0, key
