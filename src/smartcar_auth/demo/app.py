"""The sample app: a garage where a person connects a car and sees it. Read it as an example.

It uses `smartcar_auth` for Connect and the official `smartcar` package for everything after: exchanging the
code and reading the car. People are told apart by a cookie and kept in memory; yours log in.
"""

import secrets
from pathlib import Path
from typing import Annotated, Any

import smartcar
from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from smartcar_auth import AuthorizationResponse, Smartcar, SmartcarAuthError
from smartcar_auth.hosts.fastapi import SmartcarConnect

HERE = Path(__file__).parent
APPLICATION_ID = "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07"
APPLICATION_SECRET = "sandbox-secret"  # noqa: S105 (the sandbox takes any)
SCOPE = ["required:read_vehicle_info", "read_odometer", "read_location", "control_security"]

# A strict page policy, to show that none of it needs loosening for Connect.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)

# What the page says of an end without a car, where the button's own words are not there to say it.
WORDS = {
    "access_denied": "You did not give access, so nothing was connected.",
    "vehicle_incompatible": "This car can’t be connected.",
    "invalid_subscription": "The car’s subscription isn’t active. Renew it in the brand’s app, then try again.",
    "no_vehicles": "There is no car in that account. Add it in the brand’s app, then try again.",
    "configuration_error": "This app isn’t set up correctly. Nothing is wrong with your car.",
    "server_error": "Something went wrong at Smartcar. Please try again in a moment.",
    "oem_cancelled_login": "You left the brand’s login, so nothing was connected.",
    "user_exited": "You came back early, so nothing was connected.",
    "handler_failed": "You gave access, but the car could not be added. Please try again.",
}
OTHERWISE = "Your car was not connected. Please try again."


def current_person(request: Request) -> str | None:
    """Who is looking at the page: the stand-in for your login."""
    return request.cookies.get("person")


Person = Annotated[str | None, Depends(current_person)]


def create_app(sandbox: str) -> FastAPI:
    """The sample app, connected to the sandbox at this origin."""
    app = FastAPI(title="Sample garage", openapi_url=None)
    templates = Jinja2Templates(HERE / "templates")
    garage: dict[str, dict[str, dict[str, Any]]] = {}  # cars by person and vehicle id

    connect = SmartcarConnect(
        Smartcar(application_id=APPLICATION_ID, scope=SCOPE, mode="simulated", connect_origin=sandbox),
        secret_keys=[secrets.token_bytes(32)],
        identify=current_person,
    )
    app.include_router(connect.router, prefix="/smartcar")
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    connect.install(templates.env)

    def cars_of(person: str | None) -> list[dict[str, Any]]:
        return list(garage.get(person or "", {}).values())

    @connect.on_complete
    def connected(request: Request, response: AuthorizationResponse) -> dict[str, str]:
        """The code is here, once, for the person who launched: exchange it, then read the cars."""
        client = smartcar.AuthClient(
            APPLICATION_ID, APPLICATION_SECRET, str(request.url_for("smartcar_callback")), mode="simulated"
        )
        token = client.exchange_code(response.code).access_token
        cars = {one: read_vehicle(one, token) for one in smartcar.get_vehicles(token).vehicles}
        garage.setdefault(str(response.subject), {}).update(cars)
        names = " and ".join(f"{car['make']} {car['model']}" for car in cars.values())
        return {"message": f"Connected: {names}."}

    @connect.on_error
    def failed(request: Request, error: SmartcarAuthError) -> dict[str, str] | None:
        """Every other end comes here, typed. A message is what the button says; without one it has words."""
        print(f"Not connected: {error.code}", flush=True)
        return {"message": WORDS[error.code]} if error.code in WORDS else None

    @app.get("/", response_class=HTMLResponse)
    def page(request: Request, person: Person, smartcar: str | None = None) -> HTMLResponse:
        """The garage. `smartcar` is in the query when a flow without pop-up ends here."""
        notice = None
        if smartcar is not None:
            notice = "Your car is connected." if smartcar == "granted" else WORDS.get(smartcar, OTHERWISE)
        context = {"vehicles": cars_of(person), "notice": notice}
        answer = templates.TemplateResponse(request, "garage.html", context)
        answer.headers["Content-Security-Policy"] = POLICY
        if person is None:
            answer.set_cookie("person", secrets.token_urlsafe(16), httponly=True, samesite="lax")
        return answer

    @app.get("/vehicles")
    def vehicles(person: Person) -> list[dict[str, Any]]:
        """This person's cars, for the page to show when the button says that one was added."""
        return cars_of(person)

    return app


def read_vehicle(vehicle_id: str, token: str) -> dict[str, Any]:
    """What the page shows of a car: attributes, and what the person has given access to."""
    vehicle = smartcar.Vehicle(vehicle_id, token)
    attributes = vehicle.attributes()
    shown = {"make": attributes.make, "model": attributes.model, "year": attributes.year}
    for name, read in (("odometer", vehicle.odometer), ("location", vehicle.location)):
        try:
            answer = read()
        except smartcar.SmartcarException:  # not granted, for example
            continue
        if name == "odometer":
            shown["odometer"] = f"{answer.distance:,.0f} km"
        else:
            shown["location"] = f"{answer.latitude:.4f}, {answer.longitude:.4f}"
    return shown
