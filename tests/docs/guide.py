#!/usr/bin/env python3
"""Runs the examples of a page as a reader would, and compares what is printed.

usage: guide.py GATHERD [--write] PAGE...

In a page,

- a `yaml` block that begins with `# NAME.yaml` is a file of that name, until the next block
  of that name. It has to pass `gatherd check`; under `<!-- refused -->` it has to fail.
- an `html` or `js` block whose first line is a comment with a path is a file there.
- a `console` block has commands, after `$ `, and what each prints. `curl`, `gatherd check` and
  `gatherd explain` are run by a shell, in a folder with the files so far.

`gatherd.yaml` is running when its page uses 127.0.0.1:8080, and a file that listens on
127.0.0.1:8081 beside it; here both get free ports. What `curl -i` shows is compared but for
the values of Date and X-Request-Id. --write puts in what was printed, to be read before it
is kept.
"""
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "scenario"))
sys.dont_write_bytecode = True

BLOCK = re.compile(r"(?P<mark><!-- refused -->\n+)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
NAME = re.compile(r"# ([\w-]+\.yaml)\n")
OTHER = re.compile(r"(?:<!--|//) ([\w-]+(?:/[\w.-]+)+)(?: -->)?\n")
VARIES = re.compile(r"^(Date|X-Request-Id): .*$", re.M)
ALLOWED = ("curl ", "gatherd check ", "gatherd explain ")
SITE, BESIDE = "127.0.0.1:8080", "127.0.0.1:8081"
LIMIT_S = 60


class Page:
    """One page while it is run: its folder, its files and the daemons of them."""

    def __init__(self, gatherd, folder):
        self.gatherd, self.folder = gatherd, folder
        self.texts, self.running = {}, {}  # by name of file; by address
        self.refused = set()  # names of files that cannot be started
        self.commands, self.findings = 0, []

    def file(self, name, text, refused):
        self.texts[name] = text
        self.stop(BESIDE if BESIDE in text.partition("upstreams:")[0] else SITE)
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)
        if "routes:" not in text:
            return
        done = self.shell(f"gatherd check {name}")
        self.refused.discard(name)
        if done.returncode != 0:
            self.refused.add(name)
        if (done.returncode != 0) != refused:
            self.findings.append(f"{name} is {'accepted' if refused else 'refused'}:\n{done.stdout}\n{text}")

    def shell(self, command):
        path = f"{os.path.dirname(self.gatherd)}:{os.environ['PATH']}"
        return subprocess.run(["sh", "-c", command + " 2>&1"], cwd=self.folder, text=True, timeout=LIMIT_S,
                              stdout=subprocess.PIPE, check=False, env={**os.environ, "PATH": path})

    def start(self, text):
        from daemon import Daemon  # reads GATHERD when it is imported
        for address, daemon in self.running.items():
            text = text.replace(address, f"127.0.0.1:{daemon.port}")
        text = re.sub(r"^(listen|admin|workers):.*\n", "", text, flags=re.M)
        text = text.replace("dir: ", f"dir: {self.folder}/")
        return Daemon(text.replace("include: [", f"include: [{self.folder}/"))

    def start_all(self):
        """Starts what is not running, the one beside first: gatherd.yaml may call it."""
        texts = [text for name, text in self.texts.items() if name not in self.refused]
        for text in sorted(texts, key=lambda text: f"listen: http://{BESIDE}" not in text):
            address = BESIDE if f"listen: http://{BESIDE}" in text else SITE
            if "routes:" in text and address not in self.running:
                self.running[address] = self.start(text)

    def stop(self, address):
        if address in self.running:
            self.running.pop(address).kill()

    def run(self, command):
        """What a command prints, as its reader would see it."""
        self.commands += 1
        if command.startswith("curl "):
            self.start_all()
        real = command
        for address, daemon in self.running.items():
            real = real.replace(address, f"127.0.0.1:{daemon.port}")
        out = self.shell(real.replace("curl ", "curl -s ", 1)).stdout.replace("\r\n", "\n")
        for address, daemon in self.running.items():
            out = out.replace(f"127.0.0.1:{daemon.port}", address)
        return out if out.endswith("\n") or not out else out + "\n"

    def console(self, text):
        """Runs a block; returns it with what was printed."""
        real = ""
        for command, shown in re.findall(r"^\$ (.*(?:\\\n.*)*)\n((?:(?!\$ ).*\n)*)", text, re.M):
            if not command.startswith(ALLOWED):
                self.findings.append(f"only curl and gatherd check are run: {command}")
                continue
            out = self.run(command)
            if VARIES.sub(r"\1", out) == VARIES.sub(r"\1", shown):
                out = shown
            else:
                self.findings.append(f"$ {command}\nthe page says:\n{shown}it is:\n{out}")
            real += f"$ {command}\n{out}"
        return real

    def block(self, match):
        text = match["text"]
        name = NAME.match(text)
        if match["language"] == "yaml" and name:
            self.file(name[1], text, bool(match["mark"]))
        other = OTHER.match(text)
        if match["language"] in ("html", "js") and other:
            path = os.path.join(self.folder, other[1])
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        if match["language"] != "console":
            return match[0]
        return f"{match['mark'] or ''}```console\n{self.console(text)}```"


def run_page(gatherd, path, write=False):
    """Runs a page; returns what is wrong with it, and how many commands it has."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with tempfile.TemporaryDirectory(prefix="gatherd-guide-") as folder:
        page = Page(gatherd, folder)
        try:
            real = BLOCK.sub(page.block, text)
        finally:
            for address in list(page.running):
                page.stop(address)
    if write:
        with open(path, "w", encoding="utf-8") as file:
            file.write(real)
    return page.findings, page.commands


def main(gatherd, *arguments):
    os.environ["GATHERD"] = gatherd = os.path.abspath(gatherd)
    write = "--write" in arguments
    failed = False
    for path in arguments:
        if path == "--write":
            continue
        findings, commands = run_page(gatherd, path, write)
        failed = failed or bool(findings)
        print("\n".join([*findings, f"{path}: {commands} commands, {len(findings)} differ"]))
    return 1 if failed and not write else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
