"""A Quart app with a "Connect your car" button: the plain ASGI application, in front of it.

    python examples/quart_app.py          # Connect is played by the sandbox; open http://localhost:8000

Any ASGI framework can stand behind `wrap`. The functions receive the scope.
"""

import os
import secrets
from typing import Any

from markupsafe import Markup
from quart import Quart, render_template_string, request

from smartcar_auth import AuthorizationResponse, Smartcar, SmartcarAuthError
from smartcar_auth.hosts.asgi import SmartcarConnect

os.environ.setdefault("SMARTCAR_APPLICATION_ID", "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07")
os.environ.setdefault("SMARTCAR_CONNECT_ORIGIN", "http://127.0.0.1:8010")

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Garage</title>
<h1>Garage</h1>
<p>{{ codes }} answers so far</p>
{{ smartcar_button("Connect your car", return_to="/") }}
"""

connect = SmartcarConnect(Smartcar.from_environment(), secret_keys=[secrets.token_bytes(32)])
received: list[AuthorizationResponse] = []


@connect.on_complete
async def connected(scope: dict[str, Any], response: AuthorizationResponse) -> dict[str, str]:
    """Runs once per granted attempt, in the event loop; a plain `def` would run in a thread."""
    received.append(response)
    return {"message": "Vehicle added."}


@connect.on_error
async def failed(scope: dict[str, Any], error: SmartcarAuthError) -> None:
    print("Not connected:", error.code)


app = Quart(__name__)
app.asgi_app = connect.wrap(app.asgi_app)  # what is below /smartcar never reaches Quart


@app.template_global()
def smartcar_button(label: str, **options: Any) -> Markup:
    return Markup(connect.button(request.scope, label, **options))


@app.get("/")
async def garage() -> str:
    return await render_template_string(PAGE, codes=len(received))


if __name__ == "__main__":
    from smartcar_auth.sandbox import Sandbox

    with Sandbox(port=8010):
        app.run("localhost", 8000)
