"""Where requests are answered: plain views and all before them in one thread, coroutines in the event loop."""

import asyncio
import threading
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.deprecation import MiddlewareMixin
from pytest_django import Settings

from chatapp.handler import Handler

seen: list[tuple[str, int]] = []
used: list[BaseDatabaseWrapper] = []
waiters, go_on = threading.Semaphore(0), threading.Event()


def _note(what: str) -> None:
    seen.append((what, threading.get_ident()))


class Noting(MiddlewareMixin):
    """A middleware of the usual kind."""

    def process_request(self, request: HttpRequest) -> None:
        _note("before")

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        _note("after")
        return response


def plain(request: HttpRequest) -> HttpResponse:
    _note("view")
    if "missing" in request.GET:
        raise Http404
    return HttpResponse(request.body)


async def coroutine(request: HttpRequest) -> HttpResponse:
    _note("view")
    return HttpResponse("")


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(status=404)


def handler500(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=500)


def reading(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    used.append(connections[DEFAULT_DB_ALIAS])
    assert used[-1].connection is not None
    if "fault" in request.GET:
        raise RuntimeError
    return HttpResponse("")


def waiting(request: HttpRequest) -> HttpResponse:
    waiters.release()
    go_on.wait(30)
    return HttpResponse("")


urlpatterns = [
    path("plain/", plain),
    path("coroutine/", coroutine),
    path("reading/", reading),
    path("waiting/", waiting),
]


@pytest.fixture
def handler(settings: Settings) -> Handler:
    seen.clear()
    used.clear()
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [f"{__name__}.Noting", f"{__name__}.Noting"]
    return Handler()


async def send(handler: Handler, address: str, query: bytes = b"", body: bytes = b"") -> tuple[int, bytes]:
    """Send a POST; return the status and the body."""
    scope = {"type": "http", "method": "POST", "path": address, "query_string": query, "headers": []}
    talk: Any = ApplicationCommunicator(handler, scope)  # type: ignore[no-untyped-call]
    await talk.send_input({"type": "http.request", "body": body})
    start = await talk.receive_output(60)
    rest = await talk.receive_output(60)
    await talk.wait(60)
    return start["status"], rest["body"]


def ask(handler: Handler, address: str, query: bytes = b"", body: bytes = b"") -> tuple[int, bytes, int]:
    """Send a POST; return the status, the body and the thread of the event loop."""
    return *asyncio.run(send(handler, address, query, body)), threading.get_ident()


def test_a_plain_view_and_its_middlewares_share_a_thread(handler: Handler) -> None:
    status, body, loop = ask(handler, "/plain/", body=b"hello")
    assert (status, body) == (200, b"hello")
    assert [what for what, _ in seen] == ["before", "before", "view", "after", "after"]
    threads = {thread for _, thread in seen}
    assert len(threads) == 1
    assert threads != {loop}


def test_a_coroutine_stays_in_the_event_loop(handler: Handler) -> None:
    status, _, loop = ask(handler, "/coroutine/")
    assert status == 200
    assert ("view", loop) in seen
    assert [what for what, _ in seen] == ["before", "before", "view", "after", "after"]


@pytest.mark.parametrize(("address", "query"), [("/nowhere/", b""), ("/plain/", b"missing=1")], ids=["address", "row"])
def test_what_is_not_there_is_told_as_ever(handler: Handler, address: str, query: bytes) -> None:
    assert ask(handler, address, query)[0] == 404
    assert [what for what, _ in seen if what != "view"] == ["before", "before", "after", "after"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("query", [b"", b"fault=1"], ids=["well", "fault"])
def test_the_connection_goes_back_to_the_pool_with_the_answer_and_the_thread_stays(
    handler: Handler, query: bytes
) -> None:
    for _ in range(2):
        ask(handler, "/reading/", query)
        assert used[-1].connection is None
    assert used[0] is used[1]


def test_d1_many_who_wait_for_a_database_that_is_away_keep_nobody_else_waiting(handler: Handler) -> None:
    async def send_all() -> tuple[int, list[int]]:
        crowd = [asyncio.create_task(send(handler, "/waiting/")) for _ in range(200)]
        try:
            for _ in crowd:
                assert await asyncio.to_thread(waiters.acquire, timeout=10)
            one, _ = await send(handler, "/plain/")
        finally:
            go_on.set()
        return one, [status for status, _ in await asyncio.gather(*crowd)]

    one, crowd = asyncio.run(send_all())
    assert one == 200
    assert crowd == [200] * 200
