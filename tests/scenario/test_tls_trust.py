"""Upstreams over TLS: who they are is proved."""
import os
import shutil
import subprocess
import tempfile

from daemon import run_gatherd
from tls import (V1_2, V1_3, NginxOrigin, assert_fails, authority, gather, origin_of, server_context, trusting)

# --- names ------------------------------------------------------------------------------

def test_literal_urls_trust_the_system(scene):
    origin = origin_of(scene)
    config = f"routes: {{GET /x: {{calls: {{a: \"{origin.url}/a\"}}}}, /p: {{pass: \"{origin.url}/p\"}}}}\n"
    env = {"SSL_CERT_FILE": authority().cert, "SSL_CERT_DIR": "FOLDER"}
    daemon = scene.gatherd(config, env=env)
    assert daemon.get("/x").json() == {"a": {"path": "/a"}}
    assert daemon.get("/p").json() == {"path": "/p"}
    stranger = scene.gatherd(config, env={**env, "SSL_CERT_FILE": authority("Other CA").cert})
    assert stranger.get("/x").json()["class"] == "tls"


def test_the_host_is_told_and_verified(scene):
    pair = authority().issue("service.test", "DNS:service.test")
    origin = origin_of(scene, context=server_context(pair))
    assert_fails(gather(scene, origin), "tls", "its certificate is for another host")
    assert origin.hellos[-1] is None  # an address is no name
    assert gather(scene, origin, ", server_name: service.test").get("/x").status == 200
    assert origin.hellos[-1] == "service.test"
    origin = origin_of(scene)
    daemon = scene.gatherd(f"""
upstreams: {{a: {{servers: ["https://localhost:{origin.port}"]{trusting()}}}}}
routes: {{GET /x: {{calls: {{a: a/x}}}}}}
""")
    assert daemon.get("/x").status == 200
    assert origin.hellos[-1] == "localhost"
    assert origin.requests[-1].header("Host") == f"localhost:{origin.port}"


# --- certificates that prove nothing ------------------------------------------------------

def refuses(scene, pair, reason, more="", ca=None):
    origin = origin_of(scene, context=server_context(pair))
    daemon = scene.gather({"a": origin}, upstream=", retry: off" + trusting(more, ca))
    assert_fails(daemon, "tls", reason)
    server = daemon.server("a")
    assert (server["tls_handshakes"], server["tls_failures"]) == (0, 1)
    assert not origin.requests, "it was sent a request"


def test_an_expired_certificate_is_tls(scene):
    refuses(scene, authority().issue(end="20210101000000Z"), "its certificate has expired")


def test_a_certificate_of_the_future_is_tls(scene):
    refuses(scene, authority().issue(start="20880101000000Z"), "its certificate is not valid yet")


def test_a_self_signed_certificate_is_tls(scene):
    pair = authority().self_signed("localhost", "-addext", "subjectAltName=IP:127.0.0.1")
    refuses(scene, pair, "its certificate is self-signed")


def test_a_certificate_of_an_unknown_ca_is_tls(scene):
    refuses(scene, authority("Other CA").issue(), "its certificate is of an unknown CA")


def test_a_certificate_for_another_host_is_tls(scene):
    refuses(scene, authority().issue("other", "DNS:other.test"), "its certificate is for another host")
    refuses(scene, authority().issue("other", "IP:127.0.0.2"), "its certificate is for another host")


def test_a_certificate_for_part_of_the_name_is_tls(scene):
    for san in ("DNS:*.test", "DNS:a.service.test", "DNS:service.test.evil", "DNS:s*.test"):
        refuses(scene, authority().issue("other", san), "its certificate is for another host",
                ", server_name: service.test" if san != "DNS:*.test" else ", server_name: a.b.test")


def test_a_common_name_alone_is_no_name(scene):
    refuses(scene, authority().issue("service.test", "DNS:other.test"),
            "its certificate is for another host", ", server_name: service.test")


def test_a_certificate_that_is_no_ca_signs_nothing(scene):
    middle = authority().issue("middle", "DNS:middle.test")
    leaf = authority().self_signed("leaf", "-CA", middle.cert, "-CAkey", middle.key,
                                   "-addext", "subjectAltName=IP:127.0.0.1")
    with open(leaf.cert, "a", encoding="ascii") as file, open(middle.cert, encoding="ascii") as more:
        file.write(more.read())
    refuses(scene, leaf, "invalid CA certificate")


def test_nothing_is_verified_when_that_is_asked_for_loudly(scene):
    origin = origin_of(scene, context=server_context(authority().issue(end="20210101000000Z")))
    daemon = scene.gather({"a": origin}, upstream=", tls: {verify: false}")
    assert daemon.get("/x").status == 200
    assert "warn: upstream a: tls.verify is false" in daemon.log()
    assert daemon.upstream("a")["tls"] == {"verify": False, "min_version": "1.2"}


def test_verifying_cannot_be_switched_off_by_a_typo(scene):
    for wrong in ("verify: no", "verify: 0", "verify: \"false\"", "verify: ", "verfy: false",
                  "verify: none", "Verify: false"):
        done = run_gatherd("check", "CONFIG", config=f"""
upstreams: {{a: {{servers: "https://h", tls: {{{wrong}}}}}}}
""")
        assert done.returncode == 78, wrong
        assert "upstreams.a.tls" in done.stderr


# --- certificates of ours -----------------------------------------------------------------

def test_a_certificate_is_shown_to_who_wants_one(scene):
    mine = authority().issue("gatherd", "DNS:gatherd.test")
    seen = []
    for version in (V1_2, V1_3):
        context = server_context(authority().issue(), clients=authority().cert,
                                 lowest=version, highest=version)
        origin = origin_of(scene, lambda exchange: (
            seen.append(exchange.sock.getpeercert()["subjectAltName"]), exchange.reply(1)), context)
        daemon = gather(scene, origin, f", cert: \"{mine.cert}\", key: \"{mine.key}\"")
        assert daemon.get("/x").status == 200
        assert_fails(gather(scene, origin), "tls")
        assert len(origin.requests) == 1
    assert seen == [(("DNS", "gatherd.test"),)] * 2


# --- what is wrong in a file --------------------------------------------------------------

def check(folder, section, server="https://127.0.0.1:8443"):
    done = run_gatherd("check", "CONFIG", config=f"""\
upstreams:
  a:
    servers: {server}
    tls: {section}
""".replace("HERE", folder))
    return done.returncode, done.stderr.replace(folder, "HERE")


def test_files_that_cannot_be_used_are_errors_of_the_check(scene):
    good, other = authority().issue("gatherd", "DNS:gatherd.test"), authority().issue()
    with tempfile.TemporaryDirectory(prefix="gatherd-test-") as folder:
        for name, pair in (("good", good), ("other", other)):
            shutil.copy(pair.cert, os.path.join(folder, f"{name}.pem"))
            shutil.copy(pair.key, os.path.join(folder, f"{name}.key"))
        with open(os.path.join(folder, "empty.pem"), "w", encoding="ascii"):
            pass
        with open(good.cert, encoding="ascii") as file, \
                open(os.path.join(folder, "bad.pem"), "w", encoding="ascii") as bad:
            text = file.read()
            bad.write(text + text.replace("A", "B", 30))
        subprocess.run(["openssl", "pkey", "-in", good.key, "-aes128", "-passout", "pass:x",
                        "-out", os.path.join(folder, "locked.key")], check=True)
        assert check(folder, "{ca: HERE/good.pem, cert: HERE/good.pem, key: HERE/good.key}") == (0, "")
        for section, message in (
                ("{ca: HERE/none.pem}", '15: upstreams.a.tls.ca: "HERE/none.pem" cannot be opened: '
                                        "No such file or directory"),
                ("{ca: HERE}", '15: upstreams.a.tls.ca: "HERE" is a directory'),
                ("{ca: HERE/empty.pem}", '15: upstreams.a.tls.ca: "HERE/empty.pem" has no certificate in '
                                         "PEM form"),
                ("{ca: HERE/good.key}", '15: upstreams.a.tls.ca: "HERE/good.key" has no certificate in '
                                        "PEM form"),
                ("{ca: HERE/bad.pem}", '15: upstreams.a.tls.ca: "HERE/bad.pem" is damaged: certificate 2 '
                                       "cannot be read"),
                ("{cert: HERE/good.pem}", "11: upstreams.a.tls.cert: needs its key: key is missing"),
                ("{key: HERE/good.key}", "11: upstreams.a.tls.key: needs its certificate: cert is missing"),
                ("{cert: HERE/good.pem, key: HERE/other.key}",
                 'upstreams.a.tls.key: "HERE/other.key" is not the key of the certificate'),
                ("{cert: HERE/good.pem, key: HERE/good.pem}",
                 'upstreams.a.tls.key: "HERE/good.pem" has no private key in PEM form'),
                ("{cert: HERE/good.pem, key: HERE/locked.key}",
                 'upstreams.a.tls.key: "HERE/locked.key" is encrypted; only keys without a password can '
                 "be used"),
                ("{server_name: a b}", '24: upstreams.a.tls.server_name: expected auto, a host name or an '
                                       'address, found "a b"'),
                ("{min_version: 1.1}", "upstreams.a.tls.min_version: expected 1.2 or 1.3, found \"1.1\""),
                ("{verify: false, ca: HERE/good.pem}",
                 "upstreams.a.tls.ca: nothing is verified with verify: false; remove one of the two"),
        ):
            code, said = check(folder, section)
            assert code == 78 and message in said and said.count("\n") == 1, (section, said)
        code, said = check(folder, "{verify: true}", "http://127.0.0.1:80")
        assert (code, said) == (78, "gatherd.yaml:4:5: upstreams.a.tls: has no effect: the upstream has "
                                    "no https server\n")


def test_names_of_files_are_relative_to_the_file_that_has_them(scene):
    origin = origin_of(scene)
    with tempfile.TemporaryDirectory(prefix="gatherd-test-") as folder:
        os.mkdir(os.path.join(folder, "certs"))
        shutil.copy(authority().cert, os.path.join(folder, "certs", "ca.pem"))
        with open(os.path.join(folder, "more.yaml"), "w", encoding="ascii") as file:
            file.write(f"upstreams: {{a: {{servers: \"{origin.url}\", tls: {{ca: certs/ca.pem}}}}}}\n")
        daemon = scene.gatherd(f"""
include: ["{folder}/*.yaml"]
routes: {{GET /x: {{calls: {{a: a/x}}}}}}
""")
        assert daemon.get("/x").status == 200


def test_explain_tells_the_scheme_and_what_is_not_verified(scene):
    config = """
upstreams: {a: {servers: "https://h:8443", tls: {verify: false}}}
routes: {GET /x: {calls: {a: a/y, b: "https://api.test/z"}}}
"""
    done = run_gatherd("explain", "CONFIG", "GET /x", config=config)
    assert done.returncode == 0, done.stderr
    for text in ("https://h:8443/y", "https://api.test/z", "whose certificate is not verified"):
        assert text in done.stdout, done.stdout


# --- a server that is none of ours --------------------------------------------------------

def test_nginx_is_spoken_to_in_each_version(scene):
    mine = authority().issue("gatherd", "DNS:gatherd.test")
    for version in ("TLSv1.2", "TLSv1.3"):
        origin = scene.keep(NginxOrigin(version, clients="on"))
        daemon = scene.gatherd(f"""
upstreams: {{a: {{servers: [{origin.url}]{trusting(f', cert: "{mine.cert}", key: "{mine.key}"')}, timeout: 20s}}}}
defaults: {{timeout: 20s}}
routes: {{GET /x: {{calls: {{small: a/small, large: a/large}}}}}}
""")
        seen = set()
        for _ in range(12):
            answer = daemon.get("/x").json()
            assert answer["large"] == "n" * 1_000_000
            seen.add(tuple(answer["small"]))
        assert {(version, "r", "CN=gatherd")} <= seen <= {(version, how, "CN=gatherd") for how in ("r", ".")}
        assert sum(daemon.upstream("a")["failures"].values()) == 0
        server = daemon.server("a")
        assert server["tls_handshakes"] - server["tls_resumed"] <= 3, server
