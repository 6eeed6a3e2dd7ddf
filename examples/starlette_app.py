"""A Starlette app with a "Connect your car" button: routes in a Mount, handlers by decorator.

    python examples/starlette_app.py      # Connect is played by the sandbox; open http://localhost:8000

No middleware is needed, and no session.
"""

import os
import secrets

from jinja2 import DictLoader, Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.templating import Jinja2Templates

from smartcar_auth import AuthorizationResponse, Smartcar, SmartcarAuthError
from smartcar_auth.hosts.starlette import SmartcarConnect

os.environ.setdefault("SMARTCAR_APPLICATION_ID", "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07")
os.environ.setdefault("SMARTCAR_CONNECT_ORIGIN", "http://127.0.0.1:8010")

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Garage</title>
<h1>Garage</h1>
<p>{{ codes }} answers so far</p>
{{ smartcar_button(request, "Connect your car", return_to="/") }}
"""

connect = SmartcarConnect(Smartcar.from_environment(), secret_keys=[secrets.token_bytes(32)])
received: list[AuthorizationResponse] = []


@connect.on_complete
def connected(request: Request, response: AuthorizationResponse) -> dict[str, str]:
    """A plain function runs in a thread, so it may block: exchange `response.code` here."""
    received.append(response)
    return {"message": "Vehicle added."}


@connect.on_error
async def failed(request: Request, error: SmartcarAuthError) -> None:
    print("Not connected:", error.code)


templates = Jinja2Templates(env=Environment(loader=DictLoader({"page.html": PAGE}), autoescape=True))
connect.install(templates.env)


async def garage(request: Request) -> Response:
    return templates.TemplateResponse(request, "page.html", {"codes": len(received)})


app = Starlette(routes=[Route("/", garage), Mount("/smartcar", routes=connect.routes)])

if __name__ == "__main__":
    import uvicorn

    from smartcar_auth.sandbox import Sandbox

    with Sandbox(port=8010):
        uvicorn.run(app, host="localhost", port=8000)
