"""Where gatherd listens, and how it tells a service manager."""
import os
import socket
import stat
import tempfile

from client import Client
from daemon import SANDBOXED, run_gatherd
from waits import until

ROUTES = "routes: {GET /x: {calls: {it: up/x}}}\n"


def listening(scene, listen, **options):
    origin = scene.origin()
    return scene.gatherd(f"listen: {listen}\nupstreams: {{up: '{origin.url}'}}\n{ROUTES}", **options)


def test_a_unix_socket_is_served_and_removed_at_the_end(scene):
    daemon = listening(scene, "unix:FOLDER/http.sock")
    path = os.path.join(daemon.folder.name, "http.sock")
    with Client(path=path) as client:
        assert client.get("/x").json() == {"it": {"path": "/x"}}
    daemon.assert_clean_end()
    assert not os.path.exists(path)


def test_a_stale_unix_socket_is_replaced(scene):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "http.sock")
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(path)
        listening(scene, f"unix:{path}")
        with Client(path=path) as client:
            assert client.get("/x").status == 200


def test_a_unix_socket_in_use_is_not_taken(_):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "http.sock")
        with socket.socket(socket.AF_UNIX) as used:
            used.bind(path)
            used.listen()
            done = run_gatherd("run", "-c", "CONFIG",
                               config=f"listen: unix:{path}\nadmin: off\nroutes: {{}}\n")
        assert done.returncode == 71 and path in done.stderr, done
        assert os.path.exists(path)


def test_a_file_that_is_no_socket_is_not_removed(_):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "precious")
        with open(path, "w", encoding="utf-8") as file:
            file.write("data")
        done = run_gatherd("run", "-c", "CONFIG",
                           config=f"listen: unix:{path}\nadmin: off\nroutes: {{}}\n")
        assert done.returncode == 71, done
        with open(path, encoding="utf-8") as file:
            assert file.read() == "data"


def test_a_port_alone_is_ipv4_and_ipv6(scene):
    daemon = listening(scene, "0")
    line = next(line for line in daemon.lines if "listening on" in line)
    port = int(line.rpartition(":")[2])
    hosts = ["127.0.0.1"] + (["::1"] if socket.has_dualstack_ipv6() else [])
    for host in hosts:
        with Client(port, host) as client:
            assert client.get("/x").status == 200


def test_several_listeners_serve_the_same_routes(scene):
    daemon = listening(scene, "['http://127.0.0.1:0', 'unix:FOLDER/http.sock']", workers=2)
    with Client(path=os.path.join(daemon.folder.name, "http.sock")) as client:
        assert client.get("/x").status == 200
    assert daemon.get("/x").status == 200


def test_the_service_manager_hears_of_ready_and_of_stopping(scene):
    with tempfile.TemporaryDirectory() as folder, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        path = os.path.join(folder, "notify")
        manager.bind(path)
        manager.settimeout(5)
        daemon = listening(scene, "http://127.0.0.1:0", env={"NOTIFY_SOCKET": path})
        assert b"READY=1" in manager.recv(4096)
        daemon.assert_clean_end()
        assert b"STOPPING=1" in manager.recv(4096)


def test_the_file_of_a_unix_socket_has_the_wanted_mode_and_owner(scene):
    user = os.getuid()
    owner = "" if SANDBOXED else f", owner: {user}, group: {os.getgid()}"  # the unit lets nothing be given away
    daemon = listening(scene, f"[{{url: unix:FOLDER/a, mode: 0660{owner}}}, "
                              "{url: unix:FOLDER/b, mode: '0600'}]")
    for name, mode in (("a", 0o660), ("b", 0o600)):
        info = os.stat(os.path.join(daemon.folder.name, name))
        assert stat.S_IMODE(info.st_mode) == mode and info.st_uid == user, info
        with Client(path=os.path.join(daemon.folder.name, name)) as client:
            assert client.get("/x").status == 200


def test_a_unix_socket_whose_owner_cannot_be_set_is_not_left_behind(_):
    if os.getuid() == 0:
        return  # root may give files away
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a")
        done = run_gatherd("run", "-c", "CONFIG", config=(
            f"listen: {{url: unix:{path}, owner: root}}\nadmin: off\nroutes: {{}}\n"))
        assert done.returncode == 71 and path in done.stderr, done
        assert not os.path.exists(path)


# --- sockets of systemd -------------------------------------------------------------------

ACTIVATED = ("sh", "-c", 'LISTEN_PID=$$ exec "$0" "$@"')


def activated(scene, listen, sockets, **options):
    """A daemon that inherits sockets, by their FileDescriptorNames, as systemd passes them."""
    numbers = tuple(range(3, 3 + len(sockets)))

    def place():
        held = [os.dup(sock.fileno()) for _, sock in sockets]
        for number, fd in zip(numbers, held):
            os.dup2(fd, number)

    return listening(scene, listen, through=ACTIVATED, passed=numbers, preexec=place, env={
        "LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": ":".join(name for name, _ in sockets)},
        **options)


def listener(path=None):
    sock = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    sock.bind(path or ("127.0.0.1", 0))
    sock.listen(16)
    return sock


def test_sockets_of_systemd_are_found_by_name(scene):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "http.sock")
        passed = [("other", listener()), ("http", listener()), ("http", listener(path))]
        daemon = activated(scene, "[systemd:http, 'http://127.0.0.1:0']", passed, workers=2)
        assert daemon.log().count("from systemd: http") == 2
        for options in ({"port": passed[1][1].getsockname()[1]}, {"path": path}, {"port": daemon.port}):
            with Client(**options) as client:
                assert client.get("/x").status == 200
        daemon.assert_clean_end()
        assert os.path.exists(path)  # it is systemd's
        for _, sock in passed:
            sock.close()


def test_a_connection_that_came_while_nobody_ran_is_served(scene):
    sock = listener()
    with Client(sock.getsockname()[1]) as client:
        client.request("GET", "/x", {"Connection": "close"})
        activated(scene, "systemd:web", [("web", sock)])
        assert client.response().status == 200
    sock.close()


def test_sockets_that_systemd_has_not_passed_are_named(_):
    config = "listen: systemd:http\nadmin: off\nroutes: {}\n"
    done = run_gatherd("run", "-c", "CONFIG", config=config)
    assert done.returncode == 71, done
    assert "systemd:http: no sockets were passed" in done.stderr, done.stderr
    done = run_gatherd("check", "CONFIG", config=config)
    assert done.returncode == 0, done


# --- the PROXY protocol -------------------------------------------------------------------

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def v2(address=b"\xc0\x00\x02\x09" + b"\x01\x02\x03\x04" + b"\x10\x00\x00\x50", family=0x11, command=0x21,
       options=b""):
    body = address + options
    return SIGNATURE + bytes([command, family]) + len(body).to_bytes(2, "big") + body


def proxied(scene, trusted="127.0.0.1", limits="", tls=""):
    origin = scene.origin(lambda exchange: exchange.reply(
        [exchange.request.header("X-Forwarded-For"), exchange.request.header("X-Forwarded-Proto")]))
    return scene.gatherd(f"""
listen: {{url: "{'https' if tls else 'http'}://127.0.0.1:0", proxy_protocol: true{tls}}}
trusted_proxies: [{trusted}]
limits: {{{limits}}}
upstreams: {{up: {origin.url}}}
routes: {{/x: {{calls: {{it: up/x}}}}, /ip: {{respond: "$request.ip"}}}}
""")


def test_the_client_is_who_the_proxy_header_names(scene):
    daemon = proxied(scene)
    tls = b"\x20\x00\x05\x01\x00\x00\x00\x00"
    for first, ip, proto in (
            (b"PROXY TCP4 192.0.2.9 10.0.0.1 5000 80\r\n", "192.0.2.9", "http"),
            (b"PROXY TCP6 2001:db8::9 ::1 5000 80\r\n", "2001:db8::9", "http"),
            (b"PROXY UNKNOWN\r\n", "127.0.0.1", "http"),
            (b"PROXY UNKNOWN ff ff 1 2\r\n", "127.0.0.1", "http"),
            (v2(), "192.0.2.9", "http"),
            (v2(options=tls + b"\x04\x00\x02no"), "192.0.2.9", "https"),
            (v2(bytes(15) + b"\x07" + bytes(20), 0x21), "::7", "http"),
            (v2(b"", 0, 0x20), "127.0.0.1", "http"),
            (v2(command=0x20), "127.0.0.1", "http")):
        with daemon.client(first=first) as client:
            for _ in range(3):
                assert client.get("/x").json() == {"it": [ip, proto]}, first
            assert client.get("/ip").json() == ip


def test_header_and_requests_may_come_in_any_pieces(scene):
    daemon = proxied(scene)
    request = b"GET /ip HTTP/1.1\r\nHost: a\r\n\r\n"
    for header in (b"PROXY TCP4 192.0.2.9 10.0.0.1 5000 80\r\n", v2(options=b"\x04\x01\x00" + bytes(256))):
        with daemon.client() as client:
            client.send(header + request * 3)
            assert [client.response().json() for _ in range(3)] == ["192.0.2.9"] * 3
        with daemon.client() as client:
            for byte in header + request:
                client.send(bytes([byte]))
            assert client.response().json() == "192.0.2.9"


def test_what_is_no_proxy_header_ends_the_connection(scene):
    daemon = proxied(scene)
    wrong = (b"GET /ip HTTP/1.1\r\nHost: a\r\n\r\n", b"PROXY TCP4 192.0.2.9 10.0.0.1 5000\r\n",
             b"PROXY TCP4 192.0.2.9 10.0.0.1 5000 80\n", b"PROXY " + b"x" * 200,
             v2(family=0x12), v2(command=0x11), v2(address=b"1234"), v2(options=b"\x04\x00\x09x"),
             v2(options=bytes(5000)), v2(options=b"\x03\x00\x04abcd"))
    for first in wrong:
        with daemon.client() as client:
            client.send(first)
            assert client.answer_or_close() is None, first
    worker = daemon.status()["worker"]
    assert worker["connections_refused"]["proxy"] == len(wrong), worker
    assert worker["requests"] == 0
    until(lambda: "begins with no PROXY header" in daemon.log(), "a line in the log")


def test_others_than_trusted_proxies_are_refused(scene):
    daemon = proxied(scene, trusted="10.0.0.0/8")
    with daemon.client() as client:
        try:
            client.send(b"PROXY TCP4 192.0.2.9 10.0.0.1 5000 80\r\nGET /ip HTTP/1.1\r\nHost: a\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert client.answer_or_close() is None
    assert daemon.status()["worker"]["connections_refused"]["proxy"] == 1
    until(lambda: "a connection from 127.0.0.1 is refused: it is none of trusted_proxies" in daemon.log(),
          "a line in the log")


def test_a_proxy_header_has_a_deadline(scene):
    daemon = proxied(scene, limits="handshake_timeout: 200ms")
    with daemon.client() as silent, daemon.client(first=b"PROXY TCP4 192.0") as slow:
        assert silent.closed() and slow.closed()
    assert daemon.status()["worker"]["client_timeouts"]["handshake"] == 2


def test_a_trusted_client_behind_the_header_is_believed_in_turn(scene):
    daemon = proxied(scene, trusted="127.0.0.1, 192.0.2.0/24")
    first = b"PROXY TCP4 192.0.2.9 10.0.0.1 5000 80\r\n"
    with daemon.client(first=first) as client:
        assert client.get("/ip", {"X-Forwarded-For": "203.0.113.5"}).json() == "203.0.113.5"
    with daemon.client(first=first.replace(b"192.0.2.9", b"198.51.100.9")) as client:
        assert client.get("/ip", {"X-Forwarded-For": "203.0.113.5"}).json() == "198.51.100.9"


def test_connections_are_counted_by_the_client_of_the_header(scene):
    daemon = proxied(scene, limits="connections_per_client: 2")
    header = b"PROXY TCP4 192.0.2.%d 10.0.0.1 5000 80\r\n"
    clients = [daemon.client(first=header % 1) for _ in range(2)] + [daemon.client(first=header % 2)]
    for client in clients:
        assert client.get("/ip").status == 200
    with daemon.client(first=header % 1) as more:
        assert more.closed()
    assert daemon.status()["worker"]["connections_refused"]["client"] == 1
    for client in clients:
        client.close()


# --- the client behind trusted proxies ----------------------------------------------------

def test_the_client_is_told_by_the_field_that_proxies_write(scene):
    """The other field is the client's own word, whatever it says."""
    origin = scene.origin(lambda exchange: exchange.reply([exchange.request.header(name) for name in (
        "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded")]))
    for header, expected in (
            ("Forwarded", ["203.0.113.5, 192.0.2.1, 127.0.0.1", "https", "shop.test", None]),
            ("X-Forwarded-For", ["6.6.6.6, 127.0.0.1", "http", "evil.test", None])):
        daemon = scene.gatherd(f"""
trusted_proxies: [127.0.0.1, 192.0.2.0/24]
trusted_header: {header}
upstreams: {{up: {origin.url}}}
routes: {{/x: {{calls: {{it: up/x}}}}, /ip: {{respond: "$request.ip"}}}}
""")
        fields = {"Forwarded": "for=203.0.113.5;proto=http, for=192.0.2.1;proto=https;host=shop.test",
                  "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil.test"}
        assert daemon.get("/x", fields).json() == {"it": expected}
        assert daemon.get("/ip", fields).json() == expected[0].partition(",")[0]
