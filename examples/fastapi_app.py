"""A FastAPI app with a "Connect your car" button, in FastAPI's idiom: APIRouter, Depends, types.

    python examples/fastapi_app.py        # Connect is played by the sandbox; open http://localhost:8000

For the real thing set SMARTCAR_APPLICATION_ID, SMARTCAR_MODE and the like, and leave SMARTCAR_CONNECT_ORIGIN out.
"""

import os
import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates
from jinja2 import DictLoader, Environment

from smartcar_auth import AuthorizationResponse, Smartcar, SmartcarAuthError
from smartcar_auth.hosts.fastapi import SmartcarConnect

# Without settings of your own: the sandbox below, and keys that last as long as the process.
os.environ.setdefault("SMARTCAR_APPLICATION_ID", "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07")
os.environ.setdefault("SMARTCAR_CONNECT_ORIGIN", "http://127.0.0.1:8010")
os.environ.setdefault("SECRET_KEYS", secrets.token_urlsafe(32))

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Garage</title>
<h1>Hello {{ person }}</h1>
<ul>{% for car in cars %}<li>{{ car }}</li>{% endfor %}</ul>
{{ smartcar_button(request, "Connect your car", launch=launch, return_to="/") }}
"""


def current_person(request: Request) -> str | None:
    """Who is logged in. Yours reads its session; here everybody is ?person=, kept in a cookie."""
    return request.query_params.get("person") or request.cookies.get("person")


Person = Annotated[str | None, Depends(current_person)]

connect = SmartcarConnect(
    Smartcar.from_environment(scope=["read_vehicle_info", "read_odometer"]),
    secret_keys=os.environ["SECRET_KEYS"].split(),
    identify=current_person,
)
cars: dict[str | int | None, list[str]] = {}


@connect.on_complete
async def connected(request: Request, response: AuthorizationResponse) -> dict[str, str]:
    """Runs once per granted attempt. Exchange `response.code` for tokens here, with a back-end SDK."""
    colour = (response.app_state or {}).get("colour", "new")
    cars.setdefault(response.subject, []).append(f"a {colour} car")
    return {"message": "Vehicle added."}


@connect.on_error
async def failed(request: Request, error: SmartcarAuthError) -> None:
    """Runs for every other end: denied, incompatible, cancelled, forged, ..."""
    print("Not connected:", error.code)


templates = Jinja2Templates(env=Environment(loader=DictLoader({"page.html": PAGE}), autoescape=True))
connect.install(templates.env)
pages = APIRouter()


@pages.get("/", response_class=HTMLResponse)
def garage(request: Request, person: Person) -> HTMLResponse:
    # What a page may not choose is sealed, together with the person for whom it is meant.
    launch = connect.launch_url(request, make="TESLA", state={"colour": "red"}) if person else None
    context = {"person": person or "stranger", "cars": cars.get(person, []), "launch": launch}
    answer = templates.TemplateResponse(request, "page.html", context)
    if person:
        answer.set_cookie("person", person, httponly=True, samesite="strict")
    return answer


app = FastAPI()
app.include_router(pages)
app.include_router(connect.router, prefix="/smartcar")

if __name__ == "__main__":
    import uvicorn

    from smartcar_auth.sandbox import Sandbox

    with Sandbox(port=8010):
        uvicorn.run(app, host="localhost", port=8000)
