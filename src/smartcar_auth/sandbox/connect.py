"""Connect over HTTP: the three entry points, the screens, the way back to the application.

An attempt lives under an unguessable id in the path, so reload and the back button work without a
cookie. Forms POST and are answered with a redirect: 303 to a screen, 302 to the application.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from smartcar_auth.message import FIELDS, NAME

from .flow import SCREENS, Flow, Step, end_at_once
from .languages import preferred
from .outcomes import ERRORS, Outcome, answer, location
from .pages import Dropped, page, redirect
from .person import ENTRIES, CantGoOn, play
from .plan import Plan
from .records import ATTEMPT_SECONDS, Attempt, Records
from .request import Refused, read_pairs, read_request
from .screens import context_of, end_of
from .settings import Settings
from .stops import Form, text_of

FORM_LIMIT = 262_144
COOP = "cross-origin-opener-policy"

Endpoint = Callable[[Request], Awaitable[Response]]


class FormTooLong(Exception):
    """A body that no form of ours would send."""


class Connect:
    """The routes of Connect for one sandbox."""

    def __init__(self, settings: Settings, records: Records) -> None:
        self.flow = Flow(settings, records)
        self.settings = settings
        self.records = records
        self.routes = [
            *(Route(path, self._entry(entry)) for path, entry in ENTRIES.items()),
            Route("/connect/{attempt}/done", self._within(self.done)),
            Route("/connect/{attempt}/answer", self._within(self.answer)),
            Route("/connect/{attempt}/end", self._within(self.end), methods=["POST"]),
            Route("/connect/{attempt}/controls", self._within(self.controls), methods=["POST"]),
            Route("/connect/{attempt}/{screen}", self._within(self.show), methods=["GET"]),
            Route("/connect/{attempt}/{screen}", self._within(self.submit), methods=["POST"]),
        ]

    async def show(self, request: Request, attempt: Attempt) -> Response:
        """Show a screen, or go to the one that is due."""
        asked = request.path_params["screen"]
        screen = self.flow.furthest(attempt, asked)
        if screen != asked:
            return redirect(f"/connect/{attempt.id}/{screen}")
        context = context_of(self.flow, attempt, screen, request.query_params)
        response = page(SCREENS[screen].template, **context)
        if attempt.plan.coop == "login" and SCREENS[screen].step == "Sign in":
            response.headers[COOP] = "same-origin"
        return response

    async def submit(self, request: Request, attempt: Attempt) -> Response:
        """Take a screen's form and go where it leads."""
        screen = self.flow.furthest(attempt, request.path_params["screen"])
        if screen != request.path_params["screen"]:
            return redirect(f"/connect/{attempt.id}/{screen}")
        form = await _form(request)
        if form is None:
            return _unreadable_form()
        trouble = _trouble(attempt.plan)
        if trouble is not None:
            attempt.plan = attempt.plan.recovered()
            return trouble
        return self._go(attempt, self.flow.submit(attempt, screen, form))

    async def end(self, request: Request, attempt: Attempt) -> Response:
        """End the attempt with the error chosen in the sandbox controls."""
        form = await _form(request) or {}
        error = text_of(form, "error")
        if error not in ERRORS:
            return redirect(f"/connect/{attempt.id}/{self.flow.first_screen(attempt)}")
        return self._go(attempt, end_at_once(error))

    async def controls(self, request: Request, attempt: Attempt) -> Response:
        """Turn the hostile switches, and come back to the screen below which the controls were."""
        form = await _form(request) or {}
        values = {name: texts[0] for name, texts in form.items()}
        attempt.plan = attempt.plan.switched(values)
        return redirect(f"/connect/{attempt.id}/{self.flow.furthest(attempt, values.get('screen', ''))}")

    async def answer(self, request: Request, attempt: Attempt) -> Response:
        """The way back to the application where a hostile switch needs a page on it."""
        if not attempt.answer:
            return redirect(f"/connect/{attempt.id}/{self.flow.first_screen(attempt)}")
        return page("answer.html", **end_of(self.flow, attempt))

    async def done(self, request: Request, attempt: Attempt) -> Response:
        """The end of an attempt whose application gave no redirect URI."""
        return page("done.html", **end_of(self.flow, attempt))

    def _entry(self, entry: str) -> Endpoint:
        """The address with which an application opens an attempt."""

        async def opened(request: Request) -> Response:
            plans = self.records.plans
            plan = plans[0] if plans else Plan()
            trouble = _trouble(plan)
            if trouble is not None:
                plans[0] = plan.recovered()
                return trouble
            try:
                asked = read_request(request.scope["query_string"], self.settings, entry)
            except Refused as refused:
                return page("refused.html", refused.status, message=refused.message, hint=refused.hint)
            if plans:
                plans.popleft()
            attempt = self.flow.open(asked, plan, preferred(request.headers.get("accept-language", "")))
            return await self._sent(request, attempt, self._first(attempt))

        return opened

    def _first(self, attempt: Attempt) -> Response:
        if not attempt.plan.outcome:
            return redirect(f"/connect/{attempt.id}/{self.flow.first_screen(attempt)}")
        try:
            return self._go(attempt, play(self.flow, attempt))
        except CantGoOn as error:
            return page("refused.html", 400, message="400: What was planned can't happen", hint=str(error))

    def _within(self, handle: Callable[[Request, Attempt], Awaitable[Response]]) -> Endpoint:
        """An address within an attempt."""

        async def handled(request: Request) -> Response:
            attempt = self.records.attempts.get(request.path_params["attempt"])
            if attempt is None or self.settings.clock() - attempt.opened_at > ATTEMPT_SECONDS:
                return _unknown_attempt()
            return await self._sent(request, attempt, await handle(request, attempt))

        return handled

    async def _sent(self, request: Request, attempt: Attempt, response: Response) -> Response:
        """The response as the attempt's plan wants it on the wire."""
        plan = attempt.plan
        if plan.coop == "connect":
            response.headers[COOP] = "same-origin"
        if plan.connect == "slow":
            with anyio.move_on_after(plan.slow_seconds):
                while (await request.receive())["type"] != "http.disconnect":
                    pass
        return response

    def _go(self, attempt: Attempt, step: Step) -> Response:
        if isinstance(step, str):
            return redirect(f"/connect/{attempt.id}/{step}")
        plan, attempt.granted = attempt.plan, step.granted
        address = location(attempt.request, step, plan.state)
        if address is None:
            attempt.message = _message(attempt, step)
            return redirect(f"/connect/{attempt.id}/done")
        if plan.answer or plan.opener or plan.closes_at == "answer":
            attempt.answer = address
            return redirect(f"/connect/{attempt.id}/answer")
        return redirect(address, 302)


def _message(attempt: Attempt, outcome: Outcome) -> dict[str, object]:
    """What the page that opened Connect is told where there is no redirect URI."""
    told = dict(answer(attempt.request, outcome, attempt.plan.state))
    fields = {field: told.get(name) for field, name in FIELDS}
    # The original's own pages leave these out where there is nothing to say.
    for field in ("externalId", "vehicleId", "statusCode", "errorMessage"):
        if fields[field] is None:
            del fields[field]
    return {"name": NAME, "isSmartcarHosted": True, **fields}


def _trouble(plan: Plan) -> Response | None:
    """The failure that comes instead of an answer, if one is planned."""
    if plan.connect in ("", "slow"):
        return None
    if plan.connect == "offline":
        return Dropped()
    status = HTTPStatus(int(plan.connect))
    hint = "The sandbox was told to fail once. Reload this page to go on."
    message = f"{status.value}: {status.phrase}"
    response = page("refused.html", status, message=message, aside="On purpose", hint=hint)
    if status != HTTPStatus.INTERNAL_SERVER_ERROR:
        response.headers["retry-after"] = str(plan.retry_after)
    return response


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
