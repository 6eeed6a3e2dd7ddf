"""Windows and frames of strangers: framing, forged messages, listening, openers, and what Referer gives away."""

import json

import pytest
from playwright.sync_api import expect

from attacks.wire import Visitor
from browser.application import SAME_ORIGIN
from browser.flow import Garage, connect_as, until
from web.browser import attempt_id

pytestmark = pytest.mark.browser

ATTEMPT = attempt_id(7)
CLICK = "<button onclick=\"window.handle = window.open('TARGET')\">Win a car</button>"
FLOOD = """
  const names = ["smartcar-connect", "SmartcarAuthMessage"];
  const flood = (target) => {
    for (let i = 0; i < 200; i++) for (const name of names) for (const outcome of ["granted", "failed"]) {
      target.postMessage({ name, attempt: "ATTEMPT", outcome, code: "cancelled", data: { message: "forged" } }, "*");
    }
  };
"""


def launched(page, site):
    """The state of an attempt, under a known id, that the browser has."""
    page.goto(f"{site.origin}/smartcar/launch?display=popup&attempt={ATTEMPT}")
    return page.evaluate("new URLSearchParams(location.search).get('state')")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["other-site", "same-site"])
def test_pages_are_framed(site, stranger, page, host):
    """Click-jacking: he lays our launch, question, callback and refusals invisibly over a game.

    The frame stays empty, the attempt pending: `Sec-Fetch-Dest` stops the request, `X-Frame-Options` and
    `frame-ancestors` the page, should a browser not send the header.
    """
    state = launched(page, site)
    paths = ["launch", "launch?return_to=//x", f"callback?code=x&state={state}", "callback"]
    frames = "".join(f'<iframe src="{site.origin}/smartcar/{path}"></iframe>' for path in paths)
    site.requests.clear()
    page.goto(stranger({"/": frames}, host=host)[1], wait_until="commit")
    until(page, lambda: len(site.paths("/smartcar/")) == len(paths))
    page.wait_for_load_state()
    for frame in page.frames[1:]:
        assert frame.locator("h1, a, button").count() == 0
    assert (site.granted, site.errors) == ([], [])


def test_every_page_forbids_framing_by_itself(site):
    """Older browsers send no `Sec-Fetch-Dest`: then the page's own headers are what forbids the frame."""
    visitor = Visitor(site)
    state = visitor.launch(usual={}).state
    pages = [
        visitor.callback({"code": "x", "state": state}, usual={}),
        visitor.callback({"code": "x", "state": "forged"}, usual={}),
        visitor.launch({"return_to": "//x"}, usual={}),
        visitor.launch(usual={"Sec-Fetch-Site": "cross-site"}),
    ]
    assert [page.status for page in pages] == [200, 400, 400, 200]
    for page in pages:
        assert page.all("X-Frame-Options") == ["DENY"]
        assert "frame-ancestors 'none'" in page.header("Content-Security-Policy")


@pytest.mark.parametrize("place", ["frame", "opener"])
def test_flood_of_messages_by_a_stranger(application, stranger, page, place):
    """A frame on the page (an advertisement), or the site that opened the page, posts outcomes by the thousand.

    Only our own pop-up, from our own origin, is heard; and the page still hears it.
    """
    app = application()
    script = f"<script>{FLOOD}</script>"
    if place == "opener":
        opener = page
        opener.goto(stranger({"/": script + CLICK.replace("TARGET", app.url)})[1])
        with opener.expect_popup() as opened:
            opener.get_by_role("button").click()
        page = opened.value
        expect(page.get_by_role("button")).to_be_visible()
        garage = Garage.__new__(Garage)
        garage.page = page
    else:
        garage = Garage(page, app.url)
    popup = garage.open()
    popup.wait_for_selector("#continue-button")
    attempt = garage.events[0]["detail"]["attempt"]
    if place == "opener":
        opener.evaluate(f"() => {{ {FLOOD.replace('ATTEMPT', attempt)} flood(handle) }}")
    else:
        flood = f"<script>{FLOOD.replace('ATTEMPT', attempt)} flood(parent)</script>"
        page.evaluate(
            "src => document.body.append(Object.assign(document.createElement('iframe'), { src }))",
            stranger({"/": flood})[1],
        )
    page.wait_for_function("messages.length >= 800")
    assert [event["name"] for event in garage.events] == ["opened"]
    connect_as(popup)
    assert garage.ended("granted")["data"] == {"message": "Added to the garage."}


def test_connects_page_forges_the_outcome(application, stranger, page):
    """The pop-up itself shows a hostile page (a brand's, taken over): its messages come from another origin."""
    _, origin = stranger({"/oauth/authorize": f"<script>{FLOOD}</script>"})
    app = application(connect_origin=origin)
    garage = Garage(page, app.url)
    popup = garage.open()
    popup.wait_for_url(f"{origin}/**")
    attempt = garage.events[0]["detail"]["attempt"]
    popup.evaluate(f"() => {{ {FLOOD.replace('ATTEMPT', attempt)} flood(opener) }}")
    page.wait_for_function("messages.length >= 800")
    assert [event["name"] for event in garage.events] == ["opened"]
    assert app.granted == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "a.localhost"])
def test_outcome_is_overheard(site, stranger, context, page, host):
    """He knows the attempt's id, listens on its channel from his origin, and opened the very window that ends it.

    A channel belongs to an origin, and `postMessage` names the origin of the page that may hear.
    """
    state = launched(page, site)
    heard = f"""<script>
      window.heard = [];
      const listen = ({{ data }}) => heard.push(data);
      new BroadcastChannel("smartcar-connect-{ATTEMPT}").onmessage = listen;
      addEventListener("message", listen);
      </script>"""
    target = f"{site.origin}/smartcar/callback?code=x&state={state}"
    listener = context.new_page()
    listener.goto(stranger({"/": heard + CLICK.replace("TARGET", target)}, host=host)[1])
    # One of our own origin hears it, so that there was something to hear.
    page.goto(site.url)
    page.evaluate(
        f"""() => {{ new BroadcastChannel("smartcar-connect-{ATTEMPT}").onmessage =
                     ({{ data }}) => {{ window.told = data }} }}"""
    )
    with listener.expect_popup():
        listener.get_by_role("button").click()
    page.wait_for_function("window.told")
    assert len(site.granted) == 1
    assert listener.evaluate("heard") == []


def test_outcome_is_overheard_by_another_attempt(application, context):
    """Two people use one profile, or two tabs one page: an attempt's channel carries no other's outcome."""
    app = application()
    one, two = (Garage(context.new_page(), app.url) for _ in range(2))
    popup, other = one.open(), two.open()
    attempt = two.events[0]["detail"]["attempt"]
    two.page.evaluate(
        f"""() => {{
              window.heard = [];
              new BroadcastChannel("smartcar-connect-{attempt}").onmessage = ({{ data }}) => heard.push(data);
            }}"""
    )
    connect_as(popup)
    one.ended("granted")
    other.wait_for_selector("#continue-button")
    two.page.evaluate("dispatchEvent(new Event('focus'))")
    assert two.page.evaluate("heard") == []
    assert [event["name"] for event in two.events] == ["opened"]


@pytest.mark.parametrize("severed", [False, True], ids=["usual", "severed"])
def test_pop_up_navigates_the_page_that_opened_it(application, stranger, page, severed):
    """Reverse tab-nabbing: a hostile page in the pop-up puts a copy of the application under the person's eyes.

    The Web platform lets every window navigate the one that opened it, and the quickest way back needs an opener, so
    usually this works. A page with `Cross-Origin-Opener-Policy: same-origin` is out of reach; the flow works there.
    """
    _, origin = stranger({"/copy": "<h1>A copy</h1>"})
    app = application(connect_origin=origin, page_headers=SAME_ORIGIN if severed else {})
    popup = Garage(page, app.url).open()
    popup.wait_for_url(f"{origin}/**")
    assert (popup.evaluate("opener") is None) == severed
    popup.evaluate("(copy) => { if (opener) opener.location = copy }", f"{origin}/copy")
    expect(page).to_have_url(app.url if severed else f"{origin}/copy")


def test_our_pages_hand_no_opener_on(site, stranger, page):
    """He opened our window and waits for it to open, or become, a page that he can reach: our one link leads here."""
    page.goto(stranger({"/": CLICK.replace("TARGET", f"{site.origin}/smartcar/launch")})[1])
    with page.expect_popup() as opened:
        page.get_by_role("button").click()
    question = opened.value
    (link,) = question.get_by_role("link").all()
    assert link.get_attribute("target") is None
    assert link.evaluate("({ href }) => new URL(href).origin") == site.origin


def test_referer_gives_nothing_away(connect, application, page):
    """He reads the logs of Connect, of a brand and of every server that our pages load from.

    Neither the application's address nor code, state or a sealed link stand in any Referer.
    """
    app = application(connect_origin=connect[1], sealed={"make": "TESLA"})
    referers = []
    page.context.on(
        "request", lambda request: referers.append((request.url, request.headers.get("referer", "")))
    )
    page.goto(f"{app.url}?private=1")
    popup = Garage(page, f"{app.url}?private=1").open()
    popup.wait_for_url(f"{connect[1]}/**")
    (asked,) = [one for one in connect[0].asked if one.path == "/oauth/authorize"]
    assert "referer" not in asked.headers
    state = popup.evaluate("new URLSearchParams(location.search).get('state')")
    # The page is gone, so that the window stays and fetches its stylesheet.
    page.goto("about:blank")
    tab = page.context.new_page()
    tab.goto(f"{app.origin}/smartcar/callback?code=a-secret-code&state={state}")
    expect(tab.locator("link[rel=stylesheet]")).to_have_count(1)
    with tab.expect_navigation():
        tab.get_by_role("link").click()
    forged = page.context.new_page()
    forged.goto(f"{app.origin}/smartcar/callback?code=a-secret-code&state=forged")
    forged.get_by_role("link").click()
    expect(forged).to_have_url(app.url)
    told = [address for _, address in referers]
    assert len(told) > 8
    assert not [
        one for one in told if "callback" in one or "launch" in one or "secret" in one or state in one
    ]


def test_status_is_read_as_a_script(site, stranger, page):
    """JSON hijacking: he includes the status of her attempt as script, style, image and worker on a sibling port.

    The request carries her cookie; its answer is JSON that no browser runs (`nosniff`) or lets him read.
    """
    launched(page, site)
    address = f"{site.origin}/smartcar/status/{ATTEMPT}"
    markup = f"""<script>
        window.read = [];
        Object.defineProperty(Object.prototype, "outcome", {{ set(value) {{ read.push(value) }} }});
        const done = (name) => () => {{ read[name] = true; window.count = (window.count ?? 0) + 1 }};
        addEventListener("error", (event) => read.push(event.message ?? ""), true);
      </script>
      <script src="{address}" onload="read.push('script')"></script>
      <link rel="stylesheet" href="{address}" onload="read.push('style')">
      <img src="{address}" onload="read.push('image')">
      <script>
        window.fetched = Promise.all(["cors", "no-cors"].map((mode) =>
          fetch("{address}", {{ mode, credentials: "include" }}).then(
            (answer) => answer.text().then((text) => text + answer.status), () => "refused")));
      </script>"""
    page.goto(stranger({"/": markup}, host="localhost")[1])
    assert page.evaluate("fetched") == ["refused", "0"]
    assert [one for one in page.evaluate("read") if one] == []
    asked = [query for method, path, query in site.requests if path.endswith(ATTEMPT)]
    assert len(asked) == 5
    answer = Visitor(site).status(ATTEMPT)
    assert (answer.header("Content-Type"), answer.header("X-Content-Type-Options")) == (
        "application/json",
        "nosniff",
    )


def test_status_says_whether_an_attempt_exists(site, stranger, page):
    """From a sibling port he probes with her cookies for ids that are and aren't, by what loads and what fails."""
    launched(page, site)
    probes = {
        name: f"{site.origin}/smartcar/status/{one}"
        for name, one in (("is", ATTEMPT), ("not", attempt_id(8)))
    }
    script = """async (probes) => {
      const events = {};
      for (const name in probes) {
        const seen = (events[name] = []);
        for (const tag of ["script", "img", "video", "audio", "link"]) {
          const element = Object.assign(document.createElement(tag), { rel: "stylesheet" });
          const heard = new Promise((resolve) => (element.onload = element.onerror = ({ type }) => resolve(type)));
          element[tag === "link" ? "href" : "src"] = probes[name];
          document.head.append(element);
          seen.push(`${tag} ${await heard}`);
        }
        const { type, status } = await fetch(probes[name], { mode: "no-cors", credentials: "include" });
        seen.push(type, status);
      }
      return events;
    }"""
    page.goto(stranger({"/": ""}, host="localhost")[1])
    seen = page.evaluate(script, probes)
    assert seen["is"] == seen["not"]


def test_module_is_used_by_a_strangers_page(site, stranger, page):
    """He imports our module, which anybody may load, into a page of his, and calls it with our launch route.

    The attempt is refused, because his page isn't ours, and his page learns no more than that.
    """
    markup = f"""<script type="module">
        import {{ connect }} from "{site.origin}/smartcar/connect.js";
        document.querySelector("button").onclick = () => {{
          window.ended = connect({{ launch: "{site.origin}/smartcar/launch" }}).catch(({{ code }}) => code);
        }};
        window.ready = true;
      </script><button>Win a car</button>"""
    for host in ("127.0.0.1", "localhost"):
        page.goto(stranger({"/": markup}, host=host)[1])
        page.wait_for_function("window.ready")
        with page.expect_popup() as opened:
            page.get_by_role("button").click()
        expect(opened.value.locator("h1")).to_have_text("This link can't be used")
        assert page.evaluate("Promise.race([ended, 'pending'])") == "pending"
    assert page.context.cookies() == []


def test_worker_is_made_of_our_addresses(site, page):
    """A script injected elsewhere registers our routes as service workers, to answer for the whole site later.

    Pages are no scripts, and the module's path reaches no further than the routes.
    """
    page.goto(site.url)
    tried = page.evaluate(
        """async () => {
             const outcomes = [];
             for (const [path, scope] of [["launch", "/"], ["callback", "/"], ["status/x", "/"], ["connect.js", "/"]]) {
               outcomes.push(await navigator.serviceWorker.register(`/smartcar/${path}`, { scope }).then(
                 () => "registered", ({ name }) => name));
             }
             return outcomes;
           }"""
    )
    assert set(tried) <= {"SecurityError", "TypeError"}  # not a script; beyond its path


def test_policy_of_every_page(site):
    """Every page of ours says for itself what a browser may do with it, and nothing in it needs more."""
    visitor = Visitor(site)
    state = visitor.launch().state
    for answer in (visitor.answer(state), visitor.answer("forged"), visitor.launch({"x": "y", "state": "z"})):
        policy = dict(
            one.strip().partition(" ")[::2] for one in answer.header("Content-Security-Policy").split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
        assert policy["require-trusted-types-for"] == "'script'"
        assert "unsafe" not in json.dumps(policy)
        assert answer.header("Referrer-Policy") == "no-referrer"
        assert answer.header("X-Content-Type-Options") == "nosniff"
