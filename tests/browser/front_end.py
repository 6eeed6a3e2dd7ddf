"""An application in front-end mode, and pages that use the official SDK from npm, unchanged, on any origin."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.templating import Jinja2Templates
from jinja2 import DictLoader, Environment
from playwright.sync_api import BrowserContext, Page
from starlette.types import ASGIApp, Receive, Scope, Send

from browser.application import KEYS, Server, static_page
from smartcar_auth import Smartcar
from smartcar_auth.hosts.fastapi import SmartcarConnect

NPM = Path(__file__).parent.parent / "js" / "node_modules"
OFFICIAL = (NPM / "@smartcar/auth/dist/npm/sdk.js").read_text(encoding="utf-8")
STRICT = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; img-src data:; base-uri 'none'; "
    "require-trusted-types-for 'script'"
}

# `begin` is what a page of a team that has the official SDK does; `completed` is what its onComplete was told.
USE = """
window.completed = [];
const told = (error) => error && {
  name: error.name, message: error.message,
  vehicleInfo: error.vehicleInfo ? { ...error.vehicleInfo, year: String(error.vehicleInfo.year) } : null,
  kind: Object.keys(Smartcar).find((name) => error instanceof Smartcar[name]) ?? "Error",
};
window.begin = (options, link = {}) => {
  const onComplete = (error, code, state, virtualKeyUrl, userId, externalId) =>
    completed.push({ error: told(error), code, state, virtualKeyUrl, userId, externalId });
  const scope = ["required:read_odometer"];
  window.smartcar = new Smartcar({ applicationId: "an-application", scope, onComplete, ...options });
  smartcar.addClickHandler({ id: "connect", vehicleInfo: { make: "TESLA" }, ...link });
};
"""
MARKUP = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A front end</title>
<link rel="icon" href="data:,"><script src="/record.js"></script><script src="/official.js"></script>
<script src="/use.js"></script></head><body><button id="connect">Connect your car</button></body></html>"""
TRANSLATED = "<!doctype html><body>{{ smartcar_callback_script(text='Fenster <schließen>') }}</body>"
BY_HAND = '<!doctype html><script defer src="/smartcar/redirect.js"></script><body><h1>Thank you</h1></body>'
OWN = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Thank you</title>
<link rel="icon" href="data:,">{{ smartcar_callback_script() }}</head><body><h1>Thank you</h1></body></html>"""


def official_page(headers: dict[str, str] | None = None) -> ASGIApp:
    """A site with one page that has the official SDK."""
    return static_page(MARKUP, {"official": OFFICIAL, "use": USE}, headers)


class FrontEnd:
    """The application: the page, our routes, and routes of its own that end the pop-up.

    Args:
        allowed_origins: Of other pages that may be told.
        headers: Of its page.
    """

    def __init__(
        self, allowed_origins: list[str] | None = None, headers: dict[str, str] | None = None
    ) -> None:
        self.requests: list[tuple[str, str]] = []  # path, query
        smartcar = Smartcar(application_id="an-application")
        self.connect = SmartcarConnect(smartcar, secret_keys=KEYS, allowed_origins=allowed_origins or [])
        templates = Jinja2Templates(
            env=Environment(loader=DictLoader({"own": OWN, "translated": TRANSLATED}), autoescape=True)
        )
        self.connect.install(templates.env)
        app = FastAPI(openapi_url=None)
        app.include_router(self.connect.router, prefix="/smartcar")

        @app.get("/own")
        def own(request: Request) -> HTMLResponse:
            return templates.TemplateResponse(request, "own", headers=STRICT)

        @app.get("/by-hand")
        def by_hand() -> HTMLResponse:
            return HTMLResponse(BY_HAND, headers=STRICT)

        @app.get("/translated")
        def translated(request: Request) -> HTMLResponse:
            return templates.TemplateResponse(request, "translated")

        @app.get("/forgetful")
        def forgetful() -> RedirectResponse:
            return RedirectResponse("/own", 303)

        app.mount("/", official_page(headers))
        self.app = app
        self.server: Server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests.append((scope["path"], scope["query_string"].decode()))
        await self.app(scope, receive, send)

    @property
    def origin(self) -> str:
        return self.server.origin

    def redirect_uri(self, app_origin: str | None = None, path: str = "/smartcar/redirect") -> str:
        """What a team registers with Smartcar."""
        return f"{self.origin}{path}" + (f"?app_origin={app_origin}" if app_origin else "")


class OfficialPage:
    """A page with the official SDK, as a person meets it."""

    def __init__(self, page: Page, origin: str, options: dict[str, Any], **link: Any) -> None:
        self.page = page
        self.origin = origin
        page.goto(f"{origin}/")
        page.evaluate("([options, link]) => begin(options, link)", [options, link])

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def open(self) -> Page:
        """Click the button; the pop-up, at Connect."""
        with self.page.expect_popup() as opened:
            self.page.get_by_role("button").click()
        opened.value.wait_for_selector("#continue-button")
        return opened.value

    def answer(self, redirect_uri: str, query: str) -> Page:
        """A pop-up at the redirect URI with this query and the right state, as if Connect had sent it there."""
        separator = "&" if "?" in redirect_uri else "?"
        with self.page.expect_popup() as opened:
            self.page.evaluate(
                """address => {
                     const state = new URL(smartcar.getAuthUrl()).searchParams.get("state");
                     open(address.replace("STATE", encodeURIComponent(state)), "", "popup");
                   }""",
                f"{redirect_uri}{separator}{query}",
            )
        return opened.value

    @property
    def completed(self) -> list[dict[str, Any]]:
        """What onComplete was told so far."""
        found: list[dict[str, Any]] = self.page.evaluate("completed")
        return found

    def told(self) -> dict[str, Any]:
        """What onComplete was told, once it was; and the pop-up has gone."""
        self.page.wait_for_function("completed.length")
        if len(self.context.pages) > 1:
            self.context.pages[-1].wait_for_event("close")
        (only,) = self.completed
        return only

    def messages(self) -> list[dict[str, Any]]:
        """Those of a redirect page."""
        found: list[dict[str, Any]] = self.page.evaluate("messages")
        return [one for one in found if isinstance(one, dict) and one.get("name") == "SmartcarAuthMessage"]


def end_with(popup: Page, error: str) -> None:
    """By the sandbox's controls: Connect ends with this error."""
    popup.click(".controls summary")
    popup.select_option("#sandbox-error", error)
    popup.click("#sandbox-end-button", no_wait_after=True)
