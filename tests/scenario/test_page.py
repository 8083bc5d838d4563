"""The admin page, in a real browser: what it shows, what it does, and who can use it."""
import json
import re
import socket

from browser import Browser
from waits import until

CONFIG = """
log: {{slow: 20ms}}
upstreams:
  users: {{servers: ["{url}"]}}
  stock: {{servers: ["{url}", "http://127.0.0.1:{dead}"], retry: off}}
routes:
  GET /profile/{{id}}:
    calls:
      user: "users/users/{{id}}"
      reviews: {{url: "users/reviews/{{user.id}}", optional: true}}
  GET /broken: {{calls: {{got: users/broken}}}}
  GET /healthy: {{respond: ok}}
"""


def answer(exchange):
    if exchange.request.target.startswith("/reviews"):
        exchange.pause(0.03)
        exchange.reply({}, status=500)
    elif exchange.request.target == "/broken":
        exchange.reply({}, status=500)
    else:
        exchange.reply({"id": 7})


def dead_port():
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def site(scene, **options):
    origin = scene.origin(answer)
    return scene.gatherd(CONFIG.format(url=origin.url, dead=dead_port()), **options)


def page(scene, daemon, **options):
    browser = scene.keep(Browser(**options))
    browser.open(f"http://127.0.0.1:{daemon.admin_port}/")
    return browser


def shown(browser, what):
    return browser.wait(f"return document.body.innerText.includes({json.dumps(what)})", f"“{what}” on the page")


def test_its_head_allows_nothing_but_itself(scene):
    daemon = site(scene)
    answered = daemon.admin("/")
    assert answered.status == 200 and answered.header("Content-Type") == "text/html; charset=utf-8"
    policy = answered.header("Content-Security-Policy")
    assert re.fullmatch(r"default-src 'none'; script-src 'sha256-[\w+/]{43}='; style-src 'sha256-[\w+/]{43}='; "
                        r"connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
                        r"frame-ancestors 'none'", policy), policy
    text = answered.body.decode()
    assert not re.search(r"(src|href)=\"(https?:)?//", text) and " style=" not in text and "innerHTML" not in text
    assert daemon.admin("/", "POST").status == 405


def test_people_see_and_do_all_of_it(scene):
    daemon = site(scene)
    with daemon.client() as client:
        for _ in range(5):
            client.get("/profile/7")
            client.get("/healthy")
        client.get("/broken")
    browser = page(scene, daemon)
    shown(browser, "GET /profile/{id}")
    shown(browser, "ready")
    rows = browser.run("return [...document.querySelectorAll('#route-rows > tr:not([hidden])')].map(r => r.innerText)")
    assert len(rows) == 3 and "GET /broken" in rows[1] and "100.0 %" in rows[1], rows

    browser.click("#route-rows tr:nth-child(1) button")
    shown(browser, "Answers: 2xx 5.")
    browser.type("#filter", "broken")
    browser.wait("return document.querySelectorAll('#route-rows .open-row').length === 1", "one route")

    browser.click("#tab-upstreams")
    shown(browser, "stock")
    browser.click("[aria-label^='Drain 127.0.0.1'][aria-label$='of users']")
    shown(browser, "no server of users is left")
    until(lambda: daemon.server("users")["state"]["drained"] == 1, "drained")
    shown(browser, "drained")
    browser.click("[aria-label^='Resume 127.0.0.1'][aria-label$='of users']")
    shown(browser, "is back in use")
    until(lambda: daemon.server("users")["state"]["drained"] == 0, "resumed")

    browser.click("#tab-requests")
    shown(browser, "GET /profile/7")
    browser.wait("return [...document.querySelectorAll('#failed button')].every("
                 "b => b.ariaExpanded === 'true' || !b.click())", "all are open")
    bars = browser.run("return [...document.querySelectorAll('#failed .fall')].map(f => f.innerText.replaceAll('\\n', ' '))")
    assert sum("reviews" in bar and "status (500)" in bar for bar in bars) == 5, bars
    assert browser.run("return document.querySelectorAll('#failed .track .first').length") > 5
    assert not browser.complaints()


def test_the_state_of_a_reload_is_there_and_is_only_text(scene):
    daemon = site(scene)
    browser = page(scene, daemon)
    shown(browser, "GET /healthy")
    browser.click("#tab-configuration")
    shown(browser, "as at the start")
    with open(daemon.path, "a", encoding="utf-8") as file:
        file.write("\"<img src=x onerror=document.title='hit'>\": 1\n")
    browser.click("#reload")
    shown(browser, "<img src=x")
    shown(browser, "refused")
    assert browser.run("return document.querySelectorAll('main img').length") == 0
    assert browser.run("return document.title") == "gatherd"
    browser.complaints()  # a refusal is told there, too


def test_it_asks_for_the_token(scene):
    daemon = site(scene, token="let-me-in")
    browser = page(scene, daemon)
    shown(browser, "wants its token")
    assert browser.focused() == "token"
    assert browser.text("#route-rows") == ""
    browser.type("#token", "wrong")
    browser.press("Enter")
    shown(browser, "That was not the token")
    browser.type("#token", "let-me-in")
    browser.press("Enter")
    shown(browser, "GET /healthy")
    assert browser.run("return [localStorage.length, document.cookie]") == [0, ""]


def test_the_keyboard_is_enough_and_a_phone_is_wide_enough(scene):
    daemon = site(scene)
    for _ in range(2):
        daemon.get("/profile/7")
    browser = page(scene, daemon)
    shown(browser, "GET /profile/{id}")
    order = []
    for _ in range(7):
        browser.press("Tab")
        order.append(browser.focused())
    assert order == ["Skip to the content", "pause", "tab-routes", "routes", "filter", "GET /profile/{id}", "GET /broken"], order
    browser.run("document.getElementById('tab-routes').focus()")
    for key, panel in (("Right", "upstreams"), ("Right", "requests"), ("Left", "upstreams"), ("Home", "routes")):
        browser.press(key)
        assert browser.focused() == f"tab-{panel}"
        assert browser.run("return [...document.querySelectorAll('[role=tabpanel]:not([hidden])')].map(p => p.id)") == [panel]
    for width in (320, 390, 768):
        browser.resize(width, 800)
        for panel in ("routes", "upstreams", "requests", "configuration"):
            browser.run(f"document.getElementById('tab-{panel}').click()")
            wide = browser.run("return document.documentElement.scrollWidth")
            assert wide <= width, (panel, width, wide)
    browser.click("#pause")
    assert browser.run("return document.getElementById('pause').getAttribute('aria-pressed')") == "true"
    # Every control has a name, every table heads, and one heading is the first.
    assert browser.run("return [...document.querySelectorAll('button, input')].filter("
                       "e => !(e.innerText.trim() || e.getAttribute('aria-label') || e.labels?.length)).length") == 0
    assert browser.run("return [...document.querySelectorAll('table')].every(t => t.caption && t.querySelector('th[scope=col]'))")
    assert browser.run("return document.querySelectorAll('h1').length") == 1
    assert not browser.complaints()


def contrasts(browser):
    """Text whose contrast with what is behind it is below that of WCAG AA."""
    return browser.run("""
        const rgb = text => text.match(/[\\d.]+/g).map(Number);
        const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
        const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
            if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
        const bad = [];
        for (const e of document.querySelectorAll('body *')) {
            if (!e.checkVisibility() || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || e.closest('.unseen, .skip, script')) continue;
            const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))], ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
            if (ratio < 4.5) bad.push(e.textContent.slice(0, 30) + ' ' + ratio.toFixed(2));
        }
        return bad;""")


def test_it_can_be_read_by_day_and_by_night(scene):
    daemon = site(scene)
    for path in ("/profile/7", "/broken"):
        daemon.get(path)
    browser = page(scene, daemon)
    shown(browser, "GET /profile/{id}")
    seen = set()
    for scheme in ("light", "dark"):
        browser.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        seen.add(browser.run("return getComputedStyle(document.body).backgroundColor"))
        for panel in ("routes", "upstreams", "requests", "configuration"):
            browser.run(f"document.getElementById('tab-{panel}').click()")
            assert not contrasts(browser), (scheme, panel, contrasts(browser))
    assert len(seen) == 2
