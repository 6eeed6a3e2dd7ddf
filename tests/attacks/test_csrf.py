"""In somebody else's name: answers delivered to the wrong person, attempts begun or ended without one.

The attacker has a browser of his own (a `Visitor` or a profile), sites of his own, and whatever he can make a
victim's browser open. Nothing here ends with a car in the wrong account.
"""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect
from starlette.responses import PlainTextResponse

from attacks.wire import FETCH, Visitor
from browser.application import Application
from browser.flow import until
from web.browser import Clock, attempt_id

numbers = count(1_000)


def new_id():
    return attempt_id(next(numbers))


def state_in(page):
    """The state in the address of the Connect that a page shows."""
    return parse_qs(urlsplit(page.url).query)["state"][0]


@pytest.mark.browser
def test_login_csrf_by_the_attackers_callback_address(site, page, context):
    """He allows his own car, keeps the callback's address and opens it in the victim's browser.

    The state is good, but the cookie that belongs to it is in his browser.
    """
    theirs = Visitor(site).launch().state
    page.goto(f"{site.origin}/smartcar/callback?code=attackers-code&state={theirs}")
    expect(page.locator("h1")).to_have_text("This attempt began somewhere else")
    assert site.granted == []
    assert [error.cause for error in site.errors] == ["other_browser"]
    assert context.cookies() == []


@pytest.mark.browser
def test_login_csrf_beside_a_pending_attempt(site, page):
    """He waits until the victim has an attempt of her own open; any cookie of hers might do.

    Each attempt has its own cookie, and hers goes on afterwards as if nothing had been.
    """
    page.goto(f"{site.origin}/smartcar/launch")
    hers = state_in(page)
    theirs = Visitor(site).launch().state
    page.goto(f"{site.origin}/smartcar/callback?code=attackers-code&state={theirs}")
    assert site.granted == []
    page.goto(f"{site.origin}/smartcar/callback?code=her-code&state={hers}")
    expect(page.locator("h1")).to_have_text("Your car is connected")
    assert [response.code for response in site.granted] == ["her-code"]


def test_attempt_id_fixation(site):
    """He knows the id that the victim's page uses, launches with it in his browser and delivers his answer to her.

    Her cookie has the right name, but holds the digest of her state, not of his.
    """
    known = new_id()
    victim, attacker = Visitor(site, person="victim"), Visitor(site, person="attacker")
    hers = victim.launch({"attempt": known, "display": "popup"}).state
    theirs = attacker.launch({"attempt": known, "display": "popup"}).state
    assert victim.callback({"code": "attackers-code", "state": theirs}).status == 400
    assert site.granted == []
    assert site.errors[0].cause == "other_browser"
    assert victim.callback({"code": "her-code", "state": hers}).status == 200
    assert [(one.code, one.subject) for one in site.granted] == [("her-code", "victim")]


def test_attempt_id_fixation_by_ending_it_elsewhere(site):
    """He ends an attempt under her id in his browser, denied and cancelled; hers must not end with it.

    What is finished is recorded by id and digest.
    """
    known = new_id()
    victim, attacker = Visitor(site), Visitor(site)
    hers = victim.launch({"attempt": known}).state
    attacker.answer(attacker.launch({"attempt": known}).state, error="access_denied")
    other = Visitor(site)
    other.launch({"attempt": known})
    other.cancel(known)
    assert json.loads(victim.status(known).body)["outcome"] == "pending"
    assert victim.answer(hers).status == 200
    assert len(site.granted) == 1


@pytest.mark.parametrize("name", ["state", "nonce", "subject", "digest", "code"])
def test_state_fixation_at_launch(site, name):
    """He sends the victim to the launch with a state of his choosing; what goes to Connect is ours all the same."""
    victim = Visitor(site)
    answer = victim.launch({name: "attackers-choice"})
    assert b"attackers-choice" not in answer.whole
    assert answer.status == (400 if name == "state" else 303)


def test_state_fixation_at_the_callback(site):
    """He plants his state together with her id: parts of two states, his with her id in front, hers with his seal."""
    victim, attacker = Visitor(site), Visitor(site)
    hers, theirs = victim.launch().state, attacker.launch().state
    (her_content, her_seal), (their_content, their_seal) = hers.split("."), theirs.split(".")
    mixed = [
        f"{her_content}.{their_seal}",
        f"{their_content}.{her_seal}",
        f"{her_content[:22]}{their_content[22:]}.{their_seal}",
        f"{hers}.{their_seal}",
        f"{theirs}.{her_seal}",
    ]
    for state in mixed:
        assert victim.answer(state).status == 400
    assert {error.cause for error in site.errors} == {"altered"}
    assert victim.answer(hers).status == 200


def test_session_is_swapped_before_the_callback(site):
    """He logs the victim's browser into his account while she signs in at her brand: her car, his garage.

    `identify` is asked again; another name than at launch, and nothing is believed.
    """
    victim = Visitor(site, person="victim")
    hers = victim.launch().state
    victim.jar["person"] = "attacker"
    answer = victim.answer(hers)
    assert (answer.status, site.granted, site.errors[0].cause) == (400, [], "other_person")
    assert "Somebody else is logged in now" in answer.text


def test_somebody_logs_in_on_a_shared_computer(site):
    """An attempt begun by nobody is finished under whoever logged in since; it is not his."""
    browser = Visitor(site)
    state = browser.launch().state
    browser.jar["person"] = "attacker"
    assert browser.answer(state).status == 400
    assert site.errors[0].cause == "other_person"


def test_session_is_gone_at_the_callback(site):
    """He logs her out in between: the car still goes to the one who launched, never to the next to log in."""
    victim = Visitor(site, person="victim")
    state = victim.launch().state
    del victim.jar["person"]
    assert victim.answer(state).status == 200
    assert [response.subject for response in site.granted] == ["victim"]


@pytest.fixture
def linked(application):
    """An application that seals the person into its links, and the clock by which they expire."""
    clock = Clock()
    app = application(
        connect_origin="http://127.0.0.1:9",
        identify=True,
        clock=clock,
        sealed={"external_id": "car-of-victim", "state": {"order": 7}, "return_to": "/garage"},
    )
    return app, clock


def sealed_link(app, person):
    """The launch link on this person's page."""
    page = Visitor(app, person=person).ask("/").body.decode()
    return page.partition('launch="')[2].partition('"')[0].replace("&amp;", "&")


def test_sealed_link_is_passed_on(linked):
    """A link made for the attacker is sent to the victim, so that her car lands under his external id."""
    app, _ = linked
    link = sealed_link(app, "attacker")
    for jar in ({"person": "victim"}, {}):
        answer = Visitor(app, **jar).ask(link)
        assert (answer.status, answer.cookies) == (403, {})
        assert "made for another person" in answer.text
    assert Visitor(app, person="attacker").ask(link).to_connect["external_id"] == "car-of-victim"


def test_sealed_link_is_kept_for_later(linked):
    """A link found in a history or a log is opened by its own person's browser, much later."""
    app, clock = linked
    link = sealed_link(app, "victim")
    clock.now += 901
    answer = Visitor(app, person="victim").ask(link)
    assert (answer.status, answer.cookies) == (403, {})
    assert "expired" in answer.text


@pytest.mark.parametrize(
    "more", ["make=BMW", "external_id=x", "user=x", "state=x", "scope=x", "single_select_vin=x", "sealed=x"]
)
def test_sealed_link_is_extended(linked, more):
    """What the application sealed is joined by what the attacker would like."""
    app, _ = linked
    answer = Visitor(app, person="victim").ask(f"{sealed_link(app, 'victim')}&{more}")
    assert (answer.status, answer.cookies) == (400, {})


def test_sealed_link_with_another_end(linked):
    """`return_to` may stand beside a seal, but the sealed one counts."""
    app, _ = linked
    victim = Visitor(app, person="victim")
    state = victim.ask(f"{sealed_link(app, 'victim')}&return_to=/elsewhere").state
    assert victim.answer(state).header("Location") == "/garage?smartcar=granted"


@pytest.mark.browser
def test_hostile_page_launches_without_a_person(site, connect, stranger, page, context):
    """Images, scripts, styles, frames, objects, fetches and hints on a hostile page all name the launch route.

    The browser says what each is for, and only a window that a person sees may begin an attempt.
    """
    target = f"{site.origin}/smartcar/launch"
    markup = f"""
      <img src="{target}?img"><script src="{target}?script"></script><iframe src="{target}?iframe"></iframe>
      <link rel="stylesheet" href="{target}?style"><link rel="prefetch" href="{target}?prefetch">
      <object data="{target}?object"></object><embed src="{target}?embed"><video src="{target}?video"></video>
      <script>
        fetch("{target}?fetch", {{ mode: "no-cors", credentials: "include" }}).catch(() => 0);
        navigator.sendBeacon("{target}?beacon", "x");
        new Image().src = "{target}?image";
      </script>"""
    for host in ("127.0.0.1", "localhost"):  # another site, and another origin of the same site
        site.requests.clear()
        page.goto(stranger({"/": markup}, host=host)[1], wait_until="commit")
        kinds = {"img", "script", "iframe", "style", "object", "embed", "video", "fetch", "beacon", "image"}
        until(page, lambda kinds=kinds: kinds <= {query for _, _, query in site.requests})
    assert context.cookies() == []
    assert connect[0].asked == []


@pytest.mark.browser
def test_launch_is_prefetched_by_the_application_itself(application, connect, page, context):
    """A link checker, or speculation rules that match every link, open the launch before anybody clicked."""
    rules = json.dumps(
        {
            kind: [{"source": "list", "urls": [f"/smartcar/launch?{kind}"]}]
            for kind in ("prefetch", "prerender")
        }
    )
    markup = f"""<link rel="prefetch" href="/smartcar/launch?hint">
        <script type="speculationrules">{rules}</script>"""
    app = application(connect_origin=connect[1], page=markup)
    page.goto(app.url, wait_until="networkidle")
    assert {query for _, path, query in app.requests if path == "/smartcar/launch"} >= {"hint", "prefetch"}
    assert context.cookies() == []
    assert connect[0].asked == []


@pytest.mark.parametrize("path", ["launch", "callback?code=x&state=STATE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"sec_purpose": "prefetch"},
        {"sec_purpose": "prefetch;prerender"},
        {"sec_purpose": "prefetch;anonymous-client-ip"},
        {"purpose": "prefetch"},
        *({"sec_fetch_dest": one} for one in ("iframe", "image", "script", "empty", "object", "fencedframe")),
        {"method": "HEAD"},
    ],
    ids=str,
)
def test_request_that_no_person_made(site, path, headers):
    """Previews, prefetches, prerenders and subresources neither begin an attempt nor spend an answer."""
    victim = Visitor(site)
    state = victim.launch().state
    jar = dict(victim.jar)
    answer = victim.ask(f"/smartcar/{path.replace('STATE', state)}", **headers)
    assert answer.header("Location") is None
    assert (victim.jar, site.granted, site.errors) == (jar, [], [])


@pytest.mark.browser
def test_hostile_site_pushes_out_a_persons_attempts(site, stranger, page, context):
    """He sends her window through the launch again and again, to fill the room for attempts with his own.

    From another site a launch asks first, so nothing is begun and hers is still there.
    """
    target = f"{site.origin}/smartcar/launch?attempt="
    evil, origin = stranger()
    page.goto(f"{site.origin}/smartcar/launch")
    hers, jar = state_in(page), context.cookies()
    for _ in range(12):
        evil.pages["/"] = f"<script>location = '{target}{new_id()}&display=popup'</script>"
        page.goto(origin, wait_until="commit")
        expect(page.locator("h1")).to_have_text("Connect your car?")
        assert "attempt=" not in page.get_by_role("link", name="Continue").get_attribute("href")
    assert context.cookies() == jar
    page.goto(f"{site.origin}/smartcar/callback?code=her-code&state={hers}")
    assert [response.code for response in site.granted] == ["her-code"]


CANCELLERS = {
    "form": '<form method="post" action="TARGET"></form><script>document.forms[0].submit()</script>',
    "fetch": '<script>fetch("TARGET", { method: "POST", mode: "no-cors", credentials: "include" })</script>',
    "cors": '<script>fetch("TARGET", { method: "POST", credentials: "include" })</script>',
    "beacon": '<script>navigator.sendBeacon("TARGET")</script>',
    # The sandboxed frame's origin is opaque: its requests say "null".
    "null": '<iframe sandbox="allow-scripts allow-forms" srcdoc="<script>fetch(`TARGET`, '
    '{ method: `POST`, mode: `no-cors`, credentials: `include` })</script>"></iframe>',
}


@pytest.mark.browser
@pytest.mark.parametrize("way", CANCELLERS)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["other-site", "same-site"])
def test_hostile_page_cancels_her_attempt(site, stranger, page, way, host):
    """He learned the attempt's id and posts to its cancel route, from a site of his and from a sibling port.

    The sibling's request even carries her cookie; its Origin is not ours.
    """
    attempt = new_id()
    page.goto(f"{site.origin}/smartcar/launch?attempt={attempt}")
    hers = state_in(page)
    target = f"{site.origin}/smartcar/cancel/{attempt}"
    evil = stranger({"/": CANCELLERS[way].replace("TARGET", target)}, host=host)[1]
    page.goto(evil, wait_until="commit")
    until(page, lambda: site.paths("/smartcar/cancel/"))
    assert site.errors == []
    # In another tab: this one may still be on its way to the answer.
    page.context.new_page().goto(f"{site.origin}/smartcar/callback?code=her-code&state={hers}")
    assert len(site.granted) == 1


@pytest.mark.parametrize("origin", [None, "null", "", "*", "http://127.0.0.1:9", "https://evil.example"])
def test_cancel_without_an_origin_of_ours(site, origin):
    """The request has her cookie, but nothing that says which page sent it, or says a foreign one."""
    victim = Visitor(site)
    attempt = new_id()
    state = victim.launch({"attempt": attempt}).state
    assert victim.cancel(attempt, origin=origin).status == 403
    assert victim.answer(state).status == 200


def test_cancel_by_somebody_who_has_no_cookie(site):
    """He sends the right Origin from a browser of his; without the attempt's cookie there is no attempt."""
    victim, attacker = Visitor(site), Visitor(site)
    attempt = new_id()
    state = victim.launch({"attempt": attempt}).state
    answer = attacker.cancel(attempt)
    assert (answer.status, answer.body) == (404, b'{"outcome": "unknown"}')
    assert victim.answer(state).status == 200


def test_cancel_under_a_rebound_name(site):
    """He points a name of his at the server: his page is then of its "own" origin, but has no cookie of ours."""
    victim = Visitor(site)
    attempt = new_id()
    victim.launch({"attempt": attempt})
    rebound = f"rebound.evil.example:{victim.port}"
    answer = Visitor(site).ask(
        f"/smartcar/cancel/{attempt}", "POST", usual=FETCH, host=rebound, origin=f"http://{rebound}"
    )
    assert answer.status == 404
    assert site.errors == []


def test_many_persons_at_once_never_meet(serve):
    """Forty people launch and come back at the same time through one client object; each gets her own.

    External id, subject and application state are sealed into each link; the shared object keeps nobody's.
    """
    app = Application("http://127.0.0.1:9", identify=True)

    def link(request):
        person = request.cookies["person"]
        return PlainTextResponse(app.connect.launch_url(request, external_id=person, state={"of": person}))

    app.app.add_route("/link", link)
    app.server = serve(app)
    together = threading.Barrier(8)

    def whole_flow(person):
        visitor = Visitor(app, person=person)
        together.wait(20)
        sent = visitor.ask(visitor.ask("/link").body.decode()).to_connect
        together.wait(20)
        back = {"code": f"code-of-{person}", "external_id": sent["external_id"], "state": sent["state"]}
        assert visitor.callback(back).status == 200
        return sent["external_id"]

    people = [f"person-{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(whole_flow, people)) == people
    told = {one.subject: (one.code, one.external_id, one.app_state) for one in app.granted}
    assert told == {person: (f"code-of-{person}", person, {"of": person}) for person in people}
    assert len(app.granted) == 40
