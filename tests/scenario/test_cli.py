"""The command line: what each command prints and how it ends."""
import json
import os
import resource
import socket
import tempfile

from daemon import run_gatherd

GOOD = "upstreams:\n  up: http://127.0.0.1:1\nroutes:\n  GET /x:\n    calls:\n      got: up/x\n"


def test_version_tells_its_name_and_number(_):
    done = run_gatherd("version")
    assert done.returncode == 0
    name, number = done.stdout.split()[:2]
    assert name == "gatherd" and number.count(".") == 2


def test_wrong_usage_is_64(_):
    for arguments in ((), ("nonsense",), ("run", "--nonsense"), ("check",), ("check", "a", "b"),
                      ("version", "more")):
        done = run_gatherd(*arguments)
        assert done.returncode == 64, (arguments, done)
        assert "usage" in done.stderr and not done.stdout, (arguments, done)


def test_check_of_a_good_file_is_0_and_needs_no_upstream(_):
    done = run_gatherd("check", "CONFIG", config=GOOD)
    assert done.returncode == 0, done


def test_check_of_a_bad_file_is_78(_):
    done = run_gatherd("check", "CONFIG", config=GOOD + "nonsense: 1\n")
    assert done.returncode == 78
    assert "gatherd.yaml:7:1: nonsense: " in done.stderr + done.stdout


def test_run_with_a_bad_file_is_78(_):
    done = run_gatherd("run", "-c", "CONFIG", config="nonsense: 1\n")
    assert done.returncode == 78, done
    assert "nonsense" in done.stderr


def test_run_and_check_say_the_same(_):
    bad = "listen: no\nupstreams: {up: ftp://x}\nroutes: {GET x: {calls: {a: nothing/x}}}\n"
    run = run_gatherd("run", "-c", "CONFIG", config=bad)
    check = run_gatherd("check", "CONFIG", config=bad)

    def findings(done):
        return [line for line in (done.stdout + done.stderr).splitlines()
                if line.startswith("gatherd.yaml:")]
    assert findings(check) and findings(run) == findings(check), (run, check)


def test_a_missing_file_is_78_and_named(_):
    done = run_gatherd("check", "/nonexistent/gatherd.yaml")
    assert done.returncode == 78
    assert "/nonexistent/gatherd.yaml" in done.stderr + done.stdout


def test_a_folder_is_78(_):
    with tempfile.TemporaryDirectory() as folder:
        done = run_gatherd("check", folder)
    assert done.returncode == 78 and folder in done.stderr + done.stdout


def test_a_busy_port_is_71_and_named(_):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        done = run_gatherd("run", "-c", "CONFIG",
                           config=f"listen: http://127.0.0.1:{port}\nadmin: off\n{GOOD}")
    assert done.returncode == 71, done
    assert str(port) in done.stderr


def test_too_few_descriptors_to_start_are_71(_):
    for limit in range(8, 32):
        done = run_gatherd(
            "run", "-c", "CONFIG",
            config=f"listen: http://127.0.0.1:0\nadmin: off\nworkers: 16\n{GOOD}",
            preexec=lambda limit=limit: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
        assert done.returncode == 71, (limit, done)
        assert "gatherd: error: " in done.stderr, (limit, done)


def test_schema_is_a_json_schema(_):
    done = run_gatherd("schema")
    assert done.returncode == 0
    schema = json.loads(done.stdout)
    assert "json-schema.org" in schema["$schema"]
    assert {"listen", "admin", "upstreams", "routes"} <= set(schema["properties"])


def test_reference_is_markdown(_):
    done = run_gatherd("reference")
    assert done.returncode == 0 and done.stdout.startswith("# ")
    assert "connect_timeout" in done.stdout


def test_output_that_cannot_be_written_is_74(_):
    if not os.path.exists("/dev/full"):
        return
    import subprocess
    from daemon import PROGRAM
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([PROGRAM, "reference"], stdout=full, stderr=subprocess.PIPE,
                              check=False, timeout=10)
    assert done.returncode == 74, done


def test_a_closed_output_is_74_too(_):
    done = run_gatherd("version", preexec=lambda: os.close(1))
    assert done.returncode == 74, done


def test_a_closed_standard_descriptor_is_not_taken_by_a_socket(scene):
    daemon = scene.gather({"users": scene.origin()}, preexec=lambda: (os.close(0), os.close(1)))
    assert daemon.get("/x").status == 200
    for number in (0, 1):
        assert os.readlink(f"/proc/{daemon.process.pid}/fd/{number}") == "/dev/null"
