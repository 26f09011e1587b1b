"""Somebody with an account here connects it with their account of the company's sign-in."""

from __future__ import annotations

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from audit.models import AuditEvent
from tests.company.conftest import begin, come_back, sign_in
from tests.factories import make_user
from tests.fakes.company.process import Company

pytestmark = pytest.mark.django_db


def test_who_is_signed_in_connects_the_accounts(client: Client, company: Company) -> None:
    person = make_user(username="root", password="a-fair-password-17", is_superuser=True, is_staff=True)
    client.force_login(person)
    assert "Connect with your company account" in client.get("/account/").content.decode()
    answer = sign_in(client, company, process="connect")
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    assert SocialAccount.objects.get().user == person
    assert "Connect with your company account" not in client.get("/account/").content.decode()
    other = Client()
    sign_in(other, company)
    assert other.session["_auth_user_id"] == str(person.pk)
    assert AuditEvent.objects.filter(kind="account.linked", actor_id=person.pk).count() == 1


def test_accounts_of_others_are_not_connected(client: Client, company: Company) -> None:
    sign_in(Client(), company)
    person = make_user()
    client.force_login(person)
    answer = sign_in(client, company, process="connect")
    assert (answer.status_code, SocialAccount.objects.filter(user=person).exists()) == (403, False)
    assert "belongs to somebody else" in answer.content.decode()
    assert sign_in(client, company, "grace", process="connect").status_code == 302
    answer = sign_in(client, company, "edsger", process="connect")
    assert (answer.status_code, SocialAccount.objects.filter(user=person).count()) == (403, 1)


def test_what_one_began_to_connect_is_not_connected_with_who_signed_in_meanwhile(
    client: Client, company: Company
) -> None:
    client.force_login(make_user())
    back = company.visit(begin(client, process="connect"))
    cookies = client.cookies["session"].value
    client.force_login(make_user())
    assert client.cookies["session"].value != cookies
    assert come_back(client, back).status_code in (401, 403)
    assert not SocialAccount.objects.exists()
    answer = Client().post("/accounts/company/login/", {"process": "connect"})
    assert answer["Location"].startswith("/accounts/login/")
