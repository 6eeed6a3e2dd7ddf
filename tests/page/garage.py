# A page's own code in PyScript, as its documentation would show it.
from pyscript import document, when

from smartcar_auth import ConfigurationError, SmartcarAuthError
from smartcar_auth.hosts.browser import Smartcar

site = document.querySelector("#connect").dataset


def say(text):
    document.querySelector("#said").textContent = text


def on_complete(error, response):
    say(f"{error.code}" if error else f"{response.code} {response.state}")


smartcar = Smartcar(
    application_id="an-application",
    redirect_uri=site.redirect,
    connect_origin=site.at,
    on_complete=on_complete,
)
try:
    smartcar.add_click_handler(id="connect", state="handler")
    say("ready")
except ConfigurationError as error:
    say(str(error))


@when("click", "#await")
async def connect(event):
    try:
        response = await smartcar.open_dialog(state="awaited 🚗")
        document.querySelector("#heard").textContent = f"{response.code} {response.state}"
    except SmartcarAuthError as error:
        document.querySelector("#heard").textContent = error.code
