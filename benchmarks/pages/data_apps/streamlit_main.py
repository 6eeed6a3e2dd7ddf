"""Ours in Streamlit: the page. As in the peer's, the script has the result when the function returns it."""

from known import known

from smartcar_auth import AuthorizationResponse
from smartcar_auth.hosts.streamlit import smartcar_connect

if isinstance(smartcar_connect("Connect your car", key="car"), AuthorizationResponse):
    known()
