"""Servers that are none of ours as upstreams: each is held to the same."""
from peers import LARGE_BYTES, Nginx, Node, PythonServer
from tls import trusting
from waits import until

KEPT = 40  # requests, of which only the first few may need a connection


def behind(scene, peer, http):
    """A daemon before the peer."""
    tls = (trusting() if peer.pair else "") + f", http: {http}"
    return scene.gatherd(f"""
upstreams:
  peer: {{servers: [{peer.url}]{tls}, accept_encoding: on, timeout: 5s, retry: off}}
defaults: {{timeout: 10s}}
routes:
  GET /parts: {{calls: {{a: peer/item.json, b: peer/item.json, c: peer/item.json}}}}
  GET /nothing: {{calls: {{a: peer/nothing}}}}
  GET /perhaps: {{calls: {{a: {{url: peer/item.json, default: none}}}}}}
  GET /large: {{pass: peer}}
  /echo: {{pass: peer}}
""")


def good(daemon, peer):
    answer = daemon.get("/parts")
    part = {"by": peer.name, "words": "n" * 2000}
    return answer.status == 200 and answer.json() == {"a": part, "b": part, "c": part}


def check(scene, peer, keeps=True, http="1.1"):
    daemon = behind(scene, scene.keep(peer), http)
    for _ in range(KEPT):
        assert good(daemon, peer)
    if keeps:
        server = daemon.server("peer")
        most = 1 if peer.h2 and http != "1.1" else 6
        assert server["connects"] <= most and server["reuses"] >= 3 * KEPT - 6, server
    failed = daemon.get("/nothing")
    assert (failed.status, failed.json()["class"]) == (404, "status"), failed.raw
    assert daemon.get("/large").body == b"n" * LARGE_BYTES
    peer.end()
    assert daemon.get("/parts").json()["class"] == "connect"
    assert daemon.get("/perhaps").json() == {"a": "none"}
    peer.start()
    until(lambda: good(daemon, peer), "the peer is used again")
    return daemon


def echoes(daemon):
    body = bytes(range(256)) * 4000
    assert daemon.call("POST", "/echo", body=body).body == body


def test_nginx_is_a_good_upstream(scene):
    check(scene, Nginx("nginx"))


def test_nginx_with_tls_is_a_good_upstream(scene):
    check(scene, Nginx("nginx", tls=True))


def test_node_is_a_good_upstream(scene):
    echoes(check(scene, Node("node")))


def test_node_with_tls_is_a_good_upstream(scene):
    echoes(check(scene, Node("node", tls=True)))


def test_a_server_that_closes_behind_each_answer_is_a_good_upstream(scene):
    check(scene, PythonServer("python"), keeps=False)


def test_nginx_is_a_good_upstream_by_http_2(scene):
    check(scene, Nginx("nginx", h2=True), http="2")


def test_nginx_with_tls_is_a_good_upstream_by_http_2(scene):
    check(scene, Nginx("nginx", tls=True, h2=True), http="2")


def test_node_is_a_good_upstream_by_http_2(scene):
    echoes(check(scene, Node("node", h2=True), http="2"))


def test_node_with_tls_is_a_good_upstream_by_http_2(scene):
    echoes(check(scene, Node("node", tls=True, h2=True), http="auto"))


def test_a_server_that_speaks_both_is_asked_what_it_is_to_speak(scene):
    check(scene, Node("node", tls=True, h2=True), http="1.1")


def test_a_server_without_http_2_is_spoken_to_by_1_1_where_that_is_allowed(scene):
    check(scene, Node("node", tls=True), http="auto")
