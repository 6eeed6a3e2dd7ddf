"""What is fuzzed, and what must hold: a target takes any bytes and raises where the package breaks a promise.

Each is a function of bytes alone, so that a finding is one file, and the same function serves Atheris and the
replay in the test suite. An AssertionError is a broken promise; any error that isn't the package's own is one, too.
"""

import json
import logging
import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, quote

from starlette.datastructures import ImmutableMultiDict
from werkzeug.datastructures import MultiDict

from smartcar_auth import (
    AuthorizationResponse,
    ConnectError,
    DuplicateParameter,
    InvalidResponse,
    Smartcar,
    SmartcarAuthError,
    StateMismatch,
    UntrustedOrigin,
)
from smartcar_auth.errors import CONNECT_ERRORS
from smartcar_auth.message import FIELDS, NAME, read_message
from smartcar_auth.response import KNOWN, read_parameters
from smartcar_auth.web import Connect, Request, perform
from smartcar_auth.web.attempt import (
    Attempt,
    Outcome,
    digest_of,
    make_state,
    open_state,
    read_issued,
    seal,
    unseal,
)
from smartcar_auth.web.cookies import MOST, MOST_BYTES, Cookies
from smartcar_auth.web.seal import Sealer

NOW = 1_800_000_000
KEY = "a-key-of-more-than-32-bytes-for-fuzzing"
APPLICATION_ID = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"
ORIGIN = "http://localhost:8000"
STATE = "the-kept-state"
SMARTCAR = Smartcar(application_id=APPLICATION_ID)
SEALER = Sealer(KEY, APPLICATION_ID)


# -- the response reader


def response(data: bytes) -> None:
    """Any address, query, mapping or pairs: parameters or our own error, and no answer without the state."""
    source = _source(data)
    try:
        parameters = read_parameters(source)
    except InvalidResponse as error:
        _keeps_secrets(error, data)
        _refused_by_the_reader_too(source)
        return
    raw = parameters.raw
    assert all(type(name) is str and type(value) is str for name, value in raw.items())
    known = {name: value for name, value in raw.items() if name in KNOWN}
    written = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in known.items())
    assert read_parameters(written).raw == known, "what was read isn't what is written"
    if isinstance(source, bytes):
        _agrees_with_the_standard_library(source, known)
    _believed_with_its_state_only(source, raw)


def _source(data: bytes) -> object:
    """One of the forms in which a framework hands an answer over, told by the first byte."""
    kind, rest = data[:1], data[1:]
    if kind == b"b":
        return rest
    text = rest.decode("utf-8", "surrogateescape")  # lone surrogates, too, are what a text may hold
    if kind == b"t":
        return text
    cells = [line.partition("\t") for line in text.split("\n")]
    pairs = [(name, value) for name, _, value in cells]
    if kind == b"s":
        return ImmutableMultiDict(pairs)
    if kind == b"w":
        return MultiDict(pairs)
    if kind == b"p":
        return [(name, value if tab else None) for name, tab, value in cells]
    mapping: dict[str, object] = {}
    for name, value in pairs:
        mapping[name] = value if name not in mapping else [mapping[name], value]
    return mapping


def _refused_by_the_reader_too(source: object) -> None:
    try:
        SMARTCAR.read_response(source, state=STATE)  # type: ignore[arg-type]
    except InvalidResponse:
        return
    raise AssertionError("refused by the one reader and believed by the other")


def _agrees_with_the_standard_library(query: bytes, known: Mapping[str, str]) -> None:
    """Where the bytes are a bare query, `parse_qsl` reads the same from it: an oracle that isn't ours."""
    if re.search(rb"[?#/:\x80-\xff]", query):
        return
    pairs = parse_qsl(query.decode(), keep_blank_values=True, errors="surrogateescape")
    theirs = [(name, value) for name, value in pairs if name in KNOWN]
    assert known == dict(theirs), "read otherwise"
    assert len(known) == len(theirs), "accepted twice"


def _believed_with_its_state_only(source: object, raw: Mapping[str, str]) -> None:
    try:
        answer = SMARTCAR.read_response(source, state=STATE)  # type: ignore[arg-type]
    except ConnectError as error:
        assert raw["error"]
        assert not raw.get("code"), "code and error together"
        believed: AuthorizationResponse | None = error.response
    except InvalidResponse as error:
        assert isinstance(error, StateMismatch) == (raw.get("state") != STATE)
        return
    else:
        assert answer.code == raw["code"]
        assert answer.code
        assert not raw.get("error")
        believed = answer
    assert raw.get("state") == STATE, "believed without its state"
    assert believed is not None
    assert believed.state == STATE
    link = believed.virtual_key_url
    assert link is None or link[:8].lower() == "https://"
    assert not re.search("[0-9]", repr(believed)), "more than names in the repr"


def _keeps_secrets(error: SmartcarAuthError, data: bytes) -> None:
    said = f"{error}{error!r}"
    for word in re.findall(rb"[A-Za-z0-9_-]{24,}", data):
        assert word.decode() not in said, "an error quotes what came"


# -- the sealed state


ATTEMPT = "AAAAAAAAAAAAAAAAAAAAAQ"
LAUNCHED = make_state(SEALER, ATTEMPT, NOW)
SECOND = make_state(SEALER, ATTEMPT, NOW)  # somebody else's, who launched with the same id
PENDING = Attempt(ATTEMPT, NOW, digest_of(LAUNCHED), "person-1", "/garage", {"plan": 2}, ORIGIN, False)
COOKIE = seal(SEALER, PENDING)
LINK = SEALER.seal_options({"issued": NOW, "for": "person-1", "connect": {"make": "TESLA"}})
OTHERS = [Sealer("another-key-of-more-than-32-bytes", APPLICATION_ID), Sealer(KEY, "another-application")]
FOREIGN = [make_state(one, ATTEMPT, NOW) for one in OTHERS]
# A byte that can't stand in a query stands for one of these, so that what is nearly right is never far away.
PIECES = {1: LAUNCHED, 2: COOKIE, 3: LINK, 4: FOREIGN[0], 5: FOREIGN[1], 6: ATTEMPT, 7: SECOND}


def state(data: bytes) -> None:
    """Whatever is put in the place of the state: nothing altered verifies, and only the very one is answered."""
    text = _with_pieces(data, PIECES)
    _opens_only_what_was_sealed(text)
    for genuine in (LAUNCHED, COOKIE, LINK):
        _opens_only_what_was_sealed(_altered(genuine, data))
    _survives_sealing(data)
    _is_answered_only_with_its_state(text)


def _with_pieces(data: bytes, pieces: Mapping[int, str]) -> str:
    return "".join([pieces.get(byte) or chr(byte) for byte in data])


def _altered(text: str, data: bytes) -> str:
    """The text with one stretch of it replaced: by where, how long, and what instead."""
    start = int.from_bytes(data[:2], "big") % (len(text) + 1)
    cut, rest = data[2:3], data[3:7].decode("latin-1")
    return text[:start] + rest + text[start + sum(cut) % 4 :]


def _opens_only_what_was_sealed(text: str) -> None:
    is_state = text in (LAUNCHED, SECOND)
    assert (SEALER.open_state(text) is not None) == is_state, "opened as a state"
    assert (SEALER.open_cookie(text) is not None) == (text == COOKIE), "opened as a cookie"
    assert (SEALER.open_options(text) is not None) == (text == LINK), "opened as a link"
    assert open_state(SEALER, text) == ((ATTEMPT, NOW) if is_state else None)
    said = read_issued(text)
    assert said == NOW if is_state else said is None or 0 <= said < 2**32
    assert unseal(SEALER, ATTEMPT, text) == (PENDING if text == COOKIE else None)
    for other in OTHERS:
        assert other.open_cookie(text) is None
        assert other.open_state(text) is None or text in FOREIGN


def _survives_sealing(content: bytes) -> None:
    sealed = SEALER.seal_state(content)
    assert SEALER.open_state(sealed) == content
    assert sealed.isascii()
    assert quote(sealed, safe="") == sealed, "a state that an address would change"
    assert open_state(SEALER, sealed) is None or len(content) == 32
    text = [content.decode("latin-1"), content.decode("utf-8", "surrogateescape")]
    assert SEALER.open_cookie(SEALER.seal_cookie(text)) == text


class _Forgetful:
    """A store in which every attempt is the first, so that one input knows nothing of the one before."""

    blocking = False

    def claim(self, attempt: str, value: str, seconds: int) -> None:
        """Always this call's."""

    def settle(self, attempt: str, value: str, seconds: int) -> None:
        """Nothing is kept."""

    def find(self, attempt: str) -> None:
        """Nothing is known."""


logging.getLogger("smartcar_auth").setLevel(logging.CRITICAL)  # a million refusals are no news here
TOLD: list[AuthorizationResponse | SmartcarAuthError] = []
CONNECT = Connect(SMARTCAR, secret_keys=KEY, clock=lambda: NOW, store=_Forgetful())
CONNECT.on_complete(lambda request, answer: TOLD.append(answer))
CONNECT.on_error(lambda request, error: TOLD.append(error))


def _is_answered_only_with_its_state(text: str) -> None:
    """The callback route itself, asked by the browser that carries the cookie."""
    TOLD.clear()
    headers = {"cookie": f"smartcar-{ATTEMPT}={COOKIE}"}
    request = Request("GET", ORIGIN, "/smartcar", text.encode("latin-1"), headers)
    page = perform(CONNECT.callback(request))
    _is_plain(page.headers)
    assert page.error is None
    assert len(TOLD) == 1
    told = TOLD[0]
    believed = told.response if isinstance(told, ConnectError) else told
    assert (page.status, isinstance(believed, AuthorizationResponse)) in ((200, True), (400, False))
    if isinstance(believed, AuthorizationResponse):
        assert believed.state == LAUNCHED, "answered for another state"
        assert believed.subject == "person-1"


def _is_plain(fields: list[tuple[str, str]]) -> None:
    assert all(value.isascii() and value.isprintable() for _, value in fields), "a header field isn't plain"


# -- cookies


OUTCOME = Outcome("granted", None, {"message": "Vehicle added"})
CARRIED = [
    PENDING,
    PENDING._replace(id="AAAAAAAAAAAAAAAAAAAAAg", issued=NOW + 1),
    PENDING._replace(
        id="AAAAAAAAAAAAAAAAAAAAAw", issued=NOW + 2, outcome=OUTCOME, subject=None, app_state=None
    ),
    PENDING._replace(id="AAAAAAAAAAAAAAAAAAAABA", issued=NOW - 1, app_state={"a": "x" * 490}),
]
SEALED = {one.id: seal(SEALER, one) for one in CARRIED}
NEXT = Attempt("AAAAAAAAAAAAAAAAAAAAbw", NOW + 3, "d" * 20, return_to="/garage")


def cookies(data: bytes) -> None:
    """Any Cookie header: nothing unsealed is believed, what is sealed is, and what we set fits and comes back."""
    secure = data[:1] == b"s"
    prefix = "__Host-smartcar-" if secure else "smartcar-"
    whole = [f"{prefix}{attempt}={value}" for attempt, value in SEALED.items()]
    pieces = dict(enumerate([prefix, *whole, *SEALED, *SEALED.values(), LAUNCHED], start=1))
    del pieces[ord("\t")]  # which may stand in a header
    header = _with_pieces(data[1:], pieces)
    found = Cookies(header, secure=secure, sealer=SEALER)
    first: dict[str, str] = {}
    for name, value in re.findall(r"(?:^|;) *([^=;]*)=([^;]*?) *(?=;|\Z)", header):
        first.setdefault(name, value)
    for one in CARRIED:
        carried = first.get(prefix + one.id)
        assert (one.id in found) == (carried is not None)
        assert found.get(one.id) == (one if carried == SEALED[one.id] else None), (
            "believed unsealed, or not sealed"
        )
    for put in (NEXT, CARRIED[0]._replace(outcome=OUTCOME, subject=None, app_state=None)):
        _fits_and_comes_back(
            found.put(put, 60), put, {n: v for n, v in first.items() if _is_ours(n, prefix)}, secure
        )


def _is_ours(name: str, prefix: str) -> bool:
    return re.fullmatch(re.escape(prefix) + "[A-Za-z0-9_-]{21}[AQgw]", name) is not None


def _fits_and_comes_back(
    fields: list[tuple[str, str]], put: Attempt, jar: dict[str, str], secure: bool
) -> None:
    """As a browser keeps them: the cookies of this response, and what is left of those that were there."""
    _is_plain(fields)
    for field, text in fields:
        assert field == "Set-Cookie"
        pair, *attributes = text.split("; ")
        assert {"Path=/", "HttpOnly", "SameSite=Lax"} <= set(attributes)
        assert ("Secure" in attributes) == secure
        name, _, value = pair.partition("=")
        if "Max-Age=0" in attributes:
            del jar[name]
        else:
            jar[name] = value
    header = "; ".join(f"{name}={value}" for name, value in jar.items())
    assert len(jar) <= MOST
    assert len(header) < MOST_BYTES
    assert Cookies(header, secure=secure, sealer=SEALER).get(put.id) == put


# -- the message reader


TRUSTED = ["https://app.example.com", "http://localhost:8000"]
PARAMETERS = dict(FIELDS)
NUMBERS = (("year", int), ("statusCode", int))


def message(data: bytes) -> None:
    """Whatever a window posts, from wherever: parameters as text, None, or an error of ours."""
    origin, _, text = data.decode("utf-8", "surrogateescape").partition("\n")
    posted = _parsed(text)
    named = isinstance(posted, dict) and posted.get("name") == NAME
    for form in (text, posted):
        # Text is parsed only where the name stands in it as it is; whoever writes it otherwise isn't one of ours.
        ours = named and (form is posted or NAME in text)
        try:
            found = read_message(form, origin=origin, trusted_origins=TRUSTED)
        except UntrustedOrigin:
            assert ours
            assert origin not in TRUSTED
            continue
        except InvalidResponse as error:
            assert ours
            assert origin in TRUSTED
            assert not isinstance(error, DuplicateParameter)
            _keeps_secrets(error, data)
            continue
        assert (found is not None) == ours
        if found is not None:
            assert isinstance(posted, dict)
            assert origin in TRUSTED, "believed from elsewhere"
            said = {
                field: value for field, value in posted.items() if field in PARAMETERS and value is not None
            }
            assert found == {PARAMETERS[field]: str(value) for field, value in said.items()}
            assert all(type(value) is str or (field, type(value)) in NUMBERS for field, value in said.items())
            "".join(found.values()).encode()  # raises where there is a lone surrogate
            again = {"name": NAME} | {field: found.get(parameter) for field, parameter in FIELDS}
            assert read_message(json.dumps(again), origin=origin, trusted_origins=TRUSTED) == found


def _parsed(text: str) -> object:
    try:
        parsed: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return parsed


#: What makes an input interesting, for those who mutate them.
WORDS = [
    *(name.encode() + b"=" for name in KNOWN),
    *(json.dumps(field).encode() + b":" for field, _ in FIELDS),
    b'{"name":"SmartcarAuthMessage"',
    STATE.encode(),
    *(one.encode() + b"\n" for one in TRUSTED),
    *(error.encode() for error in CONNECT_ERRORS),
    b"smartcar-",
    b"__Host-smartcar-",
    b"https://",
    b"%E2%82%AC",
    b"\xed\xa0\x80",
    b"\x01;\x02",
]

TARGETS: dict[str, Callable[[bytes], None]] = {
    "response": response,
    "state": state,
    "cookies": cookies,
    "message": message,
}
