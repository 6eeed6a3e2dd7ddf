"""Requests read and answers written: what stands between Django's values and the routes'.

Host, scheme and path are Django's own word on them, so ALLOWED_HOSTS, SECURE_PROXY_SSL_HEADER,
USE_X_FORWARDED_HOST and FORCE_SCRIPT_NAME hold; no header is read behind its back.
"""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.template.response import TemplateResponse
from django.utils.log import log_response

from smartcar_auth.web import Request, Response
from smartcar_auth.web.answering import masked
from smartcar_auth.web.application import logger
from smartcar_auth.web.connect import split_path
from smartcar_auth.web.exchange import HEADERS

PAGE_TEMPLATE = "smartcar_auth/page.html"
_SHIPPED = str(Path(__file__).parent / "templates" / PAGE_TEMPLATE)


class OwnPage(TemplateResponse):
    """One of our pages in the project's template. Django renders it after the view, in a thread where need be.

    A template that fails costs nobody the outcome: then the built-in page is sent.
    """

    def __init__(self, read: Request, template: Any, context: dict[str, Any], built_in: bytes) -> None:
        super().__init__(read.native, template, context)
        self._query = read.query
        self._built_in = built_in

    @property
    def rendered_content(self) -> Any:
        try:
            return super().rendered_content
        except Exception as error:
            logger.error("The template %s failed\n%s", PAGE_TEMPLATE, masked(error, self._query))
            return self._built_in


def own_template() -> Any:
    """The project's template for our pages, or None where it has none: the built-in words are quicker."""
    try:
        template = get_template(PAGE_TEMPLATE)
    except TemplateDoesNotExist:
        return None
    except Exception:
        logger.exception("The template %s can't be read", PAGE_TEMPLATE)
        return None
    return None if template.origin.name == _SHIPPED else template


def read(request: HttpRequest) -> tuple[Request, str]:
    meta = request.META
    headers = {}
    for name, key in _READ:
        value = meta.get(key)
        if value is not None:
            headers[name] = value
    scheme = request.scheme
    host = request.get_host().lower().removesuffix(":443" if scheme == "https" else ":80")
    # Not request.path: under ASGI that lacks a FORCE_SCRIPT_NAME which a proxy has cut off.
    base, below = split_path(meta["SCRIPT_NAME"].rstrip("/") + request.path_info)
    # Under WSGI the query is bytes read as Latin-1, under ASGI Django has decoded it.
    query = meta.get("QUERY_STRING", "").encode("utf-8" if hasattr(request, "scope") else "latin-1")
    return (
        Request(
            method=request.method,
            origin=f"{scheme}://{host}",
            base=quote(base, safe="/:@!$&'()*+,;=-._~"),
            query=query,
            headers=headers,
            native=request,
        ),
        below,
    )


_READ = [(name, "HTTP_" + name.upper().replace("-", "_")) for name in HEADERS]


def written(answer: Response, request: HttpRequest) -> HttpResponseBase:
    response = answer.native
    fields = {}
    cookies = []
    for name, value in answer.headers:
        if name == "Set-Cookie":
            cookies.append(value)
        else:
            fields[name] = value
    if response is None:
        head = request.method == "HEAD"
        if head:
            fields["Content-Length"] = str(len(answer.body))
        response = HttpResponse(b"" if head else answer.body, status=answer.status, headers=fields)
    else:
        if isinstance(response, OwnPage):
            response.status_code = answer.status
        for name, value in fields.items():
            response.headers[name] = value
    for cookie in cookies:
        _set_cookie(response, cookie)
    if fields.get("Cache-Control") == "no-store":
        # Until 5.2 the cache middleware of a whole site keeps what says "no-store".
        request._cache_update_cache = False
    # The routes have logged what is to be said; Django would mail the query, code included, to the admins.
    response._has_been_logged = answer.error is None
    return response


def _set_cookie(response: HttpResponseBase, field: str) -> None:
    """Not `set_cookie`, which would write an Expires too, and those bytes count."""
    pair, *attributes = field.split("; ")
    name, _, value = pair.partition("=")
    response.cookies[name] = value
    morsel = response.cookies[name]
    for attribute in attributes:
        key, _, text = attribute.partition("=")
        morsel[key] = text or True


def forget_query(request: HttpRequest) -> None:
    """A view failed: the report that Django makes of the request must not hold what Connect sent."""
    request.META["QUERY_STRING"] = ""
    request.GET = QueryDict()


def report(error: Exception, request: HttpRequest, response: HttpResponseBase) -> None:
    """The person reads a page; the developer gets the traceback where Django sends those of any view."""
    try:
        raise error
    except Exception:  # Django's test client and error trackers ask for the exception that is being handled
        got_request_exception.send(sender=None, request=request)
    log_response(
        "%s: %s", response.reason_phrase, request.path, response=response, request=request, exception=error
    )
