"""The launch: why it doesn't lead to Connect, what it asks of Connect, and the cookie that it sets."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from fastapi import FastAPI

from browser.application import static_page
from doctor.patients import CONNECT, FORWARDING, PUBLIC, complaints, examined, login, of, on, one
from smartcar_auth import Smartcar
from smartcar_auth.hosts.fastapi import SmartcarConnect

ID = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"
LAUNCH = "/smartcar/launch"


def status(number, body=b""):
    """The change that makes another answer of the launch's."""

    def changed(answer):
        answer.status, answer.headers, answer.body = number, [("content-type", "text/html")], body

    return on(LAUNCH, changed)


# -- no way to Connect


def test_scheme_that_the_proxy_loses_is_named(patient, proxy):
    """The site is https, but the app behind it hears http, which Connect doesn't answer to."""
    url = proxy(patient().server.port, directives="proxy_set_header Host $http_host;", host=PUBLIC)
    findings = examined(url)
    level, message = one(findings, "scheme")
    assert level == "problem"
    assert f"reached over {url.replace('https', 'http')}, but it is {url}." in message
    assert "X-Forwarded-Proto" in message
    assert "public_url" in message
    assert of(findings, "launch") == []


def test_scheme_that_the_proxy_loses_is_named_on_this_machine_too(patient, proxy):
    """On localhost http would do, but not for a page that is https."""
    url = proxy(patient().server.port, directives="proxy_set_header Host $http_host;", host="localhost")
    assert "The proxy's scheme is lost" in one(examined(url), "scheme")[1]


def test_scheme_is_right_where_the_app_trusts_its_proxy(patient, proxy):
    """The proxy says https, and the server believes it."""
    findings = examined(proxy(patient().server.port, directives=FORWARDING, host=PUBLIC))
    assert of(findings, "scheme") == []
    assert one(findings, "launch")[0] == "ok"


def test_scheme_is_right_where_the_app_is_told(patient, proxy):
    """By public_url, whatever the proxy says."""
    urls = []
    patient(at=lambda port: urls.append(proxy(port, host=PUBLIC)) or {"public_url": urls[0]})
    findings = examined(urls[0])
    assert of(findings, "scheme") == of(findings, "host_name") == []
    assert one(findings, "launch")[0] == "ok"


def test_host_that_the_proxy_loses_is_named(patient, proxy):
    """nginx passes its own name for the app on, unless it is told to pass the visitor's."""
    url = proxy(patient().server.port, directives="proxy_set_header X-Forwarded-Proto $scheme;", host=PUBLIC)
    level, message = one(examined(url), "host_name")
    assert level == "problem"
    assert f"This page is on {PUBLIC}, but Connect answers to workers" in message
    assert "behind a proxy, let it pass the Host header on" in message


def test_other_name_of_this_machine_is_named(patient):
    """Connect answers to localhost, and the app is opened on 127.0.0.1."""
    app = patient(at=lambda port: {"public_url": f"http://localhost:{port}"})
    level, message = one(examined(app.url.replace("localhost", "127.0.0.1")), "host_name")
    assert level == "problem"
    assert "This page is on 127.0.0.1, but Connect answers to localhost" in message
    assert "Open the app on localhost" in message
    assert [level for level, _ in of(examined(app.url), "host_name")] == ["ok"]


def test_page_of_a_stranger_is_named(patient, serve):
    """The page is on another port: the application's own words say whether it is allowed."""

    def front_end(port):
        page = f"<smartcar-connect launch=http://localhost:{port}/smartcar/launch>"
        return serve(static_page(page, {})).origin

    origins = []
    patient(at=lambda port: origins.append(front_end(port)) or {})
    patient(at=lambda port: origins.append(front_end(port)) or {"allowed_origins": origins[1:]})
    stranger, allowed = map(examined, origins)
    level, message = one(stranger, "launch")
    assert level == "problem"
    assert (
        f"answers 403: This link can't be used. The page's origin {origins[0]} is not this app's" in message
    )
    assert one(allowed, "launch")[0] == "ok"


def test_page_of_another_site_is_named(patient, serve):
    """On 127.0.0.1 it is another site than the app on localhost, allowed or not."""
    app = patient(allowed_origins=["http://127.0.0.1:1"])
    page = static_page(f"<smartcar-connect launch={app.url}smartcar/launch>", {})
    level, message = one(examined(serve(page, host="127.0.0.1").origin), "launch")
    assert level == "problem"
    assert "is another site than this app" in message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (on(LAUNCH, login), "redirects to {origin}/login rather than to Connect. If that is a login"),
        (status(200, b"<div id=root></div>"), "answers 200. Something else answers there"),
        (status(401), "answers 401. If that is a login"),
        (status(403), "answers 403. It is forbidden by something in front of the routes"),
        (status(404), "answers 404. Are the routes mounted there? --prefix says where else"),
        (status(500), "answers 500. The app's log holds the reason"),
        (status(502), "answers 502. The proxy can't reach the app"),
        (status(503), "answers 503. The proxy can't reach the app, or"),
        (status(504), "answers 504. The app doesn't answer the proxy in time"),
        (status(418), "answers 418. Look into the app's log"),
    ],
)
def test_launch_that_leads_elsewhere_is_a_problem(patient, change, said):
    """With what it usually means; what follows from a launch isn't examined then."""
    app = patient(change)
    findings = examined(app.url)
    level, message = one(findings, "launch")
    assert level == "problem"
    assert said.format(origin=app.origin) in message
    assert "hunter2" not in message
    assert findings[-1].check == "launch"
    assert app.paths("/smartcar/status") == app.paths("/smartcar/callback") == []


def test_login_in_front_lets_in_who_is_logged_in(serve, patient):
    """What --cookie is for."""
    app = patient()

    async def walled(scope, receive, send):
        known = dict(scope["headers"]).get(b"cookie", b"").startswith(b"person=ann")
        if known or scope["path"] == "/login":
            await app(scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": 303, "headers": [(b"location", b"/login")]})
            await send({"type": "http.response.body", "body": b""})

    url = serve(walled).origin
    assert [(level, check) for level, check in complaints(examined(url)) if level == "problem"] == [
        ("problem", "module"),
        ("problem", "launch"),
    ]
    assert one(examined(url, cookies=["person=ann"]), "launch")[0] == "ok"


def test_no_on_complete_is_said_by_the_log(serve):
    """The launch answers 500, and where to look is said."""
    connect = SmartcarConnect(
        Smartcar(application_id=ID), secret_keys="a-key-that-is-long-enough-for-this-test"
    )
    app = FastAPI(openapi_url=None)
    app.include_router(connect.router, prefix="/smartcar")
    level, message = one(examined(serve(app).origin), "launch")
    assert level == "problem"
    assert "The app's log holds the reason" in message


# -- what is asked


def asking(**parameters):
    """The change that alters what the launch asks of Connect; None takes a parameter away."""

    def changed(answer):
        parts = urlsplit(answer.get("location"))
        asked = {**dict(parse_qsl(parts.query)), **parameters}
        kept = {name: value for name, value in asked.items() if value is not None}
        answer.put("location", parts._replace(query=urlencode(kept)).geturl())

    return on(LAUNCH, changed)


@pytest.mark.parametrize(
    ("asked", "level", "said"),
    [
        ({"application_id": ID}, "ok", "has the form of an Application ID"),
        ({"application_id": None, "client_id": ID}, "ok", "has the form of an Application ID"),
        ({"application_id": "an-application"}, "warning", "not a UUID"),
        ({"application_id": "client_01HX"}, "problem", "API credentials (M2M)"),
        ({"application_id": None}, "problem", "must be the Application ID"),
    ],
)
def test_id_of_the_wrong_kind_is_named(patient, asked, level, said):
    """As it is sent, under either of its names."""
    found = one(examined(patient(asking(**asked)).url), "application_id")
    assert found[0] == level
    assert said in found[1]


@pytest.mark.parametrize(
    ("mode", "level"), [("live", "ok"), (None, "ok"), ("simulated", "ok"), ("test", "warning")]
)
def test_mode_is_named(patient, mode, level):
    """As it is sent; on one's own machine simulated cars are what one wants."""
    assert one(examined(patient(asking(mode=mode)).url), "mode")[0] == level


def test_connect_is_named(patient):
    """Which one the launch leads to."""
    assert CONNECT in one(examined(patient().url), "connect_origin")[1]


@pytest.mark.parametrize(
    ("uri", "check", "level", "said"),
    [
        (None, "redirect_uri", "warning", "None is sent"),
        ("https://localhost:1/smartcar/callback", "scheme", "problem", "examine the app over https as well"),
        ("http://127.0.0.1:1/smartcar/callback", "host_name", "problem", "state_mismatch (other_browser)"),
        ("http://localhost:1/smartcar/callback", "host_name", "problem", "Connect answers to localhost:1"),
    ],
)
def test_redirect_uri_to_elsewhere_is_named(patient, uri, check, level, said):
    """Whatever the application believes: where Connect answers is not where the cookie is."""
    found = one(examined(patient(asking(redirect_uri=uri)).url), check)
    assert found[0] == level
    assert said in found[1]


@pytest.mark.parametrize(
    "uri", ["http://[", "@127.0.0.1:{port}/", "//127.0.0.1:{port}/", "callback", "sc123://x"]
)
def test_redirect_uri_that_is_none_is_a_problem(patient, uri):
    """Whatever it is, nobody else is asked for it; the route's usual address is."""
    stranger = patient()
    app = patient(asking(redirect_uri=uri.replace("{port}", str(stranger.server.port))))
    findings = examined(app.url)
    assert one(findings, "redirect_uri") == ("problem", "What is sent is no address of a web page.")
    assert one(findings, "callback")[0] == "ok"
    assert stranger.requests == []


@pytest.mark.parametrize("path", ["/a b", "/caf\xe9/", "//127.0.0.1:1/x", "/%0d%0aX: y", "/" + "a" * 5000])
def test_redirect_uri_with_any_path_is_asked_for_here(patient, path):
    """Or not at all."""
    app = patient(asking(redirect_uri=f"http://localhost:1{path}"))
    assert one(examined(app.url), "callback")[0] in ("ok", "problem")


def test_redirect_uri_of_http_on_an_https_site_is_named(patient, proxy):
    """A launch that isn't refused all the same."""
    app = patient(asking(redirect_uri="http://app.example.com/smartcar/callback"))
    url = proxy(app.server.port, directives=FORWARDING, host=PUBLIC)
    level, message = one(examined(url), "scheme")
    assert level == "problem"
    assert "The redirect URI is http://app.example.com/smartcar/callback, but the app is https." in message


# -- the cookie


def test_cookie_is_fine_as_it_is_sent(patient, proxy):
    """Over http on this machine, and over https with the prefix that needs it."""
    app = patient()
    assert one(examined(app.url), "cookies") == (
        "ok",
        "One for each attempt, HttpOnly, SameSite=Lax, Path=/.",
    )
    url = proxy(app.server.port, directives=FORWARDING, host="localhost")
    assert one(examined(url), "cookies") == (
        "ok",
        "One for each attempt, Secure, HttpOnly, SameSite=Lax, Path=/.",
    )


@pytest.mark.parametrize(
    ("directives", "said"),
    [
        ("proxy_cookie_flags ~ samesite=strict;", "is SameSite=Strict, so it stays behind"),
        ("proxy_cookie_flags ~ samesite=none;", "is not SameSite=Lax"),
        ("proxy_cookie_flags ~ nohttponly;", "lacks HttpOnly, so scripts can read it"),
        (
            "proxy_cookie_path / /smartcar/launch;",
            "has another path than /, so the callback may not see it: state_mismatch (other_browser)",
        ),
        (
            "proxy_hide_header Set-Cookie; add_header Set-Cookie '$upstream_http_set_cookie; Domain=localhost';",
            "has a Domain",
        ),
        ("proxy_hide_header Set-Cookie;", "sets no cookie for its attempt. Something on the way changes"),
        (
            "add_header Set-Cookie $upstream_http_set_cookie;",
            "sets the attempt's cookie more than once. Something on the way changes",
        ),
    ],
)
def test_cookie_that_a_proxy_rewrites_is_a_problem(patient, proxy, directives, said):
    """With what browsers make of it."""
    url = proxy(patient().server.port, directives=FORWARDING + directives)
    level, message = one(examined(url), "cookies")
    assert level == "problem"
    assert said in message


@pytest.mark.parametrize(
    ("directives", "said"),
    [
        (
            "proxy_cookie_flags ~ nosecure;",
            "is dropped by browsers, which want Secure, Path=/ and no Domain with a __Host- name: "
            "state_mismatch (other_browser); "
            "lacks Secure",
        ),
        ("proxy_cookie_path / /smartcar;", "is dropped by browsers"),
    ],
)
def test_cookie_with_a_prefix_that_a_proxy_rewrites_is_a_problem(patient, proxy, directives, said):
    """Browsers refuse a __Host- cookie that isn't what its name promises (RFC 6265bis, 4.1.3.2)."""
    url = proxy(patient().server.port, directives=FORWARDING + directives, host="localhost")
    level, message = one(examined(url), "cookies")
    assert level == "problem"
    assert said in message


def test_cookies_of_others_are_nothing_to_the_doctor(patient):
    """The application may set its own beside the attempt's."""
    app = patient(on(LAUNCH, lambda answer: answer.headers.append(("set-cookie", "session=1; Path=/"))))
    assert one(examined(app.url), "cookies")[0] == "ok"


def test_cookie_without_its_prefix_is_a_problem(patient, proxy):
    """Something renames it: on https other subdomains could plant one."""
    app = patient(
        on(
            LAUNCH,
            lambda answer: answer.put("set-cookie", answer.get("set-cookie").removeprefix("__Host-")),
        )
    )
    url = proxy(app.server.port, directives=FORWARDING, host="localhost")
    level, message = one(examined(url), "cookies")
    assert level == "problem"
    assert "lacks the __Host- prefix" in message
