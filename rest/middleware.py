"""What holds for all addresses of the API, those that do not exist included."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from rest.openai_errors import SHOULD_RETRY, told
from rest.problems import MEDIA_TYPE, Problem, not_found

type Handler = Callable[[HttpRequest], HttpResponseBase] | Callable[[HttpRequest], Awaitable[HttpResponseBase]]

RESOURCES, DOOR = "/api/", "/v1/"


@sync_and_async_middleware
def speak_problems(get_response: Handler) -> Handler:
    """Tell as problem details what went wrong before or outside of a view. Stands outermost, and costs no thread."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            return _as_problem(request, await get_response(_canonical(request)))

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _as_problem(request, get_response(_canonical(request)))  # type: ignore[arg-type]

    return answer


def _canonical(request: HttpRequest) -> HttpRequest:
    """Let an address be spelled with a slash at its end or without: the same view answers, without a redirect."""
    path = request.path_info
    if path.startswith(RESOURCES) and not path.endswith("/"):
        request.path, request.path_info = f"{request.path}/", f"{path}/"
    elif path.startswith(DOOR) and path.endswith("/") and path != DOOR:
        request.path, request.path_info = request.path[:-1], path[:-1]
    return request


def _as_problem(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if response.status_code < 400 or not request.path_info.startswith((RESOURCES, DOOR)):
        return response
    if not isinstance(response, HttpResponse) or "json" in response.get("Content-Type", ""):
        return response
    problem = _SAID.get(response.status_code) or Problem(response.status_code, "error", "The request was refused.")
    if request.path_info.startswith(DOOR):
        body, media_type = {"error": told(problem)}, "application/json"
        if problem.status == 500:
            response[SHOULD_RETRY] = "false"
    else:
        body, media_type = problem.body(), MEDIA_TYPE
    response.content = json.dumps(body).encode()
    response["Content-Type"], response["Cache-Control"] = media_type, "private, no-store"
    if response.has_header("Content-Length"):
        response["Content-Length"] = str(len(response.content))
    return response


_SAID = {
    400: Problem(400, "bad_request", "The request cannot be understood."),
    403: Problem(403, "permission_denied", "You may not do this."),
    404: not_found(),
    405: Problem(405, "method_not_allowed", "This address does not take this method."),
    413: Problem(413, "too_large", "The body is too large."),
    500: Problem(500, "fault", "The fault is ours; it is written down. The request may have been carried out."),
    503: Problem(503, "unavailable", "The service is not available at the moment. Try again soon."),
}
