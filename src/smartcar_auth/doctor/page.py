"""The page with the button: what it says of Connect's routes, and whether its header fields let Connect work.

Also reads the words of our own pages, for what a launch is refused with.
"""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import new as new_hash
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from smartcar_auth.web.assets import SCRIPT as MODULE
from smartcar_auth.web.doctor import Finding

from .policy import REQUEST, SCRIPT, Policy, blocking, missing_from_sandbox, read_policies
from .visit import Answer, Visitor, origin_of, read_address

LOGIN = "If that is a login, pass the cookie of somebody who is logged in: --cookie NAME=VALUE."


@dataclass(slots=True)
class Page:
    """What was found.

    `launch` is the first element's attribute, "" where it lacks one, None without an element. `module` holds
    the attributes of the script element that loads connect.js. `words` are those of one of our own pages.
    """

    launch: str | None = None
    module: dict[str, str] | None = None
    policies: list[str] = field(default_factory=list)
    words: str = ""


def read_page(body: bytes) -> Page:
    """Read HTML, however broken."""
    reader = _Reader()
    reader.feed(body.decode("utf-8", "replace"))
    reader.close()
    page = reader.page
    page.words = " ".join("".join(reader.said).split()) if reader.is_ours else ""
    return page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.said: list[str] = []
        self.is_ours = False
        self._in: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in reversed(attrs)}  # browsers take the first of two
        if tag == "smartcar-connect" and self.page.launch is None:
            self.page.launch = attributes.get("launch", "")
        elif tag == "script" and _is_module(attributes.get("src", "")) and self.page.module is None:
            self.page.module = attributes
        elif tag == "meta" and attributes.get("http-equiv", "").lower() == "content-security-policy":
            self.page.policies.append(attributes.get("content", ""))
        elif tag == "a" and attributes.get("class") == "action":
            self.is_ours = True
        self._in = tag if tag in ("h1", "p") else None
        if self._in:
            self.said.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "h1":
            self.said.append(".")
        self._in = None

    def handle_data(self, data: str) -> None:
        if self._in:
            self.said.append(data)


def _is_module(src: str) -> bool:
    name = src.partition("?")[0].rpartition("/")[2]
    return name == "connect.js" or (name.startswith("connect-") and name.endswith(".js"))


def no_page(answer: Answer) -> Finding:
    there = answer.location
    if there is not None:
        to = there.path if origin_of(there.geturl()) == origin_of(answer.url) else origin_of(there.geturl())
        return Finding(
            "page",
            "warning",
            f"The page redirects to {to[:200]}. {LOGIN} Else give the address it leads to.",
        )
    if answer.status != 200:
        return Finding("page", "warning", f"The page answers {answer.status}. {LOGIN}")
    kind = answer.header("content-type")[:60] or "nothing that says what it is"
    return Finding(
        "page", "warning", f"The page is {kind}, not HTML. Give the address of the page with the button."
    )


def find_routes(url: str, page: Page, prefix: str | None) -> tuple[str | None, Finding | None]:
    """The address of Connect's routes."""
    if prefix is not None:
        return urljoin(url, prefix).rstrip("/"), None
    if page.launch is None:
        base = urljoin(url, "/smartcar")
        return base, Finding(
            "page",
            "warning",
            f"There is no <smartcar-connect> in the page (one that a script adds isn't seen). The routes are looked "
            f"for at {base}; if they are elsewhere, say so with --prefix.",
        )
    try:
        launch = read_address(urljoin(url, page.launch))
    except ValueError:
        launch = urlsplit("")
    if not launch.path.endswith("/launch"):
        return None, Finding(
            "page",
            "problem",
            "The button's launch attribute must be the address of the launch route, such as /smartcar/launch; it is "
            f'"{page.launch.partition("?")[0][:200]}".',
        )
    base = launch._replace(path=launch.path.removesuffix("/launch"), query="").geturl()
    return base, Finding("page", "ok", f"The button launches {base}/launch.")


def examine_page(answer: Answer, page: Page, base: str) -> Iterator[Finding]:
    own = origin_of(answer.url)
    policies = read_policies([*answer.all("content-security-policy"), *page.policies])
    module = urljoin(answer.url, page.module.get("src", "")) if page.module else f"{base}/connect.js"
    blocked = []
    lacking = missing_from_sandbox(policies)
    if lacking:
        blocked.append("sandbox")
        yield Finding("csp", "problem", f"The page's sandbox directive lacks {', '.join(lacking)}.")
    script = blocking(
        policies,
        SCRIPT,
        module,
        own,
        nonce=page.module.get("nonce", "") if page.module else None,
        integrity=page.module.get("integrity") if page.module else None,
    )
    if script is not None:
        blocked.append(script)
        yield Finding(
            "csp",
            "problem",
            f"The page's {script} keeps the browser from loading {module}: {_remedy(policies, script, module, own)} "
            "Until then the button is a plain link.",
        )
    request = blocking(policies, REQUEST, f"{base}/status/x", own)
    if request is not None:
        blocked.append(request)
        yield Finding(
            "csp",
            "warning",
            f"The page's {request} keeps it from asking {base}/status and /cancel: add {_source(base, own)} to "
            "connect-src. Until then Cancel can't be told to the server.",
        )
    if not blocked:
        what = (
            "The page's Content-Security-Policy lets"
            if policies
            else "No Content-Security-Policy: nothing keeps"
        )
        rest = " the module load and ask." if policies else " the module from loading and asking."
        yield Finding("csp", "ok", what + rest)
    yield _opener(answer, own == origin_of(base), request is None)


def _remedy(policies: list[Policy], directive: str, url: str, own: str) -> str:
    dynamic = any("'strict-dynamic'" in policy.get(directive, ()) for policy in policies)
    if dynamic:
        return "with 'strict-dynamic' its script element needs the nonce, or a script that has it must import it."
    return f"add {_source(url, own)} to it."


def _source(url: str, own: str) -> str:
    return "'self'" if origin_of(url) == own else origin_of(url)


def _opener(answer: Answer, same_origin: bool, may_ask: bool) -> Finding:
    policy = answer.header("cross-origin-opener-policy").partition(";")[0].strip()
    if policy in ("", "unsafe-none", "same-origin-allow-popups"):
        return Finding("coop", "ok", f"Cross-Origin-Opener-Policy is {policy or 'not set'}: not in the way.")
    roads = ["BroadcastChannel"] * same_origin + ["the status request"] * may_ask
    if roads:
        return Finding("coop", "ok", f"{policy} is fine: the outcome comes by {' and '.join(roads)}.")
    return Finding(
        "coop",
        "problem",
        f"{policy} cuts the pop-up off, a page on another origin gets no BroadcastChannel, and the policy forbids to "
        "ask for the status: the page never learns the outcome. Allow the routes in connect-src.",
    )


def examine_module(visitor: Visitor, page: Page, url: str, base: str) -> Iterator[Finding]:
    address = f"{base}/connect.js"
    integrity = ""
    if page.module is not None:
        address = urljoin(url, page.module.get("src", ""))
        integrity = page.module.get("integrity", "")
    answer = visitor.get(address, {"Accept": "*/*", "Sec-Fetch-Dest": "script"})
    kind = answer.header("content-type").partition(";")[0].strip().lower()
    if answer.status != 200:
        hint = (
            "Are the routes mounted there? --prefix says where else."
            if answer.status == 404
            else "Whatever stands in front of the app must let it through for everybody."
        )
        yield Finding("module", "problem", f"{address} answers {answer.status}. {hint}")
    elif kind not in ("text/javascript", "application/javascript"):
        yield Finding(
            "module",
            "problem",
            f"{address} comes as {kind[:60] or 'nothing'}; browsers run only text/javascript.",
        )
    elif integrity and not any(_has_digest(answer.body, one) for one in integrity.split()):
        yield Finding(
            "module",
            "problem",
            f"{address} is not what its integrity attribute says, so browsers refuse it: something on the way "
            "rewrites scripts, or serves an old one.",
        )
    elif answer.body != MODULE.content and b"smartcar-connect" not in answer.body:
        yield Finding("module", "problem", f"{address} is a script, but not this package's.")
    else:
        same = "" if answer.body == MODULE.content else " (another version than the one installed here)"
        yield Finding("module", "ok", f"{address} is served as it should{same}.")


def _has_digest(body: bytes, integrity: str) -> bool:
    name, _, expected = integrity.partition("-")
    return (
        name in ("sha256", "sha384", "sha512")
        and b64encode(new_hash(name, body).digest()).decode() == expected
    )
