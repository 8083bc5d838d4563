"""Which route takes a request, and what of the request reaches an upstream."""


def routed(scene, *routes):
    """A daemon whose routes (pattern, call) all go to one origin."""
    origin = scene.origin(lambda exchange: exchange.reply(exchange.request.target))
    lines = ["upstreams:", f"  up: {origin.url}", "routes:"]
    for pattern, call in routes:
        lines += [f"  \"{pattern}\":", "    calls:", f"      got: {call}"]
    return scene.gatherd("\n".join(lines) + "\n"), origin


def got(daemon, target, headers=None):
    answer = daemon.get(target, headers)
    assert answer.status == 200, (target, answer.raw)
    return answer.json()["got"]


def test_the_most_specific_pattern_wins(scene):
    daemon, _ = routed(scene, ("GET /a/{x...}", "up/tail"), ("GET /a/{x}", "up/segment"),
                       ("GET /a/b", "up/literal"), ("GET special.test/a/b", "up/host"))
    assert got(daemon, "/a/b") == "/literal"
    assert got(daemon, "/a/c") == "/segment"
    assert got(daemon, "/a/b/c") == "/tail"
    with daemon.client() as client:
        client.send("GET /a/b HTTP/1.1\r\nHost: special.test\r\n\r\n")
        assert client.response().json()["got"] == "/host"


def test_an_unknown_path_is_404(scene):
    daemon, origin = routed(scene, ("GET /a", "up/a"))
    for target in ("/", "/b", "/a/b", "/A", "/a%2Fb"):
        answer = daemon.get(target)
        assert answer.status == 404, target
        assert answer.header("Content-Type") == "application/problem+json"
    assert not origin.exchanges
    assert daemon.status()["worker"]["unrouted"]["not_found"] == 5


def test_another_method_is_405_with_allow(scene):
    daemon, origin = routed(scene, ("GET /a", "up/a"), ("POST /a", "up/b"))
    answer = daemon.call("DELETE", "/a")
    assert answer.status == 405
    assert set(answer.header("Allow").split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}
    assert not origin.exchanges


def test_options_is_answered_here(scene):
    daemon, origin = routed(scene, ("GET /a", "up/a"))
    answer = daemon.call("OPTIONS", "/a")
    assert answer.status == 204
    assert set(answer.header("Allow").split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert daemon.call("OPTIONS", "*").status == 204
    assert not origin.exchanges


def test_head_is_answered_from_get_without_the_body(scene):
    daemon, origin = routed(scene, ("GET /a", "up/a"))
    with daemon.client() as client:
        head = client.call("HEAD", "/a")
        get = client.get("/a")
    assert head.status == 200
    assert head.body == b""
    assert head.header("Content-Length") == get.header("Content-Length") == str(len(get.body))
    assert origin.requests[0].method == "GET"


def test_parameters_are_encoded_for_where_they_stand(scene):
    daemon, _ = routed(scene, ("GET /u/{id}/{tail...}", "up/x/{id}?q={id}"))
    for sent, path, query in (
            ("7", "7", "7"), ("a%20b", "a%20b", "a%20b"), ("%C3%A9", "%C3%A9", "%C3%A9"),
            ("a%3Fb", "a%3Fb", "a%3Fb"), ("a%26b%3Dc", "a%26b%3Dc", "a%26b%3Dc"),
            ("a+b", "a+b", "a%2Bb"), ("a;b", "a;b", "a%3Bb"), ("%41", "A", "A")):
        target = got(daemon, f"/u/{sent}/z")
        left, _, right = target.partition("?q=")
        assert left.startswith("/x/") and "/" not in left[3:], target
        assert undo(left[3:]) == undo(path), (sent, target)
        assert undo(right) == undo(query) and "&" not in right and "#" not in right, (sent, target)


def undo(text):
    """Percent-decodes."""
    out, at = b"", 0
    data = text.encode()
    while at < len(data):
        if data[at:at + 1] == b"%":
            out += bytes.fromhex(data[at + 1:at + 3].decode())
            at += 3
        else:
            out += data[at:at + 1]
            at += 1
    return out


def test_a_query_value_is_passed_where_the_template_says(scene):
    daemon, _ = routed(scene, ("GET /s", "up/search?q={query.q}&page={query.page?}&n={query.n=10}"))
    assert got(daemon, "/s?q=a%26b&evil=1") == "/search?q=a%26b&n=10"
    assert got(daemon, "/s?q=x&page=2&n=5") == "/search?q=x&page=2&n=5"


def test_a_placeholder_without_a_value_fails_before_anything_is_sent(scene):
    daemon, origin = routed(scene, ("GET /s", "up/search?q={query.q}"))
    answer = daemon.get("/s")
    assert (answer.status, answer.json()["class"]) == (502, "unresolved"), answer.raw
    assert not origin.exchanges


def test_no_byte_of_a_parameter_adds_anything_upstream(scene):
    """All 256 values, percent-encoded in a path and in a query: whatever arrives upstream
    is one segment and one value, or nothing arrives."""
    daemon, origin = routed(scene, ("GET /p/{id}", "up/p/{id}?v={query.v?}"))
    sent, client = 0, daemon.client()
    for byte in range(256):
        for target in (f"/p/a%{byte:02X}b?v=1", f"/p/x?v=a%{byte:02x}b"):
            answer = client.get(target)
            assert answer.status < 500, (target, answer.raw)
            if answer.status != 200:
                client.close()
                client = daemon.client()
                continue
            sent += 1
            request = origin.requests[-1]
            path, _, query = request.target.partition("?")
            assert path.count("/") == 2, request.raw
            assert query.count("=") == 1 and "&" not in query, request.raw
            value = path[3:] if "%" in target.partition("?")[0] else query[2:]
            assert undo(value) == b"a" + bytes([byte]) + b"b", (target, request.raw)
            assert [name for name, _ in request.fields] == \
                [name for name, _ in origin.requests[0].fields], request.raw
    client.close()
    assert sent >= 2 * 200, sent
    assert len(origin.exchanges) == sent


def test_raw_control_bytes_in_a_target_never_reach_an_upstream(scene):
    daemon, origin = routed(scene, ("GET /p/{id}", "up/p/{id}?v={query.v?}"))
    for byte in [*range(0x21), 0x7f, *range(0x80, 0x100)]:
        with daemon.client() as client:
            client.send(b"GET /p/a" + bytes([byte]) + b"b HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = client.answer_or_close()
            assert answer is None or 400 <= answer.status < 500, (byte, answer.raw)
    assert not origin.exchanges, origin.requests[0].raw


def test_dots_do_not_climb(scene):
    daemon, origin = routed(scene, ("GET /p/{rest...}", "up/base/{rest}"), ("GET /secret", "up/secret"))
    for target in ("/p/../secret", "/p/%2e%2e/secret", "/p/a/../../secret", "/p/..%2fsecret",
                   "/p/%2e%2e%2fsecret", "/p/.", "/p/..", "/p/a/%2E%2E/b", "/p/..;/x"):
        before = len(origin.exchanges)
        answer = daemon.get(target)
        assert answer.status < 500, (target, answer.raw)
        for exchange in origin.exchanges[before:]:
            path = undo(exchange.request.path)
            segments = exchange.request.path.split("/")
            assert not {".", "..", "%2e%2e", "%2E%2E"} & set(segments), (target, path)


def test_an_absolute_target_is_routed_by_its_own_host(scene):
    daemon, _ = routed(scene, ("GET /a", "up/any"), ("GET special.test/a", "up/host"))
    with daemon.client() as client:
        client.send("GET http://special.test/a HTTP/1.1\r\nHost: special.test\r\n\r\n")
        assert client.response().json()["got"] == "/host"
