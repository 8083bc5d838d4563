"""Certificates of every kind, made by the openssl command for one run of the tests."""
import os
import subprocess
import tempfile

CONFIG = """
[req]
distinguished_name = name
[name]
[ca]
default_ca = own
[own]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
[is_ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
"""


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"openssl {' '.join(arguments)}:\n{done.stderr}"


class Pair:
    """A certificate and its key, as names of files."""

    def __init__(self, cert, key):
        self.cert, self.key = cert, key


class Authority:
    """A CA of our own; all it makes stands in its folder until it goes."""

    def __init__(self, name="Test CA"):
        self.home = tempfile.TemporaryDirectory(prefix="gatherd-ca-")
        self.folder = self.home.name
        self.config = self.path("ca.cnf")
        with open(self.config, "w", encoding="ascii") as file:
            file.write(CONFIG.format(folder=self.folder))
        open(self.path("index.txt"), "w", encoding="ascii").close()
        self.own = self.self_signed(name, "-extensions", "is_ca")
        self.cert = self.own.cert
        self.made = {}

    def path(self, name):
        return os.path.join(self.folder, name)

    def self_signed(self, name, *more):
        stem = self.path(name.replace(" ", "-"))
        pair = Pair(f"{stem}.self.pem", f"{stem}.self.key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-config", self.config, "-subj", f"/CN={name}", "-days", "30",
                "-keyout", pair.key, "-out", pair.cert, *more)
        return pair

    def issue(self, name="localhost", san="DNS:localhost,IP:127.0.0.1",
              start="20200101000000Z", end="20900101000000Z"):
        """A certificate for san, valid from start to end; the same one when asked again."""
        wish = (name, san, start, end)
        if wish in self.made:
            return self.made[wish]
        stem = f"leaf-{len(self.made)}"
        pair, request = Pair(self.path(stem + ".pem"), self.path(stem + ".key")), self.path(stem + ".csr")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-config", self.config, "-subj", f"/CN={name}", "-keyout", pair.key, "-out", request,
                "-addext", f"subjectAltName={san}")
        openssl("ca", "-batch", "-config", self.config, "-cert", self.own.cert, "-keyfile", self.own.key,
                "-in", request, "-out", pair.cert, "-startdate", start, "-enddate", end, "-notext")
        self.made[wish] = pair
        return pair
