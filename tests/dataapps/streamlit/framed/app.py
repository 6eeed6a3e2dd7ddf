"""A Streamlit without components v2, for `python app.py PORT`; who is who says a cookie."""

import sys

import streamlit as st
import streamlit.components.v2

from smartcar_auth.hosts.streamlit import routes

del streamlit.components.v2.component

app = st.App(
    "main.py", routes=routes("/cars/smartcar", identify=lambda request: request.cookies.get("person"))
)

if __name__ == "__main__":
    port = int(sys.argv[1])
    app.run(config={"server.port": port, "server.headless": True, "browser.gatherUsageStats": False})
