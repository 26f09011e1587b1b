"""Where allauth's OpenID sign-in asks us: what is trusted, who it is, and what is kept."""

from __future__ import annotations

import re
import secrets
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin, SocialToken
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse

from accounts.company import people
from accounts.company.issuer import NotTrusted, ProviderAway, claims_of, fetch, is_safe, provider


class CompanyOAuth2Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """The OAuth client's side: every ID token is checked in full, however it came."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """Return the provider's configuration, checked and remembered."""
        return provider().document()

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """Return where people come back to, as it has to be entered at the provider."""
        return str(settings.PUBLIC_URL + reverse("company_callback"))

    def complete_login(self, request: HttpRequest, app: Any, token: SocialToken, **kwargs: Any) -> SocialLogin:
        """Return who signs in. Raises NotTrusted, also where two answers contradict, and ProviderAway."""
        claims = claims_of(kwargs["response"].get("id_token"), audience=app.client_id)
        if claims.get("azp", app.client_id) != app.client_id:
            raise NotTrusted("It was made for somebody else (azp).")
        told: dict[str, Any] = {}
        if is_safe(self.openid_config.get("userinfo_endpoint")):
            told = fetch(self.openid_config["userinfo_endpoint"], Authorization=f"Bearer {token.token}")
            if told.get("sub") != claims["sub"]:
                raise NotTrusted("The provider's userinfo tells of somebody else.")
        login = self.get_provider().sociallogin_from_response(request, {"sub": claims["sub"]})
        login.account.extra_data = {}  # what people are called is kept in one place
        login.claims = _together(told, claims)
        return login


def _together(told: dict[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
    """Return what userinfo told and the ID token claims, which goes before.

    That an address is verified counts only from an answer that holds this very address: otherwise who can enter an
    address at the provider, beside a verified one of their own, could take over the account of anybody.
    """
    together = told | claims
    sources = [answer for answer in (claims, told) if "email" in answer and answer["email"] == together["email"]]
    said = [answer["email_verified"] for answer in sources if "email_verified" in answer]
    return together | {"email_verified": said[0] if said else None}


class CompanyAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Who is let in, and what people are told who are not."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Make or find the person, so that allauth signs in somebody who exists; or connect who is signed in."""
        claims, state = sociallogin.claims, sociallogin.state
        if not secrets.compare_digest(str(claims.get("nonce", "")), str(state.get("nonce") or "-")):
            raise NotTrusted("It does not belong to this attempt to sign in (nonce).")
        if state.get("process") == AuthProcess.CONNECT:
            if not request.user.is_authenticated or request.user.pk != state.get("person"):
                raise people.NoEntry("You were signed out meanwhile. Sign in, and connect the accounts then.")
            people.connect(person=request.user, claims=claims)
            raise ImmediateHttpResponse(redirect(reverse("records:account")))
        sociallogin.account = people.let_in(claims=claims)
        sociallogin.user = sociallogin.account.user

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        """Have our view tell what went wrong, in our words."""
        raise ProviderRefused(str(error or ""), exception, has_begun="state" in (extra_context or {}))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Nobody is made by allauth's own pages; `pre_social_login` makes people."""
        return False


class ProviderRefused(Exception):
    """The provider sent people back without letting them in, or the way back was not one that had begun here."""

    def __init__(self, code: str, cause: Exception | None, *, has_begun: bool) -> None:
        super().__init__(f"{code} {for_log(cause)}" if cause is not None else code)
        self.code, self.cause, self.has_begun = code, cause, has_begun


# Of what a provider answers, the code of its error alone is for the log: the rest may hold a token.
_ERROR_CODE = re.compile(r'"error"\s*:\s*"([\w.-]{1,60})"')


def for_log(fault: Exception) -> str:
    """Return what administrators are told of a fault."""
    is_ours = isinstance(fault, NotTrusted | ProviderAway | ProviderRefused)
    told = str(fault) if is_ours else "".join(_ERROR_CODE.findall(str(fault))[:1])
    return f"{type(fault).__name__} {told}".strip()


EXPECTED = (NotTrusted, ProviderAway, ProviderRefused, OAuth2Error, OSError)
FAULTS = (*EXPECTED, LookupError, TypeError, ValueError)
"""What a provider that is away, or is not what it says, can lead to on the way through allauth."""
