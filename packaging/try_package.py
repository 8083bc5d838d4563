#!/usr/bin/env python3
"""Tries the Debian package in a clean root, booted with its own systemd. Output is TAP.

usage: try_package.py DEB TWIN FOLDER     (`./dev package test`)

TWIN is the same package built elsewhere: it must have the same bytes. The root is made in FOLDER
by debootstrap, from where apt of this machine gets its packages, and kept there for the next time. In
it the package is installed, checked, run and purged. Needs root, debootstrap and systemd-nspawn.
"""
import json
import os
import shutil
import subprocess
import sys
import time

BASE_PACKAGES = "systemd,systemd-sysv,curl,ca-certificates"
PATIENCE_S = 120
SITE = "http://127.0.0.1:8080"
# Files that every installation of a package changes, whichever it is.
CHANGED_BY_ANY = ("/var/lib/dpkg", "/var/lib/apt", "/var/lib/systemd", "/var/log/", "/var/cache", "/etc/ld.so.cache",
                  "/tmp", "/run", "/proc", "/sys", "/dev", "/root", "/etc/machine-id", "/etc/resolv.conf", "/var/tmp",
                  "/usr/share/mime")
BAD = "listen: 8080\nroutes: {GET /: {respons: 1}}\n"


def run(*command, check=True, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done


def until(condition, what):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.2)
    raise AssertionError(f"waited in vain: {what}")


def apt_sources():
    """Lines of a sources.list, of where apt of this machine gets the packages of its release."""
    out = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
    return sorted(set(out.stdout.split("\n")) - {""})


def make_base(folder):
    """A root with nothing but the base system."""
    base = os.path.join(folder, "base")
    if os.path.exists(os.path.join(base, "complete")):
        return base
    shutil.rmtree(base, ignore_errors=True)
    lines = [line.split() for line in apt_sources()]
    uri, release, _ = next(line for line in lines if "-" not in line[1])
    run("debootstrap", "--variant=minbase", f"--include={BASE_PACKAGES}", release, base, uri)
    with open(os.path.join(base, "etc/apt/sources.list"), "w", encoding="utf-8") as file:
        file.writelines(f"deb {' '.join(line)}\n" for line in lines)
    shutil.copy("/etc/resolv.conf", os.path.join(base, "etc/resolv.conf"))
    run("chroot", base, "apt-get", "update")
    with open(os.path.join(base, "complete"), "w", encoding="utf-8"):
        pass
    return base


class Root:
    """A copy of the base system, booted."""

    def __init__(self, base, folder):
        self.path = os.path.join(folder, "root")
        shutil.rmtree(self.path, ignore_errors=True)
        run("cp", "-a", base, self.path)
        self.log = open(os.path.join(folder, "boot.log"), "w", encoding="utf-8")
        self.machine = None

    def chroot(self, *command, **options):
        return run("chroot", self.path, *command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive",
                                                       "LC_ALL": "C.UTF-8"}, **options)

    def boot(self):
        self.machine = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--settings=no", "--link-journal=no",
             "--private-network", "--console=pipe", "--directory", self.path, "--boot"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        until(lambda: self.init() and "running" in self.inside("systemctl", "is-system-running", check=False).stdout
              or "degraded" in self.inside("systemctl", "is-system-running", check=False).stdout, "boot")

    def init(self):
        """The process 1 of the root, as this machine numbers it; None before it is there."""
        assert self.machine.poll() is None, f"it does not boot: see {self.log.name}"
        with open(f"/proc/{self.machine.pid}/task/{self.machine.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        return children[0] if children else None

    def inside(self, *command, check=True):
        return run("nsenter", "--target", self.init() or "0", "--all", "--", *command, check=check)

    def put(self, path, text):
        with open(self.path + path, "w", encoding="utf-8") as file:
            file.write(text)

    def get(self, url):
        done = self.inside("curl", "-s", "-m", "5", url, check=False)
        return done.stdout if done.returncode == 0 else ""

    def answers(self, url, text):
        until(lambda: text in self.get(url), f"{url} answers {text}")

    def files(self):
        found = set()
        for at, folders, names in os.walk(self.path):
            inner = at[len(self.path):] or "/"
            folders[:] = [f for f in folders if not os.path.join(inner, f).startswith(CHANGED_BY_ANY)]
            found.update(os.path.join(inner, name) for name in names + folders)
        return {path for path in found if not path.startswith(CHANGED_BY_ANY)}

    def halt(self):
        if self.machine and self.machine.poll() is None:
            self.machine.terminate()
            try:
                self.machine.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.machine.kill()
        self.log.close()


def two_builds_give_the_same_bytes(stage):
    for name in stage.deb, stage.twin:
        stage.say(run("sha256sum", name).stdout.strip())
    with open(stage.deb, "rb") as one, open(stage.twin, "rb") as other:
        assert one.read() == other.read(), "they differ; try diffoscope"


def it_installs_with_nothing_but_its_dependencies(stage):
    stage.before = stage.root.files()
    shutil.copy(stage.deb, stage.root.path + "/tmp/gatherd.deb")
    stage.root.chroot("apt-get", "install", "-y", "--no-install-recommends", "/tmp/gatherd.deb")
    assert stage.root.chroot("gatherd", "check", "/etc/gatherd/gatherd.yaml").returncode == 0


def it_makes_nothing_that_others_can_write(stage):
    loose = run("find", stage.root.path, "-xdev", "-newer", stage.root.path + "/complete", "-path", "*gatherd*", "(",
                "-perm", "/022", "-o", "-perm", "/6000", ")", "-not", "-type", "l").stdout
    assert not loose, loose


def it_is_running_when_the_machine_has_started(stage):
    stage.root.boot()
    stage.root.answers(SITE + "/", '"gatherd":"is here"')


def it_runs_in_its_sandbox(stage):
    pid = stage.root.inside("systemctl", "show", "-P", "MainPID", "gatherd.service").stdout.strip()
    with_facts = stage.root.inside("cat", f"/proc/{pid}/status").stdout
    facts = dict(line.split(":", 1) for line in with_facts.splitlines() if ":" in line)
    stage.say(f"uid {facts['Uid'].split()[0]}, capabilities {facts['CapBnd'].strip()}, seccomp {facts['Seccomp'].strip()}")
    assert facts["Uid"].split()[0] not in ("0", "")
    assert int(facts["CapBnd"], 16) == int(facts["CapEff"], 16) == 0
    assert facts["NoNewPrivs"].strip() == "1" and facts["Seccomp"].strip() == "2"
    until(lambda: stage.root.get("http://127.0.0.1:9901/readyz"), "/readyz answers")


def a_wrong_file_is_refused_by_reload_and_the_old_one_goes_on(stage):
    path, good = "/etc/gatherd/gatherd.yaml", stage.read("/etc/gatherd/gatherd.yaml")
    stage.root.put(path, BAD)
    assert stage.root.inside("systemctl", "reload", "gatherd.service", check=False).returncode != 0
    stage.root.answers(SITE + "/", '"gatherd":"is here"')
    stage.root.put(path, good.replace("is here", "has reloaded"))
    stage.root.inside("systemctl", "reload", "gatherd.service")
    stage.root.answers(SITE + "/", '"gatherd":"has reloaded"')


def the_demo_runs_as_a_service(stage):
    """With a log in the folder that it may write to."""
    stage.root.put("/etc/gatherd/gatherd.yaml", "log: {access: /var/log/gatherd/access.log}\n" +
                   stage.read("/usr/share/doc/gatherd/examples/demo.yaml"))
    stage.root.inside("systemctl", "restart", "gatherd.service")
    stage.root.answers(SITE + "/profile/7", '"login":"ada"')
    assert json.loads(stage.root.get(SITE + "/suggest/7"))
    until(lambda: "/suggest/7" in stage.root.inside("cat", "/var/log/gatherd/access.log", check=False).stdout,
          "it is in the log")


def logs_are_rotated(stage):
    """As logrotate would: moved away, and opened anew at a signal; the folder is nobody else's."""
    log = "/var/log/gatherd/access.log"
    stage.root.inside("mv", log, log + ".1")
    stage.root.inside("systemctl", "kill", "--kill-who=main", "--signal=USR1", "gatherd.service")
    until(lambda: stage.root.get(SITE + "/profile/8") and "/profile/8" in stage.root.inside("cat", log, check=False).stdout,
          "a new file is written to")


def systemd_opens_a_port_that_gatherd_may_not(stage):
    stage.root.put("/etc/gatherd/gatherd.yaml", "listen: systemd:http\nroutes: {GET /: {respond: {port: 80}}}\n")
    stage.root.inside("systemctl", "stop", "gatherd.service")
    stage.root.inside("systemctl", "start", "gatherd.socket")
    stage.root.answers("http://127.0.0.1/", '"port":80')


def a_process_that_dies_is_back_at_once(stage):
    stage.root.inside("systemctl", "kill", "--signal=KILL", "gatherd.service")
    stage.root.answers("http://127.0.0.1/", '"port":80')


def a_hot_restart_becomes_the_main_process(stage):
    def main_pid():
        return stage.root.inside("systemctl", "show", "-P", "MainPID", "gatherd.service").stdout.strip()
    before = main_pid()
    stage.root.inside("systemctl", "kill", "--kill-who=main", "--signal=USR2", "gatherd.service")
    until(lambda: main_pid() not in (before, "0"), "another main process")
    stage.root.answers("http://127.0.0.1/", '"port":80')
    until(lambda: stage.root.inside("test", "-d", f"/proc/{before}", check=False).returncode, "the old one ends")
    state = stage.root.inside("systemctl", "is-active", "gatherd.service").stdout.strip()
    assert state == "active", state


def one_that_is_stuck_is_restarted(stage):
    """A stopped process stands for it. With a watchdog of seconds, to see it in time."""
    folder = "/etc/systemd/system/gatherd.service.d"
    os.makedirs(stage.root.path + folder)
    stage.root.put(folder + "/quick.conf", "[Service]\nWatchdogSec=2s\nTimeoutAbortSec=1s\n")
    stage.root.inside("systemctl", "daemon-reload")
    stage.root.inside("systemctl", "restart", "gatherd.service")
    stage.root.answers("http://127.0.0.1/", '"port":80')
    time.sleep(5)  # longer than its patience: it goes on being fed
    count = stage.root.inside("systemctl", "show", "-P", "NRestarts", "gatherd.service").stdout
    stage.root.inside("systemctl", "kill", "--signal=STOP", "gatherd.service")
    until(lambda: stage.root.inside("systemctl", "show", "-P", "NRestarts", "gatherd.service").stdout != count,
          "it is restarted")
    stage.root.answers("http://127.0.0.1/", '"port":80')
    shutil.rmtree(stage.root.path + folder)
    stage.root.inside("systemctl", "daemon-reload")


def purging_leaves_nothing(stage):
    stage.root.inside("apt-get", "purge", "-y", "--autoremove", "gatherd")
    assert not stage.root.get("http://127.0.0.1/")
    left = stage.root.files() - stage.before
    assert not left, "\n".join(sorted(left))
    named = run("find", stage.root.path, "-xdev", "-iname", "*gatherd*", "-not", "-path", "*/tmp/*").stdout
    assert not named, named


TESTS = [two_builds_give_the_same_bytes, it_installs_with_nothing_but_its_dependencies,
         it_makes_nothing_that_others_can_write, it_is_running_when_the_machine_has_started, it_runs_in_its_sandbox,
         a_wrong_file_is_refused_by_reload_and_the_old_one_goes_on, the_demo_runs_as_a_service, logs_are_rotated,
         systemd_opens_a_port_that_gatherd_may_not, a_process_that_dies_is_back_at_once, a_hot_restart_becomes_the_main_process,
         one_that_is_stuck_is_restarted, purging_leaves_nothing]


class Stage:
    def __init__(self, deb, twin, folder):
        self.deb, self.twin, self.before = deb, twin, set()
        self.root = Root(make_base(folder), folder)

    def read(self, path):
        with open(self.root.path + path, encoding="utf-8") as file:
            return file.read()

    @staticmethod
    def say(text):
        print(f"# {text}", flush=True)


def main(deb, twin, folder):
    stage, failed = Stage(deb, twin, os.path.abspath(folder)), 0
    print(f"1..{len(TESTS)}", flush=True)
    try:
        for test in TESTS:
            error = ""
            try:
                test(stage)
            except Exception as err:  # one that fails says why, and the next one is tried
                error = f"{type(err).__name__}: {err}"
            for line in error.splitlines():
                stage.say(line)
            failed += bool(error)
            print(f"{'not ok' if error else 'ok'} - {test.__name__.replace('_', ' ')}", flush=True)
    finally:
        stage.root.halt()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
