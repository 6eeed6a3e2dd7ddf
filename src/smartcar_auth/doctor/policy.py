"""Content-Security-Policy: which directive keeps a page from loading or asking an address.

As much of CSP Level 3 (https://www.w3.org/TR/CSP3/) as Connect's page needs: scripts, requests, sandbox.
"""

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, unquote, urlsplit

Policy = dict[str, list[str]]

SCRIPT = ("script-src-elem", "script-src", "default-src")
REQUEST = ("connect-src", "default-src")
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(
    r"(?:([a-z][a-z0-9+.-]*)://)?(\*|(?:\*\.)?[^/:*]+)(?::([0-9]{1,5}|\*))?(/.*)?", re.IGNORECASE
)


def read_policies(values: Iterable[str]) -> list[Policy]:
    """Every policy in force; a page needs the consent of each. The first of two equal directives counts."""
    policies = []
    for value in values:
        for text in value.split(","):
            policy: Policy = {}
            for directive in text.split(";"):
                name, *sources = directive.split() or [""]
                if name:
                    policy.setdefault(name.lower(), sources)
            if policy:
                policies.append(policy)
    return policies


def blocking(
    policies: Iterable[Policy],
    directives: tuple[str, ...],
    url: str,
    page: str,
    *,
    nonce: str | None = None,
    integrity: str | None = None,
) -> str | None:
    """The directive that blocks, or None.

    Args:
        policies: In force on the page.
        directives: SCRIPT or REQUEST: the one that decides is the first of them that a policy has.
        url: What is loaded.
        page: Origin of the page.
        nonce: Of the script element, if there is one.
        integrity: Of the script element.
    """
    for policy in policies:
        name = next((one for one in directives if one in policy), None)
        if name is not None and not _allows(policy[name], directives, url, page, nonce, integrity):
            return name
    return None


def missing_from_sandbox(policies: Iterable[Policy]) -> list[str]:
    """What a `sandbox` directive would have to allow for a pop-up with Connect in it."""
    needed = ("allow-scripts", "allow-same-origin", "allow-popups", "allow-popups-to-escape-sandbox")
    return [
        flag
        for flag in needed
        if any("sandbox" in policy and flag not in map(str.lower, policy["sandbox"]) for policy in policies)
    ]


def _allows(
    sources: list[str],
    directives: tuple[str, ...],
    url: str,
    page: str,
    nonce: str | None,
    integrity: str | None,
) -> bool:
    words = [source.lower() for source in sources]
    if directives is SCRIPT:
        if nonce and f"'nonce-{nonce}'" in sources:
            return True
        if integrity and all(f"'{one}'" in sources for one in integrity.split()):
            return True
        if "'strict-dynamic'" in words:
            # Then only nonces and hashes count. A module without an element is imported by a trusted script.
            return nonce is None
    return any(_matches(word, urlsplit(url), urlsplit(page)) for word in words)


def _matches(source: str, url: SplitResult, page: SplitResult) -> bool:
    if source == "'self'":
        same_host = url.hostname == page.hostname
        return same_host and (
            (url.scheme, _port(url)) == (page.scheme, _port(page))
            or (page.scheme == "http" and url.scheme == "https" and _port(url) == 443)
        )
    if source == "*":
        return url.scheme in _PORTS
    if source.endswith(":"):
        return source[:-1] == url.scheme or (source == "http:" and url.scheme == "https")
    found = _HOST.fullmatch(source)
    if found is None or source.startswith("'"):
        return False
    scheme, host, port, path = found.groups()
    scheme = scheme or page.scheme
    if url.scheme != scheme and (scheme, url.scheme) != ("http", "https"):
        return False
    name = url.hostname or ""
    if not (host == "*" or name == host or (host.startswith("*.") and name.endswith(host[1:]))):
        return False
    if port != "*" and _port(url) != int(port or _PORTS[url.scheme]):
        return False
    return not path or (
        url.path.startswith(path) if path.endswith("/") else unquote(url.path) == unquote(path)
    )


def _port(url: SplitResult) -> int:
    return url.port or _PORTS.get(url.scheme, 0)
