"""The way to the company's sign-in and back."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.core import ratelimit
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from accounts.company.flow import EXPECTED, FAULTS, CompanyOAuth2Adapter, ProviderRefused, for_log
from accounts.company.issuer import NotTrusted
from accounts.company.people import NoEntry

logger = logging.getLogger(__name__)

AWAY = "The company's sign-in does not answer as it should. Try again in a moment, or sign in with a password."
NOT_BEGUN = "This attempt to sign in has ended, or was begun in another window. Please begin again."
NOT_TRUSTED = "What the company's sign-in answered cannot be trusted, so you were not signed in. Please tell IT."
NOT_LET_IN = "The company's sign-in did not let you in."


@never_cache
@require_POST
def company_login(request: HttpRequest) -> HttpResponseBase:
    """Send people to the company's sign-in; with `process=connect`, who is signed in, to connect the accounts.

    The answer is a page that leads there by itself, as a form's own redirect may leave this site for no other
    (form-action), and sign-ins lead on through addresses that nobody knows beforehand.
    """
    _require_company_sign_in()
    too_many: HttpResponse | None = ratelimit.consume_or_429(request, action="company_sign_in")
    if too_many is not None:  # each attempt makes a session
        return too_many
    wants_to_connect = request.POST.get("process") == AuthProcess.CONNECT
    if wants_to_connect and not request.user.is_authenticated:
        return redirect("account_login")
    if request.user.is_authenticated and not wants_to_connect:
        logout(request)
    provider = get_adapter(request).get_provider(request, settings.OIDC_ISSUER)
    provider.oauth2_adapter_class = CompanyOAuth2Adapter
    nonce = secrets.token_urlsafe(16)
    try:
        leaving = provider.redirect(
            request,
            AuthProcess.CONNECT if wants_to_connect else AuthProcess.LOGIN,
            next_url=get_next_redirect_url(request),
            auth_params=provider.get_auth_params() | {"nonce": nonce},
            nonce=nonce,
            person=request.user.pk,
        )
    except FAULTS as fault:
        return _refused(request, fault)
    return render(request, "account/company_leaving.html", {"address": leaving["Location"]})


@never_cache
@require_GET
@sensitive_variables()
def company_callback(request: HttpRequest) -> HttpResponseBase:
    """Let in who comes back from the company's sign-in, or say why not; nobody half-way."""
    _require_company_sign_in()
    view = OAuth2CallbackView.adapter_view(CompanyOAuth2Adapter(request, settings.OIDC_ISSUER))
    try:
        response: HttpResponseBase = view(request)
    except (*FAULTS, NoEntry) as fault:
        return _refused(request, fault)
    return response


def _require_company_sign_in() -> None:
    if not settings.OIDC_ISSUER:
        raise Http404("No company sign-in is set up.")


def _refused(request: HttpRequest, fault: Exception) -> HttpResponse:
    """Say why, with a status that is none of success. Of what the provider sent, nothing is shown or written down."""
    reason, status = _words(fault)
    if status != 403:
        logger.warning("Company sign-in failed: %s", for_log(fault), exc_info=not isinstance(fault, EXPECTED))
    context: dict[str, Any] = {"reason": reason}
    return render(request, "account/company_refused.html", context, status=status)


def _words(fault: Exception) -> tuple[str, int]:
    match fault:
        case NoEntry():
            return str(fault), 403
        case NotTrusted():
            return NOT_TRUSTED, 401
        case ProviderRefused(code=AuthError.CANCELLED):
            return "You cancelled at the company's sign-in.", 401
        case ProviderRefused(has_begun=False):
            return NOT_BEGUN, 401
        case ProviderRefused(cause=None):
            return NOT_LET_IN, 401
        case _:
            return AWAY, 502
