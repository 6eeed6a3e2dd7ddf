"""Whether somebody's application withstands what a server can see of Connect's outcomes and attacks.

Any application in any language: one page, a link or button that leads to Connect, and a callback. The
sandbox is its Connect; `smartcar-auth conformance` prints what these checks find, and a test runs them one
by one:

    @pytest.mark.parametrize("check", checks(), ids=str)
    def test_conformance(check, smartcar_sandbox):
        check.run("http://localhost:8000/", smartcar_sandbox)

It sends hostile requests: only for applications that are one's own.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .check import CHECKS, Check, Result, summary

if TYPE_CHECKING:
    from .application import Application

__all__ = ["Check", "Result", "checks", "examine", "summary"]


def checks(*names: str, browser: bool = False) -> list[Check]:
    """The checks, in the order in which they are listed and run.

    Args:
        names: Only these; all if none is given.
        browser: Those that need a real browser as well.

    Raises:
        ValueError: There is no check of this name.
        ImportError: What the checks need isn't installed; it names the extra.
    """
    # Here and not above, so that the command line starts without them. Each puts its checks on the list.
    from . import addresses, outcomes, pages, state, windows

    order = [module.__name__ for module in (outcomes, state, addresses, pages, windows)]
    known = {check.name: check for check in sorted(CHECKS, key=lambda one: order.index(one.look.__module__))}
    for name in names:
        if name not in known:
            raise ValueError(f"There is no check {name}. There are: {', '.join(known)}.")
    return [
        check
        for check in known.values()
        if (not names or check.name in names) and (browser or not check.in_browser or check.name in names)
    ]


def examine(app: "Application", chosen: Iterable[Check] | None = None) -> Iterator[Result]:
    """How each check ends, one after the other.

    Args:
        app: The application, a `smartcar_auth.conformance.application.Application`.
        chosen: The checks; None takes all that its `browser` allows.

    Raises:
        NoLaunch: No way to Connect was found.
        Unreachable: The application gave no answer.
    """
    for check in checks(browser=app.chromium is not None) if chosen is None else chosen:
        yield check.result(app)
