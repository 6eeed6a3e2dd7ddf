"""What is asked for: options of the command line first, then SMARTCAR_... variables, then the configuration file.

The file is the person's own, or one that they name. None is looked for in the working directory: whoever wrote that
one could send them somewhere else to log in.
"""

import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import typer

from smartcar_auth import ConfigurationError, Smartcar

_OF_THE_APPLICATION = (
    "application_id",
    "redirect_uri",
    "scope",
    "mode",
    "response_type",
    "external_id",
    "connect_origin",
)
# What the API for another device's end needs; no options, because a command line can be read by others.
_VARIABLES = {
    "api_client_id": "SMARTCAR_API_CLIENT_ID",
    "api_client_secret": "SMARTCAR_API_CLIENT_SECRET",
    "iam_origin": "SMARTCAR_IAM_ORIGIN",
    "api_origin": "SMARTCAR_VEHICLE_API_V3_ORIGIN",
}
#: The names that may stand in the configuration file.
NAMES = (*_OF_THE_APPLICATION, "ports", *_VARIABLES)


def gather(options: dict[str, Any], config: Path | None) -> dict[str, Any]:
    """Every setting that somebody made.

    Args:
        options: Of the command line and their variables; None is not given.
        config: The file that was asked for; None is the person's own, which may be missing.

    Raises:
        ConfigurationError: The file can't be read, holds something else, or holds a secret that others can read.
    """
    settings = _read(config)
    settings |= {
        name: os.environ[variable] for name, variable in _VARIABLES.items() if os.environ.get(variable)
    }
    settings |= {name: value for name, value in options.items() if value is not None}
    return settings


def smartcar(settings: dict[str, Any]) -> Smartcar:
    """The application that asks.

    Raises:
        ConfigurationError: There is no application id, or a setting can't work.
    """
    if not settings.get("application_id"):
        raise ConfigurationError(
            "No application id: pass --application-id, or set SMARTCAR_APPLICATION_ID, to the Application ID shown in "
            "the Smartcar dashboard."
        )
    return Smartcar(**{name: settings[name] for name in _OF_THE_APPLICATION if name in settings})


def ports(settings: dict[str, Any]) -> list[int] | None:
    """The ports that may be held; None leaves it to the redirect URI."""
    if "ports" in settings or "redirect_uri" in settings:
        found: list[int] | None = settings.get("ports")
        return found
    # A sandbox accepts any, so two people, or two windows, never meet. Smartcar's own guides register this one.
    return [0] if _sandbox(settings) else [8000]


def credentials(settings: dict[str, Any]) -> dict[str, Any] | None:
    """The arguments of `Connections`, if there are API credentials."""
    if "api_client_id" not in settings and "api_client_secret" not in settings:
        return None
    sandbox = _sandbox(settings)  # plays the API as well
    origins = {name: settings.get(name, sandbox) for name in ("iam_origin", "api_origin")}
    return {
        "client_id": settings.get("api_client_id", ""),
        "client_secret": settings.get("api_client_secret", ""),
        **{name: origin for name, origin in origins.items() if origin},
    }


def _sandbox(settings: dict[str, Any]) -> str:
    """The sandbox's origin; "" for Smartcar itself, which is never without TLS."""
    origin: str = settings.get("connect_origin", "")
    return origin if origin.startswith("http://") else ""


def default_path() -> Path:
    """The person's own configuration file."""
    return Path(typer.get_app_dir("smartcar-auth")) / "config.toml"


def shown_default_path() -> str:
    """The same as people write it."""
    return str(default_path()).replace(str(Path.home()), "~", 1)


def _read(config: Path | None) -> dict[str, Any]:
    path = config or default_path()
    try:
        with path.open("rb") as file:
            open_to_others = sys.platform != "win32" and bool(os.fstat(file.fileno()).st_mode & 0o077)
            values = tomllib.load(file)
    except FileNotFoundError:
        if config is None:
            return {}
        raise ConfigurationError(f"There is no configuration file {path}.") from None
    except OSError as error:
        raise ConfigurationError(f"The configuration file {path} can't be read: {error.strerror}.") from None
    except ValueError as error:  # no TOML, or no UTF-8
        raise ConfigurationError(f"The configuration file {path} is no TOML: {error}.") from None
    for name, value in values.items():
        if name not in NAMES:
            raise ConfigurationError(f"{path}: there is no setting {name}; there are {', '.join(NAMES)}.")
        if name == "ports":
            continue  # checked where they are used
        if not isinstance(value, str) and not (name == "scope" and isinstance(value, list)):
            raise ConfigurationError(f"{path}: {name} must be text.")
    if "api_client_secret" in values and open_to_others:
        raise ConfigurationError(f"{path} holds a secret and others can read it: chmod 600 {path}")
    return values
