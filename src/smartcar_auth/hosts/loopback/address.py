"""Where an answer comes to: what a redirect URI and a list of ports say together."""

from __future__ import annotations

from smartcar_auth import ConfigurationError
from smartcar_auth.origin import LOCAL_HOSTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# jupyter-server-proxy's two routes: the first takes its own part of the path away, the second leaves it.
_PROXY = r"(https?://[^/?#]+)([^?#]*?/proxy/(absolute/)?([0-9]{1,5})(/[^?#]*))"


class Address:
    """The ports that may be held, and what follows from the one that is.

    Args:
        redirect_uri: As the core has checked it.
        ports: Those that the caller names; None: the redirect URI's own; an empty list: none.

    Raises:
        ConfigurationError: No port is known, or they are none, or the redirect URI doesn't lead to this machine.
    """

    def __init__(self, redirect_uri: str | None, ports: Iterable[int] | None) -> None:
        named = None if ports is None else _checked(ports)
        path = None
        if named is None and (passed_on := proxied(redirect_uri)):
            port, path = passed_on
            named = [port]
        self._given = redirect_uri
        #: Whether a proxy asks here, and not the browser itself.
        self.proxied = path is not None
        self._stays = self.proxied or named == []
        self._host, self._own_port, self._rest = _parts(None if self._stays else redirect_uri)
        #: The ports that may be held; none if the answer is brought.
        self.candidates = _known(self._own_port) if named is None else named
        #: The path that is asked for.
        self.path = path or self._rest.partition("?")[0] or "/"

    def redirect_uri(self, port: int | None) -> str | None:
        """The redirect URI with the port that is held."""
        if self._stays or port == self._own_port:
            return self._given
        return f"http://{self._host}:{port}{self._rest}"

    def names(self, port: int | None) -> set[str]:
        """What may stand in the Host field of a request to the port that is held."""
        # What another name resolves to is for its owner to say: that is how DNS rebinding would reach this port.
        names = {f"{name}:{port}" for name in LOCAL_HOSTS}
        if port == 80:
            names.update(LOCAL_HOSTS)
        if self._given and self.proxied:  # as the browser asked for it, if the proxy passes that on
            names.add(self._given.partition("://")[2].partition("/")[0].lower())
        return names


def proxied(redirect_uri: str | None) -> tuple[int, str] | None:
    """The port that a redirect URI through jupyter-server-proxy names, and the path that arrives there."""
    if redirect_uri is None or "/proxy/" not in redirect_uri:
        return None
    import re

    found = re.match(_PROXY, redirect_uri, re.ASCII)
    if found is None or not 0 < int(found[4]) < 65536:
        return None
    return int(found[4]), found[5] if found[3] is None else found[2]


def _parts(redirect_uri: str | None) -> tuple[str, int | None, str]:
    """Host, port and the rest of a redirect URI; without one what stands for it."""
    if redirect_uri is None:
        return "localhost", None, "/callback"
    scheme, _, rest = redirect_uri.partition("://")
    if scheme.lower() != "http":
        raise ConfigurationError(
            "A program without a web server is answered at http://localhost:PORT/path: register such a redirect URI, "
            "and make this Smartcar with it."
        )
    end = min(at for at in (rest.find("/"), rest.find("?"), len(rest)) if at >= 0)
    authority = rest[:end]
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        host, port = authority, "80"
    return host, int(port), rest[end:]


def _checked(ports: Iterable[int]) -> list[int]:
    try:
        numbers = list(ports)
    except TypeError:
        numbers = [-1]
    if not all(type(port) is int and 0 <= port <= 65535 for port in numbers):
        raise ConfigurationError("ports must be a list of port numbers such as [8000, 8001].")
    return numbers


def _known(own_port: int | None) -> list[int]:
    if own_port is None:
        raise ConfigurationError(
            "No port is known: make this Smartcar with a registered redirect URI, such as "
            "http://localhost:8000/callback, or pass ports=[8000]."
        )
    return [own_port]
