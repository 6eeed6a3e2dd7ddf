"""Where an answer comes to: what a redirect URI and a list of ports say."""

from __future__ import annotations

from smartcar_auth import ConfigurationError
from smartcar_auth.origin import LOCAL_HOSTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def parts(redirect_uri: str | None) -> tuple[str, int | None, str]:
    """Host, port and the rest of a redirect URI, which the core has checked; without one what stands for it.

    Raises:
        ConfigurationError: It doesn't lead to this machine.
    """
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


def names_of(port: int | None, *, proxied: str | None) -> set[str]:
    """What stands in the Host field of requests to this port.

    Args:
        proxied: The redirect URI that a proxy passes on; None if nobody does.
    """
    # What another name resolves to is for its owner to say: that is how DNS rebinding would reach this port.
    names = {f"{name}:{port}" for name in LOCAL_HOSTS}
    if port == 80:
        names.update(LOCAL_HOSTS)
    if proxied is not None:  # as the browser asked for it, if the proxy passes that on
        names.add(proxied.partition("://")[2].partition("/")[0].lower())
    return names


def checked(ports: Iterable[int]) -> list[int]:
    """A caller's ports.

    Raises:
        ConfigurationError: They are no numbers of ports.
    """
    try:
        numbers = list(ports)
    except TypeError:
        numbers = [-1]
    if not all(type(port) is int and 0 <= port <= 65535 for port in numbers):
        raise ConfigurationError("ports must be a list of port numbers such as [8000, 8001].")
    return numbers


def known(own_port: int | None) -> list[int]:
    """The port that a redirect URI names, where the caller names none.

    Raises:
        ConfigurationError: It names none either.
    """
    if own_port is None:
        raise ConfigurationError(
            "No port is known: make this Smartcar with a registered redirect URI, such as "
            "http://localhost:8000/callback, or pass ports=[8000]."
        )
    return [own_port]
