"""An address counts as verified where the provider says so of this very address, in whichever of its two answers."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from tests.company.conftest import sign_in
from tests.factories import make_user
from tests.fakes.company.process import Company

pytestmark = pytest.mark.django_db
OWN, FOREIGN = "ada@company.example", "mallory@elsewhere.example"


def tell(company: Company, id_token: dict[str, Any], userinfo: dict[str, Any]) -> None:
    """Let it say this of Ada's address and nothing else."""
    company.say("claims", {"ada": {"email": None, "email_verified": None}})
    company.say("id_token", id_token)
    company.say("userinfo", {"ada": userinfo})


@pytest.mark.parametrize(("id_token", "userinfo"), [
    ({"email": OWN}, {"email": FOREIGN, "email_verified": True}),
    ({"email": OWN}, {"email_verified": True}),
    ({"email_verified": True}, {"email": OWN}),
    ({"email_verified": True}, {"email": OWN, "email_verified": False}),
    ({"email": OWN, "email_verified": False}, {"email": OWN, "email_verified": True}),
    ({"email": OWN, "email_verified": None}, {"email": FOREIGN, "email_verified": True}),
], ids=["another's", "nobody's", "said of none", "said of none, and denied", "denied", "null"])  # fmt: skip
def test_an_address_is_not_verified_by_what_is_said_of_another(
    client: Client, company: Company, id_token: dict[str, Any], userinfo: dict[str, Any]
) -> None:
    make_user(email=OWN)
    tell(company, id_token, userinfo)
    answer = sign_in(client, company)
    assert answer.status_code == 403
    assert "There is an account with your e-mail address already" in answer.content.decode()
    assert "_auth_user_id" not in client.session
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(("id_token", "userinfo"), [
    ({"email": OWN, "email_verified": True}, {}),
    ({"email": OWN, "email_verified": True}, {"email": FOREIGN, "email_verified": False}),
    ({}, {"email": OWN, "email_verified": True}),
    ({"email_verified": False}, {"email": OWN, "email_verified": True}),
    ({"email": OWN}, {"email": OWN, "email_verified": True}),
], ids=["ID token", "ID token first", "userinfo", "userinfo alone tells it", "both tell it"])  # fmt: skip
def test_either_answer_verifies_the_address_that_it_tells(
    client: Client, company: Company, id_token: dict[str, Any], userinfo: dict[str, Any]
) -> None:
    person = make_user(email=OWN)
    tell(company, id_token, userinfo)
    assert sign_in(client, company).status_code == 302
    assert SocialAccount.objects.get().user == person
