"""The page with the button: found, or why not; its policies; the module that it loads."""

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse
from hypothesis import given
from hypothesis import strategies as st

from browser.application import static_page
from doctor.patients import FORWARDING, complaints, examined, login, of, on, one
from smartcar_auth.doctor.markup import read_page
from smartcar_auth.doctor.page import examine_page, find_routes
from smartcar_auth.doctor.visit import Answer


@pytest.fixture
def front_end(serve):
    """A page on an origin of its own; its address."""

    def started(body, headers=None):
        return f"{serve(static_page(body, {}, headers)).origin}/"

    return started


@pytest.fixture
def around(serve, patient):
    """A healthy application with more pages around; its origin."""

    def started(**pages):
        outer = FastAPI(openapi_url=None)
        for path, answer in pages.items():
            outer.add_api_route(f"/{path}", answer, response_model=None)
        outer.mount("/", patient().app)
        return serve(outer).origin

    return started


# -- arriving


def test_redirects_on_the_site_are_followed(around):
    """As a browser does: from the start page to the one with the button."""
    origin = around(
        start=lambda: RedirectResponse("/start/"), **{"start/": lambda: RedirectResponse("/garage")}
    )
    assert one(examined(f"{origin}/start"), "page") == (
        "ok",
        f"The button in {origin}/garage launches {origin}/smartcar/launch.",
    )


def test_redirect_in_circles_is_a_problem(around):
    """It ends, and the routes are examined all the same."""
    origin = around(start=lambda: RedirectResponse("/start?again"))
    findings = examined(f"{origin}/start")
    assert one(findings, "page") == (
        "problem",
        f"{origin}/start redirects in circles, and browsers give up.",
    )
    assert one(findings, "launch")[0] == "ok"


def test_redirect_to_https_is_followed_with_the_cookie(patient, proxy, serve):
    """The usual first hop of a site; what is examined is the https one, and the visitor stays logged in."""
    app = patient(sealed={"make": "TESLA"})
    secure = proxy(app.server.port, directives=FORWARDING, host="localhost")
    outer = FastAPI(openapi_url=None)
    outer.add_api_route("/", lambda: RedirectResponse(f"{secure}/garage", 301))
    plain = serve(outer).origin
    findings = examined(f"{plain}/", cookies=["person=ann"])
    assert of(findings, "scheme") == [
        ("ok", f"{plain} redirects to https, so that is what is examined."),
    ]
    assert one(findings, "redirect_uri")[1].endswith(f" {secure}/smartcar/callback")


def test_redirect_to_another_site_is_not_followed(around, patient):
    """It may be a login; where it leads is said, without the query, and nobody is asked there."""
    elsewhere = patient()
    origin = around(start=lambda: RedirectResponse(f"{elsewhere.origin}/login?token=hunter2"))
    findings = examined(f"{origin}/start", cookies=["person=ann"])
    level, message = one(findings, "page")
    assert level == "warning"
    assert f"redirects to {elsewhere.origin}. If that is a login" in message
    assert "hunter2" not in message
    assert elsewhere.requests == []


def test_redirect_from_https_to_http_is_not_followed(patient, proxy, serve):
    """A cookie that travelled over TLS isn't sent without."""
    downgrade = FastAPI(openapi_url=None)
    plain = patient()
    downgrade.add_api_route("/", lambda: RedirectResponse(plain.url))
    url = proxy(serve(downgrade).port, host="localhost")
    assert one(examined(url, cookies=["person=ann"]), "page")[0] == "warning"
    assert plain.requests == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda: HTMLResponse("", 401), "answers 401. If that is a login"),
        (lambda: HTMLResponse("", 404), "answers 404. If that is a login"),
        (lambda: {"a": 1}, "is application/json, not HTML. Give the address of the page with the button."),
        (lambda: HTMLResponse("", 303, {"location": "javascript:x"}), "answers 303."),
    ],
)
def test_address_that_shows_no_page_is_a_warning(around, answer, said):
    """The routes are examined where they usually are."""
    findings = examined(f"{around(start=answer)}/start")
    level, message = one(findings, "page")
    assert level == "warning"
    assert said in message
    assert one(findings, "launch")[0] == "ok"
    assert of(findings, "csp") == of(findings, "coop") == []


# -- the button


def test_page_without_a_button_says_what_may_be_the_reason(around):
    """Nobody is logged in, a script adds it, or it's another page; the routes are looked for where they usually are."""
    origin = around(start=lambda: HTMLResponse("<h1>Welcome</h1>"))
    findings = examined(f"{origin}/start")
    level, message = one(findings, "page")
    assert level == "warning"
    assert f"no <smartcar-connect> in {origin}/start" in message
    assert f"looked for at {origin}/smartcar" in message
    assert one(findings, "launch")[0] == "ok"


@pytest.mark.parametrize("launch", ["", "/smartcar", "/smartcar/launch/", "javascript:x", "http://[/launch"])
def test_button_that_launches_nothing_is_a_problem(around, launch):
    """Without the launch route's address nothing else can be examined."""
    page = f'<smartcar-connect launch="{launch}?sealed=hunter2"><a>Connect</a></smartcar-connect>'
    findings = examined(f"{around(start=lambda: HTMLResponse(page))}/start")
    assert complaints(findings) == [("problem", "page")]
    assert f'it is "{launch}"' in one(findings, "page")[1]
    assert "hunter2" not in one(findings, "page")[1]


@pytest.mark.parametrize(
    ("prefix", "base"),
    [
        ("/cars", "http://localhost:8000/cars"),
        ("/cars/", "http://localhost:8000/cars"),
        ("", "http://localhost:8000"),
        ("https://api.example.com/cars/", "https://api.example.com/cars"),
    ],
)
def test_prefix_says_where_the_routes_are(prefix, base):
    """Whatever the page says: a path, the root, or another origin."""
    page = read_page(b"<smartcar-connect launch=/smartcar/launch>")
    assert find_routes("http://localhost:8000/garage", page, prefix.rstrip("/"))[0] == base


def test_routes_below_a_prefix_are_examined(patient):
    """--prefix as the command gives it, on a page that has no button."""
    app = patient()
    assert one(examined(f"{app.origin}/record.js", prefix="/smartcar/"), "launch")[0] == "ok"
    missed = examined(app.url, prefix="/cars")
    assert one(missed, "launch")[0] == "problem"
    assert "--prefix says where else" in one(missed, "launch")[1]


# -- its policies


@pytest.mark.parametrize(
    ("policy", "level", "said"),
    [
        (None, "ok", "No Content-Security-Policy is set"),
        ("default-src 'self'", "ok", "lets connect.js load and ask for the status"),
        ("default-src 'none'; connect-src 'self'", "problem", "default-src keeps the browser from loading"),
        ("script-src 'nonce-x' 'strict-dynamic'", "problem", "its script element needs the nonce"),
        ("script-src 'self'; connect-src 'none'", "warning", "connect-src keeps connect.js from asking"),
        ("default-src 'self'; sandbox allow-scripts", "problem", "lacks allow-same-origin, allow-popups"),
    ],
)
def test_content_policy_in_the_way_is_named(patient, policy, level, said):
    """With what to add to it."""
    app = patient(page_headers={"Content-Security-Policy": policy} if policy else {})
    found = one(examined(app.url), "csp")
    assert found[0] == level
    assert said in found[1]


def test_two_things_in_the_way_are_two_findings(patient):
    """Neither hides the other."""
    app = patient(page_headers={"Content-Security-Policy": "default-src 'none'"})
    assert [level for level, _ in of(examined(app.url), "csp")] == ["problem", "warning"]


def test_content_policy_in_the_markup_counts(front_end, patient):
    """Both that of the header and that of the page must allow it."""
    app = patient()
    page = f"<meta http-equiv=Content-Security-Policy content=\"script-src 'self'\"><smartcar-connect launch={app.url}"
    findings = examined(front_end(page + "smartcar/launch>"))
    assert f"add {app.origin} to it" in one(findings, "csp")[1]


COOP = "Cross-Origin-Opener-Policy"


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (None, "is not set"),
        ("unsafe-none", "not in the way"),
        ("same-origin-allow-popups", "not in the way"),
        ("same-origin", "the outcome comes by BroadcastChannel and the status request"),
        ('same-origin; report-to="x"', "same-origin is fine"),
    ],
)
def test_opener_policy_is_not_in_the_way(patient, policy, said):
    """Django's default included: the outcome has other roads than the opener."""
    app = patient(page_headers={COOP: policy} if policy else {})
    found = one(examined(app.url), "coop")
    assert found[0] == "ok"
    assert said in found[1]


@pytest.mark.parametrize(
    ("headers", "level", "said"),
    [
        ({COOP: "same-origin"}, "ok", "comes by the status request."),
        ({COOP: "same-origin", "Content-Security-Policy": "connect-src 'self'"}, "problem", "never learns"),
        ({"Content-Security-Policy": "connect-src 'self'"}, "ok", "not in the way"),
    ],
)
def test_opener_policy_of_a_page_elsewhere_leaves_one_road(front_end, patient, headers, level, said):
    """On another origin there is no BroadcastChannel; if the status can't be asked either, nothing is left."""
    app = patient()
    found = one(
        examined(front_end(f"<smartcar-connect launch={app.url}smartcar/launch>", headers)),
        "coop",
    )
    assert found[0] == level
    assert said in found[1]


# -- the module


def mime(answer):
    answer.put("content-type", "text/plain")


def rewritten(answer):
    answer.body += b"\n// compressed by a proxy"


def replaced(answer):
    answer.body = b"export const connect = null;"


def gone(answer):
    answer.status = 404


def busy(answer):
    answer.status = 503


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (mime, "comes as text/plain; browsers run only text/javascript"),
        (rewritten, "is not what its integrity attribute says"),
        (gone, "answers 404. Are the routes mounted there?"),
        (busy, "answers 503. Whatever stands in front"),
        (login, "answers 302. Whatever stands in front"),
    ],
)
def test_module_that_browsers_refuse_is_a_problem(patient, change, said):
    """With the reason; the rest is examined all the same."""
    findings = examined(patient(on("/smartcar/assets/*", change)).url)
    level, message = one(findings, "module")
    assert level == "problem"
    assert said in message
    assert one(findings, "launch")[0] == "ok"


@pytest.mark.parametrize(
    ("change", "level", "said"),
    [
        (lambda answer: None, "ok", "is served as it should be."),
        (rewritten, "ok", "(another version than the one installed here)"),
        (replaced, "problem", "not this package's"),
    ],
)
def test_module_under_its_stable_name_is_recognized(patient, change, level, said):
    """A page of one's own has no integrity attribute; another version of this package is fine."""
    page = "<smartcar-connect launch=/smartcar/launch></smartcar-connect>"
    app = patient(on("/smartcar/connect.js", change), page=page)
    found = one(examined(app.url), "module")
    assert found[0] == level
    assert said in found[1]


def test_module_of_another_origin_needs_its_header(front_end, patient):
    """The routes send Access-Control-Allow-Origin; a gateway may have taken it off."""
    page = '<script type=module src="{0}smartcar/connect.js"></script><smartcar-connect launch={0}smartcar/launch>'
    healthy = patient()
    assert one(examined(front_end(page.format(healthy.url))), "module")[0] == "ok"
    ill = patient(on("/smartcar/connect.js", lambda answer: answer.drop("access-control-allow-origin")))
    level, message = one(examined(front_end(page.format(ill.url))), "module")
    assert level == "problem"
    assert "without Access-Control-Allow-Origin" in message


# -- hostile pages


def test_terminal_gets_nothing_but_words(serve):
    """Escape sequences, bells and lines in all that an application says arrive as question marks."""
    evil = "\x1b]0;owned\x07\x1b[2Jok       launch: fine\r\n\x9b31m\u202e"
    raw = evil.encode("latin-1", "ignore").decode("latin-1")

    async def hostile(scope, receive, send):
        fields = {"/": ("content-type", "text/html"), "/smartcar/launch": ("location", f"/{raw}")}
        name, value = fields.get(scope["path"], ("content-type", raw))
        value = value.replace("\r\n", "")
        status = 303 if name == "location" else 200
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(name.encode(), value.encode("latin-1"))],
            }
        )
        body = f'<a class="action"></a><h1>{evil}</h1><smartcar-connect launch="/smartcar/launch">'
        await send({"type": "http.response.body", "body": body.encode()})

    findings = examined(serve(hostile).origin)
    assert len(findings) > 3
    for finding in findings:
        assert str(finding).isprintable()


@given(st.binary(), st.text(), st.text())
def test_any_page_gives_findings(body, policy, opener):
    """Whatever a page says, it is examined and no exception comes of it."""
    fields = [("content-security-policy", policy), ("cross-origin-opener-policy", opener)]
    page = read_page(b"<smartcar-connect launch=/smartcar/launch><script src='connect.js'>" + body)
    answer = Answer("http://localhost:8000/", 200, fields, body)
    assert list(examine_page(answer, page, "http://localhost:8000/smartcar"))


@given(st.text())
def test_any_launch_attribute_is_an_address_or_a_problem(launch):
    """Whatever it holds."""
    page = read_page(b"<smartcar-connect>")
    page.launch = launch
    base, said = find_routes("http://localhost:8000/", page, None)
    assert (base is None) == (said.level == "problem")
