"""How requests of the API tell whose they are: a token of ours, one of the company's, or the session of a browser."""

from __future__ import annotations

import datetime
import logging
from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.authentication import SessionAuthentication as DjangoSessionAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed

from accounts import tokens
from accounts.access import OWN, SESSION, Access
from accounts.company.issuer import LEEWAY_SECONDS, NotTrusted, ProviderAway, claims_of, is_id_token
from accounts.company.people import person_of

if TYPE_CHECKING:
    from rest_framework.request import Request

    from accounts.models import User

logger = logging.getLogger(__name__)

_SCHEME = "bearer"
_REASONS = {
    "revoked": "This token was revoked.",
    "expired": "This token has expired.",
    "without its owner": "This token's owner is deactivated.",
}


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer vbt_…`, and no other channel: addresses stand in logs."""

    def authenticate(self, request: Request) -> tuple[User, Access] | None:
        """Return whose token it is and what it may do; None where the request brings none of ours.

        Raises AuthenticationFailed (401) for a token that nobody has, that was revoked, that has expired, whose
        owner is deactivated, or that stands in the address.
        """
        _refuse_in_address(request)
        secret = bearer_of(request)
        if secret is None or not secret.startswith(tokens.PREFIX):
            return None
        token = tokens.find_token(secret)
        if token is None:
            raise AuthenticationFailed("There is no such token.", "invalid_token")
        if token.state != "active":
            raise AuthenticationFailed(_REASONS[token.state], "invalid_token")
        tokens.note_use(token)
        return token.owner, tokens.access_of(token)

    def authenticate_header(self, request: Request) -> str:
        """Answer 401 with the scheme that is wanted."""
        return 'Bearer realm="api"'


class JWTAuthentication(BaseAuthentication):
    """`Authorization: Bearer` with an access token of the company's provider, made for OIDC_AUDIENCE."""

    def authenticate(self, request: Request) -> tuple[User, Access] | None:
        """Return who it is of; None where the request brings no bearer. What no other class knew is refused here.

        Raises AuthenticationFailed (401), and CannotTell (503) where the provider's keys cannot be had.
        """
        credentials = bearer_of(request)
        if credentials is None:
            return None
        if not (settings.OIDC_ISSUER and settings.OIDC_AUDIENCE):
            raise AuthenticationFailed("There is no such token.", "invalid_token")
        try:
            claims = claims_of(credentials, audience=settings.OIDC_AUDIENCE)
        except NotTrusted as reason:
            raise AuthenticationFailed(f"This token is not accepted. {reason}", "invalid_token") from reason
        except ProviderAway as away:
            logger.warning("A token cannot be checked: %s", away)
            raise CannotTell from away
        if is_id_token(claims):
            raise AuthenticationFailed("This is an ID token; send an access token.", "invalid_token")
        person = person_of(claims["sub"])
        if person is None:
            raise AuthenticationFailed(
                "Nobody here has this token's subject. Sign in on the page once.", "invalid_token"
            )
        if not person.is_active:
            raise AuthenticationFailed("Your account here is deactivated.", "invalid_token")
        until = datetime.datetime.fromtimestamp(int(claims["exp"]) + LEEWAY_SECONDS, datetime.UTC)
        return person, Access(kind="jwt", scopes=OWN, expires_at=until)

    def authenticate_header(self, request: Request) -> str:
        """Answer 401 with the scheme that is wanted."""
        return 'Bearer realm="api"'


class CannotTell(APIException):
    """Whether a token is good cannot be known at the moment."""

    status_code = 503
    default_detail = "The company's sign-in does not answer, so this token cannot be checked. Try again soon."
    default_code = "unavailable"


class SessionAuthentication(DjangoSessionAuthentication):
    """The cookie of somebody who signed in, with Django's protection against requests of foreign pages."""

    def authenticate(self, request: Request) -> tuple[User, Access] | None:
        """Return who signed in; None for strangers. Raises PermissionDenied (403) where the CSRF check fails."""
        found = super().authenticate(request)
        return None if found is None else (found[0], SESSION)


def bearer_of(request: Request) -> str | None:
    """Return what stands behind `Bearer` in the header; None where there is no such header."""
    scheme, _, credentials = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    return credentials.strip() if scheme.lower() == _SCHEME else None


def _refuse_in_address(request: Request) -> None:
    if tokens.PREFIX in request.META.get("QUERY_STRING", ""):
        for values in request.GET.lists():
            if any(value.startswith(tokens.PREFIX) for value in values[1]):
                raise AuthenticationFailed(
                    "A token never belongs into an address: it is in logs now. Revoke it, make another, and send that "
                    "in the header Authorization.",
                    "token_in_address",
                )
