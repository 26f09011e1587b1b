"""How the OpenAPI document tells of signing in; found by drf-spectacular because it is imported."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class _Scheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Names, for each operation, the scope that it needs."""

    definition: dict[str, Any]

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Return how one signs in so."""
        return self.definition

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[Any]]:
        """Return what an operation asks of who signs in so."""
        view: Any = auto_schema.view
        return {str(self.name): [str(view.scope_of(auto_schema.method))]}


class TokenScheme(_Scheme):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.TokenAuthentication"
    name = "token"
    definition = {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "vbt_…",
        "description": "A token of the page *Your account*, or of `manage.py create_token`. Scopes: `read`, `write`, "
        "`read_all`, `events`. Never in an address.",
    }


class CompanyScheme(_Scheme):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.JWTAuthentication"
    name = "company"
    definition = {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A bearer token of the company's sign-in, for the audience of this installation.",
    }


class SessionScheme(_Scheme):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Return the name of the cookie, which depends on whether https is spoken."""
        from django.conf import settings

        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "A browser that is signed in; what is not read needs the header `X-CSRFToken`, too.",
        }

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[Any]]:
        """Return nothing further: sessions have no scopes, but all that a person may do here."""
        return {str(self.name): []}
