"""The commands, one function each: read the options, call the room that does it, say what went wrong."""

import json
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from io import TextIOWrapper
from typing import TYPE_CHECKING, Annotated

import typer

from smartcar_auth import __version__

if TYPE_CHECKING:
    from smartcar_auth.web.doctor import Finding

app = typer.Typer(
    help="Smartcar Connect for Python: a sandbox on your own machine, a demo to click through, and a doctor.",
    no_args_is_help=True,
    add_completion=True,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"smartcar-auth {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    port: Annotated[
        int | None, typer.Option(help="Port of the sample app. Unless given: 8000 or the next free.")
    ] = None,
    sandbox_port: Annotated[
        int | None, typer.Option(help="Port of the sandbox. Unless given: 8010 or the next free.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the sample's page in a browser.")] = True,
) -> None:
    """Run the sandbox and a sample app, ready to click. Ctrl-C stops both."""
    try:
        from smartcar_auth import demo as room
    except ImportError as error:
        raise _missing("demo", error) from None
    try:
        room.run(port, sandbox_port, open_browser=browser)
    except room.PortTaken as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes any free one.")] = 8010,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Run Connect on this machine: consent screens, tokens and simulated cars. Ctrl-C stops it."""
    try:
        from smartcar_auth.sandbox import Sandbox
    except ImportError as error:
        raise _missing("sandbox", error) from None
    import signal
    import threading

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        running = Sandbox(host=host, port=port).start()
    except OSError as error:
        typer.echo(f"Can't listen on {host}:{port}: {error.strerror}. Choose another --port.", err=True)
        raise typer.Exit(1) from None
    try:
        typer.echo(
            f"{running.origin}\n\nSet SMARTCAR_CONNECT_ORIGIN={running.origin}. Ctrl-C stops the sandbox."
        )
        while not stopped.wait(0.5):  # in slices, for Windows delivers Ctrl-C only between two waits
            pass
    finally:
        running.stop()
    typer.echo("Stopped.")


@app.command()
def doctor(
    url: Annotated[
        str | None,
        typer.Argument(
            help="Of the page with the button, as browsers know it: http://localhost:8000/garage",
            show_default=False,
        ),
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option(
            help="Path or address of Connect's routes. Unless given: where the button says, else /smartcar.",
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
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array of the findings.")] = False,
) -> None:
    """Say in words what keeps Connect from working in a running app, and what to register with Smartcar.

    The app is visited as by a browser: its page, one launch that nobody
    finishes, the launch's status, and the callback without an answer, of
    which your on_error is told. Without an address, the SMARTCAR_...
    environment variables are read.

    Exit status: 0 where Connect can work, 1 where a problem was found,
    2 for a mistake on the command line.
    """
    try:
        from smartcar_auth.doctor import SECONDS, examine_address, examine_environment
    except ImportError as error:
        raise _missing("fastapi", error) from None
    if url is None:
        findings: Iterable[Finding] = examine_environment()
        begin = "Without an address, only the environment variables are read."
        end = (
            "\nTo see a running app as its visitors do, give the address of its page:\n"
            "smartcar-auth doctor http://localhost:8000\n"
            "That reads the page, launches an attempt that nobody finishes, and calls the callback without an answer."
        )
    else:
        try:
            findings = examine_address(url, prefix=prefix, cookies=cookie or ())
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        begin = f"Visiting {url.partition('?')[0]} as a browser does; each answer has {SECONDS} seconds."
        end = ""
    if isinstance(
        sys.stdout, TextIOWrapper
    ):  # an app's words may be in any language, the output's encoding not
        sys.stdout.reconfigure(errors="replace")
    try:
        found = list(findings) if as_json else _printed(findings, begin, end)
    except KeyboardInterrupt:
        typer.echo("\nStopped.", err=True)
        raise typer.Exit(130) from None
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    if any(finding.level == "problem" for finding in found):
        raise typer.Exit(1)


def _printed(findings: "Iterable[Finding]", begin: str, end: str) -> "list[Finding]":
    """Print each finding when it is found: in colour and wrapped on a terminal, else a line each."""
    from rich.console import Console
    from rich.text import Text

    from smartcar_auth.web.doctor import summary

    console = Console(highlight=False)
    colours = {"ok": "green", "warning": "yellow", "problem": "bold red"}
    found = []
    typer.echo(begin + "\n")
    for finding in findings:
        found.append(finding)
        line = str(finding)
        if not console.is_terminal:
            typer.echo(line)
            continue
        # Not Rich's own wrapping, which would cut an address in two; the terminal's leaves it in one piece.
        wrapped = textwrap.fill(
            line, console.width, subsequent_indent=" " * 9, break_long_words=False, break_on_hyphens=False
        )
        text = Text(wrapped)
        text.stylize(colours[finding.level], 0, len(finding.level))
        console.print(text, soft_wrap=True)
    typer.echo("\n" + summary(found) + ("\n" + end if end else ""))
    return found


def _missing(extra: str, error: ImportError) -> typer.Exit:
    typer.echo(f'{error}\nInstall what is missing: pip install "smartcar-auth[{extra}]"', err=True)
    return typer.Exit(2)
