"""The data app of the table, in Dash, and a page with more buttons: python dash_app.py PORT"""

import sys
from typing import Any

from dash import MATCH, Dash, Input, Output, Patch, callback, ctx, html, page_container, register_page
from flask import Response

from smartcar_auth import SmartcarAuthError, VehicleIncompatible
from smartcar_auth.hosts.dash import SmartcarButton, SmartcarConnect

app = Dash(use_pages=True, pages_folder="")
connect = SmartcarConnect(app, identify=lambda request: request.cookies.get("person"))
app.layout = page_container

home = html.Div([SmartcarButton(id="car", make="TESLA"), html.P("nothing yet", id="result")])
register_page("home", path="/", layout=home)


@callback(Output("result", "children"), Input("car", "outcome"))
def ended(outcome: Any) -> str:
    try:
        response = connect.result(outcome)
    except VehicleIncompatible as error:
        return f"failed {error.code} {error.vehicle_info.make if error.vehicle_info else ''}".strip()
    except SmartcarAuthError as error:
        return f"failed {error.code}"
    return f"granted {response.code}"


def bay(number: int) -> html.Div:
    """A button whose options are sealed, made while the page is shown or later."""
    launch = connect.launch_url(make="TESLA", state={"bay": number})
    button = {"type": "car", "bay": number}
    result = html.P("nothing yet", id={"type": "in-bay", "bay": number})
    return html.Div([SmartcarButton(f"Bay {number}", id=button, launch=launch), result], id=f"bay-{number}")


register_page(
    "garage",
    path="/garage",
    layout=lambda: html.Div([html.Button("Add", id="add"), html.Div([bay(1)], id="bays")]),
)


@callback(Output("bays", "children"), Input("add", "n_clicks"), prevent_initial_call=True)
def added(clicks: int) -> Patch:
    bays = Patch()
    bays.append(bay(clicks + 1))
    return bays


@callback(
    Output({"type": "in-bay", "bay": MATCH}, "children"), Input({"type": "car", "bay": MATCH}, "outcome")
)
def ended_in_bay(outcome: Any) -> str:
    try:
        response = connect.result(outcome)
    except SmartcarAuthError as error:
        return error.code
    return f"{response.subject} in bay {response.app_state['bay']}, told in {ctx.triggered_id['bay']}"


@app.server.get("/login/<person>")
def login(person: str) -> Response:
    answer = Response(person)
    answer.set_cookie("person", person, httponly=True)
    return answer


app.run(host="localhost", port=sys.argv[1])
