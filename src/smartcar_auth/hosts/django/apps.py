"""The application's entry in Django's registry."""

from django.apps import AppConfig
from django.core.checks import Tags, register


class SmartcarAuthConfig(AppConfig):
    """`INSTALLED_APPS = [..., "smartcar_auth.hosts.django"]`: template tags, templates, checks, the command."""

    name = "smartcar_auth.hosts.django"
    label = "smartcar_auth"
    verbose_name = "Smartcar Connect"

    def ready(self) -> None:
        from .checks import TAG, check_deployment, check_settings

        register(check_settings, TAG)
        register(check_deployment, TAG, Tags.security, deploy=True)
