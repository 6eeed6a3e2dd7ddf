"""What is written: the redirect page with the allow-list baked in, headers for it, scripts, and Python for the page.

The page is the one that the server side shows; who may be told is decided by its script alone.
"""

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
    allowed = sorted({parse_origin(one, "app_origin") for one in app_origins})
    scripts = {
        name: asset.content for asset in assets.BY_NAME.values() for name in (asset.name, asset.stable_name)
    }
    return {
        PAGE: _page(allowed),
        HEADERS: _headers("/" if site is None else urlsplit(redirect_uri(site)).path).encode(),
        ARCHIVE: browser_archive(),
        **scripts,
    }


def redirect_uri(site: str) -> str:
    """The redirect page's address in a folder at this address.

    Raises:
        ConfigurationError: it could be no redirect URI.
    """
    return check_redirect_uri(f"{site.rstrip('/')}/{PAGE}", "")


def page_headers() -> list[tuple[str, str]]:
    """What the redirect page has to be answered with."""
    # Its opener has to hear it, whatever the rest of the site says.
    return [
        *pages.headers(),
        ("Cross-Origin-Opener-Policy", "unsafe-none"),
        preload(assets.REDIRECT.name),
    ]


def _page(allowed: list[str]) -> bytes:
    policy = dict(page_headers())["Content-Security-Policy"]
    # Some hosts let nobody set headers: what a page can say for itself, it says. Framing isn't among it.
    said = "; ".join(one for one in policy.split("; ") if not one.startswith("frame-ancestors"))
    sheet = assets.STYLE.name
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{said}">'
        '<meta name="referrer" content="no-referrer">'
        # The stylesheet is fetched only when the window stays open.
        f'<noscript><link rel="stylesheet" href="{sheet}"></noscript>'
        + script_element(assets.REDIRECT.name, allowed, sheet=sheet)
    )
    return pages.Page("returned", "./", tone="question", head=head).html()


def _headers(path: str) -> str:
    """The rules as Netlify and Cloudflare Pages read them, for a folder at this path."""
    folder = path.rpartition("/")[0]
    # Some serve the page without its ending, or redirect there.
    rules = {f"{folder}/{name}": page_headers() for name in (PAGE, PAGE.partition(".")[0])}
    for name in assets.BY_NAME:
        rules[f"{folder}/{name}"] = [
            ("Access-Control-Allow-Origin", "*"),
            ("Cache-Control", "public, max-age=31536000, immutable"),
        ]
    for name in (ARCHIVE, *(asset.stable_name for asset in assets.BY_NAME.values())):
        rules[f"{folder}/{name}"] = [("Access-Control-Allow-Origin", "*"), ("Cache-Control", "no-cache")]
    return "".join(
        f"{address}\n" + "".join(f"  {name}: {value}\n" for name, value in fields)
        for address, fields in rules.items()
    )
