"""The routes of the Connect that settings make, and Django's admin."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("smartcar/", include("smartcar_auth.hosts.django.urls")),
    path("later/", include("smartcar_auth.hosts.django.async_urls")),
    path("admin/", admin.site.urls),
]
