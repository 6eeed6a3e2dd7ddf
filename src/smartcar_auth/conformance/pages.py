"""What stands in pages and header fields: markup that came from outside, secrets, cookies, policies."""

import re
from collections.abc import Iterator

from smartcar_auth.doctor.visit import Answer

from .application import Application
from .check import Failed, NotApplicable, check
from .jar import read_cookie
from .values import Arrived, is_html, read_markup

_MARK = "smartcar-check"
_MARKUP = f"\"'></script></title></textarea><{_MARK} {_MARK}=1>"
_INNER = f"\"' {_MARK}=1 x=\"'"  # out of an attribute, without an angle bracket
_SPLIT = f"/a\r\n{_MARK}: 1\r\nSet-Cookie: {_MARK}=1"
_OF_LAUNCH = (
    "make",
    "return_to",
    "next",
    "attempt",
    "origin",
    "display",
    "redirect",
    "error",
    "message",
    "user",
)
# What is put into an answer at once: an app that refuses the first three looks at none of the others.
_OF_CONNECT = (
    ("error",),
    ("state",),
    ("code",),
    (
        *("error_description", "make", "model", "year", "vin", "vehicle_id", "user_id", "external_id"),
        *("status_code", "error_message", "message", "name", "return_to", "next"),
    ),
)
_SAFE_REFERRERS = {"no-referrer", "same-origin", "origin", "strict-origin"}


def _markup_in(answers: tuple[Answer, ...]) -> bool:
    """Whether what was sent became an element, an attribute, or a link that runs a script."""
    for answer in answers:
        if not is_html(answer):
            continue
        for tag, attributes in read_markup(answer).elements:
            runs = any(
                re.sub(r"[\x00-\x20]", "", value).lower().startswith(f"javascript:{_MARK}")
                for name, value in attributes.items()
                if name in ("href", "src", "action", "formaction")
            )
            if tag == _MARK or _MARK in attributes or runs:
                return True
    return False


def _becomes_markup(app: Application, outcome: str, names: tuple[str, ...], markup: str) -> bool:
    browser = app.browser()
    reply = app.reply(browser.launch(), outcome).changed(**dict.fromkeys(names, markup))
    return _markup_in(browser.come_back(reply).trail)


@check(
    "markup-in-answer",
    "Markup in any parameter of an answer stays text.",
    why="Script injection: a link to the callback runs the attacker's script in the app's page.",
    fix="Escape what comes from the address (templates do, unless told not to), and show no link that isn't https.",
)
def markup_in_answer(app: Application) -> None:
    for markup in (_MARKUP, _INNER):
        for names in _OF_CONNECT:
            for outcome in ("access_denied", "granted"):
                if _becomes_markup(app, outcome, names, markup):
                    found = [name for name in names if _becomes_markup(app, outcome, (name,), markup)]
                    raise Failed(f"{', '.join(found or names)} in an answer becomes markup.")
    browser = app.browser()
    reply = app.reply(browser.launch()).changed(virtual_key_url=f"javascript:{_MARK}()")
    if _markup_in(browser.come_back(reply).trail):
        raise Failed("virtual_key_url becomes a link that runs a script.")


@check(
    "markup-in-launch",
    "Markup in any parameter of the launch stays text, there and on the way back.",
    why="Script injection, by a link that looks like the app's own.",
    fix="Escape what comes from the address, in error pages too.",
)
def markup_in_launch(app: Application) -> None:
    for markup in (_MARKUP, _INNER):
        for name in _OF_LAUNCH:
            browser = app.browser()
            launched = browser.attempt([(name, markup)])
            if _markup_in(browser.latest):
                raise Failed(f"{name} becomes markup.")
            if launched is not None and _markup_in(browser.come_back(app.reply(launched)).trail):
                raise Failed(f"{name} becomes markup on the way back.")


@check(
    "split-headers",
    "A line break in a parameter starts no header field.",
    why="The attacker sets cookies, or writes the answer himself.",
    fix="Percent-encode what enters a header; a framework that refuses line breaks does no harm, but fails.",
)
def split_headers(app: Application) -> None:
    found: list[Answer] = []
    for name in _OF_LAUNCH:
        browser = app.browser()
        launched = browser.attempt([(name, _SPLIT)])
        found += browser.latest
        if launched is not None:
            found += browser.come_back(app.reply(launched)).trail
    for outcome in ("granted", "access_denied"):
        for names in _OF_CONNECT:
            browser = app.browser()
            reply = app.reply(browser.launch(), outcome).changed(**dict.fromkeys(names, _SPLIT))
            found += browser.come_back(reply).trail
    for answer in found:
        cookies = [read_cookie(field).name for field in answer.all("set-cookie")]
        if answer.header(_MARK) or _MARK in cookies:
            raise Failed("A line break in a parameter becomes a header field of the app's answer.")


@check(
    "junk",
    "Damaged and overlong answers are no server error.",
    why="Every link with damaged letters raises an alarm, and a page of the server's innards may be shown.",
    fix="Read parameters leniently, then refuse what isn't as it must be with 400.",
)
def junk(app: Application) -> None:
    browser = app.browser()
    reply = app.reply(browser.launch())
    where = reply.redirect_uri.partition("?")[0]
    for what, url in (
        ("No parameters", where),
        ("Bytes that are no UTF-8", f"{where}?code=%ff%fe&state=%ff"),
        ("A null byte", f"{where}?code=a%00b&state=a%00b&error=%00"),
        ("A lone percent sign", f"{where}?code=%&state=%zz"),
        ("Lists", f"{where}?code[]=a&state[]=b&error[x]=c"),
        ("4,000 characters", f"{where}?code={'a' * 2000}&state={'b' * 2000}"),
        ("Letters of no encoding in a state", f"{where}?code=a&state=%F0%9F%9A%97%ED%A0%80"),
    ):
        arrived = app.browser().come_back(url)
        if arrived.crashed:
            raise Failed(f"{what}: the callback answers {arrived.status}.")


# -- secrets


def _code_of(app: Application) -> tuple[str, Arrived]:
    browser = app.browser()
    reply = app.reply(browser.launch())
    if not reply.code:
        raise NotApplicable("Connect is asked for no code (response_type=none).")
    return reply.code, browser.come_back(reply)


@check(
    "code-in-page",
    "The code stands in no page, redirect or cookie of the app's.",
    why="Scripts of others in the page, extensions, histories and logs read it there, and exchange it first.",
    fix="Exchange it on the server, and give the page nothing but the outcome.",
)
def code_in_page(app: Application) -> None:
    code, arrived = _code_of(app)
    secret = code.encode()
    for answer in arrived.trail:
        if code in answer.header("location"):
            raise Failed("The callback passes the code on in a redirect.")
        if any(code in field for field in answer.all("set-cookie")):
            raise Failed("A cookie holds the code.")
        if secret in answer.body:
            raise Failed("The page holds the code.")


def _answers(app: Application) -> Iterator[tuple[str, Answer]]:
    """What the callback itself answers, by what it was told."""
    yield "a grant", app.granted.first
    yield "a denial", app.denied.first
    yield "an answer without state", app.refused.first


def _pages(app: Application) -> Iterator[tuple[str, Answer]]:
    found = [(what, answer) for what, answer in _answers(app) if is_html(answer)]
    if not found:
        raise NotApplicable("The callback answers with redirects only.")
    yield from found


@check(
    "message-target",
    "The callback's page posts its message to one origin, not to any.",
    why="Whatever page opened the pop-up, an attacker's too, is told the outcome, and the code if it is in it.",
    fix="Name the page's origin as postMessage's second argument.",
)
def message_target(app: Application) -> None:
    for what, answer in _pages(app):
        for script in read_markup(answer).scripts:
            if re.search(
                r"postMessage\s*\((?:[^;]|\n)*?,\s*(?:\{\s*targetOrigin\s*:\s*)?[\"'`]\*[\"'`]", script
            ):
                raise Failed(f"After {what} the page posts to '*'.")


@check(
    "cache",
    "No cache keeps what the callback answers.",
    why="The next person at this machine, or behind this proxy, gets an answer that was another's.",
    fix="Answer with Cache-Control: no-store.",
)
def cache(app: Application) -> None:
    for what, answer in _answers(app):
        # Other redirects are kept only where they ask for it (RFC 9111, 4.2.2).
        asks = answer.header("cache-control") or answer.header("expires")
        if answer.location is not None and answer.status not in (301, 308) and not asks:
            continue
        if "no-store" not in answer.header("cache-control").lower():
            raise Failed(f"The answer to {what} comes without Cache-Control: no-store.")


@check(
    "referrer",
    "The callback's page passes its address on to nobody.",
    why="The address holds the code; what the page loads or links to may be sent it as the Referer.",
    fix="Answer with Referrer-Policy: no-referrer, or redirect at once.",
)
def referrer(app: Application) -> None:
    for what, answer in _pages(app):
        said = answer.header("referrer-policy")
        for tag, attributes in read_markup(answer).elements:
            if tag == "meta" and attributes.get("name", "").lower() == "referrer":
                said = said or attributes.get("content", "")
        if said.rpartition(",")[2].strip().lower() not in _SAFE_REFERRERS:
            raise Failed(
                f"The page after {what} has {f'Referrer-Policy: {said}' if said else 'no Referrer-Policy'}."
            )


@check(
    "framing",
    "The callback's page can't be framed.",
    why="Click-jacking: a hostile page puts it below its own buttons.",
    fix="Answer with Content-Security-Policy: frame-ancestors 'none', or X-Frame-Options: DENY.",
)
def framing(app: Application) -> None:
    for what, answer in _pages(app):
        old = answer.header("x-frame-options").lower() in ("deny", "sameorigin")
        found = re.search(r"frame-ancestors([^;]*)", answer.header("content-security-policy"))
        new = found is not None and not re.search(r"\*|https?:(?!//)", found[1])
        if not old and not new:
            raise Failed(f"The page after {what} may be framed by any site.")


@check(
    "cookies",
    "The launch's cookies are HttpOnly and SameSite=Lax, over https Secure.",
    why="Scripts read them, other sites' requests carry them, or they travel readable.",
    fix="Set HttpOnly; SameSite=Lax; Path=/; and over https Secure, with a name that begins with __Host-.",
)
def cookies(app: Application) -> None:
    launched = app.browser().launch()
    found = [read_cookie(field) for answer in launched.trail for field in answer.all("set-cookie")]
    if not found:
        raise NotApplicable("The launch sets no cookie.")
    for one in found:
        wrong = [
            *(["lacks HttpOnly"] if "httponly" not in one.attributes else []),
            *(["is not SameSite=Lax"] if one.same_site not in ("lax", "strict") else []),
            *(["lacks Secure"] if app.address.scheme == "https" and "secure" not in one.attributes else []),
        ]
        if wrong:
            raise Failed(f"The cookie {one.name[:40]} {' and '.join(wrong)}.")


# -- requests that nobody made


_AUTOMATIC = (
    ("HEAD", {"method": "HEAD"}),
    ("A prefetch", {"sec_purpose": "prefetch", "purpose": "prefetch"}),
    ("A prerender", {"sec_purpose": "prefetch;prerender", "purpose": "prefetch"}),
)


@check(
    "prefetch-launch",
    "HEAD and prefetches of the launch begin no attempt.",
    why="Link previews and browsers that fetch ahead begin attempts nobody wants, which may push out the one at hand.",
    fix="Answer HEAD without a cookie, and what has Sec-Purpose: prefetch with 503; or let the launch be a POST.",
)
def prefetch_launch(app: Application) -> None:
    address = app.browser().way()
    if address is None:
        raise NotApplicable("The page itself holds the address of Connect.")
    for what, options in _AUTOMATIC:
        browser = app.browser()
        browser.visit()
        answer = browser.ask(address, **options)
        if answer.all("set-cookie") or "/oauth/authorize" in answer.header("location"):
            raise Failed(f"{what} begins an attempt.")


@check(
    "prefetch-callback",
    "HEAD and prefetches of the callback complete nothing, and spoil nothing.",
    why="A link preview, a scanner or the browser fetching ahead uses the code up, and the person is told of an error.",
    fix="Do nothing for HEAD, and answer what has Sec-Purpose: prefetch with 503.",
)
def prefetch_callback(app: Application) -> None:
    for what, options in _AUTOMATIC:
        browser = app.browser()
        reply = app.reply(browser.launch())
        if browser.come_back(reply, **options).exchanged:
            raise Failed(f"{what} of the callback exchanges the code.")
        if not app.believes(browser.come_back(reply)):
            raise Failed(
                f"After {what[0].lower() + what[1:] if what[0] == 'A' else what} the answer is refused."
            )
