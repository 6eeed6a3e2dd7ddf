"""Connect over HTTP: the two entry points, the screens, the way back to the application.

An attempt lives under an unguessable id in the path, so reload and the back button work without a
cookie. Forms POST and are answered with a redirect: 303 to a screen, 302 to the application.
"""

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from .flow import SCREENS, Flow, Form, Step, end_at_once
from .outcomes import location
from .pages import page, redirect
from .records import ATTEMPT_SECONDS, Attempt, Records
from .request import Refused, read_pairs, read_request
from .screens import context_of
from .settings import Settings

FORM_LIMIT = 262_144


class FormTooLong(Exception):
    """A body that no form of ours would send."""


class Connect:
    """The routes of Connect for one sandbox."""

    def __init__(self, settings: Settings, records: Records) -> None:
        self.flow = Flow(settings, records)
        self.settings = settings
        self.records = records
        self.routes = [
            Route("/oauth/authorize", self.authorize),
            Route("/oauth/reauthenticate", self.reauthenticate),
            Route("/connect/{attempt}/done", self.done),
            Route("/connect/{attempt}/end", self.end, methods=["POST"]),
            Route("/connect/{attempt}/{screen}", self.show, methods=["GET"]),
            Route("/connect/{attempt}/{screen}", self.submit, methods=["POST"]),
        ]

    async def authorize(self, request: Request) -> Response:
        """Open an attempt to connect."""
        return self._open(request, reauthentication=False)

    async def reauthenticate(self, request: Request) -> Response:
        """Open an attempt to log in again for a vehicle that is connected already."""
        return self._open(request, reauthentication=True)

    async def show(self, request: Request) -> Response:
        """Show a screen, or go to the one that is due."""
        attempt = self._attempt(request)
        if attempt is None:
            return _unknown_attempt()
        asked = request.path_params["screen"]
        screen = self.flow.furthest(attempt, asked)
        if screen != asked:
            return redirect(f"/connect/{attempt.id}/{screen}")
        context = context_of(self.flow, attempt, screen, request.query_params)
        return page(SCREENS[screen].template, screen=screen, **context)

    async def submit(self, request: Request) -> Response:
        """Take a screen's form and go where it leads."""
        attempt = self._attempt(request)
        if attempt is None:
            return _unknown_attempt()
        screen = self.flow.furthest(attempt, request.path_params["screen"])
        if screen != request.path_params["screen"]:
            return redirect(f"/connect/{attempt.id}/{screen}")
        form = await _form(request)
        if form is None:
            return _unreadable_form()
        return self._go(attempt, self.flow.submit(attempt, screen, form))

    async def end(self, request: Request) -> Response:
        """End the attempt with the error chosen in the sandbox controls."""
        attempt = self._attempt(request)
        if attempt is None:
            return _unknown_attempt()
        form = await _form(request) or {}
        outcome = end_at_once(form.get("error", [""])[0])
        if outcome is None:
            return redirect(f"/connect/{attempt.id}/{self.flow.first_screen(attempt)}")
        return self._go(attempt, outcome)

    async def done(self, request: Request) -> Response:
        """The end of an attempt whose application gave no redirect URI."""
        attempt = self._attempt(request)
        if attempt is None:
            return _unknown_attempt()
        return page("done.html", application_name=self.settings.application_name, granted=attempt.granted)

    def _open(self, request: Request, reauthentication: bool) -> Response:
        try:
            asked = read_request(request.scope["query_string"], self.settings, reauthentication)
        except Refused as refused:
            return page("refused.html", refused.status, message=refused.message, hint=refused.hint)
        attempt = self.flow.open(asked)
        return redirect(f"/connect/{attempt.id}/{self.flow.first_screen(attempt)}")

    def _go(self, attempt: Attempt, step: Step) -> Response:
        if isinstance(step, str):
            return redirect(f"/connect/{attempt.id}/{step}")
        attempt.granted = step.granted
        address = location(attempt.request, step)
        if address is None:
            return redirect(f"/connect/{attempt.id}/done")
        return redirect(address, 302)

    def _attempt(self, request: Request) -> Attempt | None:
        attempt = self.records.attempts.get(request.path_params["attempt"])
        if attempt is None or self.settings.clock() - attempt.opened_at > ATTEMPT_SECONDS:
            return None
        return attempt


async def read_body(request: Request, limit: int = FORM_LIMIT) -> bytes:
    """The request's body.

    Raises:
        FormTooLong: it is longer than anything we ask for.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise FormTooLong
    return bytes(body)


async def _form(request: Request) -> Form | None:
    try:
        pairs = read_pairs(await read_body(request))
    except (FormTooLong, ValueError, ClientDisconnect):
        return None
    form: dict[str, list[str]] = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form


def _unknown_attempt() -> Response:
    return page(
        "refused.html",
        404,
        message="This attempt has ended",
        hint="It was opened more than an hour ago, or the sandbox has been restarted since. "
        "Close this window and start again from the application.",
    )


def _unreadable_form() -> Response:
    return page(
        "refused.html",
        400,
        message="400: Unreadable form",
        hint="The form was too long or malformed. Go back and send it again from the page.",
    )
