"""Real applications, real servers, the sandbox as Connect: ours pass, broken ones fail where they are broken."""

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from browser.application import Server, serving
from browser.sites import under_werkzeug
from conformance import hand_made, raw, sound, subtle
from smartcar_auth.conformance import Check, Result, checks, examine
from smartcar_auth.conformance.application import Application
from smartcar_auth.sandbox import Sandbox

EXAMPLES = Path(__file__).parent.parent.parent / "examples"

HAND_MADE = {
    "state-unguessable",
    "state-missing",
    "state-forged",
    "state-other-browser",
    "state-chosen",
    "replay-other-browser",
    "doubled",
    "code-empty",
    "open-redirect",
    "redirect-uri-chosen",
    "host-header",
    "markup-in-answer",
    "code-in-page",
    "message-target",
    "cache",
    "referrer",
    "framing",
    "cookies",
    "prefetch-launch",
}
HAND_MADE_IN_BROWSER = {"browser-closed", "browser-blocked", "browser-code"}
SUBTLE = {"state-other-browser", "replay-same-browser", "replay-other-browser", "forwarded-headers"}
FLAWS = {
    "request",
    "redirect-uri",
    "granted",
    "denied",
    "exits",
    "errors",
    "two-at-once",
    "exchange-fails",
    "forged-changes-nothing",
    "state-unguessable",
    "state-missing",
    "state-forged",
    "state-chosen",
    "code-and-error",
    "doubled",
    "code-empty",
    "open-redirect",
    "markup-in-launch",
    "junk",
    "prefetch-callback",
}
FLAWS_IN_BROWSER = {"browser-granted", "browser-denied", "browser-opener-cut"}


@pytest.fixture(scope="module")
def connect() -> Iterator[Sandbox]:
    with Sandbox() as started:
        yield started


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    with serving() as started:
        yield started


@pytest.fixture
def serve_wsgi() -> Iterator[Callable[[Any], str]]:
    with ExitStack() as servers:
        yield lambda app: servers.enter_context(under_werkzeug(app))


def results(url: str, sandbox: Sandbox | None, **options: Any) -> list[Result]:
    return list(examine(Application(url, sandbox, **options)))


def named(found: list[Result], verdict: str) -> set[str]:
    return {result.check.name for result in found if result.verdict == verdict}


def test_every_check_fails_somewhere() -> None:
    """A check that no application fails here would be one that nobody has seen fail."""
    seen = HAND_MADE | HAND_MADE_IN_BROWSER | SUBTLE | FLAWS | FLAWS_IN_BROWSER | {"split-headers"}
    assert {check.name for check in checks(browser=True)} == seen


# -- broken ones


def test_hand_made_application_fails_where_it_is_broken(
    connect: Sandbox, serve_wsgi: Callable[[Any], str]
) -> None:
    """The usual mistakes, each found, and nothing else."""
    found = results(serve_wsgi(hand_made.create_app(connect.origin)), connect)
    assert named(found, "fail") == HAND_MADE, "\n".join(map(str, found))


def test_subtle_application_fails_where_it_is_broken(connect: Sandbox, serve: Callable[..., Server]) -> None:
    """A state that is signed and bound to nobody, and a host that anybody may name."""
    found = results(serve(subtle.create_app(connect.origin)).origin, connect)
    assert named(found, "fail") == SUBTLE, "\n".join(map(str, found))
    assert named(found, "n/a") == {"cookies"}


@pytest.mark.parametrize("name", sorted(FLAWS))
def test_flaw_is_found(name: str, connect: Sandbox, serve: Callable[..., Server]) -> None:
    """An application that is sound but for what one check looks for fails it."""
    [check] = checks(name)
    app = Application(serve(sound.create_app(connect.origin, name)).origin, connect)
    assert check.result(app).verdict == "fail"


def test_split_headers_are_found(connect: Sandbox) -> None:
    """Where no framework refuses line breaks, one in Connect's words starts a header field."""
    with raw.serving(connect.origin) as url:
        [check] = checks("split-headers")
        assert check.result(Application(url, connect)).verdict == "fail"


# -- sound ones


def test_sound_application_passes_everything(connect: Sandbox, serve: Callable[..., Server]) -> None:
    """It wasn't made with this package; nothing is held against it, and nothing but its redirects is out of reach."""
    found = results(serve(sound.create_app(connect.origin)).origin, connect)
    assert named(found, "fail") == set(), "\n".join(map(str, found))
    assert named(found, "n/a") == set(), "\n".join(map(str, found))


def loaded(name: str, connect: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("SMARTCAR_APPLICATION_ID", "an-application")
    monkeypatch.setenv("SMARTCAR_CONNECT_ORIGIN", connect.origin)
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# None of them exchanges a code, which these two need to see.
UNSEEN = {"exchange-fails", "replay-same-browser"}


@pytest.mark.parametrize("name", ["fastapi_app", "starlette_app", "quart_app", "flask_app", "bottle_app"])
def test_example_passes(
    name: str,
    connect: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    serve: Callable[..., Server],
    serve_wsgi: Callable[[Any], str],
) -> None:
    """Our own examples, as they are."""
    module = loaded(name, connect, monkeypatch)
    if name == "flask_app":
        url = serve_wsgi(module.create_app()) + "/login/ann"
    elif name == "bottle_app":
        url = serve_wsgi(module.app)
    else:
        url = serve(module.app).origin
    found = results(url, connect)
    assert named(found, "fail") == set(), "\n".join(map(str, found))
    assert named(found, "n/a") == UNSEEN


# -- without the sandbox


def test_application_that_asks_another_connect_is_examined_all_the_same(
    connect: Sandbox, serve_wsgi: Callable[[Any], str]
) -> None:
    """Its answers are made up, and nothing is sent to the Connect that it asks."""
    with Sandbox() as another:
        url = serve_wsgi(hand_made.create_app(another.origin))
        found = results(url, connect)
        assert len(another.requests) == 0
    assert named(found, "fail") == HAND_MADE, "\n".join(map(str, found))


# -- in a browser


def fails(check: Check, app: Application) -> bool:
    return check.result(app).verdict == "fail"


@pytest.mark.browser
def test_example_passes_in_a_browser(
    connect: Sandbox, monkeypatch: pytest.MonkeyPatch, serve: Callable[..., Server], browser: Browser
) -> None:
    """What a person sees of the pop-up, blocked, closed and cut off included."""
    url = serve(loaded("fastapi_app", connect, monkeypatch).app).origin
    app = Application(url, connect, browser=browser)
    found = [check.result(app) for check in checks(browser=True) if check.in_browser]
    assert [result.verdict for result in found] == ["pass"] * len(found), "\n".join(map(str, found))


@pytest.mark.browser
def test_hand_made_application_fails_in_a_browser(
    connect: Sandbox, serve_wsgi: Callable[[Any], str], browser: Browser
) -> None:
    """It never notices that its window was closed or blocked, and has the code in its store."""
    app = Application(serve_wsgi(hand_made.create_app(connect.origin)), connect, browser=browser, seconds=3)
    for name in sorted(HAND_MADE_IN_BROWSER):
        assert fails(checks(name)[0], app), name


@pytest.mark.browser
@pytest.mark.parametrize("name", sorted(FLAWS_IN_BROWSER))
def test_flaw_is_found_in_a_browser(
    name: str, connect: Sandbox, serve: Callable[..., Server], browser: Browser
) -> None:
    """A page that says nothing after a grant, after a denial, or where its opener was cut off."""
    url = serve(sound.create_app(connect.origin, name)).origin
    app = Application(url, connect, browser=browser, seconds=3)
    assert fails(checks(name)[0], app)
