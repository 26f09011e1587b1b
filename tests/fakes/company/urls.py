"""Addresses of the provider's site."""

from collections.abc import Callable

from allauth.account import views
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from tests.fakes.company.adapter import said

urlpatterns = [
    path("", include("allauth.idp.urls")),
    path("accounts/login/", views.login, name="account_login"),
    path("accounts/logout/", views.logout, name="account_logout"),
    path("accounts/signup/", views.login, name="account_signup"),
    path("accounts/reset/", views.login, name="account_reset_password"),
]


def obey(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer what a test wants at the addresses that it names, and send people back to where it says."""
    from allauth.idp.oidc.models import Client

    def answer(request: HttpRequest) -> HttpResponse:
        for address, (status, body) in said("answers").items():
            if request.path == address:
                return HttpResponse(body, status=status, content_type="application/json")
        if request.path.endswith("/authorize"):
            Client.objects.update(redirect_uris="\n".join(said("redirects")))
        return get_response(request)

    return answer
