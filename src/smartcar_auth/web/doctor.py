"""What an application's settings say about whether Connect can work there, in words.

Pure: settings in, findings out; no socket, no framework, nothing printed. What only a running application
can tell is asked by `smartcar_auth.doctor`, over HTTP, with the same `Finding`. No message holds a key, a
state or a cookie, so findings may be logged and pasted.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from smartcar_auth import ConfigurationError
from smartcar_auth.client import CONNECT_ORIGIN
from smartcar_auth.request import check_application_id

from .exchange import Request
from .options import Refused
from .store import ProcessStore

if TYPE_CHECKING:
    from .connect import Connect

Level = Literal["ok", "warning", "problem"]

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MAKE_A_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(48))'"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        check: Stable name, such as "redirect_uri", for code that chooses among findings.
        level: "ok"; "warning", where it works but costs something; "problem", where it can't work or isn't safe.
        message: What is, and what to do: one line, printable whatever an application answered.
    """

    check: str
    level: Level
    message: str

    def __post_init__(self) -> None:
        # It may repeat what a server said, and ends in a terminal: no escape sequences, no lines of its own.
        printable = "".join(one if one.isprintable() else "?" for one in self.message)
        object.__setattr__(self, "message", printable)

    def __str__(self) -> str:
        return f"{self.level:9}{self.check}: {self.message}"


def report(findings: Iterable[Finding]) -> str:
    """The findings as plain text: one line each, then how many ask for attention."""
    found = list(findings)
    return "\n".join([*map(str, found), "", summary(found)])


def summary(findings: Iterable[Finding]) -> str:
    """How many problems and warnings there are, as a sentence."""
    levels = [finding.level for finding in findings]
    counts = [(levels.count(level), level) for level in ("problem", "warning")]
    said = [f"{count} {level}{'s' if count > 1 else ''}" for count, level in counts if count]
    return (", ".join(said) or "No problem found") + "."


def examine(connect: "Connect", *urls: str) -> list[Finding]:
    """What the settings alone say.

    Args:
        connect: The application's Connect, with its functions registered.
        urls: Addresses of the routes as browsers know them, such as "https://app.example.com/smartcar".

    Raises:
        ConfigurationError: One of the addresses can't be read.
    """
    addresses = [_origin_and_path(url) for url in urls]
    origins, about_redirects = _redirects(connect, addresses)
    client = connect.smartcar
    public = any(origin.startswith("https:") for origin in origins)
    findings = [*examine_request(client.application_id, client.mode, client.connect_origin, public=public)]
    findings += _asked(connect)
    findings += about_redirects
    findings += _pages(connect, origins)
    findings += _keys(connect)
    findings += _functions(connect)
    findings += _memory(connect)
    return findings


def examine_request(
    application_id: str, mode: str, connect_origin: str, *, public: bool
) -> Iterator[Finding]:
    """Whose name is used at which Connect.

    Args:
        application_id: As sent.
        mode: As sent.
        connect_origin: Where Connect lives.
        public: The application is reached over https, so that its visitors may be real.
    """
    try:
        check_application_id(application_id)
    except ConfigurationError as error:
        yield Finding("application_id", "problem", str(error))
    else:
        if _UUID.fullmatch(application_id):
            yield Finding(
                "application_id", "ok", f"{application_id[:8]}-... has the form of an Application ID."
            )
        else:  # not repeated: it may be a secret in the wrong place
            yield Finding(
                "application_id",
                "warning",
                "It is not a UUID, as the Application IDs of the Smartcar dashboard are. Connect would answer 400 to a "
                "wrong one.",
            )
    play: Level = "warning" if public else "ok"
    if connect_origin == CONNECT_ORIGIN:
        yield Finding("connect_origin", "ok", f"{connect_origin} is Smartcar's Connect.")
    else:
        yield Finding(
            "connect_origin",
            play,
            f"{connect_origin[:200]} plays Connect, as the sandbox does. For owners' cars leave connect_origin "
            "(SMARTCAR_CONNECT_ORIGIN) out.",
        )
    if mode == "live":
        yield Finding("mode", "ok", "live, which is for owners' own cars.")
    elif mode == "test":
        yield Finding(
            "mode",
            "warning",
            'test, which Smartcar gave up. Write "simulated", or "live" for owners\' own cars.',
        )
    else:
        yield Finding(
            "mode",
            play,
            f"{mode[:60]}: no owner's car can be connected. For owners' own cars it is \"live\".",
        )


def registering(uri: str) -> Iterator[Finding]:
    """What to type into Smartcar's dashboard, at the end of the line, so that it can be copied."""
    yield Finding("redirect_uri", "ok", f"Register exactly this with Smartcar: {uri}")
    host = urlsplit(uri).hostname or ""
    other = other_name(host)
    if other is not None:
        yield Finding(
            "host_name",
            "ok",
            f"Open the app on {host}. To browsers {other} is another site, which needs its own redirect URI.",
        )


def other_name(host: str) -> str | None:
    """The other name of this machine, which to browsers is another site; None for any other host."""
    return {"localhost": "127.0.0.1", "127.0.0.1": "localhost", "::1": "localhost"}.get(host)


def compare_sites(one: str, two: str) -> Literal["same", "other", "unsure"]:
    """Whether browsers count two origins as one site, and share cookies between their pages.

    Without the public suffix list (https://publicsuffix.org) only "same" and "other" are certain: names that
    end alike, as app.example.com and api.example.com do, could be two customers of one provider.
    """
    first, second = urlsplit(one), urlsplit(two)
    if first.scheme != second.scheme:
        return "other"
    hosts = [(parts.hostname or "").split(".") for parts in (first, second)]
    if hosts[0] == hosts[1]:
        return "same"
    if min(map(len, hosts)) < 2 or hosts[0][-2:] != hosts[1][-2:] or hosts[0][-1].isdigit():
        return "other"  # a site has two labels or more; a single name or an IP address is a site by itself
    return "unsure"


def _origin_and_path(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        # The port is read for its ValueError.
        readable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except (ValueError, AttributeError, TypeError):
        readable = False
    if not readable or parts.query or parts.fragment or "@" in parts.netloc:
        raise ConfigurationError(
            "doctor() takes addresses of Connect's routes, such as 'https://app.example.com/smartcar'."
        )
    return _origin(url), parts.path.rstrip("/")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    default = ":443" if parts.scheme == "https" else ":80"
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(default)}"


def _redirects(connect: "Connect", addresses: list[tuple[str, str]]) -> tuple[set[str], list[Finding]]:
    """The origins of the redirect URIs in use, and what is to be said about them."""
    site = connect._site
    given = connect.smartcar.redirect_uri
    uris = [] if given is None else [given]
    refused = []
    for origin, base in addresses:
        request = Request("GET", origin, base, b"", {})
        check = "scheme"
        try:
            uri = site.client(request).redirect_uri or ""
            check = "host_name"
            site.check_page(None, request, uri)
            uris.append(uri)
        except Refused as refusal:
            refused.append(Finding(check, "problem", f"{origin}{base}: {refusal.reason}"))
        except ConfigurationError as error:
            refused.append(Finding("redirect_uri", "problem", str(error)))
    uris = list(dict.fromkeys(uris))
    said = [finding for uri in uris for finding in registering(uri)]
    own = site.origin(Request("GET", "", "", b"", {}))
    if not uris and not refused:
        where = own or "each address under which the app is opened"
        such = own or "https://app.example.com"
        said.append(
            Finding(
                "redirect_uri",
                "ok",
                f"It is {where} + the path of the routes + /callback. To see what to register, name the routes' "
                f'addresses: doctor("{such}/smartcar").',
            )
        )
    return {_origin(uri) for uri in uris} or {own} - {""}, said + refused


def _asked(connect: "Connect") -> Iterator[Finding]:
    client = connect.smartcar
    if client.scope is None:
        yield Finding(
            "scope", "ok", "None: Connect asks for the permissions set in the dashboard under Vehicle Access."
        )
    elif not client.scope:
        yield Finding(
            "scope", "warning", "It is empty, so no permission is asked for. Name some, or leave it out."
        )
    else:
        yield Finding("scope", "ok", " ".join(client.scope))
    if client.external_id is not None:
        yield Finding(
            "external_id",
            "warning",
            "Smartcar(external_id=...) sends the same id for every person. Seal each person's own with "
            "launch_url(external_id=...).",
        )


def _pages(connect: "Connect", origins: set[str]) -> Iterator[Finding]:
    if not origins:
        return
    own = " and ".join(sorted(origins))
    for page in sorted(connect._site.allowed_origins):
        relations = {compare_sites(page, origin) for origin in origins}
        if "same" in relations:
            yield Finding("allowed_origins", "ok", f"{page} is on the site of {own}.")
        elif "unsure" in relations:
            yield Finding(
                "allowed_origins",
                "ok",
                f"{page} and {own} are one site, unless what their names share is a suffix under which anybody gets "
                "a name, such as co.uk or github.io.",
            )
        else:
            yield Finding(
                "allowed_origins",
                "problem",
                f"{page} is another site than {own}, so browsers keep this app's cookies from its pages, and they "
                "can't learn the outcome. Serve the page from this app's site, or let it link to launch.",
            )


def _keys(connect: "Connect") -> Iterator[Finding]:
    sealer = connect._sealer
    if sealer.placeholders:
        yield Finding(
            "secret_keys",
            "warning",
            f"{sealer.placeholders} of {sealer.key_count} looks like a placeholder. Whoever guesses it can forge "
            f"answers. Make one with: {_MAKE_A_KEY}",
        )
    else:
        rotation = "one; to change it, put the new one in front and keep this one for a day."
        yield Finding("secret_keys", "ok", rotation if sealer.key_count == 1 else f"{sealer.key_count}.")


def _functions(connect: "Connect") -> Iterator[Finding]:
    if connect._complete is None:
        yield Finding(
            "handlers",
            "problem",
            "No on_complete is registered, so every launch answers 500. Decorate a function: "
            "@connect.on_complete def connected(request, response): ...",
        )
    if connect._error is None:
        yield Finding(
            "handlers",
            "warning",
            "No on_error is registered, so only the log hears why people come back without a car. Decorate a "
            "function: @connect.on_error def failed(request, error): ...",
        )
    if connect._complete is not None and connect._error is not None:
        yield Finding("handlers", "ok", "on_complete and on_error are registered.")
    if connect._identify is None:
        yield Finding(
            "identify",
            "warning",
            "None: response.subject is always None, a person who logs in as somebody else meanwhile isn't noticed, "
            "and launch_url can't seal external_id, user and state. Give identify=, which returns your own id "
            "for the person of a request.",
        )
    else:
        yield Finding("identify", "ok", "Who connects is settled at launch.")


def _memory(connect: "Connect") -> Iterator[Finding]:
    seconds = connect.attempt_seconds
    if seconds < 300:
        yield Finding(
            "attempt_seconds",
            "warning",
            f"{seconds} s: a login with a second factor takes minutes, and then ends as expired. 3600 is usual.",
        )
    elif seconds > 14_400:
        yield Finding(
            "attempt_seconds",
            "warning",
            f"{seconds} s: nobody takes hours, and cookies of attempts given up stay that long. 3600 is usual.",
        )
    else:
        yield Finding("attempt_seconds", "ok", f"{seconds} s for a person to finish.")
    if isinstance(connect._store, ProcessStore):
        yield Finding(
            "store",
            "ok",
            "ProcessStore: an answer counts once in each process. On several workers, one that is delivered to two "
            "of them at the same instant may run on_complete twice; RedisStore, shared by all, rules that out.",
        )
    else:
        yield Finding(
            "store", "ok", f"{type(connect._store).__name__} remembers which attempts are finished."
        )
