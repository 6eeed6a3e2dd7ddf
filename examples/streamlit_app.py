"""A Streamlit app with a "Connect your car" button: the car appears on the page that asked.

    python examples/streamlit_app.py      # Connect and the car are played by the sandbox; http://localhost:8000

This file is what serves, examples/streamlit_pages/garage.py is the page. For the real thing write secrets.toml, section
[smartcar] (docs/hosts/streamlit.md), or set SMARTCAR_APPLICATION_ID, SMARTCAR_REDIRECT_URI and the like, with
SMARTCAR_CONNECT_ORIGIN=https://connect.smartcar.com, and start it with: streamlit run examples/streamlit_app.py
"""

import os
import secrets
from pathlib import Path

import streamlit as st

from smartcar_auth.hosts.streamlit import routes

SANDBOX = "http://127.0.0.1:8010"

# Without settings of your own: the sandbox below, and keys that last as long as the process.
os.environ.setdefault("SMARTCAR_APPLICATION_ID", "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07")
os.environ.setdefault("SMARTCAR_CLIENT_SECRET", "any will do in the sandbox")
os.environ.setdefault("SMARTCAR_SECRET_KEYS", secrets.token_urlsafe(32))
port = int(os.environ.get("PORT", "8000"))
os.environ.setdefault("SMARTCAR_REDIRECT_URI", f"http://localhost:{port}/smartcar/callback")
os.environ.setdefault("SMARTCAR_SCOPE", "required:read_vehicle_info read_odometer")
origin = os.environ.setdefault("SMARTCAR_CONNECT_ORIGIN", SANDBOX)
if origin.startswith("http://"):  # a sandbox, which plays the token endpoint and the cars, too
    os.environ.update(SMARTCAR_API_ORIGIN=origin, SMARTCAR_AUTH_ORIGIN=f"{origin}/oauth/token")

app = st.App(Path(__file__).parent / "streamlit_pages" / "garage.py", routes=routes())

if __name__ == "__main__":
    from smartcar_auth.sandbox import Sandbox

    settings = {"server.address": "localhost", "server.port": port, "server.headless": True}
    if origin == SANDBOX:
        with Sandbox(port=8010):
            app.run(config=settings)
    else:
        app.run(config=settings)
