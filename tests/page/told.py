# Runs in the page, on every Python: what tests find there.
import asyncio
import json

import js
import smartcar_auth
from smartcar_auth.hosts.browser import Smartcar  # noqa: F401  (for the tests' code)

told = []  # how attempts ended, as on_complete heard it
awaited = []  # and as those heard it who awaited them


def described(error, response):
    if error is not None:
        info = getattr(error, "vehicle_info", None)
        return {
            "kind": type(error).__name__,
            "code": error.code,
            "error": error.error,
            "description": error.description,
            "cause": getattr(error, "cause", None),
            "vehicle_info": None
            if info is None
            else {name: info[name] for name in ("vin", "make", "model", "year")},
        }
    fields = ("code", "state", "user_id", "external_id", "virtual_key_url", "vehicle_id")
    return {name: getattr(response, name) for name in fields}


def on_complete(error, response):
    told.append(described(error, response))


async def wait_for(attempt):
    try:
        awaited.append(described(None, await attempt))
    except smartcar_auth.SmartcarAuthError as error:
        awaited.append(described(error, None))
    except asyncio.CancelledError:
        awaited.append("task cancelled")


def answer(value):
    """For the test that asked; JSON, because each Python has its own way with JavaScript's objects."""
    js.window.answer = json.dumps(value)


smartcars = []
hints = []  # attempts whose window read closed


def reset():
    while smartcars:
        smartcars.pop().unmount()
    told.clear()
    awaited.clear()
    hints.clear()


def act(*event):
    """What a click on #act does; each test writes its own."""


def acting(event):
    act()


if smartcar_auth._platform.MICROPYTHON:
    js.document.getElementById("act").addEventListener("click", acting)
else:
    from pyodide.ffi import create_proxy

    js.document.getElementById("act").addEventListener("click", create_proxy(acting))
