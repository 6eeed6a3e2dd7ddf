"""The commands, one function each: read the options, call the room that does it, say what went wrong."""

from typing import Annotated

import typer

from smartcar_auth import __version__

app = typer.Typer(
    help="Smartcar Connect for Python: a sandbox on your own machine, and a demo to click through.",
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
        int | None, typer.Option(help="Port of the sample app [default: 8000 or the next free]")
    ] = None,
    sandbox_port: Annotated[
        int | None, typer.Option(help="Port of the sandbox [default: 8010 or the next free]")
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


def _missing(extra: str, error: ImportError) -> typer.Exit:
    typer.echo(f'{error}\nInstall what is missing: pip install "smartcar-auth[{extra}]"', err=True)
    return typer.Exit(2)
