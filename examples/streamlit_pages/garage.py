"""The page of examples/streamlit_app.py: a button, what became of it, and the cars."""

import os

import smartcar
import streamlit as st

from smartcar_auth import AuthorizationResponse, SmartcarAuthError
from smartcar_auth.hosts.streamlit import Result, smartcar_connect


def connected(result: Result) -> None:
    """Runs once per attempt, before the page is drawn again: the place for the code, which counts once."""
    if isinstance(result, AuthorizationResponse) and result.code:
        st.session_state.cars = read_cars(result.code)


def read_cars(code: str) -> list[dict[str, str]]:
    """Exchange the code and read the cars that it opens."""
    settings = ("SMARTCAR_APPLICATION_ID", "SMARTCAR_CLIENT_SECRET", "SMARTCAR_REDIRECT_URI")
    client = smartcar.AuthClient(*(os.environ[name] for name in settings))
    token = client.exchange_code(code).access_token
    cars = []
    for vehicle_id in smartcar.get_vehicles(token).vehicles:
        vehicle = smartcar.Vehicle(vehicle_id, token)
        attributes = vehicle.attributes()
        odometer = f"{vehicle.odometer().distance:,.0f} km"
        cars.append({"name": f"{attributes.make} {attributes.model} {attributes.year}", "odometer": odometer})
    return cars


st.set_page_config(page_title="Garage", page_icon=":material/directions_car:")
st.title("Your garage")

for car in st.session_state.get("cars", []):
    st.metric(car["name"], car["odometer"], border=True)

result = smartcar_connect("Connect your car", key="car", on_complete=connected)

if isinstance(result, SmartcarAuthError):
    st.warning(f"Not connected: {result.code}")
