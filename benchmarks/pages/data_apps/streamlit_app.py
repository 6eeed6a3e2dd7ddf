"""Ours in Streamlit."""

import streamlit as st

from smartcar_auth.hosts.streamlit import routes

app = st.App("streamlit_main.py", routes=routes())
