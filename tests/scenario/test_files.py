"""Static files for the front end: what is found, what is not let out, conditions, ranges, codings."""
import email.utils
import gzip
import os
import re
import resource
import socket
import ssl
import tempfile

from daemon import run_gatherd
from tls import authority
from waits import SLOWDOWN, until

MIB = 1024 * 1024
ROUTES = """
routes:
  GET /{{path...}}: {{files: {dir}, cache_control: "max-age=60", response_headers: {{X-Frame-Options: DENY}}}}
  GET /spa/{{path...}}: {{files: {{dir: {dir}, fallback: app/index.html}}}}
  GET /all/{{path...}}: {{files: {{dir: {dir}, index: off, dotfiles: on, types: {{".txt": text/x-mine, foo: a/b}}}}}}
  /any/{{path...}}: {{files: {{dir: {dir}}}}}
  GET /pre/{{path...}}: {{files: {{dir: {dir}, precompressed: on}}}}
  GET /coded/{{path...}}: {{files: {{dir: {dir}, precompressed: on}}, compress: on}}
"""


class Folder:
    """A folder that is there as long as its test."""

    def __init__(self):
        self.place = tempfile.TemporaryDirectory(prefix="gatherd-test-")

    def stop(self):
        self.place.cleanup()


def folder(scene):
    top = scene.keep(Folder()).place.name
    files = {
        "index.html": b"<h1>home</h1>", "app/index.html": b"<h1>app</h1>", "app/a b.txt": b"spaces",
        "style.css": b"a{}" * 1000, "data.bin": bytes(range(256)) * 40, "empty.txt": b"", "noext": b"?",
        ".secret": b"secret", ".git/config": b"secret", ".well-known/x.txt": b"known", "100%.txt": b"percent",
        "caf\u00e9.txt": b"utf-8", "UP.HTML": b"<p>", "x.foo": b"foo", "big.js": b"var x = 1;\n" * 100000,
        "nothing/x.txt": b"x",
    }
    for name, data in files.items():
        path = os.path.join(top, "public", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
    with open(os.path.join(top, "outside.txt"), "wb") as file:
        file.write(b"OUTSIDE")
    return os.path.join(top, "public")


def started(scene):
    public = folder(scene)
    return scene.gatherd(ROUTES.format(dir=public)), public


def test_files_are_answered_with_their_type(scene):
    daemon, _ = started(scene)
    for target, kind, body in (("/", "text/html; charset=utf-8", b"<h1>home</h1>"),
                               ("/index.html", "text/html; charset=utf-8", b"<h1>home</h1>"),
                               ("/app/", "text/html; charset=utf-8", b"<h1>app</h1>"),
                               ("/app/a%20b.txt", "text/plain; charset=utf-8", b"spaces"),
                               ("/100%25.txt", "text/plain; charset=utf-8", b"percent"),
                               ("/caf%C3%A9.txt", "text/plain; charset=utf-8", b"utf-8"),
                               ("/UP.HTML", "text/html; charset=utf-8", b"<p>"),
                               ("/empty.txt", "text/plain; charset=utf-8", b""),
                               ("/.well-known/x.txt", "text/plain; charset=utf-8", b"known"),
                               ("/noext", "application/octet-stream", b"?"),
                               ("/x.foo", "application/octet-stream", b"foo"),
                               ("/index.html?x=1", "text/html; charset=utf-8", b"<h1>home</h1>"),
                               ("/all/empty.txt", "text/x-mine", b""), ("/all/x.foo", "a/b", b"foo"),
                               ("/all/.secret", "application/octet-stream", b"secret")):
        answer = daemon.get(target)
        assert (answer.status, answer.header("Content-Type"), answer.body) == (200, kind, body), (target, answer.raw)
        unknown = kind == "application/octet-stream"
        assert answer.header("X-Content-Type-Options") == ("nosniff" if unknown else None), target
        assert answer.header("Accept-Ranges") == "bytes" and answer.header("X-Request-Id")
    answer = daemon.get("/style.css")
    assert answer.header("Cache-Control") == "max-age=60" and answer.header("X-Frame-Options") == "DENY"
    assert re.fullmatch(r'"[0-9a-f]+\.[0-9a-f]+-[0-9a-f]+"', answer.header("ETag"))
    with daemon.client() as client:
        head = client.call("HEAD", "/style.css")
        assert head.header("Content-Length") == "3000" and head.header("ETag") == answer.header("ETag")
        assert client.get("/style.css").body == b"a{}" * 1000


def test_nothing_outside_the_folder_is_let_out(scene):
    daemon, public = started(scene)
    os.symlink("../outside.txt", os.path.join(public, "out.txt"))
    os.symlink("/etc", os.path.join(public, "etc"))
    os.symlink("/etc/passwd", os.path.join(public, "passwd.txt"))
    os.symlink("style.css", os.path.join(public, "inside.css"))
    os.symlink("loop", os.path.join(public, "loop"))
    os.symlink("/proc/self/fd/0", os.path.join(public, "magic"))
    os.mkfifo(os.path.join(public, "pipe"))
    server = socket.socket(socket.AF_UNIX)
    server.bind(os.path.join(public, "socket"))
    for target in ("/out.txt", "/etc/passwd", "/passwd.txt", "/loop", "/magic", "/pipe", "/socket", "/../outside.txt",
                   "/..%2foutside.txt", "/%2e%2e/outside.txt", "/%2e%2e%2foutside.txt", "/app/../../outside.txt",
                   "/app%2findex.html", "/app%2Findex.html", "//outside.txt", "/app//index.html", "/./..//outside.txt",
                   "/style.css%00.txt", "/style.css/", "/style.css/x", "/.secret", "/.git/config", "/%5c..%5c",
                   "/....//outside.txt", "/.%2e/outside.txt", "/.well-known/../.secret", "/x" * 2000, "/all/", "/all/app/",
                   "/all/app", "/all/..%2f..%2foutside.txt", "/all/%2e%2e/%2e%2e/outside.txt", "/nothing/",
                   "/app/.well-known/x", "/index.html%20", "/INDEX.HTML"):
        answer = daemon.get(target)
        assert answer.status in (400, 404), (target, answer.status)
        assert b"OUTSIDE" not in answer.raw and b"root:" not in answer.raw and b"secret" not in answer.body, target
        assert answer.header("Content-Type") == "application/problem+json", target
    assert daemon.get("/inside.css").body == b"a{}" * 1000, "links inside are followed"
    server.close()


def test_a_folder_is_led_to_its_slash(scene):
    daemon, _ = started(scene)
    answer = daemon.get("/app?x=1&y=//evil")
    assert (answer.status, answer.header("Location")) == (301, "/app/?x=1&y=//evil")
    assert daemon.get("/any/app").header("Location") == "/any/app/"
    for target in ("//evil.test/app", "//app", "/%2Fapp"):
        answer = daemon.get(target)
        location = answer.header("Location")
        assert location is None or not location.startswith("//"), (target, location)


def test_other_methods_are_not_for_files(scene):
    daemon, _ = started(scene)
    with daemon.client() as client:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = client.call(method, "/any/style.css", body=b"x")
            assert answer.status == 405 and answer.header("Allow") == "GET, HEAD, OPTIONS"
        answer = client.call("OPTIONS", "/any/style.css")
        assert answer.status == 204 and answer.header("Allow") == "GET, HEAD, OPTIONS"
        answer = client.call("GET", "/any/style.css", body=b"x" * 1000)
        assert answer.status == 200 and client.get("/any/style.css").status == 200, "a body is dropped"


def test_a_front_ends_own_routes_get_its_page(scene):
    daemon, _ = started(scene)
    for target in ("/spa/users/7", "/spa/", "/spa/deep/er/est", "/spa/nothing/", "/spa/x.y/z"):
        answer = daemon.get(target)
        assert answer.status == 200 and answer.header("Content-Type") == "text/html; charset=utf-8", target
    assert daemon.get("/spa/users/7").body == b"<h1>app</h1>"
    for target in ("/spa/missing.js", "/spa/app/missing.png", "/spa/.secret", "/spa/v1.2"):
        assert daemon.get(target).status == 404, target


def test_what_a_client_has_is_not_sent_again(scene):
    daemon, public = started(scene)
    os.utime(os.path.join(public, "style.css"), (1700000000, 1700000000))
    answer = daemon.get("/style.css")
    etag, modified = answer.header("ETag"), answer.header("Last-Modified")
    assert modified == email.utils.formatdate(1700000000, usegmt=True)
    later, before = (email.utils.formatdate(1700000000 + s, usegmt=True) for s in (5, -5))
    for headers, status in (({"If-None-Match": etag}, 304), ({"If-None-Match": "W/" + etag}, 304),
                            ({"If-None-Match": "*"}, 304), ({"If-None-Match": '"x"'}, 200),
                            ({"If-Modified-Since": modified}, 304), ({"If-Modified-Since": later}, 304),
                            ({"If-Modified-Since": before}, 200), ({"If-Modified-Since": "never"}, 200),
                            ({"If-None-Match": '"x"', "If-Modified-Since": later}, 200),
                            ({"If-Match": etag}, 200), ({"If-Match": '"x"'}, 412),
                            ({"If-Unmodified-Since": before}, 412), ({"If-Unmodified-Since": later}, 200)):
        with daemon.client() as client:
            for method in ("GET", "HEAD"):
                answer = client.call(method, "/style.css", headers)
                assert answer.status == status, (method, headers, answer.status)
                if status == 304:
                    assert answer.body == b"" and answer.header("ETag") == etag
                    assert answer.header("Cache-Control") == "max-age=60" and answer.header("Last-Modified") == modified
    with open(os.path.join(public, "style.css"), "ab") as file:
        file.write(b"b{}")
    answer = daemon.get("/style.css", {"If-None-Match": etag})
    assert answer.status == 200 and answer.body.endswith(b"b{}") and answer.header("ETag") != etag
    os.utime(os.path.join(public, "style.css"), (4000000000, 4000000000))
    answer = daemon.get("/style.css")
    assert answer.header("Last-Modified") == answer.header("Date"), "nothing was changed in the future"


def test_ranges(scene):
    daemon, public = started(scene)
    os.utime(os.path.join(public, "data.bin"), (1700000000, 1700000000))
    whole = bytes(range(256)) * 40
    size = len(whole)
    etag = daemon.get("/data.bin").header("ETag")
    for said, first, last in (("0-9", 0, 9), ("100-", 100, size - 1), ("-5", size - 5, size - 1), ("0-", 0, size - 1),
                              (f"{size - 1}-{size + 50}", size - 1, size - 1), (f"-{size * 2}", 0, size - 1)):
        answer = daemon.get("/data.bin", {"Range": f"bytes={said}"})
        assert answer.status == 206 and answer.body == whole[first:last + 1], said
        assert answer.header("Content-Range") == f"bytes {first}-{last}/{size}" and answer.header("ETag") == etag
        assert answer.header("Content-Type") == "application/octet-stream"
    for said in (f"{size}-", "-0", "99999999999999999999-"):
        answer = daemon.get("/data.bin", {"Range": f"bytes={said}"})
        assert answer.status == 416 and answer.header("Content-Range") == f"bytes */{size}"
        assert answer.header("Content-Type") == "application/problem+json" and answer.header("ETag") is None
    for said in ("bytes=0-1,4-5", "bytes=5-1", "lines=1-2", "bytes=x", "bytes="):
        answer = daemon.get("/data.bin", {"Range": said})
        assert answer.status == 200 and answer.body == whole and answer.header("Content-Range") is None, said
    date = email.utils.formatdate(1700000000, usegmt=True)
    for same, status in ((etag, 206), (date, 206), ('"x"', 200), ("W/" + etag, 200), ("Wed, 15 Nov 2023 22:13:20 GMT", 200)):
        assert daemon.get("/data.bin", {"Range": "bytes=0-1", "If-Range": same}).status == status, same
    assert daemon.get("/data.bin", {"Range": "bytes=0-1", "If-None-Match": etag}).status == 304
    with daemon.client() as client:
        answer = client.call("HEAD", "/data.bin", {"Range": "bytes=0-1"})
        assert answer.status == 200 and answer.header("Content-Length") == str(size)
    assert daemon.get("/empty.txt", {"Range": "bytes=0-1"}).status == 416
    assert daemon.get("/empty.txt", {"Range": "bytes=-1"}).status == 200


def test_files_that_are_compressed_already(scene):
    daemon, public = started(scene)
    path = os.path.join(public, "big.js")
    with open(path, "rb") as file:
        plain = file.read()
    with open(path + ".gz", "wb") as file:
        file.write(gzip.compress(plain))
    with open(path + ".br", "wb") as file:
        file.write(b"BR")
    for said, coding in (("gzip", "gzip"), ("gzip, br", "br"), ("br;q=0, gzip", "gzip"), ("", None), ("identity", None)):
        answer = daemon.get("/pre/big.js", {"Accept-Encoding": said})
        assert answer.header("Content-Encoding") == coding and answer.header("Vary") == "Accept-Encoding", said
        assert answer.header("Content-Type") == "text/javascript; charset=utf-8" and answer.status == 200
        assert answer.header("ETag").endswith(f'-{coding}"' if coding else '"'), answer.header("ETag")
        again = daemon.get("/pre/big.js", {"Accept-Encoding": said, "If-None-Match": answer.header("ETag")})
        assert again.status == 304 and again.header("Content-Encoding") is None
        if coding == "gzip":
            assert gzip.decompress(answer.body) == plain
    answer = daemon.get("/pre/big.js", {"Accept-Encoding": "br, gzip", "Range": "bytes=0-3"})
    assert answer.status == 206 and answer.body == plain[:4] and answer.header("Content-Encoding") is None
    os.utime(path + ".br", (1700000000, 1700000000))
    answer = daemon.get("/pre/big.js", {"Accept-Encoding": "br, gzip"})
    assert answer.header("Content-Encoding") == "gzip", "one that is older than the file is not sent"
    os.unlink(path + ".gz")
    assert daemon.get("/pre/big.js", {"Accept-Encoding": "br, gzip"}).body == plain


def test_files_are_compressed_while_they_are_sent(scene):
    daemon, _ = started(scene)
    plain = daemon.get("/coded/big.js")
    answer = daemon.get("/coded/big.js", {"Accept-Encoding": "gzip"})
    assert answer.header("Content-Encoding") == "gzip" and gzip.decompress(answer.body) == plain.body
    assert answer.header("ETag") == "W/" + plain.header("ETag") and answer.header("Accept-Ranges") is None
    assert answer.header("Vary") == plain.header("Vary") == "Accept-Encoding"
    assert daemon.get("/coded/data.bin", {"Accept-Encoding": "gzip"}).header("Content-Encoding") is None
    with daemon.client() as client:
        head = client.call("HEAD", "/coded/big.js", {"Accept-Encoding": "gzip"})
        assert head.header("Content-Encoding") == "gzip" and head.header("Content-Length") is None


def test_large_files_come_whole_and_in_little_memory(scene):
    daemon, public = started(scene)
    path, step = os.path.join(public, "large.bin"), bytes(range(251)) * 4177
    with open(path, "wb") as file:
        for _ in range(8):
            file.write(step)
    before = daemon.rss_bytes()
    with daemon.client() as client:
        answer = client.get("/large.bin")
        assert answer.body == step * 8
        assert client.get("/style.css").status == 200
        answer = client.get("/large.bin", {"Range": f"bytes={MIB}-{5 * MIB}"})
        assert answer.body == (step * 8)[MIB:5 * MIB + 1]
    assert daemon.rss_bytes() - before < 3 * MIB * (1 if SLOWDOWN == 1 else 16)


def test_a_large_file_is_the_same_by_tls(scene):
    pair, body = authority().issue(), bytes(range(251)) * 12_345
    public = folder(scene)
    with open(os.path.join(public, "large.bin"), "wb") as file:
        file.write(body)
    daemon = scene.gatherd(
        f"listen: {{url: \"https://127.0.0.1:0\", tls: {{cert: {pair.cert}, key: {pair.key}}}}}\n"
        f"routes: {{\"GET /{{path...}}\": {{files: {public}}}}}\n")
    context = ssl.create_default_context(cafile=authority().cert)
    with daemon.client(tls=context, name="localhost") as client:
        assert client.get("/large.bin").body == body
        assert client.get("/large.bin", {"Range": "bytes=70000-2999999"}).body == body[70000:3000000]


def test_a_slow_reader_of_a_large_file_gets_every_byte(scene):
    daemon, public = started(scene)
    body = bytes(range(241)) * 60_000
    with open(os.path.join(public, "slow.bin"), "wb") as file:
        file.write(body)
    with daemon.client() as slow, daemon.client() as other:
        slow.request("GET", "/slow.bin")
        for _ in range(20):
            assert other.get("/style.css").status == 200
        assert slow.response().body == body
        assert slow.get("/style.css").status == 200


def test_a_file_that_shrinks_ends_the_connection(scene):
    daemon, public = started(scene)
    path = os.path.join(public, "shrinks.bin")
    with open(path, "wb") as file:
        file.write(b"x" * (40 * MIB))
    with daemon.client() as client:
        client.request("GET", "/shrinks.bin")
        assert client.reader.more()
        os.truncate(path, 1000)
        assert client.answer_or_close() is None
    assert daemon.get("/style.css").status == 200


def test_a_client_that_leaves_leaves_no_file_open(scene):
    daemon, public = started(scene)
    with open(os.path.join(public, "left.bin"), "wb") as file:
        file.truncate(40 * MIB)
    for leave in ("close", "reset"):
        with daemon.client() as client:
            client.request("GET", "/left.bin")
            assert client.reader.more()
            assert daemon.status()["worker"]["files_open"] == 1
            getattr(client, leave)()
        until(lambda: daemon.status()["worker"]["files_open"] == 0, "the file is closed")


def test_mistakes_of_the_file_are_found(scene):
    done = run_gatherd("check", "CONFIG", config="""routes:
  GET /a/{path...}: {files: nowhere}
  GET /b: {files: .}
  POST /c/{path...}: {files: .}
  GET /d/{path...}: {files: {dir: ., index: a/b, fallback: ../x, types: {x: y}}}
  GET /e/{path...}: {files: ., respond: 1}
  GET /f/{path...}: {files: ., timeout: 1s}
""")
    assert done.returncode == 78
    for wanted in ("nowhere\" cannot be opened as a folder: No such file", "ends in {name...}",
                   "files are answered to GET and HEAD", "expected the name of a file, or off", "below dir, or off",
                   "expected a type like text/html", "a route has one of", "timeout has no effect on files"):
        assert wanted in done.stdout + done.stderr, (wanted, done)


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))


def slow_reader(daemon):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(10 * SLOWDOWN)
    sock.connect(("127.0.0.1", daemon.port))
    return sock


def ask_slowly(sock, target):
    """The status of an answer of which no more is taken."""
    sock.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return int(sock.recv(12)[9:])


def test_slow_readers_leave_descriptors_to_upstreams_and_operators(scene):
    public = folder(scene)
    os.truncate(os.path.join(public, "data.bin"), 64 * MIB)
    origin = scene.origin()
    daemon = scene.gatherd(f"routes:\n  GET /f/{{path...}}: {{files: {public}}}\n"
                           f"  GET /x: {{calls: {{a: \"{origin.url}/a\"}}}}\n", preexec=few_descriptors)
    with daemon.client() as client:
        assert client.get("/f/index.html").status == 200
        readers = [slow_reader(daemon) for _ in range(60)]
        statuses = [ask_slowly(sock, "/f/data.bin") for sock in readers]
        assert set(statuses) == {200, 503} and statuses.count(200) > 10, statuses
        assert client.get("/f/index.html").status == 503
        answer = client.get("/x")
        assert answer.status == 200, answer.body
        assert daemon.status()["worker"]["files_open"] == statuses.count(200)
        for sock in readers:
            sock.close()
        until(lambda: daemon.status()["worker"]["files_open"] == 0, "the files closed")
        assert client.get("/f/index.html").status == 200
