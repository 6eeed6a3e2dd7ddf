"""One worker of an application under test, as a FastAPI app (`worker:app`) and as a WSGI one (`worker:wsgi`).

It is told what to be by the environment variable WORKER, and notes what its functions were called with in a
file that all workers append to. A server runs it; it is no part of the tests' process.
"""

import json
import os
from typing import Any

from smartcar_auth import AuthorizationResponse, Smartcar, SmartcarAuthError
from smartcar_auth.web import RedisStore

settings = json.loads(os.environ["WORKER"])
options: dict[str, Any] = {"secret_keys": settings["keys"], "public_url": settings.get("public_url")}
if "redis" in settings:
    options["store"] = RedisStore.from_url(settings["redis"], asyncio=settings.get("asyncio", False))
smartcar = Smartcar(
    application_id="an-application", scope=["read_odometer"], connect_origin=settings.get("connect_origin")
)


def note(*words: str) -> None:
    """One line in one write, which the operating system appends whole, whoever else writes."""
    line = " ".join((settings["name"], *words)) + "\n"
    file = os.open(settings["record"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def connected(request: Any, response: AuthorizationResponse) -> dict[str, str]:
    """The application's function: it should run once for each code."""
    note("complete", str(response.code))
    return {"message": "Added to the garage, " + "on time " * 3}


def failed(request: Any, error: SmartcarAuthError) -> None:
    """What else became of an attempt."""
    note("error", getattr(error, "cause", None) or error.code)


def __getattr__(name: str) -> Any:
    """Each server asks for one of the two; the other's framework isn't loaded."""
    if name == "app":
        from fastapi import FastAPI, Request
        from fastapi.responses import HTMLResponse

        from smartcar_auth.hosts.fastapi import SmartcarConnect

        connect = SmartcarConnect(smartcar, **options)
        connect.on_complete(connected)
        connect.on_error(failed)
        app = FastAPI(openapi_url=None)
        app.include_router(connect.router, prefix="/smartcar")

        @app.get("/")
        def garage(request: Request) -> HTMLResponse:
            return HTMLResponse(
                f"<!doctype html><title>A garage</title>{connect.button(request, make='TESLA')}"
            )

        return app
    if name == "wsgi":
        from smartcar_auth.hosts.wsgi import SmartcarConnect as WSGIConnect

        connect = WSGIConnect(smartcar, **options)
        connect.on_complete(connected)
        connect.on_error(failed)
        return connect.wrap(lambda environ, start: (start("404 Not Found", []), [b""])[1])
    raise AttributeError(name)
