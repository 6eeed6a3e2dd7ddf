"""The page with the button: what it says of Connect's routes, and whether its header fields let Connect work."""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import new as new_hash

from smartcar_auth.web.assets import SCRIPT as MODULE
from smartcar_auth.web.connect import checked_prefix
from smartcar_auth.web.doctor import Finding

from .markup import Page
from .policy import REQUEST, SCRIPT, Policy, blocking, missing_from_sandbox, read_policies
from .visit import NAVIGATION, Answer, Visitor, host_of, origin_of, read_address, resolve

_REDIRECTS = 10
_JAVASCRIPT = ("text/javascript", "application/javascript", "application/x-javascript")
LOGIN = "If that is a login, pass the cookie of somebody who is logged in: --cookie NAME=VALUE."


def arrive(visitor: Visitor, url: str) -> tuple[Visitor, Answer]:
    """Open a page and follow its redirects, as long as they stay on this site or lead to its https."""
    answer = visitor.get(url, NAVIGATION)
    for _ in range(_REDIRECTS):
        there = answer.location
        if there is None:
            break
        if there.scheme == "https" and answer.url.startswith("http:") and there.hostname == host_of(url):
            visitor = Visitor(there.netloc, visitor.cookies, visitor.seconds)
        elif origin_of(there.geturl()) != origin_of(answer.url):
            break
        answer = visitor.get(there.geturl(), NAVIGATION)
    return visitor, answer


def is_page(answer: Answer) -> bool:
    return answer.status == 200 and "html" in answer.header("content-type")


def no_page(answer: Answer) -> Finding:
    there = answer.location
    if there is None:
        what = f"answers {answer.status}. {LOGIN}"
        if answer.status == 200:
            kind = answer.header("content-type")[:60] or "nothing that says what it is"
            what = f"is {kind}, not HTML. Give the address of the page with the button."
    elif origin_of(there.geturl()) == origin_of(answer.url):
        return Finding("page", "problem", f"{_short(answer.url)} redirects in circles, and browsers give up.")
    else:
        what = f"redirects to {origin_of(there.geturl())}. {LOGIN} Else give the address it leads to."
    return Finding("page", "warning", f"{_short(answer.url)} {what}")


def read_prefix(text: str) -> str:
    """Where the routes are said to be: a path, or a whole address.

    Raises:
        ValueError: It is neither.
    """
    text = text.rstrip("/")
    return read_address(text).geturl() if "://" in text else checked_prefix(text)


def find_routes(url: str, page: Page, prefix: str | None) -> tuple[str | None, Finding | None]:
    """The address of Connect's routes."""
    if prefix is not None:
        return prefix if "://" in prefix else origin_of(url) + prefix, None
    if page.launch is None:
        base = f"{origin_of(url)}/smartcar"
        return base, Finding(
            "page",
            "warning",
            f"There is no <smartcar-connect> in {_short(url)}: somebody must be logged in (--cookie NAME=VALUE), or a "
            f"script adds it, which isn't seen. The routes are looked for at {base}; --prefix says where else.",
        )
    launch = resolve(url, page.launch)
    if launch is None or not launch.path.endswith("/launch"):
        return None, Finding(
            "page",
            "problem",
            "The button's launch attribute must be the address of the launch route, such as /smartcar/launch; it is "
            f'"{_short(page.launch)}".',
        )
    base = launch._replace(path=launch.path.removesuffix("/launch"), query="").geturl()
    return base, Finding("page", "ok", f"The button in {_short(url)} launches {base}/launch.")


def _short(url: str) -> str:
    """Without the query, which may hold what is nobody else's business."""
    return url.partition("?")[0][:200]


def examine_page(answer: Answer, page: Page, base: str) -> Iterator[Finding]:
    """Whether its policies let the module load, open the pop-up and learn the outcome."""
    own = origin_of(answer.url)
    policies = read_policies([*answer.all("content-security-policy"), *page.policies])
    script = _blocked_script(policies, page, answer.url, base)
    request = blocking(policies, REQUEST, f"{base}/status/x", own)
    lacking = missing_from_sandbox(policies)
    if lacking:
        yield Finding("csp", "problem", f"The page's sandbox directive lacks {', '.join(lacking)}.")
    if script is not None:
        yield script
    if request is not None:
        yield Finding(
            "csp",
            "warning",
            f"The page's {request} keeps connect.js from asking {base}/status and /cancel: add {_source(base, own)} to "
            "connect-src. Until then Cancel can't be told to the server.",
        )
    if not policies:
        yield Finding("csp", "ok", "No Content-Security-Policy is set: not in the way.")
    elif not lacking and script is None and request is None:
        said = "The page's Content-Security-Policy lets connect.js load and ask for the status."
        yield Finding("csp", "ok", said)
    yield _opener(answer, own == origin_of(base), request is None)


def _blocked_script(policies: list[Policy], page: Page, url: str, base: str) -> Finding | None:
    own = origin_of(url)
    nonce = integrity = None  # without an element, a script of the page's own imports the module
    module = _module_address(page, url, base)
    if page.module is not None:
        nonce, integrity = page.module.get("nonce", ""), page.module.get("integrity")
    directive = blocking(policies, SCRIPT, module, own, nonce=nonce, integrity=integrity)
    if directive is None:
        return None
    remedy = f"add {_source(module, own)} to it."
    if any("'strict-dynamic'" in policy.get(directive, ()) for policy in policies):
        remedy = "with 'strict-dynamic' its script element needs the nonce, or a script that has it must import it."
    return Finding(
        "csp",
        "problem",
        f"The page's {directive} keeps the browser from loading {module}: {remedy} Until then the button is a plain "
        "link.",
    )


def _module_address(page: Page, url: str, base: str) -> str:
    there = resolve(url, page.module.get("src", "")) if page.module else None
    return there.geturl() if there else f"{base}/connect.js"


def _source(url: str, own: str) -> str:
    return "'self'" if origin_of(url) == own else origin_of(url)


def _opener(answer: Answer, same_origin: bool, may_ask: bool) -> Finding:
    policy = answer.header("cross-origin-opener-policy").partition(";")[0].strip()[:60]
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


def examine_module(visitor: Visitor, page: Page, url: str, base: str) -> Finding:
    """Whether connect.js comes as browsers want it."""
    address = _module_address(page, url, base)
    own = origin_of(url)
    foreign = {} if origin_of(address) == own else {"Origin": own}
    answer = visitor.get(address, {"Accept": "*/*", "Sec-Fetch-Dest": "script", **foreign})
    integrity = page.module.get("integrity", "").split() if page.module else []
    kind = answer.header("content-type").partition(";")[0].strip().lower()
    if answer.status != 200:
        wrong = (
            f"answers {answer.status}. Whatever stands in front of the app must let it through for everybody."
        )
        if answer.status == 404:
            wrong = "answers 404. Are the routes mounted there? --prefix says where else."
    elif kind not in _JAVASCRIPT:
        wrong = f"comes as {kind[:60] or 'nothing'}; browsers run only text/javascript."
    elif foreign and answer.header("access-control-allow-origin") not in ("*", own):
        wrong = "comes without Access-Control-Allow-Origin, which something on the way takes off or doubles."
    elif integrity and not any(_has_digest(answer.body, one) for one in integrity):
        wrong = (
            "is not what its integrity attribute says, so browsers refuse it: something on the way rewrites scripts, "
            "or serves an old one."
        )
    elif answer.body != MODULE.content and b"smartcar-connect" not in answer.body:
        wrong = "is a script, but not this package's."
    else:
        same = "" if answer.body == MODULE.content else " (another version than the one installed here)"
        return Finding("module", "ok", f"{address} is served as it should be{same}.")
    return Finding("module", "problem", f"{address} {wrong}")


def _has_digest(body: bytes, integrity: str) -> bool:
    name, _, expected = integrity.partition("-")
    return (
        name in ("sha256", "sha384", "sha512")
        and b64encode(new_hash(name, body).digest()).decode() == expected
    )
