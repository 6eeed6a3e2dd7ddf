"""Assembling the sandbox's ASGI app from its rooms, and the few pages that belong to none of them."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .accounts import TEST_ACCOUNTS
from .application_tokens import ApplicationTokens
from .connect import Connect
from .hosted_redirect import HostedRedirect
from .inspector import Inspector
from .journal import Journal, Recorded
from .pages import PAGE_HEADERS, json_answer, page, static_file
from .records import Records
from .resources import Resources
from .settings import Settings
from .tokens import Tokens
from .vehicles import Vehicles


def make_app(
    settings: Settings, records: Records, log: Callable[[Recorded], None] | None = None
) -> Starlette:
    """The app of one sandbox. The busiest routes come first: Starlette tries them in order."""
    routes = [
        *Tokens(settings, records).routes,
        *Connect(settings, records).routes,
        *ApplicationTokens(settings, records).routes,
        *HostedRedirect().routes,
        *Resources(settings, records).routes,
        *Vehicles(settings, records).routes,
        *Inspector(records).routes,
        Route("/", _landing(settings)),
        Route("/health", _health),
        Route("/favicon.ico", _favicon),
        Route("/static/{name}", _static),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Journal, recorded=records.requests, clock=settings.clock, log=log)],
        exception_handlers={HTTPException: _http_error, Exception: _failed},
    )


def _landing(settings: Settings) -> Callable[[Request], Awaitable[Response]]:
    async def landing(request: Request) -> Response:
        """The page at `/`: what this is, and where everything is."""
        return page(
            "landing.html",
            origin=str(request.base_url).rstrip("/"),
            redirect_uris=settings.redirect_uris,
            applications=settings.applications,
            test_accounts=TEST_ACCOUNTS,
            forgets=not settings.keeps,
        )

    return landing


async def _health(request: Request) -> Response:
    return json_answer({"status": "ok"}, headers={"cache-control": "no-store"})


async def _favicon(request: Request) -> Response:
    return static_file("icon.svg") or Response(status_code=404)


async def _static(request: Request) -> Response:
    found = static_file(request.path_params["name"])
    return found if found is not None else Response(status_code=404, headers=PAGE_HEADERS)


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    words = {
        404: ("404: Nothing is here", "The sandbox has no page at this address."),
        405: ("405: Not like this", f"This address doesn't answer {request.method} requests."),
    }
    message, hint = words.get(status, (f"{status}: Not possible", "The request can't be answered."))
    response = page("refused.html", status, message=message, hint=hint)
    response.headers.update(headers or {})
    return response


async def _failed(request: Request, error: Exception) -> Response:
    return page(
        "refused.html",
        500,
        message="500: The sandbox failed",
        hint="This is a mistake in the sandbox itself. Its terminal or log shows where.",
    )
