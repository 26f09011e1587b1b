"""First sign-ins of one person at the same moment, and tokens made beside each other."""

from __future__ import annotations

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ValidationError
from pytest_django import Settings

from accounts.company.people import NoEntry, let_in
from accounts.models import Token, User
from accounts.tokens import MOST_TOKENS, make_token
from tests.factories import make_user
from tests.together import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_several_first_sign_ins_at_once_make_one_person(settings: Settings) -> None:
    settings.OIDC_ISSUER = "https://sign-in.example"
    claims = {"sub": "1", "email": "ada@company.example", "preferred_username": "ada"}
    came = at_once(*[lambda: let_in(claims=claims)] * 6, refusals=(NoEntry,))
    assert User.objects.count() == SocialAccount.objects.count() == 1
    assert let_in(claims=claims).user == User.objects.get()
    assert any(isinstance(one, SocialAccount) for one in came)


def test_tokens_made_at_once_stay_below_the_limit() -> None:
    person = make_user()
    for number in range(MOST_TOKENS - 2):
        make_token(owner=person, name=str(number), scopes=["read"])
    came = at_once(*[lambda: make_token(owner=person, name="late", scopes=["read"])] * 6, refusals=(ValidationError,))
    assert sum(isinstance(one, tuple) for one in came) == 2
    assert Token.objects.filter(owner=person).count() == MOST_TOKENS
