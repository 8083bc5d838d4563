"""One line a request, whatever becomes of it; and a log never holds anybody up."""
import json
import os
import random
import re
import signal
import socket
import threading

from waits import until

SECRET = "canary-5f1d"


def lines_of(daemon, name="access.log"):
    """The whole lines of a log file in the daemon's folder."""
    path = os.path.join(daemon.folder.name, name)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        text = file.read()
    return text[:text.rfind("\n") + 1].splitlines()


def logged(daemon, count, name="access.log"):
    """Waits for so many lines; returns them as JSON values."""
    until(lambda: len(lines_of(daemon, name)) >= count, f"{count} lines in {name}")
    lines = [json.loads(line) for line in lines_of(daemon, name)]
    assert len(lines) == count, lines
    return lines


def site(scene, origin, access="{to: FOLDER/access.log}", more="", **options):
    return scene.gatherd(f"""
log: {{access: {access}, slow: 10s}}
{more}
upstreams:
  up: {{servers: ["{origin.url}"], timeout: 30s, retry: {{tries: 1, on: [503]}}}}
routes:
  GET /x/{{id}}: {{timeout: 30s, calls: {{got: "up/got/{{id}}", more: {{url: up/more, optional: true}}}}}}
  POST /x/{{id}}: {{max_body: 10B, calls: {{got: up/got}}}}
  "/raw/{{rest...}}": {{pass: up}}
  GET /quiet: {{access_log: off, respond: 1}}
  GET /late: {{timeout: 100ms, calls: {{got: up/silent}}}}
  GET /hang: {{timeout: 30s, calls: {{got: up/silent}}}}
""", **options)


def answer(exchange):
    path = exchange.request.target
    if path.startswith("/more"):
        exchange.reply({}, status=503)
    elif path.startswith("/silent"):
        exchange.silence()
    elif path.startswith("/raw/broken"):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        exchange.sock.shutdown(socket.SHUT_RDWR)
    else:
        exchange.reply({"a": 1})


def test_each_request_is_one_line_with_its_calls(scene):
    daemon = site(scene, scene.origin(answer))
    with daemon.client() as client:
        reply = client.get(f"/x/7?token={SECRET}", {"Authorization": SECRET, "Cookie": f"a={SECRET}"})
        client.get("/none")
        client.call("PUT", "/quiet")
        client.get("/quiet")
        client.get(f"/raw/y?token={SECRET}")
    full, missing, other, raw = logged(daemon, 4)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", full["time"])
    assert full["id"] == reply.header("X-Request-Id")
    assert full["ip"] == "127.0.0.1" and full["host"] == "gateway.test"
    assert (full["method"], full["path"], full["route"]) == ("GET", "/x/7", "GET /x/{id}")
    assert (full["status"], full["end"]) == (200, "answered")
    assert full["in"] > 40 and full["out"] > len(reply.body) and full["ms"] >= 0
    assert "peer" not in full
    got, more = full["calls"]
    assert got == {"call": "got", "ms": got["ms"], "status": 200}
    assert more == {"call": "more", "ms": more["ms"], "status": 503, "class": "status", "retries": 1}
    assert (missing["status"], missing["route"]) == (404, "") and "calls" not in missing
    assert (other["method"], other["status"]) == ("PUT", 405)
    assert (raw["route"], raw["status"], raw["calls"][0]["call"]) == ("/raw/{rest...}", 200, "up")
    assert SECRET not in "\n".join(lines_of(daemon)) + daemon.log()


def test_what_is_refused_is_a_line_too(scene):
    daemon = site(scene, scene.origin(answer))
    for data, status in ((b"GET /bad\x01 HTTP/1.1\r\n\r\n", 400), (b"\x16\x03\x01\x02\r\n\r\n", 400),
                         (f"GET /y?t={SECRET} HTTP/7.1\r\nHost: a\r\n\r\n".encode(), 505),
                         (f"GET /{'a' * 9000} HTTP/1.1\r\n\r\n".encode(), 414),
                         (b"POST /x/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", 413),
                         (b"GET /x/1 HTTP/1.1\r\nHost: a\r\n\r\n" + SECRET.encode() + b"\r\n\r\n", None)):
        with daemon.client() as client:
            client.send(data)
            assert client.response().status == (status or 200)
            if status is None:  # what stands where the next request should begin
                assert client.response().status == 400
    lines = logged(daemon, 7)
    assert [line["status"] for line in lines] == [400, 400, 505, 414, 413, 200, 400]
    assert [line["end"] for line in lines] == ["refused"] * 5 + ["answered", "refused"]
    assert (lines[0]["method"], lines[0]["path"]) == ("GET", "/bad")
    assert (lines[1]["method"], lines[1]["path"]) == ("", "")
    assert lines[2]["path"] == "/y" and lines[4]["route"] == "POST /x/{id}"
    assert len({line["id"] for line in lines}) == 7
    assert SECRET not in "\n".join(lines_of(daemon))


def test_those_who_leave_and_those_who_are_late_are_lines(scene):
    origin = scene.origin(answer)
    daemon = site(scene, origin, more="limits: {header_timeout: 100ms}")
    with daemon.client() as client:
        client.request("GET", "/hang")
        origin.wait_requests(1)
    assert daemon.get("/late").status == 504
    with daemon.client() as client:
        client.send("GET /half HTTP/1.1\r\n")
        assert client.response().status == 408
    with daemon.client() as client:
        client.request("GET", "/raw/broken")
        try:
            client.response()
            raise AssertionError("half an answer was taken for a whole one")
        except (ConnectionError, EOFError, Exception) as err:
            assert not isinstance(err, AssertionError), err
    gone, late, half, broken = logged(daemon, 4)
    assert (gone["status"], gone["end"], gone["out"]) == (499, "gone", 0)
    assert gone["calls"][0]["class"] == "cancelled"
    assert (late["status"], late["calls"][0]["class"]) == (504, "timeout")
    assert (half["status"], half["end"], half["path"]) == (408, "refused", "/half")
    assert half["ms"] >= 50
    assert (broken["status"], broken["end"]) == (200, "aborted")
    assert broken["calls"][0]["class"] == "reset"


def test_a_sample_has_its_share_and_every_error(scene):
    daemon = site(scene, scene.origin(answer), "{to: FOLDER/access.log, sample: 10%}")
    with daemon.client() as client:
        for _ in range(400):
            client.get("/raw/y")
        for _ in range(20):
            client.get("/none")
    assert daemon.get("/late").status == 504  # the last line
    until(lambda: any("/late" in line for line in lines_of(daemon)), "the last line")
    lines = [json.loads(line)["status"] for line in lines_of(daemon)]
    assert lines.count(404) == 20
    assert 10 <= lines.count(200) <= 90, lines.count(200)


def test_a_format_is_written_as_it_stands(scene):
    daemon = site(scene, scene.origin(answer), '{to: FOLDER/access.log, format: '
                  '"{ip} \\"{method} {path}?{query}\\" {status} {calls} {header.user-agent}"}')
    daemon.get("/raw/y?a=1", {"User-Agent": 'odd "one"\t'})
    until(lambda: lines_of(daemon), "a line")
    assert re.fullmatch(r'127\.0\.0\.1 "GET /raw/y\?a=1" 200 up=200/\d+\.\d{3} odd \\x22one\\x22',
                        lines_of(daemon)[0]), lines_of(daemon)


def test_sigusr1_opens_the_files_anew(scene):
    origin = scene.origin(answer)
    daemon = scene.gatherd(f"""
log: {{access: FOLDER/access.log, error: FOLDER/error.log}}
upstreams: {{up: "{origin.url}"}}
routes: {{"/{{rest...}}": {{pass: up}}}}
""", log_file="error.log")
    folder = daemon.folder.name
    daemon.get("/1")
    logged(daemon, 1)
    for name in ("access", "error"):
        os.rename(f"{folder}/{name}.log", f"{folder}/{name}.old")
    daemon.get("/2")
    logged(daemon, 2, "access.old")
    daemon.signal(signal.SIGUSR1)
    until(lambda: all(os.path.exists(f"{folder}/{name}.log") for name in ("access", "error")), "new files")
    daemon.get("/3")
    assert [line["path"] for line in logged(daemon, 1)] == ["/3"]
    assert [line["path"] for line in logged(daemon, 2, "access.old")] == ["/1", "/2"]
    daemon.signal(signal.SIGTERM)
    assert daemon.wait_exit() == 0
    old, new = lines_of(daemon, "error.old"), lines_of(daemon, "error.log")
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z gatherd: info: ", old[0]), old
    assert any("info: ready" in line for line in old) and any("info: ended" in line for line in new)


def test_the_end_of_the_process_loses_no_line(scene):
    daemon = site(scene, scene.origin(answer))
    with daemon.client() as client:
        for _ in range(200):
            client.get("/raw/y")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait_exit() == 0
    assert len(lines_of(daemon)) == 200


def test_a_full_disk_costs_lines_and_nothing_else(scene):
    daemon = site(scene, scene.origin(answer), "/dev/full")
    with daemon.client() as client:
        for _ in range(100):
            assert client.get("/raw/y").status == 200
    until(lambda: daemon.status()["worker"]["access_log_lost"]["unwritten"] == 100, "they are counted")
    daemon.board.wait(lambda: "lines of the access log were lost" in daemon.log(), "the loss is told")


def test_a_reader_that_stopped_costs_lines_and_nothing_else(scene):
    """A fifo that nobody reads: the thread that writes waits, the requests do not."""
    folder = scene.keep(Fifo())
    daemon = site(scene, scene.origin(answer), f"{{to: {folder.path}, buffer: 64KiB}}")
    reader = folder.open()
    with daemon.client() as client:
        for _ in range(1500):
            assert client.get("/raw/y").status == 200
        until(lambda: daemon.status()["worker"]["access_log_lost"]["full"] > 0, "they are counted")
    threading.Thread(target=folder.read_all, args=(reader,), daemon=True).start()


class Fifo:
    """A fifo whose other end is held open, and read when the test says so."""

    def __init__(self):
        import tempfile
        self.folder = tempfile.TemporaryDirectory(prefix="gatherd-test-")
        self.path = os.path.join(self.folder.name, "fifo")
        os.mkfifo(self.path)
        self.fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)

    def open(self):
        return self.fd

    @staticmethod
    def read_all(fd):
        os.set_blocking(fd, True)
        try:
            while os.read(fd, 65536):
                pass
        except OSError:
            pass

    def stop(self):
        os.close(self.fd)
        self.folder.cleanup()


class Datagrams:
    """A socket as that of syslog or the journal."""

    def __init__(self):
        import tempfile
        self.folder = tempfile.TemporaryDirectory(prefix="gatherd-test-")
        self.path = os.path.join(self.folder.name, "log")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)
        self.sock.settimeout(10)

    def next(self, text):
        """The next one that has this text."""
        while True:
            data = self.sock.recv(65536).decode()
            if text in data:
                return data

    def stop(self):
        self.sock.close()
        self.folder.cleanup()


def test_syslog_and_the_journal_are_spoken_to_as_they_want(scene):
    syslog, journal = scene.keep(Datagrams()), scene.keep(Datagrams())
    daemon = site(scene, scene.origin(answer), f"syslog:{syslog.path}")
    daemon.get("/raw/y")
    match = re.fullmatch(r"<30>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d gatherd\[\d+\]: (\{.*\})",
                         syslog.next("/raw/y"))
    assert json.loads(match.group(1))["status"] == 200
    daemon = site(scene, scene.origin(answer), f"journal:{journal.path}")
    daemon.get("/raw/y")
    fields = dict(line.split("=", 1) for line in journal.next("/raw/y").splitlines())
    assert (fields["PRIORITY"], fields["SYSLOG_IDENTIFIER"]) == ("6", "gatherd")
    assert json.loads(fields["MESSAGE"])["path"] == "/raw/y"


def test_areas_have_levels_of_their_own(scene):
    daemon = scene.gather({"users": scene.origin(answer)},
                          log="{level: info, error: {to: stderr, levels: {gather: debug}}}")
    answered = daemon.get("/x")
    call = f"call {answered.header('X-Request-Id')}/users"
    daemon.board.wait(lambda: f"gatherd: debug: {call} DECODE → ENDED" in daemon.log(), "a debug line")


def test_slow_and_failed_requests_are_remembered_with_their_calls(scene):
    origin = scene.origin(lambda exchange: (exchange.pause(0.1), answer(exchange)))
    daemon = scene.gatherd(f"""
log: {{slow: 50ms, recent: 5}}
upstreams: {{up: {{servers: ["{origin.url}"], retry: off}}}}
routes:
  GET /slow: {{calls: {{got: up/got}}}}
  GET /fast: {{respond: 1}}
  GET /bad: {{calls: {{got: up/got, more: {{url: up/more, optional: true}}}}}}
""")
    for path in ("/slow", "/fast", "/bad", "/bad", *["/slow"] * 6):
        assert daemon.get(f"{path}?t={SECRET}").status == 200
    recent = daemon.admin("/requests").json()
    assert [request["path"] for request in recent["slow"]] == ["/slow"] * 5
    assert [request["path"] for request in recent["failed"]] == ["/bad"] * 2
    first = recent["failed"][1]
    got, more = first["calls"]
    assert first["slow"] and first["route"] == "GET /bad" and first["status"] == 200
    assert more["class"] == "status" and more["optional"] and more["status"] == 503
    assert got["server"] == origin.url.removeprefix("http://")
    moments = [got[f"{name}_ms"] for name in ("start", "asked", "leased", "first_byte", "end")]
    assert moments == sorted(moments) and moments[3] - moments[2] >= 90, got
    assert recent["slow"][-1]["calls"][0]["dial_ms"] is None  # from the pool
    assert SECRET not in json.dumps(recent)
    assert daemon.admin("/requests", "POST").status == 405


def test_a_reload_takes_the_logs_over_or_is_refused(scene):
    origin = scene.origin(answer)
    config = "log: {{access: {}}}\nupstreams: {{up: \"{}\"}}\nroutes: {{\"/{{rest...}}\": {{pass: up}}}}\n"
    daemon = scene.gatherd(config.format("off", origin.url))
    daemon.get("/1")
    assert daemon.reload(config.format("FOLDER/a.log", origin.url))["state"] == "done"
    daemon.get("/2")
    assert [line["path"] for line in logged(daemon, 1, "a.log")] == ["/2"]
    refused = daemon.reload(config.format("/nowhere/at/all.log", origin.url))
    assert refused["state"] == "refused" and "/nowhere/at/all.log" in "\n".join(refused["errors"])
    daemon.get("/3")
    logged(daemon, 2, "a.log")
    assert daemon.reload(config.format("{to: FOLDER/b.log, format: '{path}'}", origin.url))["state"] == "done"
    daemon.get("/4")
    until(lambda: lines_of(daemon, "b.log") == ["/4"], "a line in the other file")
    assert len(lines_of(daemon, "a.log")) == 2
    daemon.reload(config.format("off", origin.url))  # its file is closed


def test_whatever_clients_do_each_request_is_exactly_one_line(scene):
    daemon = site(scene, scene.origin(answer))
    dice = random.Random(7)
    whole = b"GET /raw/y HTTP/1.1\r\nHost: a\r\n\r\n"
    kinds = (whole, whole * 3, whole[:20], b"\0\r\n\r\n", whole + b"?\r\n\r\n", b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n",
             b"POST /x/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n",
             b"POST /x/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf")
    for _ in range(300):
        with daemon.client() as client:
            client.send(dice.choice(kinds))
            if dice.random() < 0.5:
                client.sock.settimeout(0.01)
                try:
                    client.sock.recv(65536)
                except OSError:
                    pass
    until(lambda: not daemon.busy(), "all is over")
    worker = daemon.status()["worker"]
    expected = worker["requests"] + worker["rejected"]["malformed"]
    assert expected > 200
    until(lambda: len(lines_of(daemon)) >= expected, "all lines")
    lines = [json.loads(line) for line in lines_of(daemon)]
    assert len(lines) == expected and len({line["id"] for line in lines}) == expected
    assert {line["end"] for line in lines} >= {"answered", "refused", "gone"}
