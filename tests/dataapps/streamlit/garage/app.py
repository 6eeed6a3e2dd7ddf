"""For `uvicorn app:app`; all settings are in .streamlit."""

from pathlib import Path

import streamlit as st

from smartcar_auth.hosts.streamlit import routes

app = st.App(Path(__file__).with_name("main.py"), routes=routes())
