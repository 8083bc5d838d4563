"""TLS of listeners: which certificate, which clients, which sessions; and who is too slow."""
import os
import re
import ssl
import subprocess

from client import Client
from daemon import run_gatherd
from origin import reply_bytes
from tls import V1_2, V1_3, authority
from waits import until

KIB = 1024


def browser(ca=True, lowest=None, highest=None, cert=None, alpn=None):
    """How a client speaks; ca False: it takes any certificate."""
    context = ssl.create_default_context(cafile=authority().cert)
    if not ca:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if lowest:
        context.minimum_version = lowest
    if highest:
        context.maximum_version = highest
    if cert:
        context.load_cert_chain(cert.cert, cert.key)
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def pair_options(pair):
    return f"cert: {pair.cert}, key: {pair.key}"


def secure(scene, tls="", limits="", answer=None, pair=None, **options):
    """A daemon that speaks TLS; tls: further options of it."""
    origin = scene.origin(answer)
    return scene.gatherd(f"""
listen: {{url: "https://127.0.0.1:0", tls: {{{pair_options(pair or authority().issue())}{tls}}}}}
limits: {{{limits}}}
upstreams: {{up: {{servers: {origin.url}, timeout: 20s}}}}
defaults: {{timeout: 20s}}
routes: {{/x: {{calls: {{it: up/x}}}}, "/p/{{rest...}}": {{max_body: 8MiB, pass: "up/{{rest}}"}}}}
""", **options)


def connect(daemon, context=None, name="localhost", **options):
    return daemon.client(tls=context or browser(), name=name, **options)


def worker(daemon):
    return daemon.status()["worker"]


def refused(daemon, context, name="localhost"):
    """Why a handshake, or what follows it, failed."""
    try:
        with connect(daemon, context, name) as client:
            client.get("/x")
    except OSError as err:  # TLS 1.3 tells a client of some troubles behind its handshake
        return str(err)
    except AssertionError as err:
        return str(err)
    raise AssertionError("it was accepted")


# --- what goes well -----------------------------------------------------------------------

def test_requests_are_served_and_upstreams_hear_of_https(scene):
    daemon = secure(scene, answer=lambda exchange: exchange.reply(
        exchange.request.header("X-Forwarded-Proto")))
    for version in (V1_2, V1_3):
        with connect(daemon, browser(lowest=version, highest=version)) as client:
            for _ in range(5):
                assert client.get("/x").json() == {"it": "https"}
    assert worker(daemon)["tls_handshakes"] == 2
    assert "listening on https://127.0.0.1:" in daemon.log()


def test_bodies_of_any_size_pass_both_ways(scene):
    daemon = secure(scene, answer=lambda exchange: exchange.send(
        reply_bytes(body=exchange.request.body)))
    for version in (V1_2, V1_3):
        with connect(daemon, browser(lowest=version, highest=version)) as client:
            for size in (0, 1, 1000, 16383, 16384, 16385, 70_000, 2_000_000):
                body = os.urandom(size)  # the origin answers when it has all of it
                assert client.call("POST", "/p/x", body=body).body == body, size


def test_pipelined_requests_are_answered_in_order(scene):
    daemon = secure(scene)
    with connect(daemon) as client:
        client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n" * 200)
        for _ in range(200):
            assert client.response().json() == {"it": {"path": "/x"}}


def test_a_request_in_many_small_records_is_one_request(scene):
    daemon = secure(scene)
    with connect(daemon) as client:
        for byte in b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n":
            client.send(bytes([byte]))
        assert client.response().status == 200


# --- certificates -------------------------------------------------------------------------

def test_the_certificate_is_chosen_by_the_name_that_is_asked_for(scene):
    made = {name: authority().issue(name, f"DNS:{san}") for name, san in (
        ("shop", "shop.test"), ("all", "*.shop.test"), ("one", "one.shop.test"))}
    listed = ", ".join(f"{{{pair_options(made[name])}}}" for name in ("shop", "all", "one"))
    daemon = secure(scene, f", certificates: [{listed}]")

    def shown(name):
        with connect(daemon, browser(ca=False), name) as client:
            der = client.sock.getpeercert(binary_form=True)
        text = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject"], input=der,
                              capture_output=True, check=True).stdout.decode()
        return text.partition("CN = ")[2].strip()

    assert shown("shop.test") == shown("SHOP.test") == "shop"
    assert shown("two.shop.test") == "all"
    assert shown("one.shop.test") == "one"
    for name in ("deep.two.shop.test", "other.test", "localhost", None):
        assert shown(name) == "localhost", name
    with connect(daemon, name="two.shop.test") as client:  # verified by the client
        assert client.get("/x").status == 200


def test_an_old_version_is_refused(scene):
    daemon = secure(scene, ", min_version: 1.3")
    assert "version" in refused(daemon, browser(highest=V1_2)).lower()
    with connect(daemon) as client:
        assert client.sock.version() == "TLSv1.3"
    assert worker(daemon)["tls_failures"] == 1


def test_http_1_1_is_what_alpn_agrees_on(scene):
    daemon = secure(scene)
    with connect(daemon, browser(alpn=["h2", "http/1.1"])) as client:
        assert client.sock.selected_alpn_protocol() == "http/1.1"
    refused(daemon, browser(alpn=["h2"]))


def test_wrong_files_are_told_with_their_place(scene):
    good, other = authority().issue(), authority().issue("other", "DNS:other.test")
    folder = authority().folder
    garbled = os.path.join(folder, "garbled.pem")
    with open(good.cert, encoding="ascii") as source, open(garbled, "w", encoding="ascii") as file:
        file.write(source.read().replace("MII", "MIX", 1))

    def said(tls):
        done = run_gatherd("check", "CONFIG", config=(
            f"listen: {{url: 'https://[::]:0', tls: {{{tls}}}}}\nroutes: {{}}\n"))
        assert done.returncode == 78, done
        return done.stderr

    for tls, words in (
            (f"cert: {folder}/none.pem, key: {good.key}", "cannot be opened: No such file"),
            (f"cert: {garbled}, key: {good.key}", "is damaged: certificate 1 cannot be read"),
            (f"cert: {good.key}, key: {good.key}", "has no certificate in PEM form"),
            (f"cert: {good.cert}, key: {other.key}", "is not the key of the certificate"),
            (f"cert: {good.cert}, key: {good.cert}", "has no private key in PEM form"),
            (f"cert: {good.cert}", "needs its key: key is missing"),
            ("min_version: 1.3", "needs a certificate: cert and key"),
            (pair_options(good) + ", client_verify: optional", "client_ca is missing"),
            (pair_options(good) + f", client_ca: {good.cert}, client_verify: off", "has no effect"),
            (pair_options(good) + ", certificates: [{cert: x}]", "key is missing"),
            (pair_options(good) + ", min_version: 1.1", "expected 1.2 or 1.3")):
        text = said(tls)
        assert re.match(r"gatherd\.yaml:1:\d+: listen\.tls", text) and words in text, text


def test_an_expired_certificate_is_warned_of(scene):
    old = authority().issue("old", "DNS:localhost", end="20210101000000Z")
    daemon = secure(scene, pair=old)
    assert re.search(r"warn: .*gatherd\.yaml:\d+:\d+: the certificate in .* has expired", daemon.log())
    assert "expired" in refused(daemon, browser())


# --- clients ------------------------------------------------------------------------------

def test_clients_that_have_to_show_a_certificate(scene):
    mine, strange = authority().issue("client", "DNS:client.test"), \
        authority("Other CA").issue("client", "DNS:client.test")
    daemon = secure(scene, f", client_ca: {authority().cert}")
    for version in (V1_2, V1_3):
        limits = {"lowest": version, "highest": version}
        with connect(daemon, browser(cert=mine, **limits)) as client:
            assert client.get("/x").status == 200
        refused(daemon, browser(**limits))
        refused(daemon, browser(cert=strange, **limits))
    assert worker(daemon)["tls_failures"] == 4 and worker(daemon)["requests"] == 2


def test_clients_that_may_show_a_certificate(scene):
    strange = authority("Other CA").issue("client", "DNS:client.test")
    daemon = secure(scene, f", client_ca: {authority().cert}, client_verify: optional")
    with connect(daemon) as client:
        assert client.get("/x").status == 200
    refused(daemon, browser(cert=strange))


# --- sessions -----------------------------------------------------------------------------

def resumes(daemon, version, rounds=12):
    """How many of these connections resume the session of the first one."""
    context, count = browser(lowest=version, highest=version), 0
    with connect(daemon, context) as client:
        client.get("/x")
        session = client.sock.session
    for _ in range(rounds):
        with connect(daemon, context, session=session) as client:
            assert client.get("/x").status == 200
            count += client.sock.session_reused
    return count


def test_sessions_are_resumed_by_every_worker(scene):
    daemon = secure(scene, workers=3)
    for version in (V1_2, V1_3):
        assert resumes(daemon, version) == 12
    assert worker(daemon)["tls_resumed"] == 24


def test_without_tickets_no_session_is_resumed(scene):
    daemon = secure(scene, ", tickets: false")
    for version in (V1_2, V1_3):
        assert resumes(daemon, version, rounds=2) == 0


def test_a_session_is_no_proof_to_a_listener_that_asks_for_more(scene):
    """Two listeners share the keys of their tickets, but not what clients have shown."""
    pair, origin = authority().issue(), scene.origin()
    mine = authority().issue("client", "DNS:client.test")
    daemon = scene.gatherd(f"""
listen:
  - {{url: "https://127.0.0.1:0", tls: {{{pair_options(pair)}}}}}
  - {{url: "https://127.0.0.1:0", tls: {{{pair_options(pair)}, client_ca: {authority().cert}}}}}
upstreams: {{up: {origin.url}}}
routes: {{/x: {{calls: {{it: up/x}}}}}}
""")
    ports = [int(port) for port in re.findall(r"listening on https://127.0.0.1:(\d+)", daemon.log())]
    context = browser(highest=V1_2)
    with Client(ports[0], tls=context, name="localhost") as client:
        assert client.get("/x").status == 200
        session = client.sock.session
    try:
        with Client(ports[1], tls=context, name="localhost", session=session) as client:
            client.get("/x")
        raise AssertionError("it was accepted")
    except OSError:
        pass
    with Client(ports[1], tls=browser(cert=mine), name="localhost") as client:
        assert client.get("/x").status == 200


# --- ends ---------------------------------------------------------------------------------

def test_the_end_is_announced(scene):
    daemon = secure(scene)
    with connect(daemon) as client:
        assert client.call("GET", "/x", {"Connection": "close"}).status == 200
        assert client.sock.recv(1) == b""  # without close_notify this would be an error


def test_a_client_that_leaves_without_a_word_is_no_trouble(scene):
    daemon = secure(scene)
    for leave in (Client.close, Client.reset):
        client = connect(daemon)
        assert client.get("/x").status == 200
        leave(client)
    until(lambda: worker(daemon)["connections_open"] == 0, "both gone")
    assert worker(daemon)["tls_failures"] == 0


def test_plain_text_is_answered_with_nothing(scene):
    daemon = secure(scene)
    for text in (b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n", b"\r\n" * 20, b"\x00" * 100,
                 b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"):
        with daemon.client() as client:
            client.send(text)
            try:
                said = client.sock.recv(4096)
            except ConnectionResetError:
                said = b""
            assert not said or said[0] == 21, said  # nothing, or an alert of TLS
    assert worker(daemon)["requests"] == 0 and worker(daemon)["tls_failures"] >= 3


def test_a_session_is_not_negotiated_anew(scene):
    daemon = secure(scene)
    shell = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{daemon.port}", "-tls1_2"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    until(lambda: worker(daemon)["tls_handshakes"] == 1, "the handshake")
    said = shell.communicate(b"R\n", timeout=20)[0].decode("latin-1")
    assert "RENEGOTIATING" in said and "no renegotiation" in said, said
    assert worker(daemon)["tls_handshakes"] == 1


# --- who is too slow, and too many --------------------------------------------------------

def test_a_handshake_has_a_deadline(scene):
    daemon = secure(scene, limits="handshake_timeout: 200ms")
    with daemon.client() as silent, daemon.client() as slow:
        slow.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        assert silent.closed()
        until(lambda: worker(daemon)["client_timeouts"]["handshake"] == 2, "both cut")


def test_only_so_many_handshakes_go_on_at_once(scene):
    daemon = secure(scene, limits="handshakes: 3, handshake_timeout: 20s")
    silent = [scene.client(daemon) for _ in range(3)]
    until(lambda: worker(daemon)["connections_open"] == 3, "three that say nothing")
    with daemon.client() as client:
        assert client.closed()
    assert worker(daemon)["connections_refused"]["handshakes"] == 1
    silent[0].close()
    until(lambda: worker(daemon)["connections_open"] == 2, "one less")
    with connect(daemon) as client:
        assert client.get("/x").status == 200
    for client in silent[1:]:
        client.close()


def test_an_idle_connection_is_small(scene):
    daemon = secure(scene)
    context, count = browser(), 300
    clients = [connect(daemon, context) for _ in range(20)]
    for client in clients:
        client.get("/x")
    before = daemon.rss_bytes()
    more = [connect(daemon, context) for _ in range(count)]
    for client in more:
        client.get("/x")
    each = (daemon.rss_bytes() - before) / count
    for client in clients + more:
        client.close()
    sanitized = "asan" in os.environ.get("GATHERD", "") or os.environ.get("GATHERD_WRAP")
    assert sanitized or each <= 30 * KIB, f"{each / KIB:.1f} KiB"


def test_a_unix_socket_may_speak_tls_too(scene):
    pair, origin = authority().issue(), scene.origin()
    daemon = scene.gatherd(f"""
listen: {{url: "unix:FOLDER/tls.sock", tls: {{{pair_options(pair)}}}}}
upstreams: {{up: {origin.url}}}
routes: {{/x: {{calls: {{it: up/x}}}}}}
""")
    with Client(path=os.path.join(daemon.folder.name, "tls.sock"), tls=browser(), name="localhost") as client:
        assert client.get("/x").status == 200


# --- reload -------------------------------------------------------------------------------

def test_certificates_change_with_a_reload_and_connections_stay(scene):
    first, second = authority().issue("first"), authority().issue("second")
    origin = scene.origin()

    def config(pair):
        return f"""
listen: {{url: "https://127.0.0.1:0", tls: {{{pair_options(pair)}}}}}
upstreams: {{up: {origin.url}}}
routes: {{/x: {{calls: {{it: up/x}}}}}}
"""

    def subject(client):
        return dict(part[0] for part in client.sock.getpeercert()["subject"])["commonName"]

    daemon = scene.gatherd(config(first))
    context = browser()
    with connect(daemon, context) as old:
        assert old.get("/x").status == 200 and subject(old) == "first"
        session = old.sock.session
        said = daemon.reload(config(second))
        assert said["state"] == "done" and said["warnings"] == [], said
        assert old.get("/x").status == 200
        with connect(daemon) as new:
            assert new.get("/x").status == 200 and subject(new) == "second"
        with connect(daemon, context, session=session) as resumed:
            assert resumed.get("/x").status == 200 and resumed.sock.session_reused
        said = daemon.reload(config(second).replace(second.key, first.key))
        assert said["state"] == "refused", said
        with connect(daemon) as new:
            assert new.get("/x").status == 200 and subject(new) == "second"
        assert old.get("/x").status == 200


def test_the_contents_of_a_certificate_file_are_read_again(scene):
    made = [authority().issue("file-one"), authority().issue("file-two")]
    daemon = scene.gatherd("listen: http://127.0.0.1:0\nroutes: {}\n")
    folder = daemon.folder.name

    def place(pair):
        for source, name in ((pair.cert, "site.pem"), (pair.key, "site.key")):
            with open(source, "rb") as file, open(os.path.join(folder, name), "wb") as to:
                to.write(file.read())

    place(made[0])
    other = scene.gatherd(f"""
listen: {{url: "https://127.0.0.1:0", tls: {{cert: {folder}/site.pem, key: {folder}/site.key}}}}
routes: {{/x: {{respond: 1}}}}
""")
    for pair, name in ((made[0], "file-one"), (made[1], "file-two")):
        place(pair)
        assert other.reload()["state"] == "done"
        with connect(other) as client:
            assert client.get("/x").json() == 1
            assert ("commonName", name) in [part[0] for part in client.sock.getpeercert()["subject"]]
