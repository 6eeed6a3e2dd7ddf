"""The hosts that Smartcar's services have, all of which the sandbox is at once."""

from starlette.requests import Request

CONNECT = "connect.smartcar.com"
HOSTED_REDIRECT = "javascript-sdk.smartcar.com"
HOSTNAMES = (
    CONNECT,
    HOSTED_REDIRECT,
    "auth.smartcar.com",
    "iam.smartcar.com",
    "api.smartcar.com",
    "vehicle.api.smartcar.com",
    "management.smartcar.com",
    "management.api.smartcar.com",
)


def connect_origin(request: Request) -> str:
    """Where Connect is, for whoever made this request: a browser that knows us as the API knows us as Connect."""
    if request.url.hostname in HOSTNAMES:
        return f"https://{CONNECT}"
    return str(request.base_url).rstrip("/")
