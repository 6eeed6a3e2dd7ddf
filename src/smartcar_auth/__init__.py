"""Smartcar Connect for Python: let a car's owner connect a vehicle, and get the code or a typed error.

The public names of the core. No host, framework or third-party package is imported here; hosts are modules of
their own under `smartcar_auth.hosts`.
"""

from .client import CLEAR, Smartcar
from .envelope import read_envelope
from .errors import (
    AccessDenied,
    AmbiguousResponse,
    ApplicationConfigurationError,
    BrowserUnavailable,
    Cancelled,
    ConfigurationError,
    ConnectError,
    ConnectTimeout,
    DuplicateParameter,
    InvalidResponse,
    InvalidSubscription,
    MissingParameter,
    NotCompleted,
    NoVehicles,
    OemLoginCancelled,
    PopupBlocked,
    PortUnavailable,
    ServerError,
    SmartcarAuthError,
    StateMismatch,
    UnknownConnectError,
    UntrustedOrigin,
    UserExited,
    VehicleIncompatible,
    VehicleInfo,
)
from .origin import hosted_redirect_uri
from .request import AuthorizationRequest
from .response import AuthorizationResponse

__version__ = "0.1.0"

__all__ = [
    "CLEAR",
    "AccessDenied",
    "AmbiguousResponse",
    "ApplicationConfigurationError",
    "AuthorizationRequest",
    "AuthorizationResponse",
    "BrowserUnavailable",
    "Cancelled",
    "ConfigurationError",
    "ConnectError",
    "ConnectTimeout",
    "DuplicateParameter",
    "InvalidResponse",
    "InvalidSubscription",
    "MissingParameter",
    "NoVehicles",
    "NotCompleted",
    "OemLoginCancelled",
    "PopupBlocked",
    "PortUnavailable",
    "ServerError",
    "Smartcar",
    "SmartcarAuthError",
    "StateMismatch",
    "UnknownConnectError",
    "UntrustedOrigin",
    "UserExited",
    "VehicleIncompatible",
    "VehicleInfo",
    "__version__",
    "hosted_redirect_uri",
    "read_envelope",
]
