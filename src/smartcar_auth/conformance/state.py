"""State is proof: whose answer counts, how often, and what stands beside it."""

import math

from .application import Application
from .check import Failed, NotApplicable, check
from .values import Arrived

_SAMPLES = 16
_BITS = 120  # a version 4 UUID has 122
_CHOSEN = "chosen-by-the-attacker-0123456789"


def _refuse(app: Application, arrived: Arrived, what: str) -> None:
    if app.believes(arrived):
        raise Failed(f"{what} counts as a grant.")


@check(
    "state-unguessable",
    "Each launch sends a state of its own that can't be guessed: 120 random bits or more.",
    why="Who guesses or repeats a state can bring his own car's answer into another person's account.",
    fix="Make it with the operating system's random numbers: secrets.token_urlsafe(32), crypto.randomUUID().",
)
def state_unguessable(app: Application) -> None:
    browser = app.browser()
    states = [app.browser().launch().state for _ in range(_SAMPLES)]
    states += [browser.launch().state for _ in range(2)]
    if not all(states):
        raise Failed("The launch sends no state.")
    if len(set(states[-2:])) < 2:
        raise Failed("Two launches in one browser send the same state.")
    if len(set(states)) < len(states):
        raise Failed(f"{len(states)} launches send {len(set(states))} different states.")
    bits = _random_bits(states)
    if bits < _BITS:
        raise Failed(f"At most {bits:.0f} bits differ from one state to the next.")


def _random_bits(states: list[str]) -> float:
    """How much the places that change from state to state can hold at most, by the characters seen there."""
    places = sum(len(set(seen)) > 1 for seen in zip(*states, strict=False))
    return places * math.log2(_alphabet("".join(states)))


def _alphabet(text: str) -> int:
    if text.isdigit():
        return 10
    if all(one in "0123456789abcdefABCDEF-{}" for one in text):
        return 16
    if text.isalnum() and text in (text.lower(), text.upper()):
        return 36
    return 64


@check(
    "state-missing",
    "An answer without state, or with an empty one, does not count.",
    why="Login CSRF: a link that somebody was sent puts the sender's car into her account, or the other way round.",
    fix="Refuse every answer whose state isn't there, before `code` or `error` is read.",
)
def state_missing(app: Application) -> None:
    for state, what in ((None, "An answer without state"), ("", "An answer with an empty state")):
        for begun in (True, False):
            browser = app.browser()
            reply = app.reply((browser if begun else app.other_browser()).launch()).changed(state=state)
            _refuse(app, browser.come_back(reply), what + ("" if begun else ", where no attempt was begun,"))


@check(
    "state-forged",
    "An answer with another state, invented or altered, does not count.",
    why="Login CSRF, as without state.",
    fix="Compare the whole state with the one that was sent, in constant time (hmac.compare_digest).",
)
def state_forged(app: Application) -> None:
    for what, forge in (
        ("An invented state", lambda state: "Zm9yZ2Vk" * max(len(state) // 8, 4)),
        ("A state with its first character changed", lambda state: _other(state, 0)),
        ("A state with a character in the middle changed", lambda state: _other(state, len(state) // 2)),
        ("Half a state", lambda state: state[: len(state) // 2]),
        ("A state with more behind it", lambda state: state + "A"),
    ):
        browser = app.browser()
        reply = app.reply(browser.launch())
        _refuse(app, browser.come_back(reply.changed(state=forge(reply.state))), what)


def _other(text: str, place: int) -> str:
    return text[:place] + ("B" if text[place : place + 1] == "A" else "A") + text[place + 1 :]


@check(
    "state-other-browser",
    "The answer to another browser's attempt does not count, whether or not one was begun here.",
    why="Login CSRF with a state that is real: an attacker stops before his own callback and sends her its address.",
    fix="Keep the state, or a digest of it, in a cookie of the browser that launches, and compare the two.",
)
def state_other_browser(app: Application) -> str | None:
    for begun in (False, True):
        reply = app.reply(app.other_browser().launch())
        hers = app.browser()
        hers.visit()
        if begun:
            hers.launch()
        where = "with an attempt of its own" if begun else "that began none"
        _refuse(app, hers.come_back(reply), f"Somebody else's answer, in a browser {where},")
    if app.cookies and not app.other_cookies:
        return "The other browser was not logged in; --other-cookie makes it so."
    return None


@check(
    "state-chosen",
    "The state is not a page's or a link's choice.",
    why="A state that the attacker chose is one that he knows (fixation).",
    fix="Let the server make it; never read it from the launch's parameters.",
)
def state_chosen(app: Application) -> None:
    launched = app.browser().attempt([("state", _CHOSEN)])
    if launched is not None and _CHOSEN in launched.state:
        raise Failed("launch?state=... sets the state that Connect is sent.")


@check(
    "replay-same-browser",
    "The same answer again, by reload or back button, is handled once.",
    why="A code that is exchanged twice makes the server revoke what the first exchange gave (RFC 6749, 4.1.2).",
    fix="Let a state count once: delete it before the exchange, and answer a second delivery from what is known.",
)
def replay_same_browser(app: Application) -> None:
    if not app.works or not app.exchanges:
        raise NotApplicable(
            "The app exchanges no code at the sandbox, so it can't be seen whether it handles an answer twice."
        )
    browser = app.browser()
    reply = app.reply(browser.launch())
    browser.come_back(reply)
    if browser.come_back(reply).exchanged:
        raise Failed("The same address opened again is exchanged again.")


@check(
    "replay-other-browser",
    "An answer that counted does not count again in another browser.",
    why="Callback addresses are in histories and logs; whoever finds one takes over, or is given, somebody's car.",
    fix="Bind the state to the browser, and let it count once.",
)
def replay_other_browser(app: Application) -> None:
    browser = app.browser()
    reply = app.reply(browser.launch())
    browser.come_back(reply)
    other = app.other_browser()
    other.visit()
    _refuse(app, other.come_back(reply), "An answer that was used already")


@check(
    "code-and-error",
    "An answer with both a code and an error does not count.",
    why="Connect never sends both, so somebody else wrote it; the app believes in what was denied.",
    fix="Look for `error` first, and refuse an answer that has both.",
)
def code_and_error(app: Application) -> None:
    browser = app.browser()
    reply = app.reply(browser.launch())
    _refuse(app, browser.come_back(reply.changed(error="access_denied")), "A code beside an error")


@check(
    "doubled",
    "An answer with a parameter twice does not count.",
    why="Two readers of one address, such as a proxy and the app, each believe another of the two (RFC 6749, 3.1).",
    fix="Refuse an answer in which `code` or `state` stands more than once.",
)
def doubled(app: Application) -> None:
    forged = ("state", "forged"), ("code", "forged")
    for pair in forged:
        for where in ("before", "behind"):
            browser = app.browser()
            reply = app.reply(browser.launch())
            changed = reply.after(pair) if where == "before" else reply.plus(pair)
            _refuse(app, browser.come_back(changed), f"A second {pair[0]} {where} the rightful one")


@check(
    "code-empty",
    "An answer without a code, or with an empty one, is refused in words.",
    why="The app believes in a car that nobody gave, or fails with a server error.",
    fix="Refuse an answer whose code isn't there before anything is exchanged.",
)
def code_empty(app: Application) -> None:
    for code, what in ((None, "An answer without a code"), ("", "An answer with an empty code")):
        browser = app.browser()
        reply = app.reply(browser.launch())
        if not reply.code:
            raise NotApplicable("Connect is asked for no code (response_type=none).")
        arrived = browser.come_back(reply.changed(code=code))
        if arrived.crashed:
            raise Failed(f"{what}: the app answers {arrived.status}.")
        _refuse(app, arrived, what)
