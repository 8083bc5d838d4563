"""Cookies that an upstream sets, kept for its calls."""


def gateway(scene, answer=None, option="cookies: on", call="u/api/data"):
    origin = scene.origin(answer)
    return origin, scene.gatherd(f"""
upstreams:
  u: {{servers: ["{origin.url}"], {option}}}
  other: {{servers: ["{origin.url}"], cookies: on}}
routes:
  GET /login: {{calls: {{a: u/api/login}}}}
  GET /data: {{calls: {{a: "{call}"}}}}
  GET /mixed: {{calls: {{a: {{url: u/api/data, forward: {{cookies: [lang, sid, gone]}}}}}}}}
  GET /other: {{calls: {{a: other/api/data}}}}
  GET /raw: {{pass: u/api/data}}
""")


def sets(*cookies):
    def answer(exchange):
        lines = "".join(f"Set-Cookie: {cookie}\r\n" for cookie in cookies)
        exchange.send(f"HTTP/1.1 200 OK\r\n{lines}Content-Length: 2\r\n\r\n{{}}".encode())
    return answer


def cookie_of(origin):
    return origin.requests[-1].header("Cookie")


def test_what_an_answer_sets_is_sent_with_later_calls(scene):
    origin, daemon = gateway(scene)
    origin.on("/api/login", sets("sid=secret-1; Path=/api", "lang=fr", "other=1; Path=/elsewhere"))
    with daemon.client() as client:
        client.get("/data")
        assert cookie_of(origin) is None
        client.get("/login")
        client.get("/data")
        assert cookie_of(origin) == "sid=secret-1; lang=fr"
        origin.on("/api/login", sets("sid=; Path=/api; Max-Age=0"))
        client.get("/login")
        client.get("/data")
        assert cookie_of(origin) == "lang=fr"
    assert daemon.upstream("u")["cookies"] == 2


def test_cookies_of_a_browser_that_are_passed_on_win(scene):
    origin, daemon = gateway(scene)
    origin.on("/api/login", sets("sid=kept", "theme=dark"))
    with daemon.client() as client:
        client.get("/login")
        client.get("/mixed", {"Cookie": "sid=own; hidden=1; lang=fr"})
        assert cookie_of(origin) == "lang=fr; sid=own; theme=dark"
        client.get("/mixed", {"Cookie": "hidden=1"})
        assert cookie_of(origin) == "sid=kept; theme=dark"
        client.get("/data", {"Cookie": "sid=own"})
        assert cookie_of(origin) == "sid=kept; theme=dark"


def test_a_jar_is_for_the_calls_of_its_upstream_alone(scene):
    origin, daemon = gateway(scene)
    origin.on("/api/login", sets("sid=1"))
    with daemon.client() as client:
        client.get("/login")
        for path in ("/other", "/raw"):
            client.get(path)
            assert cookie_of(origin) is None, path
        answer = sets("raw=1")
        origin.answer = answer
        assert client.get("/raw").header("Set-Cookie") == "raw=1"
        client.get("/data")
        assert cookie_of(origin) == "sid=1"


def test_no_jar_is_kept_unless_asked_for(scene):
    origin, daemon = gateway(scene, sets("sid=1"), option="timeout: 2s")
    with daemon.client() as client:
        for _ in range(2):
            assert client.get("/data").header("Set-Cookie") is None
    assert cookie_of(origin) is None
    assert "jar" not in daemon.upstream("u")


def test_cookies_for_somebody_else_are_counted(scene):
    origin, daemon = gateway(scene, sets("a=1; Domain=example.com", "b=1; Domain=0.0.1", "c", "d=1; Secure"))
    with daemon.client() as client:
        for _ in range(2):
            client.get("/data")
    assert cookie_of(origin) is None
    upstream = daemon.upstream("u")
    assert upstream["cookies_dropped"] == {"refused": 6, "evicted": 0}
    assert upstream["cookies"] == 1


def test_cookies_of_an_error_are_kept_too(scene):
    origin, daemon = gateway(scene, lambda exchange: exchange.reply(status=403, headers={"Set-Cookie": "try=1"}))
    with daemon.client() as client:
        assert client.get("/data").status == 403
        client.get("/data")
    assert cookie_of(origin) == "try=1"


def test_the_status_shows_all_but_the_values(scene):
    origin, daemon = gateway(scene)
    origin.on("/api/login", sets("sid=hush; Max-Age=2000000000", "b=hush; Path=/"))
    daemon.get("/login")
    raw = daemon.admin("/status").raw
    assert b"hush" not in raw and b"hush" not in daemon.admin("/metrics").raw
    jar = daemon.upstream("u")["jar"]
    assert [(c["worker"], c["name"], c["domain"], c["path"]) for c in jar] == [
        (0, "sid", "127.0.0.1", "/api"), (0, "b", "127.0.0.1", "/")]
    assert jar[0]["expires"].startswith("20") and jar[0]["expires"].endswith("Z")
    assert jar[1]["expires"] is None
    assert daemon.upstream("other")["jar"] == []


def test_endless_cookies_are_bounded(scene):
    def answer(exchange):
        sets(*(f"c{len(origin.exchanges)}-{n}={'v' * 300}" for n in range(60)))(exchange)
    origin, daemon = gateway(scene, answer)
    with daemon.client() as client:
        for _ in range(20):
            assert client.get("/data").status == 200
    upstream = daemon.upstream("u")
    assert 40 < upstream["cookies"] <= 64
    assert upstream["cookies"] + upstream["cookies_dropped"]["evicted"] == 1200
    assert 12000 < len(cookie_of(origin)) < 20000


def test_explain_says_that_a_jar_adds_its_cookies(scene):
    _, daemon = gateway(scene)
    assert '"jar"' in daemon.admin("/explain?path=/data").body.decode()
