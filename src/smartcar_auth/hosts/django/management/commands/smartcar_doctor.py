"""`manage.py smartcar_doctor [URL...]`: what the settings say about whether Connect can work, in words."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from smartcar_auth import ConfigurationError
from smartcar_auth.web.doctor import report

from ...checks import routes_addresses
from ...configured import connect


class Command(BaseCommand):
    help = "Says what to register with Smartcar, and what in the settings keeps Connect from working."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "urls", nargs="*", metavar="URL", help="of the routes, such as https://app.example.com/smartcar"
        )

    def handle(self, *args: Any, urls: list[str], **options: Any) -> None:
        try:
            findings = connect.doctor(*(urls or routes_addresses()))
        except ConfigurationError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(report(findings))
        if any(finding.level == "problem" for finding in findings):
            raise CommandError("Connect can't work like this.")
