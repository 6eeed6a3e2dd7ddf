"""`{% load smartcar %}`: the button, sealed links and the script of front-end mode, for Django's templates."""

from typing import Any

from django import template
from django.utils.html import escape
from django.utils.safestring import mark_safe

from smartcar_auth import ConfigurationError

from .. import configured
from ..host import SmartcarConnect

register = template.Library()


def chosen(connect: SmartcarConnect | None) -> SmartcarConnect:
    return configured.connect if connect is None else connect


@register.simple_tag(takes_context=True)
def smartcar_button(
    context: Any, label: Any = "Connect your car", *, connect: Any = None, **options: Any
) -> str:
    """`{% smartcar_button "Connect your car" make="TESLA" return_to="/garage" %}`

    Options as in `Connect.markup`, and `connect=`, for a SmartcarConnect that isn't the settings' own.
    """
    return _with_nonce(context, chosen(connect).button(context.get("request"), label, **options))


@register.simple_tag(takes_context=True)
def smartcar_launch_url(context: Any, *, connect: Any = None, **options: Any) -> str:
    """`{% smartcar_launch_url single_select_vin=vin as url %}`, for `{% smartcar_button launch=url %}` or a link."""
    request = context.get("request")
    if request is None:
        raise ConfigurationError(
            "smartcar_launch_url needs the request in the template's context: render the template with "
            "render(request, ...), or add django.template.context_processors.request."
        )
    return chosen(connect).launch_url(request, **options)


@register.simple_tag(takes_context=True)
def smartcar_callback_script(context: Any, *, connect: Any = None, text: str | None = None) -> str:
    """`{% smartcar_callback_script %}`, on a page of your own at the end of the pop-up, in either mode."""
    return _with_nonce(context, chosen(connect).callback_script(text=text))


def _with_nonce(context: Any, markup: str) -> str:
    nonce = context.get("csp_nonce")  # of Django 6's context processor, and false until it is asked for
    if nonce is not None:
        markup = markup.replace("<script ", f'<script nonce="{escape(str(nonce))}" ', 1)
        markup = mark_safe(markup)  # noqa: S308 (every value in it is escaped)
    return markup
