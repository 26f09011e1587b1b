"""How allauth behaves here."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """People are made by administrators, so nobody signs up alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
