"""A FastAPI app with Gradio in it, behind a login and not at the root: python gradio_garage.py PORT"""

import sys
from collections.abc import AsyncIterator, Iterator

import gradio as gr
import uvicorn
from fastapi import FastAPI

from smartcar_auth import AuthorizationResponse, SmartcarAuthError
from smartcar_auth.hosts.gradio import SmartcarButton, SmartcarConnect

connect = SmartcarConnect(identify=lambda request: request.username)


def bay(request: gr.Request) -> dict[str, object]:
    return {"state": {"bay": len(request.username)}}


with gr.Blocks() as garage:
    colour = gr.Textbox("red", label="Colour", elem_id="colour")
    first = SmartcarButton("First", sealed=bay, elem_id="first", elem_classes="big")
    second = SmartcarButton("Second", sealed={"single_select_vin": "5YJSA1CN5DFP00101"}, elem_id="second")
    third = SmartcarButton("Third", make="KIA", variant="secondary", elem_id="third")
    cars = gr.HTML("no car", html_template="<p id='cars'>${value}</p>")
    steps = gr.HTML("", html_template="<p id='steps'>${value}</p>")

    def park(response: AuthorizationResponse, colour: str, request: gr.Request) -> Iterator[str]:
        yield "parking"
        assert response.app_state is not None
        yield f"{response.subject}'s {colour} car in bay {response.app_state['bay']}, {request.username}"

    first.connected(park, colour, cars).then(lambda: "swept", outputs=steps)

    @second.connected(outputs=cars, concurrency_limit=None)
    async def come(response: AuthorizationResponse) -> AsyncIterator[str]:
        yield "coming"
        yield f"{response.subject} came"

    @third.failed(inputs=[colour], outputs=cars)
    async def explain(error: SmartcarAuthError, colour: str) -> str:
        return f"no {colour} car: {error.code}"

    added = gr.State(0)
    gr.Button("Add").click(lambda: 1, outputs=added)

    @gr.render(inputs=added)
    def more(added: int) -> None:
        if added:
            late = SmartcarButton("Late", elem_id="late")
            car = gr.HTML("", html_template="<p id='late-car'>${value}</p>")
            late.connected(lambda response: "late, too", outputs=car)


with gr.Blocks() as bare:
    SmartcarButton("Without its routes")

app = FastAPI()
gr.mount_gradio_app(
    app, garage, path="/garage", auth=[("ann", "ann's"), ("benny", "benny's")], app_kwargs=connect.app_kwargs
)
gr.mount_gradio_app(app, bare, path="/bare")
uvicorn.run(app, host="localhost", port=int(sys.argv[1]))
