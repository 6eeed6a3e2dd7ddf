"""A Bottle app with a "Connect your car" button: the plain WSGI application, mounted.

    python examples/bottle_app.py         # Connect is played by the sandbox; open http://localhost:8000

Any framework that mounts a WSGI application does the same. The functions receive the environ.
"""

import os
import secrets
from typing import Any

from bottle import Bottle, request, template

from smartcar_auth import AuthorizationResponse, Smartcar, SmartcarAuthError
from smartcar_auth.hosts.wsgi import SmartcarConnect

os.environ.setdefault("SMARTCAR_APPLICATION_ID", "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07")
os.environ.setdefault("SMARTCAR_CONNECT_ORIGIN", "http://127.0.0.1:8010")

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Garage</title>
<h1>Garage</h1>
<p>{{codes}} answers so far</p>
{{!button}}
"""

connect = SmartcarConnect(
    Smartcar.from_environment(), secret_keys=[secrets.token_bytes(32)], prefix="/smartcar"
)
received: list[AuthorizationResponse] = []


@connect.on_complete
def connected(environ: dict[str, Any], response: AuthorizationResponse) -> dict[str, str]:
    """Runs once per granted attempt: exchange `response.code` here."""
    received.append(response)
    return {"message": "Vehicle added."}


@connect.on_error
def failed(environ: dict[str, Any], error: SmartcarAuthError) -> None:
    print("Not connected:", error.code)


app = Bottle()
app.mount(connect.prefix, connect)


@app.get("/")
def garage() -> str:
    button = connect.button(request.environ, "Connect your car", return_to="/")
    return str(template(PAGE, codes=len(received), button=button))


if __name__ == "__main__":
    from smartcar_auth.sandbox import Sandbox

    with Sandbox(port=8010):
        app.run(host="localhost", port=8000)
