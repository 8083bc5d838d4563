"""A browser: headless Chromium, driven over the WebDriver protocol (W3C)."""
import base64
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile

from waits import SLOWDOWN, until

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Right": "\ue014", "Left": "\ue012", "Home": "\ue011", "Space": " "}
PROGRAMS = ("chromedriver", "chromium")


def is_there():
    """Whether this machine has what a browser takes."""
    return all(shutil.which(name) for name in PROGRAMS)


class Browser:
    """One window. It is stopped as an origin is: scene.keep(Browser())."""

    def __init__(self, width=1280, height=900, dark=False):
        self.folder = tempfile.TemporaryDirectory(prefix="gatherd-browser-")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            ["chromedriver", f"--port={self.port}", "--log-level=OFF"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self.folder.name})
        self.session = None
        until(self.answers, "chromedriver", 20)
        flags = ["--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 "--disable-dev-shm-usage", "--hide-scrollbars", "--force-device-scale-factor=1",
                 "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                 f"--user-data-dir={self.folder.name}/profile", f"--window-size={width},{height}"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")
        if dark:
            flags.append("--force-dark-mode")
        self.session = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": flags}}}})["sessionId"]
        self.cdp("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.resize(width, height)

    def answers(self):
        try:
            return self.ask("GET", "/status")["ready"]
        except OSError:
            return False

    # --- the protocol ---------------------------------------------------------------------

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60 * SLOWDOWN)
        connection.request(method, path, None if body is None else json.dumps(body),
                           {"Content-Type": "application/json"})
        value = json.loads(connection.getresponse().read())["value"]
        connection.close()
        if isinstance(value, dict) and "error" in value:
            raise AssertionError(f"{path}: {value['error']}: {value['message'].splitlines()[0]}")
        return value

    def command(self, method, path, **body):
        return self.ask(method, f"/session/{self.session}{path}", body if method == "POST" else None)

    def cdp(self, name, **parameters):
        return self.command("POST", "/goog/cdp/execute", cmd=name, params=parameters)

    # --- the page -------------------------------------------------------------------------

    def open(self, url):
        self.command("POST", "/url", url=url)

    def run(self, script, *arguments):
        """What `return …` of a script gives."""
        return self.command("POST", "/execute/sync", script=script, args=list(arguments))

    def text(self, selector="body"):
        """What is seen there."""
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def wait(self, script, what, seconds=10):
        return until(lambda: self.run(script), what, seconds)

    def click(self, selector):
        """As a user does: what is not seen cannot be clicked."""
        found = self.command("POST", "/element", using="css selector", value=selector)
        self.command("POST", f"/element/{found[ELEMENT]}/click")

    def press(self, *keys):
        actions = []
        for key in keys:
            value = KEYS.get(key, key)
            actions += [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        self.command("POST", "/actions", actions=[{"type": "key", "id": "keys", "actions": actions}])

    def type(self, selector, text):
        found = self.command("POST", "/element", using="css selector", value=selector)
        self.command("POST", f"/element/{found[ELEMENT]}/value", text=text)

    def focused(self):
        """What has the focus: its id, or its text."""
        return self.run("const e = document.activeElement; return e.id || e.innerText || e.tagName")

    def resize(self, width, height):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=False)

    def complaints(self):
        """What the console has said since the last time: errors of scripts, of the policy, of loading."""
        return [entry["message"] for entry in self.command("POST", "/se/log", type="browser")
                if entry["level"] in ("SEVERE", "WARNING")]

    def picture(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.command("GET", "/screenshot")))

    def stop(self):
        try:
            if self.session:
                self.ask("DELETE", f"/session/{self.session}")
        finally:
            self.process.terminate()
            self.process.wait(10)
            self.folder.cleanup()
