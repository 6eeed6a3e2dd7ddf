"""How a call to Smartcar's API is answered over HTTP, in either version: what was found, or the error."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from .api_errors import ApiRefusal
from .connect import FormTooLong, read_body
from .pages import HINT, json_answer

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call is answered with, before it is written down."""

    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


async def answered(
    request: Request,
    request_id: str,
    find: Callable[[Request, bytes], Answer],
    error_body: Callable[[ApiRefusal], Any],
) -> Response:
    """Answer one call.

    Args:
        request_id: goes into a header; Smartcar's support asks for it.
        find: the answer to the request and its body; raises `ApiRefusal`.
        error_body: how this version of the API writes an error.
    """
    try:
        answer = find(request, await read_body(request))
    except (FormTooLong, ClientDisconnect):
        answer = _refused(ApiRefusal("VALIDATION", hint="The body is too long."), error_body)
    except ApiRefusal as refusal:
        answer = _refused(refusal, error_body)
    headers = {"sc-request-id": request_id, "cache-control": "no-store", **answer.headers}
    if answer.status == 204:
        return Response(None, 204, headers)
    return json_answer(answer.body, answer.status, headers)


def _refused(refusal: ApiRefusal, error_body: Callable[[ApiRefusal], Any]) -> Answer:
    headers = {HINT: refusal.hint} if refusal.hint else {}
    if refusal.retry_after is not None:
        headers["retry-after"] = str(refusal.retry_after)
    return Answer(error_body(refusal), headers, refusal.status)
