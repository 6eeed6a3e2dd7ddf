"""Ours in Dash."""

import sys

from dash import Dash, Input, Output, callback, html
from known import known

from smartcar_auth.hosts.dash import SmartcarButton, SmartcarConnect

app = Dash()
connect = SmartcarConnect(app)
app.layout = html.Div([SmartcarButton(id="car"), html.P(id="result")])


@callback(Output("result", "children"), Input("car", "outcome"))
def ended(outcome):
    connect.result(outcome)
    known()
    return "Connected."


app.run(host="localhost", port=sys.argv[1])
