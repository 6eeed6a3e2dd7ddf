"""The way out: the launch route, and the sealed links that lead to it.

Here an attempt begins. Everything that could begin one without a person who wants it, or in another
person's name, is stopped before a cookie is set.
"""

from collections.abc import Mapping
from typing import Any

from smartcar_auth import ConfigurationError

from . import pages
from .application import NO_REFERRER, NOT_CACHED, Application, logger, not_a_person
from .attempt import (
    OUTCOME_SECONDS,
    Attempt,
    Outcome,
    digest_of,
    is_id,
    make_id,
    make_state,
)
from .exchange import Request, Response, Steps
from .options import LaunchOptions, Refused, read_launch, seal_launch


class Launching(Application):
    """The routes and links that begin an attempt."""

    def launch(self, request: Request) -> Steps:
        """Open an attempt and send the browser to Connect."""
        automatic = not_a_person(request)
        if automatic is not None:
            return automatic
        options = LaunchOptions()
        try:
            return (yield from self._launch(request, options))
        except Refused as refusal:
            logger.info("Launch refused with %d: %s", refusal.status, refusal.reason)
            outcome = Outcome("failed", refusal.code, {"message": refusal.reason})
            page = pages.refusal(outcome, self._waiting(request, options))
            return self._page(refusal.status, page, request)
        except ConfigurationError as error:
            outcome = Outcome("failed", error.code)
            page = pages.refusal(outcome, self._waiting(request, options), kind="configuration")
            response = self._page(500, page, request)
            response.error = error
            return response

    def _launch(self, request: Request, options: LaunchOptions) -> Steps:
        now = self._clock()
        read_launch(options, request.query, self._sealer, now)
        if self._complete is None:
            raise ConfigurationError(
                "No on_complete is registered, so nobody would receive the car. Decorate a function: "
                "@connect.on_complete def connected(request, response): ..."
            )
        if request.headers.get("sec-fetch-site") == "cross-site":
            self._site.check_other_site(options.page_origin, request)
            return self._page(200, pages.question(request.query.decode("ascii")), request)
        client = self._site.client(request)
        assert client.redirect_uri is not None  # noqa: S101 (for the type checker: Site.client sees to it)
        self._site.check_page(options.page_origin, request, client.redirect_uri)
        if options.attempt is not None and not is_id(options.attempt):
            raise Refused(400, "The attempt's id is not 16 bytes as base64url.")
        cookies = self._cookies(request)
        attempt_id = options.attempt or make_id()
        if attempt_id in cookies:
            raise Refused(409, "This attempt is under way already. Go back to the app to see how it stands.")
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
        fields = [("Location", client.get_auth_url(state, **options.connect)), NOT_CACHED, NO_REFERRER]
        # The cookie outlives the attempt a little, so that a page can still tell us that it gave up waiting.
        return Response(303, fields + cookies.put(attempt, self.attempt_seconds + OUTCOME_SECONDS))

    def _waiting(self, request: Request, options: LaunchOptions) -> tuple[str, str] | None:
        """The attempt and the origin of the page that waits for it, if one does that may be told.

        Not of an attempt that is under way: any page may send a person here under its id, to a refusal.
        """
        attempt = options.attempt
        page = options.page_origin or self._site.origin(request)
        known = page == self._site.origin(request) or page in self._site.allowed_origins
        if not (options.popup and known and attempt and is_id(attempt)) or attempt in self._cookies(request):
            return None
        return attempt, page

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
