#!/usr/bin/env python3
"""Documents say what is so: examples are accepted, generated pages are what is generated,
and the answer in the README is the one the demo gives. Output is TAP.

usage: docs.py GATHERD PRINT_METRICS PRINT_HTTP …

Each fenced `yaml` block of a document must pass `gatherd check`. One that is no whole
file stands under a comment: `<!-- part of: routes -->` wraps it in that key (and adds the
upstreams it calls, `users`, `orders`, …, see WHOLE), `<!-- not checked: REASON -->` leaves
it out. Pages of docs/guide are run as guide.py tells: all their commands print what they say.
"""
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "scenario"))
sys.dont_write_bytecode = True

from guide import run_page  # noqa: E402  (writes no bytecode either)

BLOCK = re.compile(r"(?:<!-- (part of|not checked): ([^\n]*?) -->\n+)?```(\w*)\n(.*?)^```$", re.M | re.S)
NAMED = re.compile(r"# [\w-]+\.yaml\n")  # a file of a page that is run: guide.py checks it
# What a part of a file needs around it.
WHOLE = {
    "routes": "upstreams: {users: http://10.0.0.5:8001, orders: http://10.0.0.6:8002}\nroutes:\n",
    "upstreams": "upstreams:\n",
    "calls": "upstreams: {users: http://10.0.0.5:8001, orders: http://10.0.0.6:8002}\n"
             "routes:\n  GET /example/{id}:\n    calls:\n",
    "top": "",
}
INDENT = {"routes": 2, "upstreams": 2, "calls": 6, "top": 0}
WITHOUT_COMMANDS = ("README.md",)
NEEDS_ROUTES = "\nroutes: {GET /: {calls: {it: http://10.0.0.1/}}}\n"


def guide_pages():
    return sorted(glob.glob(os.path.join(ROOT, "docs", "guide", "*.md")))


def documents():
    return sorted(glob.glob(os.path.join(ROOT, "*.md")) + glob.glob(os.path.join(ROOT, "docs", "*.md"))
                  + guide_pages())


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def example(mark, what, text):
    """The whole file an example stands for."""
    if mark != "part of":
        return text
    lines = [" " * INDENT[what] + line if line else "" for line in text.split("\n")]
    whole = WHOLE[what] + "\n".join(lines)
    if "routes:" not in whole:
        whole += NEEDS_ROUTES
    return whole


def check(gatherd, text):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([gatherd, "check", file.name], capture_output=True, text=True,
                              check=False, timeout=60)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def examples_pass(gatherd, _):
    """every YAML example of the documents passes gatherd check"""
    found = 0
    for path in documents():
        for mark, what, language, text in BLOCK.findall(read(path)):
            if language != "yaml" or mark == "not checked" or NAMED.match(text):
                continue
            found += 1
            wrong = check(gatherd, example(mark, what, text))
            if wrong:
                yield f"{os.path.relpath(path, ROOT)}: {wrong}\n{text}"
    if not found:
        yield "no example was found"


def configurations_pass(gatherd, _):
    """every file in conf/ passes gatherd check"""
    paths = glob.glob(os.path.join(ROOT, "conf", "*.yaml"))
    for path in paths:
        done = subprocess.run([gatherd, "check", path], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            yield done.stdout + done.stderr
    if not paths:
        yield "there are none"


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def reference_is_generated(gatherd, _):
    """docs/reference.md is what gatherd reference prints"""
    if read("docs", "reference.md") != output_of(gatherd, "reference"):
        yield "write it anew: build/daemon/gatherd reference >docs/reference.md"


def schema_is_generated(gatherd, _):
    """conf/gatherd.schema.json is what gatherd schema prints"""
    if read("conf", "gatherd.schema.json") != output_of(gatherd, "schema"):
        yield "write it anew: build/daemon/gatherd schema >conf/gatherd.schema.json"


def metrics_are_generated(_, printers):
    """docs/metrics.md is what the table of metrics says"""
    if read("docs", "metrics.md") != output_of(printers["print_metrics"]):
        yield "write it anew: build/tests/docs/print_metrics >docs/metrics.md"


def http_cases_are_printed(_, printers):
    """docs/http.md is what the cases of the HTTP battery say, and there are 200 or more"""
    page = read("docs", "http.md")
    if page != output_of(printers["print_http"]):
        yield "write it anew: build/tests/docs/print_http >docs/http.md"
    rows = len(re.findall(r"^\|.*\|.*\| RFC .*\|.*\|$", page, re.M))
    if rows < 200:
        yield f"there are only {rows} cases"


def links_lead_somewhere(*_):
    """links between documents lead to files that are there"""
    for path in documents():
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", read(path)):
            if not os.path.exists(os.path.join(os.path.dirname(path), target)):
                yield f"{os.path.relpath(path, ROOT)}: there is no {target}"


def readme_answer_is_real(gatherd, _):
    """the answer in the README is the one that its configuration gives"""
    os.environ["GATHERD"] = gatherd
    from daemon import Daemon  # reads GATHERD when imported
    shown = re.search(r"^\$ curl -s http://[^/\s]+(/\S+)\n(\{.*?\})\n", read("README.md"), re.M | re.S)
    if not shown:
        yield "the README shows no `$ curl -s URL` and its answer"
        return
    config = re.sub(r"^(listen|admin|workers):.*\n", "", read("conf", "demo.yaml"), flags=re.M)
    daemon = Daemon(config)
    try:
        answer = daemon.get(shown.group(1))
        if answer.body.decode() != shown.group(2):
            yield f"README: {shown.group(2)}\nanswer: {answer.body.decode()}"
        daemon.signal(signal.SIGTERM)
        daemon.wait_exit()
    finally:
        daemon.kill()
    json.loads(shown.group(2))


def guide_is_real(gatherd, _):
    """every command of the guide prints what its page says"""
    os.environ["GATHERD"] = gatherd
    pages = guide_pages()
    with ThreadPoolExecutor(max_workers=4) as pool:  # they mostly wait for mocks
        results = list(pool.map(lambda path: run_page(gatherd, path), pages))
    for path, (findings, commands) in zip(pages, results):
        for finding in findings:
            yield f"{os.path.relpath(path, ROOT)}: {finding}"
        if commands == 0 and os.path.basename(path) not in WITHOUT_COMMANDS:
            yield f"{os.path.relpath(path, ROOT)}: no command was found"


def explanation_is_real(gatherd, _):
    """the explanation in docs/operations.md is the one that gatherd explain gives"""
    shown = re.search(r"^\$ gatherd explain (\S+) '([^']+)'\n(.*?)^```$", read("docs", "operations.md"),
                      re.M | re.S)
    if not shown:
        yield "docs/operations.md shows no `$ gatherd explain FILE 'REQUEST'` and its output"
        return
    file, request, text = shown.groups()
    out = output_of(gatherd, "explain", os.path.join(ROOT, file), request)
    if text != out:
        yield f"docs/operations.md: {text}\ngatherd explain: {out}"


def manual_names_all_commands(gatherd, _):
    """gatherd(8) has each command and option that gatherd help shows"""
    page = read("docs", "gatherd.8").replace("\\", "")
    for name in re.findall(r"^  gatherd (\S+)", output_of(gatherd, "help"), re.M):
        if not re.search(rf"^\.(BR?|BI) \"?(.* )?{name}\b", page, re.M):
            yield f"docs/gatherd.8 says nothing of {name}"
    for code in re.findall(r"GD_EXIT_\w+ = (\d+)", read("daemon", "exit.h")):
        if f".B {code}\n" not in page:
            yield f"docs/gatherd.8 says nothing of exit status {code}"


def manual_pages(folder):
    """Both pages as they are installed."""
    version = re.search(r"^  version: '(.*)'", read("meson.build"), re.M).group(1)
    pages = {"gatherd.8": read("docs", "gatherd.8").replace("@VERSION@", version),
             "gatherd.yaml.5": output_of(sys.executable, os.path.join(ROOT, "packaging", "man_yaml.py"),
                                         os.path.join(ROOT, "docs", "reference.md"), version)}
    for name, text in pages.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    return [os.path.join(folder, name) for name in pages]


def manual_is_well_formed(*_):
    """groff and mandoc have nothing to say against the manual pages"""
    with tempfile.TemporaryDirectory() as folder:
        for page in manual_pages(folder):
            for lint in (["groff", "-man", "-Kutf8", "-Tutf8", "-ww", "-z"],
                         ["mandoc", "-T", "lint", "-W", "warning"]):
                if shutil.which(lint[0]):
                    done = subprocess.run([*lint, page], capture_output=True, text=True, check=False)
                    if done.returncode or done.stdout + done.stderr:
                        yield done.stdout + done.stderr


def manual_has_all_options(*_):
    """gatherd.yaml(5) has a paragraph for each option of the reference"""
    with tempfile.TemporaryDirectory() as folder:
        with open(manual_pages(folder)[1], encoding="utf-8") as file:
            page = file.read()
    rows = re.findall(r"^\| `([^`]+)` \| .*\|$", read("docs", "reference.md"), re.M)
    tags = re.findall(r"^\.TP\n\\fB([^\\]*)\\fR \(", page, re.M)
    if not rows or rows != tags:
        yield f"in one of them only: {sorted(set(rows) ^ set(tags))}"


EXPOSURE_MAX = 1.0  # of 10; nginx and HAProxy of Debian have 9.6


def unit_is_hardened(*_):
    """systemd-analyze rates the exposure of the unit at 1.0 at most"""
    if not shutil.which("systemd-analyze"):
        return
    out = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                          os.path.join(ROOT, "systemd", "gatherd.service")],
                         capture_output=True, text=True, check=False).stdout
    level = re.search(r"exposure level for gatherd.service: ([0-9.]+)", out)
    if not level:
        yield "systemd-analyze says nothing of it:\n" + out[-2000:]
    elif float(level.group(1)) > EXPOSURE_MAX:
        yield f"it is {level.group(1)}:\n" + "\n".join(re.findall("^✗.*", out, re.M))


TESTS = [examples_pass, configurations_pass, reference_is_generated, schema_is_generated,
         metrics_are_generated, http_cases_are_printed, links_lead_somewhere, unit_is_hardened, manual_names_all_commands,
         manual_is_well_formed, manual_has_all_options,
         readme_answer_is_real, explanation_is_real, guide_is_real]


def main(gatherd, *programs):
    failed, printers = False, {os.path.basename(path): path for path in programs}
    print(f"1..{len(TESTS)}")
    for test in TESTS:
        findings = list(test(gatherd, printers))
        for finding in findings:
            for line in finding.splitlines():
                print(f"# {line}")
        failed = failed or bool(findings)
        print(f"{'not ok' if findings else 'ok'} - {test.__doc__}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
