"""`gatherd status`: what a running gateway does, for a terminal."""
import json
import os
import pty
import re
import signal
import socket
import subprocess

from daemon import PROGRAM, run_gatherd
from waits import PATIENCE_S


def url(daemon):
    return f"http://127.0.0.1:{daemon.admin_port}"


def test_it_shows_routes_upstreams_and_servers(scene):
    daemon = scene.gather({"users": scene.origin(), "orders": scene.origin(lambda e: e.reply({}, status=500))},
                          calls={"orders": ", optional: true"})
    for _ in range(3):
        daemon.get("/x")
    done = run_gatherd("status", url(daemon))
    assert done.returncode == 0 and done.stderr == "", done
    lines = done.stdout.splitlines()
    assert re.match(r"gatherd \d+\.\d+\.\d+  ready, up \d+ s, 1 workers", lines[0]), lines[0]
    assert "3 requests" in lines[1]
    row = next(line for line in lines if line.startswith("GET /x")).split()
    assert row[:5] == ["GET", "/x", "-", "3", "0"] and row[-2:] == ["3", "0"], row
    orders = next(line for line in lines if line.startswith("orders ")).split()
    assert orders[-1] == "100.0%", orders
    servers = [line for line in lines if line.endswith("in use")]
    assert len(servers) == 2 and len({len(line) for line in servers}) == 1, servers
    assert "\x1b" not in done.stdout


def test_json_is_the_document_itself(scene):
    daemon = scene.gather({"users": scene.origin()})
    done = run_gatherd("status", "--json", url(daemon))
    assert done.returncode == 0
    assert json.loads(done.stdout)["routes"][0]["route"] == "GET /x"


def test_exit_codes_tell_how_it_is(scene):
    daemon = scene.gather({"users": scene.origin()}, token="open-sesame")
    assert run_gatherd("status", url(daemon)).returncode == 74
    assert "token" in run_gatherd("status", url(daemon), env={"GATHERD_TOKEN": "no"}).stderr
    assert run_gatherd("status", url(daemon), "--token", "open-sesame").returncode == 0
    assert run_gatherd("status", url(daemon), env={"GATHERD_TOKEN": "open-sesame"}).returncode == 0
    assert run_gatherd("status", "--json", "--watch").returncode == 64
    assert run_gatherd("status", url(daemon), "again").returncode == 64
    address = daemon.server("users")["address"]
    assert daemon.admin(f"/upstreams/users/servers/{address}/drain", "POST").status == 200
    done = run_gatherd("status", url(daemon), "--token", "open-sesame")
    assert done.returncode == 1 and "drained" in done.stdout
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = server.getsockname()[1]
    done = run_gatherd("status", f"http://127.0.0.1:{nobody}")
    assert done.returncode == 74 and "nobody answers" in done.stderr


def test_colours_are_for_terminals(scene):
    daemon = scene.gather({"users": scene.origin()})

    def on_a_terminal(**env):
        master, slave = pty.openpty()
        try:
            done = subprocess.run([PROGRAM, "status", url(daemon)], stdin=subprocess.DEVNULL, stdout=slave,
                                  check=False, timeout=PATIENCE_S,
                                  env={**os.environ, "TERM": "xterm", "NO_COLOR": "", **env})
            assert done.returncode == 0
            return os.read(master, 65536).decode()
        finally:
            os.close(master)
            os.close(slave)

    assert "\x1b[32mready\x1b[0m" in on_a_terminal()
    assert "\x1b" not in on_a_terminal(NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(TERM="dumb")


def test_watching_shows_rates(scene):
    daemon = scene.gather({"users": scene.origin()})
    process = subprocess.Popen([PROGRAM, "status", "--watch", url(daemon)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, text=True)
    try:
        rows = []
        for line in process.stdout:
            if line.startswith("GET /x"):
                rows.append(line.split())
                if len(rows) == 2:
                    break
                for _ in range(4):
                    daemon.get("/x")
        assert rows[0][2:4] == ["-", "0"], rows
        assert rows[1][3] == "4" and 0 < float(rows[1][2]) <= 4, rows
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)
        process.stdout.close()
