"""Who may open a page: people who are signed in. What they may see there is the querysets' `visible_to`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, cast
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from accounts.models import User


class SignedInRequest(HttpRequest):
    """A request of somebody who is signed in, as `signed_in` hands it on."""

    user: User
    htmx: HtmxDetails


def signed_in[**P](
    view: Callable[Concatenate[SignedInRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Let signed-in people through and send the others to the sign-in page; nothing of it is kept in any cache.

    A fragment's request is answered with 401 and HX-Redirect, so that no sign-in page lands inside a conversation.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        known = cast("SignedInRequest", request)
        response = view(known, *args, **kwargs) if request.user.is_authenticated else _to_sign_in(known)
        add_never_cache_headers(response)
        return response

    return guarded


def go_to(request: SignedInRequest, address: str) -> HttpResponse:
    """Answer a finished action with the page to show next, for a form and for htmx alike."""
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": address})
    return see_other(address)


def see_other(address: str) -> HttpResponse:
    """Answer a form's POST with the page that a reload may safely ask for again."""
    return HttpResponseRedirect(address, status=303)


def tries(request: HttpRequest) -> int:
    """Return how often a fragment has asked for itself before, as its address says; many where that is nonsense."""
    given = request.GET.get("tries", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 3 else 99


def with_delay(response: HttpResponse, seconds: int | None) -> HttpResponse:
    """Say in the header of a refusal when the same request may be granted, where that is known."""
    if seconds is not None:
        response.headers["Retry-After"] = str(seconds)
    return response


def _to_sign_in(request: SignedInRequest) -> HttpResponse:
    address = f"{reverse('account_login')}?{urlencode({'next': _page_of(request)})}"
    if request.htmx:
        return HttpResponse(status=401, headers={"HX-Redirect": address})
    return redirect(address)


def _page_of(request: SignedInRequest) -> str:
    """The page to come back to: the one asked for, or the one that the action was started from."""
    if request.method in ("GET", "HEAD") and not request.htmx:
        return request.get_full_path()
    started_from = request.htmx.current_url or request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(started_from, allowed_hosts={request.get_host()}):
        return urlsplit(started_from).path
    return reverse("conversations:list")
