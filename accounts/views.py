"""Pages of one's own account, where allauth's do not fit."""

from allauth.account import views
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase


def password_change(request: HttpRequest) -> HttpResponseBase:
    """Change one's password; allauth would lead somebody who has none to a page that we do not have."""
    if request.user.is_authenticated and not request.user.has_usable_password():
        raise PermissionDenied("You sign in without a password, so there is none to change.")
    response: HttpResponseBase = views.password_change(request)
    return response
