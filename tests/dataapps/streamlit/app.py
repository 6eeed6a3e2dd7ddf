"""What `streamlit run` starts."""

import streamlit as st

from smartcar_auth.hosts.streamlit import routes

app = st.App("main.py", routes=routes())
