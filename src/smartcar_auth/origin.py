"""What an origin is, and what a redirect URI may be: the one rule, for every place that takes either.

An origin is `scheme://host[:port]` and nothing more (RFC 6454), https everywhere, http on this machine only.
Nothing here asks the network or knows a framework.
"""

from ._platform import decode_lossy, encode, plain, unquote
from .errors import ConfigurationError

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
HOSTED_PAGE = "https://javascript-sdk.smartcar.com"

_DEFAULT_PORTS = {"https": "443", "http": "80"}
_HOST_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-._"
_IPV6_CHARACTERS = "0123456789abcdef:."
_WIDE_SPACES = "\u1680\u2028\u2029\u202f\u205f\u3000\ufeff"


def parse_origin(text: "str", what: "str" = "origin") -> "str":
    """The origin in the form in which browsers write it: lower case, without the default port.

    A lone trailing `/` is dropped.

    Args:
        text: `https://host`, `https://host:port`, or `http://` on localhost, 127.0.0.1 or [::1].
        what: the option's name, for the message.

    Raises:
        ConfigurationError: anything else.
    """
    scheme, authority, rest = _split(text, what)
    if scheme not in _DEFAULT_PORTS:
        raise ConfigurationError(
            f'{what} must begin with https:// (or http:// on localhost), not "{scheme}://".'
        )
    if rest not in ("", "/"):
        raise ConfigurationError(
            f"{what} must be an origin alone, such as https://example.com, without path, query or fragment."
        )
    host, port = _host_and_port(authority, what)
    _require_https(scheme, host, what)
    if port and port != _DEFAULT_PORTS[scheme]:
        return f"{scheme}://{host}:{port}"
    return f"{scheme}://{host}"


def origin_of(address: "str") -> "str | None":
    """The origin of a whole address that was checked, or None for a scheme of an application's own."""
    scheme, authority, _ = _split(address, "address")
    return parse_origin(scheme + "://" + authority, "address") if scheme in _DEFAULT_PORTS else None


def check_redirect_uri(text: "str", application_id: "str") -> "str":
    """The redirect URI as given, byte for byte (that is how Connect compares it), if it can work at all.

    Raises:
        ConfigurationError: neither https, nor http on this machine, nor `sc<application id>://`; or a
            fragment, user info, white space, a bad host or port. RFC 6749, 3.1.2: it "MUST NOT include a
            fragment component".
    """
    what = "redirect_uri"
    scheme, authority, rest = _split(text, what)
    if "#" in rest:
        raise ConfigurationError("redirect_uri must not have a fragment: leave out the # and what follows.")
    if scheme in _DEFAULT_PORTS:
        host, _ = _host_and_port(authority, what)
        _require_https(scheme, host, what)
    elif scheme != "sc" + application_id.lower():
        raise ConfigurationError(
            "redirect_uri must begin with https://, with http:// on localhost, 127.0.0.1 or [::1], or with "
            f'the application\'s own scheme "sc<application id>://", not "{scheme}://".'
        )
    elif not authority or "@" in authority:
        raise ConfigurationError("redirect_uri must have a host and no user info: sc<application id>://host.")
    return plain(text)


def hosted_redirect_uri(app_origin: "str", version: "int" = 2) -> "str":
    """The redirect URI of Smartcar's hosted page, which hands the answer to the page at `app_origin`.

    Register exactly this text in the Smartcar dashboard: URIs match byte for byte, so the origin is kept as
    given and isn't percent-encoded. A lone trailing `/` is dropped.

    Args:
        app_origin: where your page lives, such as `https://example.com` or `http://localhost:8000`.
        version: the major version of the hosted page.

    Raises:
        ConfigurationError: no origin, or more than an origin; a version that is no positive whole number.
    """
    parse_origin(app_origin, "app_origin")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ConfigurationError("version must be a positive whole number, such as 2.")
    origin = plain(app_origin)
    if origin.endswith("/"):
        origin = origin[:-1]
    return f"{HOSTED_PAGE}/v{version}/redirect?app_origin={origin}"


def app_origin_of(redirect_uri: "str") -> "str | None":
    """The page to which Smartcar's hosted page hands the answer, by that one's address; None if it names none.

    Percent-encoded or not, as that page reads it. Nothing is checked.
    """
    name = "app_origin="
    for piece in redirect_uri.partition("?")[2].split("&"):
        if piece.startswith(name):
            told = decode_lossy(unquote(piece[len(name) :]))
            return told[:-1] if told.endswith("/") else told
    return None


def is_https_url(text: "str") -> "bool":
    """Whether a text from outside is an https address that a person may be sent to."""
    try:
        scheme, authority, _ = _split(text, "")
        _host_and_port(authority, "")
    except ConfigurationError:
        return False
    return scheme == "https"


def _split(text: "str", what: "str") -> "tuple[str, str, str]":
    """Scheme in lower case, authority, and the rest."""
    if not isinstance(text, str):
        raise ConfigurationError(f"{what} must be text, not {type(text).__name__}.")
    scheme, separator, tail = plain(text).partition("://")
    if not separator:
        raise ConfigurationError(
            f"{what} must be a whole address with its scheme, such as https://example.com."
        )
    try:
        encode(text)
    except UnicodeError:
        raise ConfigurationError(
            f"{what} holds a lone surrogate, which is no text; write it in ASCII."
        ) from None
    for character in text:
        # Browsers drop tabs and line ends and read "\" as "/": what we check and what they open would differ.
        if _is_blank(character) or character == "\\":
            raise ConfigurationError(f"{what} must not hold white space, control characters or backslashes.")
    end = len(tail)
    for delimiter in "/?#":
        found = tail.find(delimiter)
        if 0 <= found < end:
            end = found
    return scheme.lower(), tail[:end], tail[end:]


def _host_and_port(authority: "str", what: "str") -> "tuple[str, str]":
    """Host in lower case, and the port's digits or an empty text."""
    if "@" in authority:
        raise ConfigurationError(f"{what} must not hold user info: leave out what precedes the @.")
    if authority.startswith("["):
        host, bracket, port = authority.lower().partition("]")
        host += bracket
        valid = len(host) > 3 and bracket and all(character in _IPV6_CHARACTERS for character in host[1:-1])
        valid = valid and (not port or port.startswith(":"))
        separator, port = port[:1], port[1:]
    else:
        host, separator, port = authority.lower().partition(":")
        valid = all(label and label[0] != "-" for label in host.split(".")) and all(
            character in _HOST_CHARACTERS for character in host
        )
    if not valid:
        raise ConfigurationError(
            f"{what} must have a host, such as example.com, in ASCII (xn--... for other alphabets)."
        )
    if separator and not _is_port(port):
        raise ConfigurationError(f"{what} must have a port from 1 to 65535 after the colon, or no colon.")
    return host, port


def _require_https(scheme: "str", host: "str", what: "str") -> "None":
    if scheme == "http" and host not in LOCAL_HOSTS:
        raise ConfigurationError(
            f"{what} must be https: http works on localhost, 127.0.0.1 and [::1] only, not on {host}."
        )


def _is_port(text: "str") -> "bool":
    return (
        0 < len(text) <= 5
        and all(character in "0123456789" for character in text)
        and text[0] != "0"
        and int(text) <= 65535
    )


def _is_blank(character: "str") -> "bool":
    # Spelled out: str.isspace() knows ASCII only on MicroPython.
    number = ord(character)
    return number <= 0x20 or 0x7F <= number <= 0xA0 or 0x2000 <= number <= 0x200A or character in _WIDE_SPACES
