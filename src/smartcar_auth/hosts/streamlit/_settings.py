"""What secrets.toml and the environment say, and who is logged in: as `st.login` has it, in a section of its own."""

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st
from starlette.requests import Request

from smartcar_auth import ConfigurationError, Smartcar

_OF_SMARTCAR = ("application_id", "redirect_uri", "scope", "mode", "connect_origin")
_OF_CONNECT = ("secret_keys", "public_url", "allowed_origins", "attempt_seconds")
_LISTS = ("scope", "secret_keys", "allowed_origins")


def smartcar_of_settings() -> Smartcar:
    """Which application asks.

    Raises:
        ConfigurationError: There is no application id, or a setting can't be right.
    """
    options = _settings(_OF_SMARTCAR)
    if "application_id" not in options:
        raise ConfigurationError(
            _absent("application_id", '"..."') + "It is the Application ID shown in the Smartcar dashboard."
        )
    return Smartcar(**options)


def options_with(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of `smartcar_auth.web.Connect`: those given, the others from the settings.

    Raises:
        ConfigurationError: There are no secret keys.
    """
    options = {**_settings(_OF_CONNECT), **given}
    if not options.get("secret_keys"):
        raise ConfigurationError(
            _absent("secret_keys", '["..."]')
            + "Make a key with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    if "identify" not in options and st.secrets.load_if_toml_exists() and "auth" in st.secrets:
        options["identify"] = logged_in
    return options


def logged_in(request: Request) -> str | None:
    """The `sub` of whom `st.login` logged in, from the cookie that Streamlit signed for it.

    Raises:
        ConfigurationError: This Streamlit has it elsewhere.
    """
    try:
        from streamlit.web.server.starlette import starlette_server_config, starlette_websocket

        name = starlette_server_config.USER_COOKIE_NAME
        read = starlette_websocket._get_signed_cookie_with_chunks
    except (ImportError, AttributeError):
        raise ConfigurationError(
            f"Streamlit {st.__version__} keeps st.login's cookie where smartcar_auth doesn't find it. Give "
            "routes(identify=...) a function that says who is logged in."
        ) from None
    signed = read(request.cookies, name)
    user = json.loads(signed) if signed else {}
    return str(user["sub"]) if user.get("is_logged_in") and user.get("sub") else None


def _settings(names: Iterable[str]) -> dict[str, Any]:
    """From secrets.toml, else from the environment."""
    section = st.secrets.get("smartcar", {}) if st.secrets.load_if_toml_exists() else {}
    found: dict[str, Any] = {}
    for name in names:
        value = section.get(name) or os.environ.get(f"SMARTCAR_{name.upper()}")
        if value and isinstance(value, str) and name in _LISTS:
            value = value.split()
        if isinstance(value, str) and value.isdecimal() and name == "attempt_seconds":
            value = int(value)
        if value:
            found[name] = value
    return found


def _absent(name: str, value: str) -> str:
    return (
        f"{name} is missing. Write {name} = {value} into .streamlit/secrets.toml, in a section [smartcar], or set "
        f"SMARTCAR_{name.upper()} in the environment. "
    )
