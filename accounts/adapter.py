"""How allauth behaves here."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from accounts.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-in that tells strangers nothing about who has an account."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are made by administrators, so nobody signs up alone."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return the person who may sign in; somebody deactivated gets the same answer as a wrong password.

        allauth gives what looks like an e-mail address twice, as username too, and then hashes the password twice
        for an address that exists and once for one that does not. Given once, both take as long.
        """
        if credentials.get("email") == credentials.get("username"):
            credentials.pop("email", None)
        user: User | None = super().authenticate(request, **credentials)
        return user if user is not None and user.is_active else None

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count failures per login alone.

        allauth's own key holds the Host header too, whose port anybody can vary to begin at zero again.
        """
        login: str = credentials.get("email") or credentials.get("username") or ""
        return login.casefold()
