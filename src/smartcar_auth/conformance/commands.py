"""The command `conformance`: its options, and what it prints."""

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from smartcar_auth.printing import Findings, missing, take_any_language

if TYPE_CHECKING:
    from smartcar_auth.sandbox import Sandbox

    from . import Check, Result
    from .application import Application

_LOCAL = ("localhost", "127.0.0.1", "::1")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(conformance)


def conformance(
    url: Annotated[
        str | None,
        typer.Argument(
            help="Of the page with the button or link that leads to Connect: http://localhost:8000/",
            show_default=False,
        ),
    ] = None,
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="-- COMMAND",
            help="Starts the app, with SMARTCAR_... variables that make the sandbox its Connect, and ends it.",
            show_default=False,
        ),
    ] = None,
    launch: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Where the app leads to Connect. Unless given: looked for in the page.",
            show_default=False,
        ),
    ] = None,
    cookie: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Visit as somebody who is logged in. May be given several times; never printed.",
            show_default=False,
        ),
    ] = None,
    other_cookie: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Of somebody else who is logged in, for attacks from another browser.",
            show_default=False,
        ),
    ] = None,
    sandbox_port: Annotated[
        int | None,
        typer.Option(help="Port of the sandbox. Unless given: any free one with a command, else 8010."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Run this check. May be given several times.", show_default=False),
    ] = None,
    browser: Annotated[
        str,
        typer.Option(
            metavar="auto|none|PATH",
            help="Chromium for what a person sees; needs the package playwright. auto: if there is one.",
        ),
    ] = "auto",
    click: Annotated[
        str | None,
        typer.Option(
            metavar="SELECTOR",
            help="What to click in the browser. Unless given: looked for in the page.",
            show_default=False,
        ),
    ] = None,
    wait: Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait for the app.")] = 60,
    authorized: Annotated[
        bool,
        typer.Option(
            "--authorized", help="The app is on another machine, and its owner wants it to be attacked."
        ),
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="List the checks and exit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array of the results.")] = False,
) -> None:
    """Attack an app that connects cars, in any language, and say what fails, why, and what to do.

    The app runs with a sandbox as its Connect. It is visited as by browsers,
    its owner's and an attacker's: each outcome, forged, doubled and replayed
    answers, hostile parameters and header fields; and in a real browser, if
    there is one, what a person sees.

    smartcar-auth conformance http://localhost:8000/ -- uvicorn app:app

    Exit status: 0 where no check fails, 1 where one does, 2 where they could
    not run.
    """
    try:
        from smartcar_auth.doctor.visit import Unreachable
        from smartcar_auth.sandbox import Sandbox  # noqa: F401 (whether it is there)

        from . import checks, examine, summary
        from .application import Application, NoLaunch
        from .running import NotStarted
    except ImportError as error:
        raise missing("cli,sandbox", error) from None
    take_any_language()
    if listed:
        _list(checks(browser=True), as_json)
        return
    if url is None:
        raise typer.BadParameter(
            "Give the address of the page: smartcar-auth conformance http://localhost:8000/"
        )
    try:
        chosen = checks(*(only or ()), browser=True)
        app = Application(
            url, launch=launch, cookies=cookie or (), other_cookies=other_cookie or (), click=click
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if app.address.hostname not in _LOCAL and not authorized:
        raise typer.BadParameter(
            f"{app.address.hostname} is not this machine. These checks are attacks: --authorized says that its owner "
            "wants them."
        )
    say = _say(as_json)
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # the app is in a session of its own, so nobody else ends it
        signal.signal(number, signal.default_int_handler)
    try:
        with _ready(app, command or [], sandbox_port, wait, say), ExitStack() as stack:
            chosen = _with_browser(app, chosen, browser, stack, say)
            results = []
            printed = Findings({"pass": "green", "n/a": "dim", "fail": "bold red"}, 6, 11)
            for result in examine(app, chosen):
                results.append(result)
                if not as_json:
                    printed.show(str(result), result.verdict, result.check.name)
    except (NotStarted, NoLaunch, Unreachable) as error:
        typer.echo(_printable(str(error)), err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        typer.echo(
            f"The sandbox can't listen there: {error.strerror}. Choose another --sandbox-port.", err=True
        )
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        typer.echo("\nStopped.", err=True)
        raise typer.Exit(130) from None
    if as_json:
        typer.echo(json.dumps([_as_json(result) for result in results], indent=2))
    else:
        typer.echo("\n" + summary(results))
    if any(result.verdict == "fail" for result in results):
        raise typer.Exit(1)


def _say(as_json: bool) -> Any:
    """Words beside the results: not among JSON."""
    return lambda text: typer.echo(text, err=as_json)


@contextmanager
def _ready(
    app: "Application", command: list[str], port: int | None, seconds: float, say: Any
) -> Iterator[None]:
    """The sandbox runs, the application answers."""
    from smartcar_auth.sandbox import Sandbox

    from .running import started, variables, wait

    if port is None:
        port = 0 if command else 8010
    with Sandbox(port=port) as sandbox, ExitStack() as stack:
        app.sandbox = sandbox
        if command:
            say(f"Starting {command[0]}, with the sandbox at {sandbox.origin} as its Connect ...")
            stack.enter_context(started(command, app.url, sandbox.origin, seconds, say))
        else:
            say(f"The sandbox is at {sandbox.origin}. The app must run with it as its Connect:\n")
            for name, value in variables(sandbox.origin).items():
                if value == sandbox.origin:
                    say(f"  {name}={value}")
            say(f"\nWaiting for {app.url} ...")
            wait(app.url, seconds, say)
        _say_where(app, sandbox, say)
        yield


def _say_where(app: "Application", sandbox: "Sandbox", say: Any) -> None:
    launched = app.browser().launch()
    asked = urlsplit(launched.authorize)
    if app.is_pointed_here(launched.authorize):
        say(f"{app.url} leads to the sandbox. These requests are hostile.\n")
        return
    say(
        f"{app.url} leads to Connect at {asked.scheme}://{asked.netloc}, not to the sandbox at {sandbox.origin}. "
        "Nothing is sent there; answers are made up, and an app that exchanges their codes finds them worthless.\n"
    )
    app.sandbox = None


def _with_browser(
    app: "Application", chosen: "list[Check]", browser: str, stack: ExitStack, say: Any
) -> "list[Check]":
    """Give the application a browser; without one, the checks that need none."""
    needing = [check for check in chosen if check.in_browser]
    if not needing:
        return chosen
    from .windows import NoBrowser, chromium

    if browser == "none":
        reason = "--browser none was given."
    elif app.sandbox is None:
        reason = "the app doesn't lead to the sandbox."
    else:
        try:
            app.chromium = stack.enter_context(chromium(None if browser == "auto" else browser))
            return chosen
        except NoBrowser as error:
            if browser != "auto":
                raise typer.BadParameter(str(error)) from None
            reason = str(error)
    say(f"Left out: {', '.join(check.name for check in needing)}; {reason}\n")
    if len(needing) == len(chosen):
        raise typer.Exit(2)
    return [check for check in chosen if not check.in_browser]


def _list(found: "list[Check]", as_json: bool) -> None:
    if as_json:
        keys = ("name", "does", "why", "fix", "in_browser")
        typer.echo(json.dumps([{key: getattr(check, key) for key in keys} for check in found], indent=2))
        return
    width = max(len(check.name) for check in found)
    for check in found:
        typer.echo(f"{check.name:{width}}  {check.does}{' (browser)' if check.in_browser else ''}")


def _as_json(result: "Result") -> dict[str, str]:
    advice = {"why": result.check.why, "fix": result.check.fix} if result.verdict == "fail" else {}
    return {"check": result.check.name, "verdict": result.verdict, "said": result.said, **advice}


def _printable(text: str) -> str:
    """What an application wrote, without escape sequences for the terminal."""
    return "".join(one if one.isprintable() or one == "\n" else "?" for one in text)
