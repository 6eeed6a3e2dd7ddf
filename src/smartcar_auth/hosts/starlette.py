"""Starlette: Connect's routes as a list of `Route`, and the button for its templates.

The translation is the plain ASGI host's; here stands what is Starlette's own: its request and response,
its threads, its route names. No middleware is needed around the routes.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

try:
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request as NativeRequest
    from starlette.responses import Response as NativeResponse
    from starlette.routing import NoMatchFound, Route
except ImportError as error:
    raise ImportError(
        'smartcar_auth.hosts.starlette needs Starlette: pip install "smartcar-auth[starlette]"'
    ) from error

from smartcar_auth import ConfigurationError
from smartcar_auth.web.connect import ROUTES

from .asgi import ASGIConnect, LaunchURL, Receive, Scope

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.runtime import Context

__all__ = ["LaunchURL", "SmartcarConnect"]


class SmartcarConnect(ASGIConnect):
    """Connect for a Starlette application: `Mount("/smartcar", routes=connect.routes)`.

    Arguments and handlers are those of `smartcar_auth.web.Connect`. `identify`, `on_complete` and
    `on_error` receive Starlette's `Request`; a plain `def` runs in a thread, `async def` in the loop.
    """

    @property
    def routes(self) -> list[Route]:
        """The routes, for a `Mount`, a `Router` or `Starlette(routes=...)`."""
        return [
            Route(
                f"/{route.path}" + "/{name}" * route.named,
                self,
                name=f"smartcar_{route.name}",
                methods=[route.method],
            )
            for route in ROUTES
        ]

    def install(self, env: "Environment") -> None:
        """Add `smartcar_button(request, label, ...)` and `smartcar_callback_script()` to a Jinja2 environment.

        Starlette's `Jinja2Templates` has it as `templates.env`.
        """
        from jinja2 import pass_context

        @pass_context
        def callback_script(context: "Context", request: Any = None, *, text: str | None = None) -> Any:
            # TemplateResponse puts the request into every context.
            return self.callback_script(context.get("request") if request is None else request, text=text)

        env.globals["smartcar_button"] = self.button
        env.globals["smartcar_callback_script"] = callback_script

    def button(self, request: NativeRequest, label: Any = "Connect your car", **options: Any) -> Any:
        """The button's markup, for a template; options as in `Connect.markup`."""
        from markupsafe import Markup

        markup = self.markup(lambda: self._launch_path(request), label, **options)
        return Markup(markup)  # noqa: S704 (every value is escaped)

    def callback_script(self, request: NativeRequest, *, text: str | None = None) -> Any:
        """The script for a page of your own at the end of the pop-up, in either mode.

        Args:
            request: In templates it is found in the context.
            text: What the script says where it can't close the window, when it isn't to be the English sentence.

        Raises:
            ConfigurationError: There is no request, or no route in its application.
        """
        from markupsafe import Markup

        if request is None:
            raise ConfigurationError(
                "smartcar_callback_script needs the request: render the template with "
                "templates.TemplateResponse(request, ...), or write smartcar_callback_script(request)."
            )
        return Markup(self.callback_markup(self._launch_path(request), text=text))  # noqa: S704 (escaped)

    def is_native(self, result: Any) -> bool:
        return isinstance(result, NativeResponse)

    def _launch_path(self, request: NativeRequest) -> str:
        try:
            return self._site.path(str(request.url_for("smartcar_launch").path))
        except NoMatchFound:
            raise ConfigurationError(
                "Connect's routes are not in this application, or in a Mount with a name. Add "
                'Mount("/smartcar", routes=connect.routes), or give launch="/path/to/launch".'
            ) from None

    def _native(self, scope: Scope, receive: Receive) -> NativeRequest:
        return NativeRequest(scope, receive)

    async def _in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        return await run_in_threadpool(function, *args)
