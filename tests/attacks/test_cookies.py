"""Cookies: tossed by siblings, misnamed, multiplied, and seals used for what they were not made for."""

import inspect

import pytest
from itsdangerous.signer import SigningAlgorithm

from attacks.wire import Visitor
from browser.application import KEYS
from smartcar_auth import Smartcar
from smartcar_auth.web import Connect
from smartcar_auth.web.seal import Sealer
from web.browser import attempt_id

OTHER_KEYS = ("another-application's-key-of-32-bytes",)
ATTEMPT = attempt_id(7)


def behind_tls(app, **jar):
    visitor = Visitor(app, **jar)
    visitor.host = "app.example.com"
    return visitor


def test_sibling_plants_a_cookie_without_prefix(public_site):
    """evil.example.com sets `Domain=example.com` cookies, and has a genuine one of an attempt of his own.

    Over https only `__Host-` names are read, which no sibling can set.
    """
    attacker = behind_tls(public_site)
    state = attacker.launch().state
    ((name, value),) = attacker.jar.items()
    assert name.startswith("__Host-smartcar-")
    for planted in (
        name.removeprefix("__Host-"),
        name.replace("__Host-", "__host-"),
        name.replace("__Host-", "__Secure-"),
        f"x{name}",
    ):
        assert behind_tls(public_site, **{planted: value}).answer(state).status == 400
    assert {error.cause for error in public_site.errors} == {"other_browser"}


@pytest.mark.parametrize("blank", ["\xa0", "\x85", "\xc2\xa0", "\xe2\x80\x80", "\t", "\x0b", "\x1c", "\x1f"])
def test_sibling_plants_a_prefix_behind_white_space(public_site, blank):
    """To a browser, `<blank>__Host-...` has no prefix, so a sibling may set it; a server that strips sees one."""
    attacker = behind_tls(public_site)
    state = attacker.launch().state
    ((name, value),) = attacker.jar.items()
    victim = behind_tls(public_site)
    victim.jar = {"first": "cookie", f"{blank}{name}": value}
    assert victim.answer(state).status == 400
    assert public_site.granted == []


def test_sibling_plants_a_nameless_cookie(public_site):
    """A cookie without a name whose value reads `__Host-...=...` arrives as if it had one, after an empty pair."""
    attacker = behind_tls(public_site)
    state = attacker.launch().state
    ((name, value),) = attacker.jar.items()
    for cookie in (f"={name}={value}", f"x={name}={value}", f'x="; {name}x={value}"', f"{name}"):
        answer = behind_tls(public_site).callback({"code": "x", "state": state}, cookie=cookie)
        assert answer.status == 400
    assert public_site.granted == []


@pytest.mark.browser
def test_chromium_lets_no_stranger_plant_the_name(application, connect, stranger, page, context):
    """A sub-domain, a cookie for the whole host, a nameless one: what of it reaches us proves nothing.

    Over http, on this machine only, names have no protection; the seal is what is left, and it isn't his.
    """
    app = application(connect_origin=connect[1], identify=True)
    attacker = Visitor(app, person="attacker")
    page.goto(f"{app.origin}/login/victim")
    page.goto(f"{app.origin}/smartcar/launch?attempt={ATTEMPT}")
    hers = page.evaluate("new URLSearchParams(location.search).get('state')")
    theirs = attacker.launch({"attempt": attempt_id(8)}).state
    genuine = attacker.jar[f"smartcar-{attempt_id(8)}"]
    evil, origin = stranger(host="a.localhost")
    evil.answer = lambda path: [
        (b"set-cookie", f"smartcar-{attempt_id(8)}={genuine}; Path=/; Domain=localhost".encode()),
        (b"set-cookie", f"smartcar-{ATTEMPT}=junk; Path=/; Domain=localhost".encode()),
        (b"set-cookie", f"=smartcar-{ATTEMPT}=junk; Path=/; Domain=localhost".encode()),
        (b"set-cookie", f"__Host-smartcar-{ATTEMPT}=junk; Path=/; Domain=localhost".encode()),
    ]
    page.goto(origin)
    page.goto(f"{app.origin}/smartcar/callback?code=attackers-code&state={theirs}")
    assert app.granted == []
    # Another port of the same host is the same jar, so a developer's machine trusts its own programs...
    evil, origin = stranger(host="localhost")
    evil.answer = lambda path: [(b"set-cookie", f"smartcar-{attempt_id(8)}={genuine}; Path=/".encode())]
    page.goto(origin)
    page.goto(f"{app.origin}/smartcar/callback?code=attackers-code&state={theirs}")
    # ... and even then the attempt is another person's.
    assert [error.cause for error in app.errors] == ["other_browser", "other_person"]
    page.goto(f"{app.origin}/smartcar/callback?code=her-code&state={hers}")
    assert [(one.code, one.subject) for one in app.granted] == [("her-code", "victim")]


JUNK = [
    "",
    "x",
    ".",
    "..",
    "a.b",
    "null",
    "[]",
    "{}",
    "0",
    '"',
    "\\",
    "%00",
    "\xff",
    "=" * 50,
    "." * 500,
    "A" * 4000,
]


@pytest.mark.parametrize("value", JUNK, ids=range(len(JUNK)))
def test_cookie_value_is_junk(site, value):
    """Whatever stands in the cookie, status, cancel and callback answer, and nothing is believed."""
    state = Visitor(site).launch({"attempt": ATTEMPT}).state
    attacker = Visitor(site, **{f"smartcar-{ATTEMPT}": value})
    assert attacker.status(ATTEMPT).status == 404
    assert attacker.cancel(ATTEMPT).status == 404
    assert attacker.answer(state).status == 400
    assert attacker.launch({"attempt": ATTEMPT}).status == 409
    assert site.granted == []


NAMES = [
    "",
    "../x",
    "x" * 22,
    ATTEMPT + "A",
    ATTEMPT[:-1],
    ATTEMPT + "\x00",
    "__proto__",
    "%00",
    ATTEMPT + ";",
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_cookie_name_is_a_trick(site, name):
    """He sends a genuine cookie under names that are almost one of ours."""
    attacker = Visitor(site)
    state = attacker.launch({"attempt": ATTEMPT}).state
    value = attacker.jar[f"smartcar-{ATTEMPT}"]
    attacker.jar = {}
    assert attacker.callback({"code": "x", "state": state}, cookie=f"smartcar-{name}={value}").status == 400
    assert site.granted == []


def test_thousands_of_cookies(site):
    """A page planted every cookie it could; one launch clears them away, and its own attempt works."""
    planted = {f"smartcar-{attempt_id(number)}": "x" for number in range(10_000, 11_300)}
    visitor = Visitor(site, **planted)
    state = visitor.launch().state
    assert len(visitor.jar) == 10
    assert visitor.answer(state).status == 200


def test_cookie_cannot_be_moved_to_another_attempt(site):
    """He has a genuine cookie of his own and renames it to the victim's attempt."""
    victim, attacker = Visitor(site), Visitor(site)
    hers = victim.launch({"attempt": ATTEMPT}).state
    attacker.launch({"attempt": attempt_id(8)})
    moved = Visitor(site, **{f"smartcar-{ATTEMPT}": attacker.jar[f"smartcar-{attempt_id(8)}"]})
    assert moved.answer(hers).status == 400
    assert moved.status(ATTEMPT).status == 404


FIELDS = {
    "date",
    "server",
    "connection",
    "content-type",
    "content-length",
    "location",
    "set-cookie",
    "cache-control",
    "referrer-policy",
    "x-content-type-options",
    "x-frame-options",
    "content-security-policy",
    "vary",
}


def test_parameter_sets_no_cookie_of_its_own(site):
    """Line ends in every parameter of every route; an answer has our fields and no other."""
    split = "x%0d%0aSet-Cookie:%20planted=1%0d%0a%0d%0a<script>alert(1)</script>"
    raw = "x\r\nSet-Cookie: planted=1"
    visitor = Visitor(site)
    state = visitor.launch().state
    names = ("attempt", "origin", "return_to", "make", "sealed", "module", "display", "single_select")
    targets = [f"/smartcar/launch?{name}={split}" for name in names]
    targets += [
        f"/smartcar/callback?state={state}&{name}={split}"
        for name in ("code", "error", "error_description", "vin")
    ]
    targets += [
        f"/smartcar/status/{split}",
        f"/smartcar/assets/{split}",
        f"/{split}",
        f"/smartcar/launch?{split}",
    ]
    for target in targets:
        answer = visitor.ask(target)
        assert "planted" not in answer.cookies
        assert {name.lower() for name, _ in answer.fields} <= FIELDS, target
        assert answer.whole.count(b"HTTP/1.1 ") == 1
    for name in ("cookie", "origin", "sec-fetch-site", "if-none-match"):
        answer = visitor.ask("/smartcar/launch", **{name: raw})
        assert "planted" not in answer.cookies


def seals():
    """One genuine seal of each purpose, made with the application's own key."""
    sealer = Sealer(KEYS, "an-application")
    return {
        "state": sealer.seal_state(b"\0" * 32),
        "cookie": sealer.seal_cookie([ATTEMPT, 0, "", None, None, False, None, None]),
        "options": sealer.seal_options({"issued": 2**40, "for": None, "connect": {"user": "x"}}),
    }


def test_seal_of_one_purpose_is_used_for_another(site):
    """He carries a cookie's value, a sealed link and a state to each other's places."""
    made = seals()
    victim = Visitor(site)
    state = victim.launch({"attempt": ATTEMPT}).state
    ((_, cookie),) = victim.jar.items()
    for wrong in (cookie, made["cookie"], made["options"]):
        assert victim.answer(wrong).status == 400
    for wrong in (state, made["state"], made["options"]):
        attacker = Visitor(site, **{f"smartcar-{ATTEMPT}": wrong})
        assert attacker.answer(state).status == 400
        assert attacker.status(ATTEMPT).status == 404
    for wrong in (state, cookie, made["state"], made["cookie"]):
        assert Visitor(site).launch({"sealed": wrong}).status == 403
    assert site.granted == []


def test_seal_of_another_application_with_the_same_key(site):
    """Two applications share a key by mistake; a link or a state of the one is nothing to the other."""
    other = Sealer(KEYS, "another-application")
    link = other.seal_options({"issued": 2**40, "for": None, "connect": {"user": "x"}})
    assert Visitor(site).launch({"sealed": link}).status == 403
    cookie = other.seal_cookie([ATTEMPT, 2**31, "x", None, None, False, None, None])
    assert Visitor(site, **{f"smartcar-{ATTEMPT}": cookie}).status(ATTEMPT).status == 404
    assert Visitor(site).answer(other.seal_state(b"\0" * 32)).status == 400
    assert site.errors[0].cause == "altered"


def test_key_that_was_dropped_is_worth_nothing(application):
    """He stole a key that has since been rotated out: nothing he seals with it is believed, whatever its place."""
    app = application(connect_origin="http://127.0.0.1:9", secret_keys=[*KEYS, *OTHER_KEYS])
    stolen = Connect(
        Smartcar(application_id="an-application"), secret_keys=["a-stolen-key-that-was-rotated-out-1"]
    )
    link = stolen.sealed_query(None, make="TESLA")
    assert Visitor(app).launch(link).status == 403
    kept = Connect(Smartcar(application_id="an-application"), secret_keys=OTHER_KEYS)
    assert Visitor(app).launch(kept.sealed_query(None, make="TESLA")).status == 303


def test_key_of_one_purpose_is_not_the_key_itself(site):
    """He seals with the raw key, without the purpose and the application that our seals carry."""
    for application in ("", "smartcar-auth"):
        plain = Sealer(KEYS, application)
        assert Visitor(site).answer(plain.seal_state(b"\0" * 32)).status == 400
    assert {error.cause for error in site.errors} == {"altered"}


def test_wrong_seal_tells_nothing_of_how_wrong_it_is(site):
    """He improves a forged signature character by character, and looks whether the answer changes.

    Every wrong signature of the right length takes the same way, through `hmac.compare_digest` in itsdangerous,
    and the answer is byte for byte the same whatever beginning is right.
    """
    signer = Sealer(KEYS, "an-application")._states
    assert type(signer.algorithm).verify_signature is SigningAlgorithm.verify_signature
    assert "hmac.compare_digest(" in inspect.getsource(SigningAlgorithm.verify_signature)
    victim = Visitor(site)
    state = victim.launch().state
    content, _, seal = state.partition(".")
    bodies = set()
    for right in range(0, len(seal), 6):
        wrong = "".join("B" if one == "A" else "A" for one in seal[right:-1]) + "A"
        if seal[:right] + wrong != seal:
            answer = victim.answer(f"{content}.{seal[:right]}{wrong}")
            bodies.add((answer.status, answer.body, tuple(name for name, _ in answer.fields)))
    assert len(bodies) == 1
    assert {error.cause for error in site.errors} == {"altered"}
    assert len({str(error) for error in site.errors}) == 1
