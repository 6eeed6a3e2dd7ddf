"""The data app of the table, in Dash: python dash_app.py PORT"""

import sys

from dash import Dash, Input, Output, callback, html

from smartcar_auth import SmartcarAuthError, VehicleIncompatible
from smartcar_auth.hosts.dash import SmartcarButton, SmartcarConnect

app = Dash()
connect = SmartcarConnect(app)
app.layout = html.Div([SmartcarButton(id="car", make="TESLA"), html.P("nothing yet", id="result")])


@callback(Output("result", "children"), Input("car", "outcome"))
def ended(outcome):
    try:
        response = connect.result(outcome)
    except VehicleIncompatible as error:
        return f"failed {error.code} {error.vehicle_info.make}"
    except SmartcarAuthError as error:
        return f"failed {error.code}"
    return f"granted {response.code}"


app.run(host="localhost", port=sys.argv[1])
