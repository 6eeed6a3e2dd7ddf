"""The routes of the Connect that settings make: `path("smartcar/", include("smartcar_auth.hosts.django.urls"))`."""

from .configured import NAMESPACE, connect
from .host import patterns

app_name = NAMESPACE
urlpatterns = patterns(connect)
