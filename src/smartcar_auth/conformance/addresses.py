"""Addresses that an attacker writes: where a launch sends the answer, and where the person ends."""

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from smartcar_auth.doctor.visit import Answer

from .application import Application
from .check import Failed, check
from .values import Arrived, Launched, is_html, read_markup

EVIL = "evil.example"
_NAMES = (
    *("return_to", "returnTo", "return_url", "returnUrl", "return", "next", "redirect", "redirect_to"),
    *("redirect_url", "redirectUrl", "url", "continue", "goto", "dest", "destination", "target", "back", "r"),
)
_FORMS = (
    f"https://{EVIL}/",
    f"//{EVIL}/",
    f"/\\{EVIL}/",
    f"\\\\{EVIL}/",
    f"///{EVIL}/",
    f"/\t/{EVIL}/",
    f"https:{EVIL}/",
    f"{{origin}}@{EVIL}/",
    f"{{origin}}.{EVIL}/",
    f"/%2F{EVIL}/",
    f"/..//{EVIL}/",
    f"javascript:location='https://{EVIL}/'",
)
_CALLBACK = f"https://{EVIL}/callback"


def lands(base: str, reference: str) -> str:
    """The host where a browser goes that follows a reference, or "javascript:"; "" where it goes nowhere."""
    text = re.sub(r"[\t\r\n]", "", reference).strip()
    if text.lower().startswith("javascript:"):
        return "javascript:"
    scheme = urlsplit(base).scheme
    text = text.replace("\\", "/")
    if text.startswith("//"):
        text = "//" + text.lstrip("/")
    elif found := re.match(r"(https?):(/*)", text, re.IGNORECASE):
        rest = text[found.end(1) + 1 :]
        # With the page's own scheme and fewer than two slashes it is a reference like one without a scheme.
        is_path = found[1].lower() == scheme and len(found[2]) < 2
        text = rest if is_path else f"{found[1]}://{rest.lstrip('/')}"
    try:
        return urlsplit(urljoin(base, text)).hostname or ""
    except ValueError:
        return ""


def _leads_to_evil(answer: Answer) -> bool:
    """Whether an answer sends the browser to the attacker, or offers it."""
    location = answer.header("location")
    references = [location] if location else []
    scripts = ""
    if is_html(answer):
        page = read_markup(answer)
        references += [
            attributes.get(name, "") for _, attributes in page.elements for name in ("href", "action")
        ]
        for tag, attributes in page.elements:
            if tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh":
                references.append(attributes.get("content", "").partition("=")[2].strip(" '\""))
        scripts = " ".join(page.scripts)
    hosts = [lands(answer.url, one) for one in references if EVIL in one]
    assigned = re.search(r"location[^;]{0,40}[=(]\s*[\"'][^\"']*" + re.escape(EVIL), scripts)
    return bool(assigned) or any(
        host == "javascript:" or host == EVIL or host.endswith("." + EVIL) for host in hosts
    )


def _steps(found: Launched | Arrived | None) -> tuple[Answer, ...]:
    return found.trail if found is not None else ()


@check(
    "open-redirect",
    "No parameter of the launch or of the callback sends the person to another site afterwards.",
    why="The attacker's page comes right after a consent that was real, and asks for a password.",
    fix="Accept a path that begins with one slash and no other, resolve it, and compare the origin with the app's own.",
)
def open_redirect(app: Application) -> None:
    for form in _FORMS:
        value = form.format(origin=app.origin)
        query = [(name, value) for name in _NAMES]
        browser = app.browser()
        launched = browser.attempt(query)
        found = [*_steps(launched)[:-1]]
        for outcome in ("granted", "access_denied"):
            if launched is not None:
                found += browser.come_back(app.reply(launched, outcome)).trail
            launched = browser.attempt(query)
        found += browser.come_back(app.reply(browser.launch()).plus(*query)).trail
        if any(map(_leads_to_evil, found)):
            raise Failed(f"A parameter such as next={value!r} leads to {EVIL}.")


@check(
    "redirect-uri-chosen",
    "No parameter of the launch moves the redirect URI.",
    why="The code goes to whoever wrote the link, unless Connect refuses what isn't registered.",
    fix="Take the redirect URI from the app's settings and from nowhere else.",
)
def redirect_uri_chosen(app: Application) -> None:
    names = ("redirect_uri", "redirectUri", "callback", "callback_url", "app_origin", "origin", "host")
    for name in names:
        launched = app.browser().attempt([(name, _CALLBACK)])
        if launched is not None and EVIL in launched.redirect_uri:
            raise Failed(f"launch?{name}=... moves the redirect URI.")


def _moved(app: Application, what: str, **headers: Any) -> None:
    usual = urlsplit(app.browser().launch().redirect_uri)
    browser = app.browser()
    browser.visit()
    launched = browser.attempt(**headers)
    if launched is None:
        return
    there = urlsplit(launched.redirect_uri)
    # From http to https is no attack, and uvicorn, as it comes, believes that of everybody on this machine.
    lowered = (usual.scheme, there.scheme) == ("https", "http")
    if lowered or there.hostname != usual.hostname or there.path != usual.path:
        raise Failed(f"{what} moves the redirect URI.")


@check(
    "forwarded-headers",
    "Forwarded headers, which anybody can send, don't move the redirect URI.",
    why="A cache keeps a launch that leads elsewhere, or the code goes to another host.",
    fix="Set the app's public address in its settings, or trust X-Forwarded-... from the proxy's address only. If a "
    "proxy always overwrites them, examine the app through it.",
)
def forwarded_headers(app: Application) -> None:
    for headers in (
        {"x_forwarded_host": EVIL},
        {"x_forwarded_proto": "https" if app.address.scheme == "http" else "http"},
        {"x_forwarded_prefix": "/evil"},
        {"forwarded": f"host={EVIL};proto=https"},
        {"x_original_host": EVIL, "x_host": EVIL, "x_forwarded_server": EVIL},
    ):
        name = next(iter(headers)).replace("_", "-").title()
        _moved(app, name, **headers)


@check(
    "host-header",
    "A forged Host header doesn't move the redirect URI.",
    why="A cache or a misrouted request makes a launch that leads elsewhere.",
    fix="Set the redirect URI in the app's settings, or list the hosts that it answers to (ALLOWED_HOSTS).",
)
def host_header(app: Application) -> None:
    _moved(app, "Host", host=EVIL)
