"""Every attempt ends, and its end is told: what an application makes of Connect's rightful answers."""

from smartcar_auth.doctor.visit import host_of, origin_of, resolve
from smartcar_auth.errors import ConfigurationError
from smartcar_auth.request import check_application_id

from .application import Application, Browser
from .check import Failed, NotApplicable, check
from .values import Arrived, Reply

EXITS = ("user_manually_returned_to_application", "user_cancelled", "oem_cancelled_login")
ERRORS = (
    "vehicle_incompatible",
    "invalid_subscription",
    "no_vehicles",
    "configuration_error",
    "server_error",
    "battery_capacity_no_selection",
)
_VEHICLE = {"vin": "5YJ3E1EA7KF000001", "make": "TESLA", "model": "Model 3", "year": "2019"}


@check(
    "request",
    "Connect accepts what the launch asks for.",
    why="The person sees an error of Connect instead of the consent screens.",
    fix="Compare the names and values of the parameters with Smartcar's documentation.",
)
def request(app: Application) -> str | None:
    launched = app.browser().launch()
    try:
        check_application_id(launched.asked("application_id") or launched.asked("client_id"))
    except ConfigurationError as error:
        raise Failed(str(error)) from None
    if app.is_pointed_here(launched.authorize):
        app.reply(launched)
        return None
    return "As far as can be seen without the sandbox: the app asks another Connect."


@check(
    "redirect-uri",
    "The redirect URI is https, or http on this machine, and comes back to this app.",
    why="Over http the code travels readable; on another host the browser's cookies are absent, so no answer counts.",
    fix="Make it the app's own origin and the callback's path, and register exactly that with Smartcar.",
)
def redirect_uri(app: Application) -> str | None:
    launched = app.browser().launch()
    uri = launched.redirect_uri
    if not uri:
        raise NotApplicable("None is sent; Connect then uses the first one of the dashboard.")
    there = resolve("", uri)
    if there is None or "#" in uri or "*" in uri:
        raise Failed("What is sent is no address that could be registered.")
    if there.scheme == "http" and there.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise Failed(f"{uri[:200]} is http on another machine.")
    if origin_of(uri) == app.origin:
        return None
    if host_of(uri) == (app.address.hostname or "") and app.address.scheme == there.scheme:
        return f"Another port than the page's answers: {origin_of(uri)}."
    raise Failed(f"Connect answers to {origin_of(uri)}, but the app was opened on {app.origin}.")


@check(
    "granted",
    "An owner who allows comes back to a page, with no error.",
    why="Nobody can connect a car.",
    fix="See the app's log. A state or session cookie with SameSite=Strict stays behind on the way back: use Lax.",
)
def granted(app: Application) -> str | None:
    arrived = app.granted
    if not app.works:
        hint = ""
        if not arrived.exchanged:
            hint = " It exchanged no code at the sandbox: is SMARTCAR_AUTH_ORIGIN set as SMARTCAR_CONNECT_ORIGIN is?"
        raise Failed(f"The callback answers {arrived.status}.{hint}")
    if arrived.exchanged:
        return None
    return "No code was exchanged at the sandbox, so what counts is told from the app's pages."


def _judge(app: Application, arrived: Arrived, what: str) -> None:
    """An answer that is no grant: told, without a crash, and not taken for one."""
    if arrived.crashed:
        raise Failed(f"{what}: the app answers {arrived.status}.")
    if app.believes(arrived):
        raise Failed(f"{what}: the app takes it for a grant.")


@check(
    "denied",
    "An owner who denies is not taken for one who allowed.",
    why="The app believes in a car that nobody gave, or shows a server error to somebody who only said no.",
    fix="Look for `error` in the callback before `code`, and say in words that nothing was connected.",
)
def denied(app: Application) -> str | None:
    _judge(app, app.denied, "Denied")
    if app.looks_granted(app.denied) is None:
        return "The answer reads the same as after a grant; whether the person is told, browser-denied sees."
    return None


def _outcomes(app: Application, outcomes: tuple[str, ...]) -> None:
    for outcome in outcomes:
        options = {"parameters": _VEHICLE} if outcome == "vehicle_incompatible" else {}
        _judge(app, app.browser().go(outcome, **options), outcome)


@check(
    "exits",
    "An owner who leaves Connect, or the brand's login, is told from one who allowed.",
    why="People do leave; they come back to a server error, or to a car that isn't there.",
    fix="Treat user_manually_returned_to_application, user_cancelled and oem_cancelled_login as ends without a car.",
)
def exits(app: Application) -> None:
    _outcomes(app, EXITS)


@check(
    "errors",
    "Each of Connect's other errors, an unknown one included, is told from a grant.",
    why="An error that the app doesn't know is a server error, or worse, a success.",
    fix="Treat whatever `error` says as a failure; use the known ones only for better words.",
)
def errors(app: Application) -> None:
    _outcomes(app, ERRORS)
    browser = app.browser()
    reply = app.reply(browser.launch(), "server_error")
    _judge(app, browser.come_back(reply.changed(error="an_error_of_next_year")), "An unknown error")


@check(
    "two-at-once",
    "Two attempts in one browser, in two tabs, both complete.",
    why="Who clicks twice, or comes back to a tab from yesterday, is told of an attack that there wasn't.",
    fix="Keep a state for each attempt, such as in a cookie named after it, instead of the latest only.",
)
def two_at_once(app: Application) -> None:
    browser = app.browser()
    replies = [app.reply(browser.launch()) for _ in range(2)]
    for which, reply in zip(("older", "newer"), replies, strict=True):
        if not app.believes(browser.come_back(reply)):
            raise Failed(f"The {which} of two attempts is refused.")


@check(
    "exchange-fails",
    "A code that can't be exchanged ends in words, not as a success.",
    why="The person believes the car is connected, and it isn't.",
    fix="Catch what the exchange raises, say that it didn't work, and offer to begin again.",
)
def exchange_fails(app: Application) -> None:
    if not app.works or not app.exchanges:
        raise NotApplicable("The app exchanges no code at the sandbox while it answers.")
    for how in ("expired", "other_application", "429", "500"):
        if app.looks_granted(app.browser().go("granted", exchange=how)):
            raise Failed(f"The token endpoint says {how}, and the app shows what it shows after a grant.")
    if app.looks_granted(app.granted) is None:
        raise NotApplicable("The app answers a grant and a denial alike, so this can't be told.")


@check(
    "forged-changes-nothing",
    "An answer that proves nothing leaves the pending attempt as it is.",
    why="Any site can send the person's browser to the callback, and so ends the attempt that she is in the middle of.",
    fix="Compare the state before anything is deleted; delete it only once it was right.",
)
def forged_changes_nothing(app: Application) -> None:
    def forgeries(reply: Reply) -> list[Reply]:
        error = reply.changed(code=None, error="access_denied")
        return [error.changed(state=None), error.changed(state="forged"), reply.changed(state="forged")]

    browser: Browser = app.browser()
    reply = app.reply(browser.launch())
    for forged in forgeries(reply):
        browser.come_back(forged)
    if not app.believes(browser.come_back(reply)):
        raise Failed("After forged answers the rightful one is refused.")
