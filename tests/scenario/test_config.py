"""Mistakes in the file: all of them in one run, each with its place and what would be right."""
from daemon import run_gatherd

GOOD = "routes: {GET /: {calls: {it: 'http://127.0.0.1:1/'}}}\n"


def findings(config, env=None):
    done = run_gatherd("check", "CONFIG", config=config, env=env)
    assert done.returncode == 78, done
    return [line.partition("gatherd.yaml:")[2] for line in done.stderr.splitlines()]


def assert_finding(config, place, *words):
    """There is exactly one finding, at this line:column, with these words in it."""
    found = findings(config)
    assert len(found) == 1, found
    assert found[0].startswith(place + ":"), found
    for word in words:
        assert word in found[0], (word, found)


def test_all_mistakes_are_told_in_one_run_in_the_order_of_the_file(_):
    found = findings("listn: 1\n"
                     "upstreams:\n  users: {servers: [http://127.0.0.1:1], tiemout: 2s}\n"
                     "routes:\n  GET /x:\n    timeout: soon\n    calls:\n      a: user/x\n")
    places = [line.split(": ")[0] for line in found]
    assert places == ["1:1", "3:42", "6:14", "8:10"], found
    for line, words in zip(found, (("listn", "listen"), ("tiemout", "timeout"), ("timeout", "soon"),
                                   ("user", "users"))):
        assert all(word in line for word in words), line


def test_the_path_of_a_key_is_told(_):
    assert_finding("upstreams:\n  users:\n    servers: [http://127.0.0.1:1]\n    pool: {maxx: 3}\n" + GOOD,
                   "4:12", "upstreams.users.pool", "maxx", "max")


def test_a_key_that_is_there_twice_is_an_error(_):
    assert_finding("listen: 1\nlisten: 2\n" + GOOD, "2:1", "listen")


def test_surprising_scalars_are_errors(_):
    for text in ("yes", "no", "'true'", "1"):
        assert_finding("upstreams: {up: http://127.0.0.1:1}\nroutes:\n  GET /:\n    calls:\n"
                       f"      it: {{url: up/, optional: {text}}}\n", "5:32", "optional")
    assert_finding(f"workers: 010\n{GOOD}", "1:10", "workers")


def test_bad_durations_and_sizes_say_what_is_possible(_):
    for text in ("5", "5 s", "-5s", "5sec", "1d"):
        assert_finding(f"limits: {{idle_timeout: {text}}}\n{GOOD}", "1:24", "limits.idle_timeout")
    for text in ("5KB5", "-1KiB", "lots"):
        assert_finding(f"limits: {{body: {text}}}\n{GOOD}", "1:16", "limits.body")


def test_an_unknown_upstream_is_told_with_the_one_that_was_meant(_):
    assert_finding("upstreams: {orders: http://127.0.0.1:1}\nroutes:\n  GET /:\n    calls:\n"
                   "      it: oders/x\n", "5:11", "oders", "orders")


def test_an_unknown_placeholder_is_an_error(_):
    assert_finding("upstreams: {up: http://127.0.0.1:1}\nroutes:\n  GET /u/{id}:\n    calls:\n"
                   "      it: up/{idd}\n", "5:14", "idd", "id")


def test_routes_that_cannot_be_ordered_show_both(_):
    found = findings("upstreams: {up: http://127.0.0.1:1}\nroutes:\n  GET /{a}/x:\n    calls: {it: up/}\n"
                     "  GET /{b}/x:\n    calls: {it: up/}\n")
    assert len(found) == 1 and found[0].startswith("5:3: "), found
    assert "/{a}/x" in found[0] and "/{b}/x" in found[0], found


def test_an_unset_variable_is_an_error_and_a_default_is_not(_):
    text = "listen: http://127.0.0.1:${GATHERD_TEST_PORT}\n" + GOOD
    assert_finding(text, "1:26", "GATHERD_TEST_PORT")
    assert run_gatherd("check", "CONFIG", config=text, env={"GATHERD_TEST_PORT": "8080"}).returncode == 0
    text = text.replace("PORT}", "PORT:-8080}")
    assert run_gatherd("check", "CONFIG", config=text).returncode == 0


def test_odd_files_are_errors(_):
    for text in ("", "\n# nothing\n", "[]\n", "just text\n", "a: [\n", "\ta: 1\n", "a: 1\n---\nb: 2\n",
                 "a: \x01\n", "routes: 1\n"):
        found = findings(text)
        assert found and found[0][0].isdigit(), (text, found)


def test_an_alias_bomb_is_refused_quickly(_):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert findings("\n".join(lines) + "\n" + GOOD)


def test_deep_nesting_is_refused(_):
    assert findings("a: " + "[" * 100_000 + "\n")
