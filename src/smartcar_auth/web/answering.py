"""The way back: the callback, and how a page asks after an attempt or gives it up.

This is where an answer becomes believed. The order in `callback` is the product: readable, not doubled,
the state's seal, its age, this browser's cookie, the cookie's tie to this very state, the same person,
once; only then what Connect said, and only then the application's function.
"""

import json
import re
import traceback
from collections.abc import Generator
from typing import Any
from urllib.parse import unquote_plus

from smartcar_auth import (
    AuthorizationResponse,
    Cancelled,
    ConnectError,
    ConnectTimeout,
    InvalidResponse,
    NotCompleted,
    SmartcarAuthError,
    StateMismatch,
)
from smartcar_auth.response import Parameters, read_checked, read_parameters

from . import pages
from .application import (
    NO_REFERRER,
    NOT_CACHED,
    PLAIN_TEXT,
    Application,
    logger,
    not_a_person,
)
from .attempt import (
    PENDING,
    UNKNOWN,
    Attempt,
    Outcome,
    digest_of,
    is_id,
    open_state,
    read_outcome,
    record_of,
    write_outcome,
)
from .causes import REMEDIES
from .cookies import Cookies
from .exchange import Call, Request, Response, Steps
from .options import with_outcome

_RUNNING = "running since "  # a store's value between the claim and the outcome, with the time

# A worker that was killed settles nothing. After this long the page is told, and nobody waits for an hour.
RUNNING_SECONDS = 120
_ABANDONED = Outcome("failed", "handler_failed")


_RETRY = ("Retry-After", "5")


class _StoreFailed(Exception):
    """The store raised; what it said is in the log."""


class Answering(Application):
    """The routes that end an attempt, and tell how it stands."""

    def callback(self, request: Request) -> Steps:
        """Connect comes back: verify, run the application's function once, answer."""
        automatic = not_a_person(request)
        if automatic is not None:
            return automatic
        attempt: Attempt | None = None
        cookies = self._cookies(request)
        try:
            parameters = read_parameters(request.query)
            attempt = self._attempt_of(parameters, cookies)
            if attempt.outcome is not None:
                return self._show_again(request, attempt, attempt.outcome)
            if self._identify is not None:
                yield from self._check_person(request, attempt)
            answer: AuthorizationResponse | ConnectError
            try:
                answer = read_checked(
                    parameters,
                    requires="code" if self.smartcar.response_type == "code" else None,
                    subject=attempt.subject,
                    app_state=attempt.app_state,
                )
            except ConnectError as error:
                answer = error
            before = yield from self._claim(attempt, f"{_RUNNING}{int(self._clock())}")
            if before is not None:
                if before is not _ABANDONED and before.code not in ("cancelled", "timeout"):
                    raise _mismatch(
                        "replayed", "This authorization response was used before; each counts once."
                    )
                return self._finish(request, cookies, attempt, before)
        except _StoreFailed:
            response = self._page(503, pages.unavailable(), request)
            response.headers.append(_RETRY)
            return response
        except InvalidResponse as error:
            return (yield from self._reject(request, attempt, error))
        outcome, native = yield from self._handle(request, attempt, answer)
        try:
            yield self._stored(
                self._store.settle, record_of(attempt), write_outcome(outcome), self.attempt_seconds
            )
        except Exception as error:
            # What happened has happened; the cookie tells this browser, and the claim still bars a second run.
            logger.error("The store failed after attempt %s\n%s", attempt.id, masked(error, request.query))
        return self._finish(request, cookies, attempt, outcome, native)

    def _attempt_of(self, parameters: Parameters, cookies: Cookies) -> Attempt:
        """The attempt this answer belongs to, proven by its state and this browser's cookie.

        Raises:
            StateMismatch: There is no such proof; `cause` says why.
        """
        state = parameters.get("state")
        if not state:
            raise _mismatch("missing", "The answer carries no state.")
        opened = open_state(self._sealer, state)
        if opened is None:
            raise _mismatch(
                "altered",
                "The state was not made by this app, or with a key that is no longer in secret_keys.",
            )
        attempt_id, issued = opened
        attempt = cookies.get(attempt_id)
        if attempt is not None and attempt.digest != digest_of(state):
            attempt = None  # somebody launched with the same id, which is no secret, elsewhere
        if attempt is not None and attempt.outcome is not None:
            return attempt  # a reload shows the same page, although the state has expired in the meantime
        if self._clock() > issued + self.attempt_seconds:
            raise _mismatch(
                "expired", f"The attempt took longer than attempt_seconds, {self.attempt_seconds} s."
            )
        if attempt is None:
            raise _mismatch(
                "other_browser",
                "This browser does not carry the attempt's cookie: it was launched in another browser or on "
                "another host name, it ended more than five minutes ago, or cookies are switched off.",
            )
        return attempt

    def _check_person(self, request: Request, attempt: Attempt) -> Generator[Call, Any, None]:
        """Nobody (a Strict session cookie stays behind on the way back) passes; somebody else doesn't."""
        try:
            subject = yield from self._subject(request)
        except Exception as error:
            # "Nobody is logged in", as frameworks say it: refused, or sent to the login page.
            if getattr(error, "status_code", None) not in (301, 302, 303, 307, 401, 403):
                raise
            subject = None
        if subject is not None and subject != attempt.subject:
            raise _mismatch(
                "other_person", "Another person is logged in than the one who launched the attempt."
            )

    def _handle(
        self, request: Request, attempt: Attempt, answer: AuthorizationResponse | ConnectError
    ) -> Generator[Call, Any, tuple[Outcome, Any]]:
        """Run the application's function; its result is the outcome, or its own response."""
        if isinstance(answer, ConnectError):
            logger.info("Attempt %s failed: %s", attempt.id, answer.code)
            result = yield from self._tell(request, answer, attempt.id)
            outcome = Outcome("failed", answer.code)
        else:
            assert self._complete is not None  # noqa: S101 (launch refuses without one)
            try:
                result = yield Call(self._complete, (request.native, answer))
                if result is not None and not self.is_native(result):
                    json.dumps(result, allow_nan=False)
            except Exception as error:
                logger.error(
                    "on_complete failed for attempt %s\n%s", attempt.id, masked(error, request.query)
                )
                return Outcome("failed", "handler_failed"), None
            logger.info("Attempt %s granted", attempt.id)
            outcome = Outcome("granted")
        if self.is_native(result):
            return outcome, result
        return Outcome(outcome.outcome, outcome.code, result), None

    def _tell(self, request: Request, error: SmartcarAuthError, attempt: str) -> Generator[Call, Any, Any]:
        if self._error is None:
            return None
        try:
            result = yield Call(self._error, (request.native, error))
            if not self.is_native(result):
                json.dumps(result, allow_nan=False)
        except Exception as failure:
            logger.error("on_error failed for attempt %s\n%s", attempt, masked(failure, request.query))
            return None
        return result

    def _reject(self, request: Request, attempt: Attempt | None, error: InvalidResponse) -> Steps:
        """An answer that proves nothing changes nothing: the attempt it names stays as it is."""
        cause = getattr(error, "cause", None)
        logger.warning("Authorization response refused: %s%s", error.code, f" ({cause})" if cause else "")
        result = yield from self._tell(request, error, attempt.id if attempt else "unknown")
        if self.is_native(result):
            return Response(400, [NOT_CACHED, NO_REFERRER], native=result)
        link = (attempt.return_to if attempt else None) or "/"
        return self._page(400, pages.Page(cause or "unreadable", link), request)

    def _finish(
        self, request: Request, cookies: Cookies, attempt: Attempt, outcome: Outcome, native: Any = None
    ) -> Response:
        ended = attempt.ended(outcome)
        fields = cookies.end(ended)
        if native is not None:
            return Response(200, [*fields, NOT_CACHED, NO_REFERRER], native=native)
        if attempt.page_origin is None and attempt.return_to is not None:
            location = with_outcome(attempt.return_to, outcome.code or "granted")
            return Response(303, [("Location", location), NOT_CACHED, NO_REFERRER, *fields])
        response = self._show_again(request, ended, outcome)
        if outcome.code == "handler_failed":
            response.status = 500
        response.headers += fields
        return response

    def _show_again(self, request: Request, attempt: Attempt, outcome: Outcome) -> Response:
        """The outcome page; a reload gets the same."""
        link = attempt.return_to
        if link is not None and attempt.page_origin is None:
            link = with_outcome(link, outcome.code or "granted")
        page = pages.outcome_page(
            attempt.id,
            outcome,
            page_origin=attempt.page_origin,
            stable_asset=attempt.stable_asset,
            link=link or "/",
        )
        return self._page(200, page, request)

    def status(self, request: Request, attempt_id: str) -> Steps:
        """How an attempt stands, told to the browser that carries its cookie and to nobody else."""
        attempt = self._cookies(request).get(attempt_id) if is_id(attempt_id) else None
        if attempt is None:
            return self._json(request, 404, UNKNOWN)
        outcome = attempt.outcome
        if outcome is None:
            try:
                found = yield self._stored(self._store.find, record_of(attempt))
            except Exception as error:
                logger.error("The store failed for attempt %s\n%s", attempt.id, masked(error, b""))
                return self._json(request, 503, UNKNOWN)
            outcome = PENDING if found is None else self._recorded(found)
        return self._json(request, 200, outcome)

    def cancel(self, request: Request, attempt_id: str) -> Steps:
        """The person gave up, or the page's deadline passed. Whoever was first, this or the callback, wins."""
        if not self._site.trusts(request):
            return Response(
                403,
                [PLAIN_TEXT, NOT_CACHED],
                b"The Origin is not allowed.\n",
            )
        cookies = self._cookies(request)
        attempt = cookies.get(attempt_id) if is_id(attempt_id) else None
        if attempt is None:
            return self._json(request, 404, UNKNOWN)
        if attempt.outcome is not None:
            return self._json(request, 200, attempt.outcome)
        ended: NotCompleted
        if request.query == b"reason=timeout":
            ended = ConnectTimeout("The person took longer than the page waits.")
        else:
            ended = Cancelled("The person cancelled the attempt.")
        outcome = Outcome("failed", ended.code)
        try:
            before = yield from self._claim(attempt, write_outcome(outcome))
        except _StoreFailed:
            return self._json(request, 503, UNKNOWN)
        if before is not None:
            return self._json(request, 200, before)
        logger.info("Attempt %s failed: %s", attempt_id, outcome.code)
        yield from self._tell(request, ended, attempt_id)
        response = self._json(request, 200, outcome)
        response.headers += cookies.end(attempt.ended(outcome))
        return response

    def _claim(self, attempt: Attempt, value: str) -> Generator[Call, Any, Outcome | None]:
        """Make this the one answer that counts: None, or how the attempt stands since an earlier one.

        Raises:
            _StoreFailed: Nobody can say whether this is the first; then nothing may happen.
        """
        try:
            before = yield self._stored(self._store.claim, record_of(attempt), value, self.attempt_seconds)
        except Exception as error:
            logger.error(
                "The store failed, so nothing was done for attempt %s\n%s", attempt.id, masked(error, b"")
            )
            raise _StoreFailed from None
        return None if before is None else self._recorded(before)

    def _recorded(self, value: str) -> Outcome:
        """A store's value as an outcome."""
        if not value.startswith(_RUNNING):
            return read_outcome(value)
        since = int(value.removeprefix(_RUNNING))
        return PENDING if self._clock() <= since + RUNNING_SECONDS else _ABANDONED

    def _json(self, request: Request, status: int, outcome: Outcome) -> Response:
        content: dict[str, Any] = {"outcome": outcome.outcome}
        if outcome is not UNKNOWN:
            content |= {"code": outcome.code, "data": outcome.data}
        fields = [
            ("Content-Type", "application/json"),
            NOT_CACHED,
            ("Vary", "Origin, Cookie"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        origin = request.headers.get("origin")
        if origin is not None and origin in self._site.allowed_origins:
            fields += [
                ("Access-Control-Allow-Origin", origin),
                ("Access-Control-Allow-Credentials", "true"),
            ]
        if status == 503:
            fields.append(_RETRY)
        return Response(status, fields, json.dumps(content).encode())


def _mismatch(cause: str, what: str) -> StateMismatch:
    return StateMismatch(f"{what} {REMEDIES[cause]}", cause=cause)


def masked(error: BaseException, query: bytes) -> str:
    """The traceback as text, without what Connect sent: an exception likes to quote what it choked on.

    This is why the log record carries text and no exc_info. Values are masked as they came and decoded.
    """
    text = "".join(traceback.format_exception(error))
    came = [piece.partition("=")[2] for piece in query.decode("latin-1").split("&")]
    secrets = {one for value in came for one in (value, unquote_plus(value)) if len(one) > 3}
    longest_first = sorted(secrets, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), "[masked]", text) if secrets else text
