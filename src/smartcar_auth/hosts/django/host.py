"""Connect for a Django project: requests and responses translated, in sync views and in async ones.

Nothing is decided here. What is Django's own stays Django's: which host and scheme a request has, what a
transaction is, how an error reaches the developer.
"""

import asyncio
import inspect
import json
from collections.abc import Generator
from contextlib import ExitStack
from functools import partial
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from django.core.exceptions import PermissionDenied
from django.db import connections, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.safestring import mark_safe

from smartcar_auth import AuthorizationResponse, ConfigurationError, ConnectError, SmartcarAuthError
from smartcar_auth.web import Call, Connect, Request, Response, perform, perform_async
from smartcar_auth.web.answering import masked
from smartcar_auth.web.application import logger
from smartcar_auth.web.attempt import Attempt, Outcome
from smartcar_auth.web.connect import ROUTES, checked_subject
from smartcar_auth.web.pages import Page
from smartcar_auth.web.pages import headers as page_headers

from .exchange import OwnPage, forget_query, own_template, read, report, written
from .signals import smartcar_connected, smartcar_failed


class SmartcarConnect(Connect):
    """Connect for a Django project: `path("smartcar/", include(connect.urls))`.

    Arguments and handlers are those of `smartcar_auth.web.Connect`. `identify`, `on_complete` and
    `on_error` receive Django's `HttpRequest`; each may be `def` or `async def`, in sync and in async views.
    Where a database has ATOMIC_REQUESTS, on_complete and on_error run in a transaction of it each.

    Args:
        namespace: Of the URLs, for a project with several; "shop:smartcar" where they are in another's.
    """

    def __init__(self, *args: Any, namespace: str = "smartcar", **options: Any) -> None:
        super().__init__(*args, **options)
        self.namespace = namespace

    # -- what a project uses

    @property
    def urls(self) -> tuple[list[URLPattern], str]:
        """The routes as sync views, for `include`."""
        return patterns(self), self.namespace.rpartition(":")[2]

    @property
    def async_urls(self) -> tuple[list[URLPattern], str]:
        """The routes as async views, for `include` in a project under ASGI."""
        return async_patterns(self), self.namespace.rpartition(":")[2]

    def launch_url(self, request: HttpRequest, **options: Any) -> str:
        """An address of the launch route whose options nobody but the application chose.

        Good for 15 minutes and for the person whom `identify` names now.

        Args:
            request: The request in whose name the link is made.
            options: make, single_select, single_select_vin, flags, force_prompt, return_to; and, with
                `identify`, external_id, user and state (a JSON object of at most 512 bytes, which comes
                back as `response.app_state`).

        Raises:
            ConfigurationError: An option can't be right, or needs `identify`.
        """
        subject = None if self._identify is None else _in_place(self._identify, request)
        return self._sealed(subject, options)

    async def alaunch_url(self, request: HttpRequest, **options: Any) -> str:
        """`launch_url` for async views."""
        subject = None if self._identify is None else await self._ainvoke(Call(self._identify, (request,)))
        return self._sealed(subject, options)

    def button(
        self, request: HttpRequest | None = None, label: Any = "Connect your car", **options: Any
    ) -> str:
        """The button's markup; options as in `Connect.markup`. Safe in templates of both backends."""
        return _safe(self.markup(self._launch_path, label, **options))

    def callback_script(self, request: HttpRequest | None = None, *, text: str | None = None) -> str:
        """The script for a page of your own at the end of the pop-up, in either mode; needs no request.

        Args:
            text: What the script says where it can't close the window, when it isn't to be the English sentence.
        """
        return _safe(self.callback_markup(self._launch_path(), text=text))

    def install(self, env: Any) -> None:
        """Add `smartcar_button(request, label, ...)`, `smartcar_launch_url(request, ...)` and
        `smartcar_callback_script()` to a Jinja2 environment.

        Django makes the environment with a function of yours: OPTIONS = {"environment": "project.jinja2.environment"}.
        """
        env.globals["smartcar_button"] = self.button
        env.globals["smartcar_launch_url"] = self.launch_url
        env.globals["smartcar_callback_script"] = self.callback_script

    def is_native(self, result: Any) -> bool:
        return isinstance(result, HttpResponseBase)

    # -- the views

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request for one of the routes, in a sync view."""
        read_request, below = read(request)
        answer = self.respond(read_request, below)
        if not isinstance(answer, Response):
            try:
                answer = perform(answer, self._invoke)
            except Exception:
                forget_query(request)
                raise
        response = written(answer, request)
        if answer.error is not None:
            report(answer.error, request, response)
        return response

    async def aanswer(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request for one of the routes, in an async view."""
        read_request, below = read(request)
        answer = self.respond(read_request, below)
        if not isinstance(answer, Response):
            # Django cancels a view whose visitor has gone. Somebody who closes the pop-up a moment early has
            # given access all the same, so what has begun is done to its end.
            task = asyncio.ensure_future(perform_async(answer, self._ainvoke))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            try:
                answer = await asyncio.shield(task)
            except Exception:
                forget_query(request)
                raise
        response = written(answer, request)
        if answer.error is not None:
            await sync_to_async(report, thread_sensitive=False)(answer.error, request, response)
        return response

    def _launch_path(self) -> str:
        try:
            return self._site.path(str(reverse(f"{self.namespace}:launch")))
        except NoReverseMatch:
            raise ConfigurationError(
                f"Connect's routes are not in the project's URLs under the namespace {self.namespace!r}. Add "
                'path("smartcar/", include("smartcar_auth.hosts.django.urls")), or include(connect.urls), or give '
                'launch="/path/to/launch".'
            ) from None

    def _sealed(self, subject: Any, options: dict[str, Any]) -> str:
        return f"{self._launch_path()}?{self.sealed_query(checked_subject(subject), **options)}"

    def _page(self, status: int, page: Page, request: Request) -> Response:
        template = own_template()
        if template is None:
            return super()._page(status, page, request)
        context = {
            "heading": page.heading,
            # An application's message may hold a lone surrogate.
            "paragraphs": [one.encode(errors="replace").decode() for one in page.paragraphs],
            "link": page.link,
            "link_text": page.link_text,
            "tone": page.tone,
            "kind": page.kind,
            "attributes": _safe(page.attributes),
            "head": _safe(page.head),
            "request": request.native,
        }
        return Response(status, page_headers(), native=OwnPage(request, template, context, page.html()))

    # -- the project's functions

    def _invoke(self, call: Call) -> Any:
        function = call.function
        if function is self._complete or function is self._error:
            return self._run(function, *call.args)
        return _in_place(function, *call.args)

    async def _ainvoke(self, call: Call) -> Any:
        function = call.function
        if not call.blocking:
            return function(*call.args)
        if function is self._complete or function is self._error:
            if not iscoroutinefunction(function) or _atomic_databases(function):
                # What an async function asks of the database runs in the thread that waits for it (asgiref), and
                # therefore in the transaction.
                return await sync_to_async(self._run)(function, *call.args)
        elif not iscoroutinefunction(function):
            result = await sync_to_async(function)(*call.args)
            return await result if inspect.isawaitable(result) else result
        return await function(*call.args)

    def _run(self, function: Any, request: HttpRequest, given: Any) -> Any:
        """Run a handler. Where requests are atomic it alone is, so that a page can still tell that it failed."""
        databases = _atomic_databases(function)
        with ExitStack() as stack:
            for alias in databases:
                stack.enter_context(transaction.atomic(using=alias))
            result = _in_place(function, request, given)
            if databases and not self.is_native(result):
                # A result that can't be sent fails the attempt too, and must do so before the commit.
                json.dumps(result, allow_nan=False)
        return result

    def _subject(self, request: Request) -> Generator[Call, Any, str | int | None]:
        try:
            return (yield from super()._subject(request))
        except PermissionDenied as error:
            # At launch Django makes a 403 of it. On the way back it means "nobody", which is told by the status.
            error.status_code = 403
            raise

    def _handle(
        self, request: Request, attempt: Attempt, answer: AuthorizationResponse | ConnectError
    ) -> Generator[Call, Any, tuple[Outcome, Any]]:
        handled = yield from super()._handle(request, attempt, answer)
        if handled[0].outcome == "granted":
            yield from self._send(smartcar_connected, request, attempt.id, response=answer)
        return handled

    def _tell(self, request: Request, error: SmartcarAuthError, attempt: str) -> Generator[Call, Any, Any]:
        result = yield from super()._tell(request, error, attempt)
        yield from self._send(smartcar_failed, request, attempt, error=error)
        return result

    def _send(self, signal: Any, request: Request, attempt: str, **told: Any) -> Generator[Call, Any, None]:
        """A receiver looks on; what it raises is logged and changes nothing, for what happened has happened."""
        sender = type(self)
        if not signal.has_listeners(sender):
            return
        try:
            yield Call(partial(signal.send, sender=sender, connect=self, request=request.native, **told))
        except Exception as error:
            text = masked(error, request.query)
            logger.error("A receiver failed for attempt %s\n%s", attempt, text)


under_way: set[Any] = set()


def patterns(connect: SmartcarConnect) -> list[URLPattern]:
    """The routes as sync views."""

    def view(request: HttpRequest, name: str = "") -> HttpResponseBase:
        return connect.answer(request)

    return _patterns(view, connect)


def async_patterns(connect: SmartcarConnect) -> list[URLPattern]:
    """The routes as async views."""

    async def view(request: HttpRequest, name: str = "") -> HttpResponseBase:
        return await connect.aanswer(request)

    return _patterns(view, connect)


def _patterns(view: Any, connect: SmartcarConnect) -> list[URLPattern]:
    view.connect = connect  # for the checks
    # The one route that takes a POST, cancel, checks Origin and the attempt's own cookie; the page that asks has
    # no token of Django's, and may be on another origin.
    view.csrf_exempt = True
    # As login_not_required does since Django 5.1: a Strict session cookie stays behind on the way back from Connect.
    view.login_required = False
    # Handlers run in a transaction of their own: the record that an attempt is finished must outlast a rollback,
    # and async views may not be atomic at all.
    for alias in connections:
        view = transaction.non_atomic_requests(using=alias)(view)
    return [
        path(f"{route.path}/<str:name>" if route.named else route.path, view, name=route.name)
        for route in ROUTES
    ]


def _atomic_databases(function: Any) -> list[str]:
    """Those whose requests are atomic, unless `transaction.non_atomic_requests` stands above the function."""
    exempt = getattr(function, "_non_atomic_requests", ())
    return [
        alias
        for alias, options in connections.settings.items()
        if options["ATOMIC_REQUESTS"] and alias not in exempt
    ]


def _in_place(function: Any, *args: Any) -> Any:
    result = function(*args)
    return async_to_sync(_awaited)(result) if inspect.isawaitable(result) else result


def _safe(markup: str) -> str:
    marked: str = mark_safe(markup)  # noqa: S308 (every value in it is escaped)
    return marked


async def _awaited(result: Any) -> Any:
    return await result
