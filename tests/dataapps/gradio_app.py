"""The data app of the table, in Gradio: python gradio_app.py PORT"""

import sys

import gradio as gr

from smartcar_auth import AuthorizationResponse, SmartcarAuthError, VehicleIncompatible
from smartcar_auth.hosts.gradio import SmartcarButton, SmartcarConnect


def save(response: AuthorizationResponse) -> str:
    return f"granted {response.code}"


async def explain(error: SmartcarAuthError) -> str:
    if isinstance(error, VehicleIncompatible) and error.vehicle_info:
        return f"failed {error.code} {error.vehicle_info.make}"
    return f"failed {error.code}"


connect = SmartcarConnect()

with gr.Blocks() as demo:
    button = SmartcarButton(make="TESLA")
    result = gr.HTML("nothing yet", html_template="<p id='result'>${value}</p>")
    button.connected(save, outputs=result)
    button.failed(explain, outputs=result)

demo.launch(
    server_name="localhost", server_port=int(sys.argv[1]), app_kwargs=connect.app_kwargs, footer_links=[]
)
