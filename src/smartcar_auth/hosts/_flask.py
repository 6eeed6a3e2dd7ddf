"""Connect in one Flask application: how a route is run, answered and signalled there.

`flask.py` makes one of these for each application that registers its blueprint. What an application says,
in code or configuration, is not read here.
"""

import asyncio
from collections.abc import Callable, Generator, Iterable
from copy import copy
from functools import cached_property
from typing import Any, cast

from blinker import NamedSignal, Namespace
from flask import Flask, got_request_exception, make_response, render_template, request
from flask import Request as NativeRequest
from flask import Response as NativeResponse
from jinja2 import TemplateNotFound
from markupsafe import Markup
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WerkzeugResponse

from smartcar_auth import AuthorizationResponse, ConnectError, Smartcar, SmartcarAuthError
from smartcar_auth.web import Call, Request, Response, perform
from smartcar_auth.web.answering import masked
from smartcar_auth.web.application import logger
from smartcar_auth.web.attempt import Attempt, Outcome
from smartcar_auth.web.connect import Route, split_path
from smartcar_auth.web.pages import Page

from .wsgi import WSGIConnect, send

_signals = Namespace()
smartcar_connected = _signals.signal(
    "smartcar-connected", "A car was connected, and on_complete has returned: request, response."
)
smartcar_failed = _signals.signal(
    "smartcar-failed", "What on_error is told, whether or not there is one: request, error."
)

TEMPLATE = "smartcar_auth/page.html"
SEGMENT = "smartcar_name"  # of a rule; an application's prefix may have variables of its own


class AppConnect(WSGIConnect):
    """Connect's routes as views of one application.

    Args:
        app: The application.
        endpoint: Of the launch route, nested blueprints included.
        smartcar, options: Those of `smartcar_auth.web.Connect`.
    """

    def __init__(self, app: Flask, endpoint: str, smartcar: Smartcar, **options: Any) -> None:
        super().__init__(smartcar, **options)
        self._app = app
        self._endpoint = endpoint

    def view(self, route: Route) -> Callable[..., NativeResponse]:
        """The route as a view function."""

        def view(**values: Any) -> NativeResponse:
            native = current_request()
            environ = native.environ
            base, _ = split_path(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""))
            read = self._read(environ, base, native)
            answer = route.answer(self, read, values.get(SEGMENT, ""))
            return self._sent(answer if isinstance(answer, Response) else perform(answer, self._invoke))

        return view

    def _sent(self, answer: Response) -> NativeResponse:
        if answer.native is not None:
            # A copy, for an application may keep a response to return it again, to somebody else.
            response = copy(make_response(answer.native))
            response.headers = Headers([*response.headers, *answer.headers])
            return response
        if answer.error is not None:
            self._surface(answer.error)
        if self._app.response_class is NativeResponse:
            return _Unread(answer)
        return self._app.response_class(answer.body, answer.status, answer.headers)

    def _surface(self, error: Exception) -> None:
        """As Flask treats an error that nobody handled; but where it would show its own page, ours is sent."""
        if self._propagates():
            raise error
        got_request_exception.send(self._app, _async_wrapper=self._synchronous, exception=error)
        self._app.logger.error("Exception on %s [%s]", request.path, request.method, exc_info=error)

    def _propagates(self) -> bool:
        asked: bool | None = self._app.config["PROPAGATE_EXCEPTIONS"]
        return self._app.testing or self._app.debug if asked is None else asked

    def button(self, label: Any, **options: Any) -> str:
        """The button's markup; options as in `Connect.markup`."""
        return self.markup(lambda: self._launch_path(None), label, **options)

    def callback_script(self, text: str | None) -> str:
        """The script's markup; see `redirecting.callback_script`."""
        return self.callback_markup(self._launch_path(None), text=text)

    def _launch_path(self, request: Any) -> str:
        return self._site.path(self._app.url_for(self._endpoint, _external=False))

    def is_native(self, result: Any) -> bool:
        return isinstance(result, WerkzeugResponse)

    def render(self, page: Page, request: Request) -> bytes:
        """With the application's own template, if it has one. A broken one costs its looks, not the page."""
        try:
            if self._has_template:
                context = {name: getattr(page, name) for name in _OF_PAGE}
                context |= {name: Markup(getattr(page, name)) for name in _MARKUP_OF_PAGE}  # noqa: S704
                return render_template(TEMPLATE, **context).encode(errors="replace")
        except Exception as error:
            if self._propagates():
                raise
            logger.error("The template %s failed\n%s", TEMPLATE, masked(error, request.query))
        return page.html()

    @cached_property
    def _has_template(self) -> bool:
        try:
            self._app.jinja_env.get_template(TEMPLATE)
        except TemplateNotFound:
            return False
        return True

    def _invoke(self, call: Call) -> Any:
        if call.blocking:
            call = Call(self._synchronous(call.function), call.args)
        return super()._invoke(call)

    def _synchronous(self, function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return self._app.ensure_sync(function)
        except RuntimeError:  # Flask wants its [async] extra; a car must not be lost for that
            return lambda *args, **named: asyncio.run(function(*args, **named))

    def _subject(self, request: Request) -> Generator[Call, Any, str | int | None]:
        try:
            return (yield from super()._subject(request))
        except HTTPException as error:
            # Told as other frameworks do, whether it was abort(401) or abort(redirect("/login")).
            error.status_code = error.get_response().status_code  # type: ignore[attr-defined]
            raise

    def _handle(
        self, request: Request, attempt: Attempt, answer: AuthorizationResponse | ConnectError
    ) -> Generator[Call, Any, tuple[Outcome, Any]]:
        handled = yield from super()._handle(request, attempt, answer)
        if handled[0].outcome == "granted":
            self._signal(smartcar_connected, request, attempt.id, response=answer)
        return handled

    def _tell(self, request: Request, error: SmartcarAuthError, attempt: str) -> Generator[Call, Any, Any]:
        result = yield from super()._tell(request, error, attempt)
        self._signal(smartcar_failed, request, attempt, error=error)
        return result

    def _signal(self, signal: NamedSignal, request: Request, attempt: str, **told: Any) -> None:
        """A receiver looks on; what it raises is logged and changes nothing, for the car is connected by now."""
        if not signal.receivers:
            return
        try:
            signal.send(self._app, _async_wrapper=self._synchronous, request=request.native, **told)
        except Exception as error:
            logger.error(
                "A receiver of %s failed for attempt %s\n%s",
                signal.name,
                attempt,
                masked(error, request.query),
            )


class _Unread(NativeResponse):
    """Becomes Flask's response when anybody looks at it or changes it; goes out as it was written if nobody does.

    Werkzeug reads, checks and copies the fields at each step, for as long as a route of ours takes.
    """

    def __init__(self, answer: Response) -> None:
        self.__dict__["_unread"] = answer

    def __getattr__(self, name: str) -> Any:
        if not self._read():  # all that a response has is set when it is made
            raise AttributeError(name)
        return getattr(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._read()
        super().__setattr__(name, value)

    def _read(self) -> bool:
        answer = self.__dict__.pop("_unread", None)
        if answer is not None:
            super().__init__(answer.body, answer.status, answer.headers)
        return answer is not None

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        answer = self.__dict__.get("_unread")
        if answer is None:
            return super().__call__(environ, start_response)
        return send(answer, environ, start_response)


_OF_PAGE = ("kind", "heading", "paragraphs", "link", "link_text", "tone")
_MARKUP_OF_PAGE = ("attributes", "head")


def current_request() -> NativeRequest:
    """The request itself, not the proxy, which means another request elsewhere."""
    return cast(NativeRequest, request._get_current_object())  # type: ignore[attr-defined]
