"""What is refused before anything else looks at a request."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

type Handler = Callable[[HttpRequest], HttpResponseBase] | Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def plain_text_only(get_response: Handler) -> Handler:
    """Refuse, with 400, bytes that Django or PostgreSQL would stumble over.

    Django decodes a form in whatever charset the request names, among them codecs that are none for text; PostgreSQL
    takes no U+0000 in a parameter. Async-capable, so that it moves no stream into a thread.
    """
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            _check(request)
            return await get_response(request)  # type: ignore[no-any-return]

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        _check(request)
        return get_response(request)  # type: ignore[return-value]

    return answer


def _check(request: HttpRequest) -> None:
    charset = (request.content_params or {}).get("charset", "utf-8")
    if charset.lower() not in ("utf-8", "utf8"):
        raise BadRequest("The request names a charset; only UTF-8 is understood.")
    if "\x00" in request.path_info:
        raise Http404
    if "%00" in request.META.get("QUERY_STRING", ""):
        raise BadRequest("The address holds U+0000, which is no text.")
