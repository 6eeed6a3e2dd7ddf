"""The same routes as async views, for projects under ASGI; sync handlers run in a thread there."""

from .configured import NAMESPACE, connect
from .host import async_patterns

app_name = NAMESPACE
urlpatterns = async_patterns(connect)
