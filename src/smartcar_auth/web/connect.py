"""The routes: launch, callback, status, cancel and the assets, each a generator over plain values.

This is where an answer becomes believed. The order in `callback` is the product: readable, not doubled,
the state's seal, its age, this browser's cookie, the cookie's tie to this very state, the same person,
once; only then what Connect said, and only then the application's function.
"""

import json
import logging
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from smartcar_auth import (
    AuthorizationResponse,
    Cancelled,
    ConfigurationError,
    ConnectError,
    ConnectTimeout,
    InvalidResponse,
    NotCompleted,
    Smartcar,
    SmartcarAuthError,
    StateMismatch,
)
from smartcar_auth.response import Parameters, read_checked, read_parameters
from smartcar_auth.web import assets, pages
from smartcar_auth.web.attempt import (
    PENDING,
    UNKNOWN,
    Attempt,
    Outcome,
    digest_of,
    is_id,
    make_id,
    make_state,
    open_state,
    read_outcome,
    write_outcome,
)
from smartcar_auth.web.cookies import Cookies
from smartcar_auth.web.exchange import Call, Request, Response, Steps
from smartcar_auth.web.options import (
    LONGEST_SUBJECT,
    LaunchOptions,
    Refused,
    read_launch,
    seal_launch,
    with_outcome,
)
from smartcar_auth.web.seal import Sealer
from smartcar_auth.web.site import Site
from smartcar_auth.web.store import ProcessStore, Store

Function = TypeVar("Function", bound=Callable[..., Any])

logger = logging.getLogger("smartcar_auth")

_RUNNING = "running"  # a store's value between the claim and the outcome
_NOT_CACHED = ("Cache-Control", "no-store")
_NO_REFERRER = ("Referrer-Policy", "no-referrer")


class Connect:
    """Connect's server side for one application: give it a `Smartcar` and the functions to call.

    Hosts subclass it and add what their framework wants; on its own it answers `Request` values.

    Args:
        smartcar: Which application asks, for what. Its `redirect_uri` may be None: then it is
            `public_url`, or the request's own origin, plus the callback route.
        secret_keys: Seal state and cookies; text or bytes of at least 32 bytes, the newest first.
        identify: `identify(request)` gives the application's own id for the person (text or int), or
            None. Settled at launch; a callback under another person's name is refused.
        public_url: Where browsers reach the application, such as "https://app.example.com", when the
            server can't tell from the request.
        allowed_origins: Other origins of the same site whose pages may launch.
        store: Remembers finished attempts; `ProcessStore()` unless given.
        attempt_seconds: How long a person may take.
        clock: Seconds since 1970.

    Raises:
        ConfigurationError: An option can't be right; the message says what to do.
    """

    def __init__(
        self,
        smartcar: Smartcar,
        *,
        secret_keys: str | bytes | Iterable[str | bytes],
        identify: Callable[[Any], Any] | None = None,
        public_url: str | None = None,
        allowed_origins: Iterable[str] = (),
        store: Store | None = None,
        attempt_seconds: int = 3600,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not isinstance(smartcar, Smartcar):
            raise ConfigurationError(f"The first argument must be a Smartcar, not {type(smartcar).__name__}.")
        if smartcar.on_complete is not None:
            raise ConfigurationError(
                "Smartcar(on_complete=...) is for hosts that wait in one process. On the web, register the "
                "function with @connect.on_complete instead."
            )
        if not isinstance(attempt_seconds, int) or not 10 <= attempt_seconds <= 86_400:
            raise ConfigurationError("attempt_seconds must be a whole number from 10 to 86400 (a day).")
        self.smartcar = smartcar
        self.attempt_seconds = attempt_seconds
        self._sealer = Sealer(secret_keys, smartcar.application_id)
        self._identify = identify
        self._site = Site(smartcar, public_url, allowed_origins)
        self._store: Store = ProcessStore() if store is None else store
        self._store_blocks = getattr(self._store, "blocking", True)
        self._clock = clock
        self._complete: Callable[..., Any] | None = None
        self._error: Callable[..., Any] | None = None

    # -- what the application registers

    def on_complete(self, function: Function) -> Function:
        """Register the function for a granted attempt, called as `function(request, response)`, once.

        What it returns is JSON for the waiting page, or None, or the framework's own response.
        """
        if self._complete is not None:
            raise ConfigurationError("on_complete is registered already; an attempt is handled once.")
        self._complete = function
        return function

    def on_error(self, function: Function) -> Function:
        """Register the function for every other end, called as `function(request, error)`."""
        if self._error is not None:
            raise ConfigurationError("on_error is registered already; an attempt is handled once.")
        self._error = function
        return function

    # -- launch

    def launch(self, request: Request) -> Steps:
        """Open an attempt and send the browser to Connect."""
        automatic = _not_a_person(request)
        if automatic is not None:
            return automatic
        options = LaunchOptions()
        try:
            if self._complete is None:
                raise ConfigurationError(
                    "No on_complete is registered, so nobody would receive the car. Decorate a function: "
                    "@connect.on_complete def connected(request, response): ..."
                )
            return (yield from self._launch(request, options))
        except Refused as refusal:
            logger.info("Launch refused with %d: %s", refusal.status, refusal.reason)
            waiting = self._waiting(request, options) if refusal.code else None
            outcome = Outcome("failed", refusal.code, {"message": refusal.reason})
            return Response(refusal.status, pages.headers(), pages.refusal(outcome, waiting))
        except ConfigurationError as error:
            outcome = Outcome("failed", error.code)
            body = pages.refusal(outcome, self._waiting(request, options), kind="configuration")
            return Response(500, pages.headers(), body, error=error)

    def _launch(self, request: Request, options: LaunchOptions) -> Steps:
        now = self._clock()
        read_launch(options, request.query, self._sealer, now)
        if request.headers.get("sec-fetch-site") == "cross-site":
            self._site.check_other_site(options.page_origin, request)
            return Response(200, pages.headers(), pages.question(request.query.decode("ascii")))
        client = self._site.client(request)
        assert client.redirect_uri is not None  # noqa: S101 (for the type checker: Site.client sees to it)
        self._site.check_page(options.page_origin, request, client.redirect_uri)
        if options.attempt is not None and not is_id(options.attempt):
            raise Refused(400, "The attempt's id is not 16 bytes as base64url.")
        cookies = self._cookies(request)
        attempt_id = options.attempt or make_id()
        if attempt_id in cookies:
            raise Refused(
                409, "This attempt is under way already. Go back to the app to see how it stands.", code=None
            )
        subject = yield from self._subject(request)
        if options.is_sealed and options.sealed_for != subject:
            raise Refused(
                403,
                "This link was made for another person. Log in as that person and try again.",
                code="state_mismatch",
            )
        if options.external_id is not None:
            client = client.replace(external_id=options.external_id)
        state = make_state(self._sealer, attempt_id, int(now))
        attempt = Attempt(
            attempt_id,
            int(now),
            digest_of(state),
            subject,
            options.return_to,
            options.app_state,
            (options.page_origin or self._site.origin(request)) if options.popup else None,
            options.stable_asset,
        )
        try:
            location = client.get_auth_url(state, **options.connect)
        except ConfigurationError as error:
            raise Refused(400, f"Connect does not take this. {error}") from None
        fields = [("Location", location), _NOT_CACHED, _NO_REFERRER]
        return Response(303, fields + cookies.put(attempt, self.attempt_seconds))

    def _waiting(self, request: Request, options: LaunchOptions) -> tuple[str, str] | None:
        """The attempt and the origin of the page that waits for it, if one does that may be told."""
        page = options.page_origin or self._site.origin(request)
        known = page == self._site.origin(request) or page in self._site.allowed_origins
        if options.popup and options.attempt and is_id(options.attempt) and known:
            return options.attempt, page
        return None

    # -- callback

    def callback(self, request: Request) -> Steps:
        """Connect comes back: verify, run the application's function once, answer."""
        automatic = _not_a_person(request)
        if automatic is not None:
            return automatic
        attempt: Attempt | None = None
        cookies = self._cookies(request)
        try:
            parameters = read_parameters(request.query)
            attempt = self._attempt_of(parameters, cookies)
            if attempt.outcome is not None:
                return self._show_again(attempt, attempt.outcome)
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
            before = yield self._stored(self._store.claim, attempt.id, _RUNNING, self.attempt_seconds)
            if before is not None:
                outcome = None if before == _RUNNING else read_outcome(before)
                if outcome is None or outcome.code not in ("cancelled", "timeout"):
                    raise StateMismatch(
                        "This authorization response was used before; each counts once.", cause="replayed"
                    )
                return self._finish(cookies, attempt, outcome)
        except InvalidResponse as error:
            return (yield from self._reject(request, attempt, error))
        outcome, native = yield from self._handle(request, attempt, answer)
        yield self._stored(self._store.settle, attempt.id, write_outcome(outcome), self.attempt_seconds)
        return self._finish(cookies, attempt, outcome, native)

    def _attempt_of(self, parameters: Parameters, cookies: Cookies) -> Attempt:
        """The attempt this answer belongs to, proven by its state and this browser's cookie.

        Raises:
            StateMismatch: There is no such proof; `cause` says why.
        """
        state = parameters.get("state")
        if not state:
            raise StateMismatch("The answer carries no state.", cause="missing")
        opened = open_state(self._sealer, state)
        if opened is None:
            raise StateMismatch(
                "The state was not made by this app, or with a key that is no longer in secret_keys.",
                cause="altered",
            )
        attempt_id, issued = opened
        if self._clock() > issued + self.attempt_seconds:
            raise StateMismatch(
                f"The attempt took longer than attempt_seconds, {self.attempt_seconds} s.", cause="expired"
            )
        attempt = cookies.get(attempt_id)
        # The digest: somebody may have launched with the same id, which is no secret, elsewhere.
        if attempt is None or attempt.digest != digest_of(state):
            raise StateMismatch(
                "This browser does not carry the attempt's cookie: it was launched in another browser or on "
                "another host name, it ended more than five minutes ago, or cookies are switched off.",
                cause="other_browser",
            )
        return attempt

    def _check_person(self, request: Request, attempt: Attempt) -> Generator[Call, Any, None]:
        """Nobody (a Strict session cookie stays behind on the way back) passes; somebody else doesn't."""
        try:
            subject = yield from self._subject(request)
        except Exception as error:
            if getattr(error, "status_code", None) not in (401, 403):
                raise
            subject = None
        if subject is not None and subject != attempt.subject:
            raise StateMismatch(
                "Another person is logged in than the one who launched the attempt.", cause="other_person"
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
                if not self.is_native(result):
                    json.dumps(result, allow_nan=False)
            except Exception as error:
                logger.error("on_complete failed for attempt %s\n%s", attempt.id, _masked(error, answer.raw))
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
            secrets = {} if error.response is None else error.response.raw
            logger.error("on_error failed for attempt %s\n%s", attempt, _masked(failure, secrets))
            return None
        return result

    def _reject(self, request: Request, attempt: Attempt | None, error: InvalidResponse) -> Steps:
        """An answer that proves nothing changes nothing: the attempt it names stays as it is."""
        cause = getattr(error, "cause", None)
        logger.warning("Authorization response refused: %s%s", error.code, f" ({cause})" if cause else "")
        result = yield from self._tell(request, error, attempt.id if attempt else "unknown")
        if self.is_native(result):
            return Response(400, native=result)
        link = (attempt.return_to if attempt else None) or "/"
        return Response(400, pages.headers(), pages.page(cause or "unreadable", link=link))

    def _finish(self, cookies: Cookies, attempt: Attempt, outcome: Outcome, native: Any = None) -> Response:
        ended = replace(attempt, outcome=outcome)
        fields = cookies.end(ended)
        if native is not None:
            return Response(200, [*fields, _NOT_CACHED, _NO_REFERRER], native=native)
        if attempt.page_origin is None and attempt.return_to is not None:
            location = with_outcome(attempt.return_to, outcome.code or "granted")
            return Response(303, [("Location", location), _NOT_CACHED, _NO_REFERRER, *fields])
        response = self._show_again(ended, outcome)
        if outcome.code == "handler_failed":
            response.status = 500
        response.headers += fields
        return response

    def _show_again(self, attempt: Attempt, outcome: Outcome) -> Response:
        """The outcome page; a reload gets the same."""
        link = attempt.return_to
        if link is not None and attempt.page_origin is None:
            link = with_outcome(link, outcome.code or "granted")
        body = pages.outcome_page(
            attempt.id,
            outcome,
            page_origin=attempt.page_origin,
            stable_asset=attempt.stable_asset,
            link=link or "/",
        )
        return Response(200, pages.headers(), body)

    # -- status and cancel

    def status(self, request: Request, attempt_id: str) -> Steps:
        """How an attempt stands, told to the browser that carries its cookie and to nobody else."""
        attempt = self._cookies(request).get(attempt_id) if is_id(attempt_id) else None
        if attempt is None:
            return self._json(request, 404, UNKNOWN)
        outcome = attempt.outcome
        if outcome is None:
            found = yield self._stored(self._store.find, attempt_id)
            outcome = PENDING if found is None or found == _RUNNING else read_outcome(found)
        return self._json(request, 200, outcome)

    def cancel(self, request: Request, attempt_id: str) -> Steps:
        """The person gave up, or the page's deadline passed. Whoever was first, this or the callback, wins."""
        if not self._site.trusts(request):
            return Response(
                403,
                [("Content-Type", "text/plain; charset=utf-8"), _NOT_CACHED],
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
        before = yield self._stored(
            self._store.claim, attempt_id, write_outcome(outcome), self.attempt_seconds
        )
        if before is not None:
            return self._json(request, 200, PENDING if before == _RUNNING else read_outcome(before))
        logger.info("Attempt %s failed: %s", attempt_id, outcome.code)
        yield from self._tell(request, ended, attempt_id)
        response = self._json(request, 200, outcome)
        response.headers += cookies.end(replace(attempt, outcome=outcome))
        return response

    def _json(self, request: Request, status: int, outcome: Outcome) -> Response:
        content: dict[str, Any] = {"outcome": outcome.outcome}
        if outcome is not UNKNOWN:
            content |= {"code": outcome.code, "data": outcome.data}
        fields = [
            ("Content-Type", "application/json"),
            _NOT_CACHED,
            ("Vary", "Origin, Cookie"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        origin = request.headers.get("origin")
        if origin is not None and origin in self._site.allowed_origins:
            fields += [
                ("Access-Control-Allow-Origin", origin),
                ("Access-Control-Allow-Credentials", "true"),
            ]
        return Response(status, fields, json.dumps(content).encode())

    # -- assets

    def asset(self, request: Request, name: str) -> Response:
        """The module and the stylesheet: public, the same for everybody, loadable from allowed origins."""
        immutable = assets.BY_NAME.get(name)
        found = immutable or (assets.SCRIPT if name == assets.SCRIPT.stable_name else None)
        if found is None:
            return Response(
                404, [("Content-Type", "text/plain; charset=utf-8"), _NOT_CACHED], b"Not found.\n"
            )
        fresh = "max-age=31536000, immutable" if immutable else "max-age=600, stale-while-revalidate=86400"
        fields = [
            ("Content-Type", found.content_type),
            ("Cache-Control", f"public, {fresh}"),
            ("ETag", found.etag),
            ("Access-Control-Allow-Origin", "*"),
            ("Cross-Origin-Resource-Policy", "cross-origin"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        if found.etag in request.headers.get("if-none-match", ""):
            return Response(304, fields)
        return Response(200, fields, found.content)

    # -- for templates and links

    def sealed_query(
        self,
        subject: str | int | None,
        *,
        make: str | None = None,
        single_select: bool | None = None,
        single_select_vin: str | None = None,
        flags: Any = None,
        force_prompt: bool = False,
        return_to: str | None = None,
        external_id: str | None = None,
        user: str | None = None,
        state: Mapping[str, Any] | None = None,
    ) -> str:
        """The query of a launch address whose options nobody but the application chose.

        Raises:
            ConfigurationError: An option can't be right, or names a person although there is no `identify`
                to bind the link to.
        """
        personal = {"external_id": external_id, "user": user, "state": state}
        named = [name for name, value in personal.items() if value is not None]
        if named and self._identify is None:
            raise ConfigurationError(
                f"{' and '.join(named)} belong to a person, but there is no identify=..., so whoever gets the "
                "link could connect a car in that person's name. Give SmartcarConnect an identify function."
            )
        connect: dict[str, Any] = {
            "make": make,
            "single_select": single_select,
            "single_select_vin": single_select_vin,
            "flags": dict(flags) if isinstance(flags, Mapping) else flags,
            "force_prompt": force_prompt or None,
            "user": user,
        }
        connect = {name: value for name, value in connect.items() if value is not None}
        client = self.smartcar if external_id is None else self.smartcar.replace(external_id=external_id)
        client.get_auth_url(**connect)  # refuses bad options here, where the developer sees it
        sealed = seal_launch(
            self._sealer,
            self._clock(),
            subject=subject,
            connect=connect,
            return_to=return_to,
            external_id=external_id,
            state=state,
        )
        return f"sealed={sealed}"

    # -- shared

    def is_native(self, result: Any) -> bool:
        """Whether a function's result is the framework's own response. Hosts override it."""
        return False

    def _subject(self, request: Request) -> Generator[Call, Any, str | int | None]:
        if self._identify is None:
            return None
        return checked_subject((yield Call(self._identify, (request.native,))))

    def _stored(self, method: Callable[..., Any], *args: Any) -> Call:
        return Call(method, args, self._store_blocks)

    def _cookies(self, request: Request) -> Cookies:
        header = request.headers.get("cookie", "")
        return Cookies(header, secure=self._site.is_secure(request), sealer=self._sealer)


def checked_subject(subject: Any) -> str | int | None:
    """What `identify` said, if it can travel in a cookie.

    Raises:
        ConfigurationError: It is neither text of at most 256 bytes, nor an int, nor None.
    """
    if subject is None or (isinstance(subject, int) and not isinstance(subject, bool)):
        return subject
    if not isinstance(subject, str):
        raise ConfigurationError(
            f"identify returned {type(subject).__name__}; return the person's id as text or int, or None."
        )
    if not 0 < len(subject.encode()) <= LONGEST_SUBJECT:
        raise ConfigurationError(
            f"identify returned text of {len(subject.encode())} bytes; an id has 1 to {LONGEST_SUBJECT}. "
            "Return None when nobody is logged in."
        )
    return subject


def _not_a_person(request: Request) -> Response | None:
    """The answer to what is no person's navigation, or None. Such a request must change nothing.

    Link previews ask with HEAD; browsers prefetch and prerender addresses they expect to need; frames,
    images and scripts of any page can name our address. Missing headers (older browsers) are accepted.
    """
    if request.method == "HEAD":
        return Response(200, [_NOT_CACHED, _NO_REFERRER])
    text = ("Content-Type", "text/plain; charset=utf-8")
    if "prefetch" in request.headers.get("sec-purpose", request.headers.get("purpose", "")):
        return Response(
            503, [text, _NOT_CACHED], b"Not prefetched: this address acts when a person opens it.\n"
        )
    if request.headers.get("sec-fetch-dest", "document") != "document":
        return Response(
            403, [text, _NOT_CACHED], b"This address opens in a window of its own, nowhere else.\n"
        )
    return None


def _masked(error: BaseException, parameters: Mapping[str, Any]) -> str:
    """The traceback as text, without what Connect sent: an exception likes to quote the code it choked on.

    This is why the log record carries text and no exc_info.
    """
    text = "".join(traceback.format_exception(error))
    for value in parameters.values():
        if isinstance(value, str) and len(value) > 3:
            text = text.replace(value, "[masked]")
    return text
