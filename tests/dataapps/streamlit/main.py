"""The page of the table of outcomes."""

import streamlit as st

from smartcar_auth import AuthorizationResponse, SmartcarAuthError, VehicleIncompatible
from smartcar_auth.hosts.streamlit import smartcar_connect

result = smartcar_connect("Connect your car", key="car", make="TESLA")

if isinstance(result, AuthorizationResponse):
    says = f"granted {result.code}"
elif isinstance(result, VehicleIncompatible) and result.vehicle_info is not None:
    says = f"failed {result.code} {result.vehicle_info.make}"
elif isinstance(result, SmartcarAuthError):
    says = f"failed {result.code}"
else:
    says = "nothing yet"
st.html(f"<p id='result'>{says}</p>")
