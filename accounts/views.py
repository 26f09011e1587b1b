"""Pages of one's own account, where allauth's do not fit."""

from typing import Any

from allauth.account import views
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class SignIn(views.LoginView):  # type: ignore[misc]
    """allauth's own page, which also leads to the company's sign-in where there is one."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add whether there is one."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"has_company_sign_in": bool(settings.OIDC_ISSUER)}


def password_change(request: HttpRequest) -> HttpResponseBase:
    """Change one's password; allauth would lead somebody who has none to a page that we do not have."""
    if request.user.is_authenticated and not request.user.has_usable_password():
        raise PermissionDenied("You sign in without a password, so there is none to change.")
    response: HttpResponseBase = views.password_change(request)
    return response
