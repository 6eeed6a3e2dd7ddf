"""One check: what it does, why it matters, and how a run of it ends."""

import unittest
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .application import Application

Verdict = Literal["pass", "fail", "n/a"]


class Failed(Exception):
    """The application doesn't hold; the message is a sentence that says what happened."""


class NotApplicable(Exception):
    """Nothing to check here, or nothing that can be seen; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one check ended.

    Args:
        check: Which.
        verdict: "pass", "fail", or "n/a" where there is nothing to check, or nothing that can be seen.
        said: What happened, a line that is printable whatever the application answered.
    """

    check: "Check"
    verdict: Verdict
    said: str = ""

    def __post_init__(self) -> None:
        # It may repeat what an application said, and ends in a terminal.
        printable = "".join(one if one.isprintable() else "?" for one in self.said)
        object.__setattr__(self, "said", printable)

    def __str__(self) -> str:
        line = f"{self.verdict:6}{self.check.name}: {self.said or self.check.does}"
        return f"{line}\n{self.advice}" if self.verdict == "fail" else line

    @property
    def advice(self) -> str:
        """What comes of a failure and what to do, two lines."""
        return f"      Why: {self.check.why}\n      Fix: {self.check.fix}"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that an application must do, or withstand.

    Args:
        name: Stable, such as "state-missing".
        does: What holds if it passes, a sentence.
        why: What comes of a failure.
        fix: What to do about one.
        look: Looks at an application: returns a remark or None, or raises Failed or NotApplicable.
        in_browser: Needs a real browser.
    """

    name: str
    does: str
    why: str
    fix: str
    look: "Callable[[Application], str | None]" = field(repr=False)
    in_browser: bool = False

    def __str__(self) -> str:
        return self.name

    def result(self, app: "Application") -> Result:
        """Look at an application.

        Raises:
            Unreachable: It gave no answer.
        """
        try:
            return Result(self, "pass", self.look(app) or "")
        except Failed as error:
            return Result(self, "fail", str(error))
        except NotApplicable as error:
            return Result(self, "n/a", str(error))

    def run(self, url: str, sandbox: Any = None, **options: Any) -> None:
        """Look at an application, in a test.

        Args:
            url: Of the page with the button or link.
            sandbox: The running `Sandbox` that is the application's Connect.
            options: More of `Application`: `launch`, `cookies`, `other_cookies`, `seconds`, `browser`.

        Raises:
            AssertionError: It fails; the message says why, and what to do.
            unittest.SkipTest: There is nothing to check. pytest and unittest count the test as skipped.
        """
        __tracebackhide__ = True
        from .application import Application

        found = self.result(Application(url, sandbox, **options))
        if found.verdict == "fail":
            raise AssertionError(str(found))
        if found.verdict == "n/a":
            raise unittest.SkipTest(found.said)


CHECKS: list[Check] = []


def check(
    name: str, does: str, *, why: str, fix: str, in_browser: bool = False
) -> "Callable[[Callable[[Application], str | None]], Callable[[Application], str | None]]":
    """Put a function on the list of checks."""

    def listed(
        look: "Callable[[Application], str | None]",
    ) -> "Callable[[Application], str | None]":
        CHECKS.append(Check(name, does, why, fix, look, in_browser))
        return look

    return listed


def summary(results: Iterable[Result]) -> str:
    """How it went, as a sentence."""
    verdicts = [result.verdict for result in results]
    failed, passed, apart = (verdicts.count(one) for one in ("fail", "pass", "n/a"))
    apart_said = f", {apart} {'do' if apart != 1 else 'does'} not apply" if apart else ""
    if failed:
        return (
            f"{failed} of {len(verdicts)} checks fail{'s' if failed == 1 else ''}, {passed} pass{apart_said}."
        )
    return f"{passed} checks pass{apart_said}; none fails."
