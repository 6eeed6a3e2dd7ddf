"""The commands, one function each: read the options, call the room that does it, say what went wrong."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from smartcar_auth import __version__
from smartcar_auth.conformance import commands as conformance
from smartcar_auth.login import commands as login
from smartcar_auth.printing import Findings, missing, take_any_language
from smartcar_auth.static_site import commands as static_site

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
        raise missing("demo", error) from None
    try:
        room.run(port, sandbox_port, open_browser=browser)
    except room.PortTaken as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes any free one.")] = 8010,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    application: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID=SECRET",
            help="Accept this application, or these API credentials (client_...), and no others. "
            "May be given several times.",
            show_default=False,
        ),
    ] = None,
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option(
            help="Accept this redirect URI and no other. May be given several times; the first is the default.",
            show_default=False,
        ),
    ] = None,
    management_token: Annotated[
        str | None,
        typer.Option(help="Accept this application management token and no other.", show_default=False),
    ] = None,
    users: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="JSON or TOML with users and their vehicles.", show_default=False),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Keep users, connections and tokens in this file. Unless given: in memory, gone at the end.",
            show_default=False,
        ),
    ] = None,
    tls: Annotated[
        bool,
        typer.Option(
            "--tls", help="Answer as Smartcar's own hosts, over TLS, with a certificate of its own."
        ),
    ] = False,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Ignore parameters that Connect doesn't have.")
    ] = False,
    seed: Annotated[
        str | None, typer.Option(help="Make ids that repeat from run to run.", show_default=False)
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: a line with the address, then one per request.")
    ] = False,
) -> None:
    """Run Connect on this machine: consent screens, tokens and simulated cars. Ctrl-C stops it.

    Each request is printed in a line, with codes, states and tokens masked.
    """
    try:
        from smartcar_auth.sandbox import terminal
    except ImportError as error:
        raise missing("sandbox", error) from None
    pairs = [one.partition("=") for one in application or ()]
    if any(not name or not secret for name, _, secret in pairs):
        raise typer.BadParameter("Give an id and its secret: --application ID=SECRET")
    try:
        terminal.run(
            as_json=as_json,
            host=host,
            port=port,
            applications={name: secret for name, _, secret in pairs} or None,
            redirect_uris=redirect_uri or None,
            management_token=management_token,
            users=users or (),
            data=data,
            tls=tls,
            strict=not lenient,
            seed=seed,
        )
    except ImportError as error:
        raise missing("tls", error) from None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    except OSError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


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
        raise missing("cli", error) from None
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
    take_any_language()
    try:
        found = list(findings) if as_json else _printed(findings, begin, end)
    except KeyboardInterrupt:
        typer.echo("\nStopped.", err=True)
        raise typer.Exit(130) from None
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    if any(finding.level == "problem" for finding in found):
        raise typer.Exit(1)


conformance.register(app)
login.register(app)
static_site.register(app)


def _printed(findings: "Iterable[Finding]", begin: str, end: str) -> "list[Finding]":
    """Print each finding when it is found."""
    from smartcar_auth.web.doctor import summary

    printed = Findings({"ok": "green", "warning": "yellow", "problem": "bold red"}, 9)
    found = []
    typer.echo(begin + "\n")
    for finding in findings:
        found.append(finding)
        printed.show(str(finding), finding.level, finding.check)
    typer.echo("\n" + summary(found) + ("\n" + end if end else ""))
    return found
