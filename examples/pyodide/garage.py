# The page's own code, on Pyodide.
import json

from pyodide.http import pyfetch

from js import document, window
from smartcar_auth.hosts.browser import Smartcar

WORDS = {
    "access_denied": "You did not give access, so nothing was connected.",
    "cancelled": "You stopped, so nothing was connected.",
    "popup_blocked": "Your browser blocked the window. Allow pop-ups for this page, then try again.",
}
OTHERWISE = "Your car was not connected. Please try again."
button = document.querySelector("#connect")


def say(text):
    document.querySelector("#status").textContent = text


def show(cars):
    garage = document.querySelector("#garage")
    garage.textContent = ""
    for car in cars:
        item = document.querySelector("#car").content.cloneNode(True)
        for name in car:
            item.querySelector('[data-of="' + name + '"]').textContent = car[name]
        garage.append(item)


async def on_complete(error, response):
    """How every attempt ends. The code goes to the server, which has the secret that it needs."""
    if error:
        say(WORDS.get(error.code, OTHERWISE))
        return
    say("Adding your car …")
    answer = await pyfetch(
        "/cars",
        method="POST",
        headers={"Content-Type": "application/json"},
        body=json.dumps({"code": response.code}),
    )
    found = await answer.json()
    if answer.ok:
        show(found)
        say("Your car is connected.")
    else:
        say(found["error"])


def on_closed(attempt):
    """It may have been closed, or be on a page that cut it off: nothing is over yet."""
    say("Still connecting? If you closed the window, press the button to start again.")


smartcar = Smartcar(
    application_id=button.dataset.applicationId,
    connect_origin=button.dataset.connectOrigin,
    redirect_uri=window.location.origin + "/connect/redirect.html",
    scope=["required:read_vehicle_info", "required:read_odometer"],
    mode="simulated",
    on_complete=on_complete,
)
smartcar.add_click_handler(id="connect", on_closed=on_closed)
show(await (await pyfetch("/cars")).json())  # noqa: F704 (Pyodide lets a script wait)
button.disabled = False
say("")
