"""FastAPI: Connect's routes as an `APIRouter`. All else is Starlette's host, for FastAPI is Starlette."""

try:
    from fastapi import APIRouter
except ImportError as error:
    raise ImportError(
        'smartcar_auth.hosts.fastapi needs FastAPI: pip install "smartcar-auth[fastapi]"'
    ) from error

from .starlette import LaunchURL
from .starlette import SmartcarConnect as StarletteConnect

__all__ = ["LaunchURL", "SmartcarConnect"]


class SmartcarConnect(StarletteConnect):
    """Connect for a FastAPI application: `app.include_router(connect.router, prefix="/smartcar")`.

    Handlers receive FastAPI's `Request`. `identify` may be one of the application's own dependencies as
    long as it takes the request alone.
    """

    @property
    def router(self) -> APIRouter:
        """The routes. Plain Starlette ones: pages and the module's own calls, no part of the API's schema."""
        router = APIRouter()
        router.routes.extend(self.routes)
        return router
