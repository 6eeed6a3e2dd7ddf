"""Smartcar's hosted redirect page, for pages that use its front-end SDK: a stand-in that says the same.

It tells whichever page `app_origin` names, as the original does; only a sandbox may be so trusting.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .pages import PAGE_HEADERS, static_file

_PAGE = b"""<!doctype html>
<html lang="en">
<title>Smartcar Redirect</title>
<script src="/v2/redirect.js"></script>
</html>
"""


class HostedRedirect:
    """The page and its script, under the addresses that they have at javascript-sdk.smartcar.com."""

    def __init__(self) -> None:
        self.routes = [Route("/v2/redirect", self.page), Route("/v2/redirect.js", self.script)]

    async def page(self, request: Request) -> Response:
        """Where Connect comes back to."""
        return Response(_PAGE, 200, PAGE_HEADERS, "text/html; charset=utf-8")

    async def script(self, request: Request) -> Response:
        """What tells the page that opened the window, and closes it."""
        response = static_file("hosted-redirect.js") or Response(status_code=404)
        response.headers["cache-control"] = "no-cache"  # its address doesn't change with its content
        return response
