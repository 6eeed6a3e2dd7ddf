"""A Flask app with a "Connect your car" button, in Flask's idiom: a factory, init_app, the session.

    python examples/flask_app.py          # Connect is played by the sandbox; open http://localhost:8000

For the real thing set SMARTCAR_APPLICATION_ID, SMARTCAR_MODE and the like, and leave SMARTCAR_CONNECT_ORIGIN out.
"""

import os
import secrets
from typing import Any

from flask import Flask, Request, redirect, render_template_string, session, url_for
from werkzeug.wrappers import Response

from smartcar_auth import AuthorizationResponse, SmartcarAuthError
from smartcar_auth.hosts.flask import SmartcarConnect

# Without settings of your own: the sandbox below, and keys that last as long as the process.
os.environ.setdefault("SMARTCAR_APPLICATION_ID", "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07")
os.environ.setdefault("SMARTCAR_CONNECT_ORIGIN", "http://127.0.0.1:8010")
os.environ.setdefault("SECRET_KEYS", secrets.token_urlsafe(32))

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Garage</title>
<h1>Hello {{ person or "stranger" }}</h1>
<ul>{% for car in cars %}<li>{{ car }}</li>{% endfor %}</ul>
{% if launch %}{{ smartcar_button("Connect your car", launch=launch, return_to=url_for("garage")) }}{% endif %}
"""


def current_person(request: Request) -> str | None:
    """Who is logged in. Flask-Login's `current_user.get_id()` does as well, for the session works here."""
    return session.get("person")


connect = SmartcarConnect(identify=current_person)
cars: dict[str | int | None, list[str]] = {}


@connect.on_complete
def connected(request: Request, response: AuthorizationResponse) -> dict[str, str]:
    """Runs once per granted attempt. Exchange `response.code` for tokens here, with a back-end SDK."""
    colour = (response.app_state or {}).get("colour", "new")
    cars.setdefault(response.subject, []).append(f"a {colour} car")
    return {"message": "Vehicle added."}


@connect.on_error
def failed(request: Request, error: SmartcarAuthError) -> None:
    """Runs for every other end: denied, incompatible, cancelled, forged, ..."""
    print("Not connected:", error.code)


def create_app(**config: Any) -> Flask:
    newest, *older = os.environ["SECRET_KEYS"].split()
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY=newest,
        SECRET_KEY_FALLBACKS=older,
        SESSION_COOKIE_SAMESITE="Strict",
        SMARTCAR_APPLICATION_ID=os.environ["SMARTCAR_APPLICATION_ID"],
        SMARTCAR_CONNECT_ORIGIN=os.environ.get("SMARTCAR_CONNECT_ORIGIN"),
        SMARTCAR_MODE=os.environ.get("SMARTCAR_MODE"),
        SMARTCAR_SCOPE=["read_vehicle_info", "read_odometer"],
    )
    app.config.from_mapping(config)
    connect.init_app(app)  # the routes, below /smartcar

    @app.get("/")
    def garage() -> str:
        person = session.get("person")
        # What a page may not choose is sealed, together with the person for whom it is meant.
        launch = connect.launch_url(make="TESLA", state={"colour": "red"}) if person else None
        return render_template_string(PAGE, person=person, cars=cars.get(person, []), launch=launch)

    @app.get("/login/<person>")
    def login(person: str) -> Response:
        session["person"] = person
        return redirect(url_for("garage"))

    return app


if __name__ == "__main__":
    from smartcar_auth.sandbox import Sandbox

    with Sandbox(port=8010):
        print("Log in at http://localhost:8000/login/ann")
        create_app().run("localhost", 8000)
