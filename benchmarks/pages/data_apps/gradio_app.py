"""Ours in Gradio."""

import os
import sys

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
from known import known

from smartcar_auth import AuthorizationResponse
from smartcar_auth.hosts.gradio import SmartcarButton, SmartcarConnect

connect = SmartcarConnect()


def connected(response: AuthorizationResponse) -> None:
    known()


with gr.Blocks() as demo:
    SmartcarButton().connected(connected)

demo.launch(server_name="localhost", server_port=int(sys.argv[1]), app_kwargs=connect.app_kwargs)
