"""What the doctor foretells comes true: the same application, an attempt, and the cause that its on_error is told."""

import json
import re
import time
from urllib.parse import parse_qsl

import pytest
from fastapi.responses import HTMLResponse

from deployment.deployed import attempt_id, sent, uvicorn
from doctor.patients import FORWARDING, examined, on

KEY = "another-application's-key-of-32-bytes-or-more"


def foretold(findings):
    """The causes that the doctor names."""
    words = " ".join(finding.message for finding in findings if finding.level != "ok")
    return {cause for cause in ("altered", "expired", "other_browser") if f"({cause})" in words}


@pytest.fixture
def visit(deployment):
    """One attempt, from the launch to the callback, by a browser that keeps cookies as they come; the last status."""

    def made(origin):
        browser = deployment.browser(origin)
        launched = browser.opens(attempt_id())
        assert launched.status_code == 303
        return browser.answer(sent(launched)["state"], "code-1").status_code

    return made


def test_different_keys(deployment, proxy, visit):
    """Launched at one worker, answered at the other."""
    workers = [uvicorn(deployment.folder, name, keys=[KEY + name]) for name in ("one", "two")]
    deployment.start(*workers)
    url = proxy(*[worker.port for worker in workers], directives=FORWARDING)
    assert foretold(examined(url)) == {"altered"}
    assert visit(url) == 400
    assert deployment.errors()[-1] == "altered"


def test_cookies_dropped_on_the_way(patient, proxy, visit):
    """Neither browser nor app can help it."""
    app = patient()
    url = proxy(app.server.port, directives=f"{FORWARDING} proxy_hide_header Set-Cookie;")
    assert foretold(examined(url)) == {"other_browser"}
    assert visit(url) == 400
    assert app.errors[-1].cause == "other_browser"


def test_cookie_header_dropped_on_the_way(patient, proxy, visit):
    """The browser sends it, and the app never sees it; from outside, many keys would look the same."""
    app = patient()
    url = proxy(app.server.port, directives=f'{FORWARDING} proxy_set_header Cookie "";')
    assert foretold(examined(url)) == {"other_browser", "altered"}
    assert visit(url) == 400
    assert app.errors[-1].cause == "other_browser"


@pytest.mark.browser
def test_strict_cookie(patient, serve, browser):
    """In Chromium, where a page of another site sends the person back, as Connect does."""

    async def connect(scope, receive, send):
        asked = dict(parse_qsl(scope["query_string"].decode()))
        back = f"{asked['redirect_uri']}?code=code-1&state={asked['state']}"
        await HTMLResponse(f"<script>location.href = {json.dumps(back)}</script>")(scope, receive, send)

    def strict(answer):
        answer.put("set-cookie", answer.get("set-cookie").replace("SameSite=Lax", "SameSite=Strict"))

    origin = serve(connect, host="127.0.0.1").origin
    ill = patient(on("/smartcar/launch", strict), connect_origin=origin)
    healthy = patient(connect_origin=origin)
    assert foretold(examined(ill.url)) == {"other_browser"}
    assert foretold(examined(healthy.url)) == set()
    page = browser.new_page()
    for app in (ill, healthy):
        app.errors.clear()
        page.goto(f"{app.origin}/smartcar/launch?return_to=/garage")
        page.wait_for_url(re.compile("/(smartcar/callback|garage)[?]"))
    page.close()
    assert [error.cause for error in ill.errors] == ["other_browser"]
    assert [response.code for response in healthy.granted] == ["code-1"]


def test_clocks_that_differ(patient, proxy, visit):
    """One worker is two hours behind: what it launches is expired for the other."""
    slow, right = patient(clock=lambda: time.time() - 7200), patient()
    url = proxy(slow.server.port, directives=FORWARDING)
    assert foretold(examined(url)) == {"expired"}
    assert foretold(examined(right.url)) == set()
    both = proxy(slow.server.port, right.server.port, directives=FORWARDING)
    assert visit(both) == 400
    assert [error.cause for error in right.errors][-1] == "expired"


def test_nothing_wrong(patient, visit):
    """No cause is foretold, and none comes."""
    app = patient()
    assert foretold(examined(app.url)) == set()
    assert visit(app.origin) == 200
    assert [response.code for response in app.granted] == ["code-1"]
