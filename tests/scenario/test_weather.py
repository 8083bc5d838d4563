"""Whatever servers do, each request gets one answer in time, and it is its own."""
import os

from nameserver import Nameserver
from waits import until
from weather import Weather, ask_for

CLIENTS = 200
DEADLINE_S = 0.8
# An upstream for each part: how many servers it has, and what protects its calls. The
# first part is required.
PARTS = {
    "one": (3, "retry: {tries: 2}, hedge: 100ms, eject: {errors: 3, for: 200ms}"),
    "two": (3, "retry: {tries: 2}, eject: {errors: 3, for: 200ms}"),
    "three": (3, "retry: off, balance: random_two, pool: {max: 20}"),
    "four": (2, "retry: off, eject: off, balance: round_robin"),
    "five": (1, "retry: off, max_in_flight: 60"),
}
MOVING = ["one", "two"]  # their servers are looked up, and move


def ports_of(part, weather):
    """Those of its servers: parts take them one after the other."""
    before = list(PARTS)[:list(PARTS).index(part)]
    first = sum(PARTS[other][0] for other in before)
    return weather.ports()[first:first + PARTS[part][0]]


def publish(names, weather):
    """Where the servers of the first two upstreams are at present."""
    for part in MOVING:
        names.set(f"_http._tcp.{part}.test", ttl=1,
                  SRV=[(1, 1, port, "here.test") for port in ports_of(part, weather)])


def config(names, weather):
    lines = [f"resolver: {{servers: [\"127.0.0.1:{names.port}\"], timeout: 500ms, min_ttl: 200ms}}",
             "upstreams:"]
    for part, (_, options) in PARTS.items():
        servers = ", ".join(f'"http://127.0.0.1:{port}"' for port in ports_of(part, weather))
        where = f"srv: _http._tcp.{part}.test" if part in MOVING else f"servers: [{servers}]"
        lines.append(f"  {part}: {{{where}, timeout: 400ms, connect_timeout: 200ms, {options}}}")
    lines += ["routes:", "  GET /all/{mark}:", f"    timeout: {DEADLINE_S * 1000:.0f}ms", "    calls:"]
    lines += [f"      {part}: {{url: \"{part}/of/{{mark}}\", optional: {str(part != 'one').lower()}}}"
              for part in PARTS]
    return "\n".join(lines) + "\n"


def test_every_request_has_one_answer_of_its_own_in_time(scene):
    seconds = float(os.environ.get("GATHERD_STORM_SECONDS", "18"))
    names = scene.keep(Nameserver())
    names.set("here.test", ttl=60, A=["127.0.0.1"])
    moving = range(sum(PARTS[part][0] for part in MOVING))
    weather = scene.keep(Weather(sum(count for count, _ in PARTS.values()), 7, moving,
                                 lambda: publish(names, weather)))
    publish(names, weather)
    daemon = scene.gatherd(config(names, weather), workers=2)
    weather.start()
    asked = ask_for(daemon, list(PARTS), DEADLINE_S, CLIENTS, seconds)
    weather.calm()
    print(f"# {asked.seen}, slowest {asked.slowest * 1000:.0f} ms, weather {weather.happened}")
    assert not asked.wrong, (len(asked.wrong), asked.wrong[:2])
    assert not asked.late, (len(asked.late), asked.late[:5])
    assert all(asked.seen.values()) and all(weather.happened.values()), asked.seen
    until(lambda: not daemon.busy(), "rest after the storm")
    for upstream in daemon.status()["upstreams"]:
        assert upstream["calls"] == upstream["succeeded"] + sum(upstream["failures"].values()), upstream
