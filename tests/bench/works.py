"""What is asked for while measuring: routes, and what answers the same in nginx with Lua."""
from dataclasses import dataclass

from servers import nginx_gather, nginx_picked

KIB = 1024
SSE = "Accept: text/event-stream"


@dataclass
class Work:
    name: str
    path: str
    calls: list        # `name: call` as in the file; without any a pass
    target: str = ""   # of a pass; what nginx is asked for when it has no Lua for it
    lua: str = ""      # nginx's location
    field: str = ""    # a line in the head of the request
    connections: int = 32
    share: int = 1     # a request is so many times as much work as a small one

    def route(self):
        head = [f"  GET {self.path}:"]
        if not self.calls:
            return head + [f"    pass: o/{self.target}"]
        return head + ["    calls:"] + [f"      {call}" for call in self.calls]


def plain(name, path, count, size):
    calls = [f"p{n}: o/{size}/{n}" for n in range(count)]
    return Work(name, path, calls, f"{size}/0",
                nginx_gather(path, size, count) if count > 1 else "",
                connections=8 if size > 100_000 else 32, share=200 if size > 100_000 else 1)


WORKS = [
    plain("pass 1 KiB", "/pass", 0, KIB),
    plain("gather 1 x 1 KiB", "/g1", 1, KIB),
    plain("gather 3 x 1 KiB", "/g3", 3, KIB),
    plain("gather 10 x 2 KiB", "/g10", 10, 2 * KIB),
    plain("gather 3 x 256 KiB", "/g256", 3, 256 * KIB),
]

# A third of the names of a record, and one of them renamed.
CUT = "pick: [id, name, owner.login, created], rename: {name: title}"


def records(size, path, share=1, picked=False):
    target = f"records/{size}"
    calls = [f"p{n}: {{url: o/{target}/{n}, {CUT}}}" if picked else f"p{n}: o/{target}/{n}"
             for n in range(3)]
    lua = (nginx_picked if picked else nginx_gather)(path, target, 3)
    return Work(f"{'picked' if picked else 'records'} 3 x {size // KIB} KiB", path, calls, lua=lua,
                connections=8 if share > 1 else 32, share=share)


COMPOSED = [
    records(KIB, "/r3"),
    records(KIB, "/picked3", picked=True),
    records(256 * KIB, "/r256", 200),
    records(256 * KIB, "/picked256", 200, picked=True),
    Work("gather 10 x 256 B", "/items", [f"p{n}: o/record/256/{n}" for n in range(10)]),
    Work("each 100 x 256 B", "/each",
         ["list: {url: o/ids/100, hidden: true}",
          "items: {url: 'o/record/256/{item}', each: 'list.ids[*]', each_limit: 100}"],
         share=20),
    Work("3 x 1 KiB as events", "/r3", [], field=SSE),
]

# What one costs of another, in instructions: title, work, its calls, beside it, its calls,
# at most.
RATIOS = [
    ("picked / as it is, 3 x 1 KiB", "/picked3", 1, "/r3", 1, 1.5),
    ("picked / as it is, 3 x 256 KiB", "/picked256", 1, "/r256", 1, 2.5),
    ("a call of each / a plain call", "/each", 101, "/items", 10, 1.1),
]

# As many kept connections as nginx is given here. The default of 32 would close and open
# some all the time when 32 clients make 3 calls each to one server.
KEPT = ", pool: {max: 256, idle: 256}"


def config(origin_port, upstream=KEPT, top="", scheme="http"):
    lines = [top, f"upstreams: {{o: {{servers: [\"{scheme}://127.0.0.1:{origin_port}\"]{upstream}}}}}", "routes:"]
    for work in WORKS + COMPOSED:
        if not work.field:
            lines += work.route()
    return "\n".join(lines) + "\n"
