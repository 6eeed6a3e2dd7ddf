"""Gradio: the button as a component with two events, and Connect's routes inside Gradio's own app.

connect = SmartcarConnect()
with gr.Blocks() as demo:
    button = SmartcarButton("Connect your car")
    button.connected(save, outputs=garage)
demo.launch(app_kwargs=connect.app_kwargs)

connect.py       the routes, and whose result it is
button.py        the component, on `gr.HTML`, and its events
listener.py      functions that are given a result, as Gradio knows functions
button.js, button.css    the page's part: the module's element
"""

try:
    import gradio  # noqa: F401
except ImportError as error:
    raise ImportError(
        'smartcar_auth.hosts.gradio needs Gradio: pip install "smartcar-auth[gradio]"'
    ) from error

from .button import SmartcarButton
from .connect import SmartcarConnect

__all__ = ["SmartcarButton", "SmartcarConnect"]
