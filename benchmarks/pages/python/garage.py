# What both Pythons run: a button that works, and an attempt for the measuring script.
from js import window
from smartcar_auth._platform import to_js
from smartcar_auth.hosts.browser import Smartcar


def on_complete(error, response):
    window.finished(error.code if error else "")


smartcar = Smartcar(
    application_id="8229df9f-91a0-4ff0-a1ae-a1f38ee24d07",
    redirect_uri=f"{window.redirectOrigin}/redirect.html?app_origin={window.location.origin}",
    connect_origin=window.elsewhere,
    scope=["read_odometer", "read_location"],
    on_complete=on_complete,
)


def attempt():
    smartcar.open_dialog(state="0facda3319")


smartcar.add_click_handler(id="connect")
window.attempt = to_js(attempt)
window.ready()
