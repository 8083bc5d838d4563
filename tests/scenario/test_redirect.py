"""Routes that send the client elsewhere."""
ROUTES = """
routes:
  /old/{id}: {redirect: "/new/{id}?page={query.page=1}"}
  /docs/{path...}: {redirect: {to: "https://docs.example.com/{path}", status: 301}}
  /rest/{path...}: {redirect: "/{path}"}
  POST /form: {redirect: {to: /thanks, status: 303}}
  /must: {redirect: "/x?y={query.y}"}
  /x: {calls: {a: {url: "http://127.0.0.1:1/", optional: true}}}
"""


def test_a_client_is_sent_elsewhere(scene):
    daemon = scene.gatherd(ROUTES)
    answer = daemon.get("/old/7?page=2&other=3")
    assert (answer.status, answer.header("Location"), answer.body) == (308, "/new/7?page=2", b"")
    answer = daemon.get("/docs/a/b%20c")
    assert (answer.status, answer.header("Location")) == (301, "https://docs.example.com/a/b%20c")
    assert answer.header("X-Request-Id")


def test_all_methods_are_redirected_without_a_look_at_the_body(scene):
    daemon = scene.gatherd(ROUTES)
    with daemon.client() as client:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answer = client.call(method, "/old/7", body=None if method == "HEAD" else b"body")
            assert (answer.status, answer.header("Location")) == (308, "/new/7?page=1"), method
        answer = client.call("POST", "/form", body=b"a=b")
        assert (answer.status, answer.header("Location")) == (303, "/thanks")
        assert client.get("/form").status == 405


def test_a_client_that_waits_to_send_its_body_need_not(scene):
    daemon = scene.gatherd(ROUTES)
    with daemon.client() as client:
        client.send("PUT /old/7 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                    "Content-Length: 1000000000\r\n\r\n")
        answer = client.response("PUT")
        assert answer.status == 308
        assert client.closed()


def test_no_request_leads_to_another_host(scene):
    daemon, led = scene.gatherd(ROUTES), 0
    for path in ("//evil.test/", "///evil.test", "/%2Fevil.test", "%2F%2Fevil.test", "%5C%5Cevil.test",
                 "/%5Cevil.test", "https://evil.test/", "%09//evil.test", "@evil.test"):
        answer = daemon.get("/rest/" + path)
        if answer.status == 400:  # refused as a target before
            continue
        location = answer.header("Location")
        assert answer.status == 308 and location.startswith("/"), path
        assert location[1:2] not in ("/", "\\"), location
        led += 1
    assert led >= 7, led


def test_a_missing_value_is_a_problem_and_counted(scene):
    daemon = scene.gatherd(ROUTES)
    answer = daemon.get("/must")
    assert answer.status == 400 and answer.header("Location") is None
    assert answer.header("Content-Type") == "application/problem+json"
    assert daemon.get("/must?y=a/b").header("Location") == "/x?y=a%2Fb"
    route = daemon.route("/must")
    assert route["requests"] == 2 and route["in_flight"] == 0
