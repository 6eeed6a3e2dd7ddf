"""What is written: the redirect page with the allow-list baked in, headers for it, scripts, and Python for the page.

The page is the one that the server side shows; who may be told is decided by its script alone.
"""

import json
from collections.abc import Iterable
from urllib.parse import urlsplit

from smartcar_auth.origin import check_redirect_uri, parse_origin
from smartcar_auth.web import assets, pages
from smartcar_auth.web.redirecting import preload, script_element

from .archive import ARCHIVE, browser_archive

PAGE = "redirect.html"
HEADERS = "_headers"


def files(app_origins: Iterable[str] = (), site: str | None = None) -> dict[str, bytes]:
    """Every file by its name, each script under a name that holds its content's hash and under a stable one.

    Args:
        app_origins: Whose pages the redirect page may tell, besides those of its own origin.
        site: Address of the folder as browsers know it, for the rules in `_headers`; None is a site's top.

    Raises:
        ConfigurationError: no origin, or no address for a redirect URI.
    """
    script = _script(app_origins)
    headers = _page_headers(script)
    by_hash = {one.name: one.content for one in (script, assets.SCRIPT, assets.STYLE)}
    stable = {one.stable_name: one.content for one in assets.BY_NAME.values()}
    path = "/" if site is None else urlsplit(redirect_uri(site)).path
    return {
        PAGE: _page(script, headers),
        HEADERS: _rules(path, headers, by_hash, [ARCHIVE, *stable]).encode(),
        ARCHIVE: browser_archive(),
        **by_hash,
        **stable,
    }


def redirect_uri(site: str) -> str:
    """The redirect page's address in a folder at this address.

    Raises:
        ConfigurationError: it could be no redirect URI.
    """
    return check_redirect_uri(f"{site.rstrip('/')}/{PAGE}", "")


def page_headers(app_origins: Iterable[str] = ()) -> list[tuple[str, str]]:
    """What the redirect page has to be answered with.

    Raises:
        ConfigurationError: no origin.
    """
    return _page_headers(_script(app_origins))


def _script(app_origins: Iterable[str]) -> assets.Asset:
    """The page's script, with the allow-list baked in."""
    allowed = sorted({parse_origin(one, "app_origin") for one in app_origins})
    settings = {"smartcarOrigins": " ".join(allowed), "smartcarSheet": assets.STYLE.name}
    plain, baked = b"const BAKED = null;", f"const BAKED = {json.dumps(settings)};".encode()
    return assets.asset(
        "redirect.js", assets.REDIRECT.content.replace(plain, baked), assets.REDIRECT.content_type
    )


def _page_headers(script: assets.Asset) -> list[tuple[str, str]]:
    # Its opener has to hear it, whatever the rest of the site says.
    return [*pages.headers(), ("Cross-Origin-Opener-Policy", "unsafe-none"), preload(script.name, script)]


def _page(script: assets.Asset, headers: list[tuple[str, str]]) -> bytes:
    policy = dict(headers)["Content-Security-Policy"]
    # Some hosts let nobody set headers: what a page can say for itself, it says. Framing isn't among it.
    said = "; ".join(one for one in policy.split("; ") if not one.startswith("frame-ancestors"))
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{said}">'
        '<meta name="referrer" content="no-referrer">'
        # The stylesheet is fetched only when the window stays open.
        f'<noscript><link rel="stylesheet" href="{assets.STYLE.name}"></noscript>'
        + script_element(script.name, script)
    )
    return pages.Page("returned", "./", tone="question", head=head).html()


def _rules(path: str, headers: list[tuple[str, str]], by_hash: Iterable[str], stable: Iterable[str]) -> str:
    """The rules as Netlify and Cloudflare Pages read them, for a folder at this path."""
    folder = path.rpartition("/")[0]
    # Some serve the page without its ending, or redirect there.
    rules = {f"{folder}/{name}": headers for name in (PAGE, PAGE.partition(".")[0])}
    for names, kept in ((by_hash, "public, max-age=31536000, immutable"), (stable, "no-cache")):
        for name in names:
            rules[f"{folder}/{name}"] = [("Access-Control-Allow-Origin", "*"), ("Cache-Control", kept)]
    return "".join(
        f"{address}\n" + "".join(f"  {name}: {value}\n" for name, value in fields)
        for address, fields in rules.items()
    )
