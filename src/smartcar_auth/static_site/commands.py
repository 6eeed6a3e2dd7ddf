"""The command `static`: its options, and what it says of the files."""

from pathlib import Path
from typing import Annotated

import typer

from smartcar_auth import ConfigurationError
from smartcar_auth.printing import missing


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(static)


def static(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR",
            help="Write them there: usually the top folder of your site. Without it they are only listed.",
            show_default=False,
        ),
    ] = None,
    app_origin: Annotated[
        list[str] | None,
        typer.Option(
            help="Origin of pages that may be told what Connect answered, besides the site's own. "
            "May be given several times.",
            show_default=False,
        ),
    ] = None,
    site: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Address of the folder as browsers know it; then the redirect URIs to register are printed.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite files that this command didn't write.")
    ] = False,
) -> None:
    """Write the redirect page and what pages load, for a site without a Python server: GitHub Pages, S3, a CDN.

    Also the core and the browser host in one zip, for Python in the page (PyScript, Pyodide).
    """
    try:
        from smartcar_auth.static_site import files as site_files
        from smartcar_auth.static_site import folder as written
    except ImportError as error:
        raise missing("cli", error) from None
    try:
        files = site_files.files(app_origin or (), site)
        addresses = _redirect_uris(site_files.redirect_uri(site), app_origin or []) if site else []
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from None
    try:
        if folder is not None:
            written.write(folder, files, force=force)
    except (OSError, written.ForeignFiles) as error:
        typer.echo(f"The files can't be written: {error}", err=True)
        raise typer.Exit(1) from None
    for name, content in files.items():
        typer.echo(f"{name}  {written.integrity(content)}  {len(content):,} bytes")
    if folder is None:
        return
    if addresses:
        typer.echo("\nRegister with Smartcar, exactly as they are:\n")
        typer.echo("\n".join(addresses))
    typer.echo(
        f"\n{site_files.HEADERS} is read by Netlify and Cloudflare Pages at the top of a site. Elsewhere, let "
        f"{site_files.PAGE} be answered with:\n"
    )
    for name, value in site_files.page_headers(app_origin or ()):
        typer.echo(f"{name}: {value}")


def _redirect_uris(own: str, app_origins: list[str]) -> list[str]:
    """For pages of the site itself, and for those of each other origin."""
    from smartcar_auth.origin import parse_origin

    return [own, *(f"{own}?app_origin={parse_origin(one)}" for one in app_origins)]
