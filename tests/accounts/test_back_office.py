"""The admin: how one gets in, and who may make whom what."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.accounts.conftest import PASSWORD, SignIn, is_signed_in


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser("root", "root@example.org", PASSWORD)


@pytest.fixture
def clerk(db: None) -> User:
    """Staff who may manage people, and is no superuser."""
    clerk = User.objects.create_user("clerk", "clerk@example.org", PASSWORD, is_staff=True)
    rights = ["add_user", "change_user", "delete_user", "view_user", "change_group", "add_group"]
    clerk.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return clerk


def _fields(person: User, **changed: Any) -> dict[str, Any]:
    given = {"username": person.username, "email": person.email, "first_name": "", "last_name": "", "is_active": "on"}
    return {name: value for name, value in (given | changed).items() if value is not None}


def test_strangers_are_sent_to_the_sign_in_page_and_back(client: Client, db: None) -> None:
    response = client.get("/admin/conversations/assistant/", follow=True)
    assert response.redirect_chain[-1][0] == "/accounts/login/?next=%2Fadmin%2Fconversations%2Fassistant%2F"


def test_a13_passwords_cannot_be_tried_at_the_admin(client: Client, superuser: User, clerk: User) -> None:
    credentials = {"username": "root", "password": PASSWORD, "next": "/admin/"}
    assert client.post("/admin/login/", credentials)["Location"].startswith("/accounts/login/")
    assert not is_signed_in(client)
    client.force_login(clerk)
    client.post("/admin/login/", credentials)
    assert client.session["_auth_user_id"] == str(clerk.pk)
    assert client.get("/admin/password_change/")["Location"] == reverse("account_change_password")


def test_people_who_are_no_staff_stay_out(client: Client, person: User, sign_in: SignIn) -> None:
    sign_in(client, "ada")
    assert client.get("/admin/", follow=True).status_code == 403


def test_person_is_made_with_an_email_address(client: Client, superuser: User, sign_in: SignIn) -> None:
    client.force_login(superuser)
    data = {"username": "grace", "email": "Grace@Example.org", "usable_password": "true"}
    data |= {"password1": PASSWORD, "password2": PASSWORD}
    response = client.post(reverse("admin:accounts_user_add"), data)
    assert response.status_code == 302
    assert User.objects.get(username="grace").email == "grace@example.org"
    colleague = Client()
    sign_in(colleague, "Grace@example.org")
    assert is_signed_in(colleague)


@pytest.mark.parametrize("changed", [{"username": "ROOT"}, {"email": "ROOT@example.org"}, {"email": ""}])
def test_names_that_differ_in_case_alone_are_refused(
    client: Client, superuser: User, person: User, changed: dict[str, str]
) -> None:
    client.force_login(superuser)
    response = client.post(reverse("admin:accounts_user_change", args=[person.pk]), _fields(person, **changed))
    assert response.status_code == 200
    assert response.context["errors"]
    person.refresh_from_db()
    assert (person.username, person.email) == ("ada", "ada@example.org")


def test_a12_staff_gives_nobody_rights(client: Client, clerk: User, person: User) -> None:
    client.force_login(clerk)
    group = Group.objects.create(name="Reviewers")
    right = Permission.objects.get(codename="review_conversation")
    more = {"is_staff": "on", "is_superuser": "on", "groups": [group.pk], "user_permissions": [right.pk]}
    response = client.post(reverse("admin:accounts_user_change", args=[person.pk]), _fields(person, **more))
    assert response.status_code == 302
    person.refresh_from_db()
    assert (person.is_staff, person.is_superuser) == (False, False)
    assert not person.groups.exists()
    assert not person.user_permissions.exists()
    assert client.post(reverse("admin:auth_group_change", args=[group.pk]), {"name": "Owned"}).status_code == 403
    assert client.post(reverse("admin:auth_group_add"), {"name": "Owned"}).status_code == 403


@pytest.mark.parametrize("page", ["user_change", "user_delete"])
def test_a12_staff_takes_over_no_account_of_staff(client: Client, clerk: User, superuser: User, page: str) -> None:
    client.force_login(clerk)
    for target in (clerk, superuser):
        response = client.post(reverse(f"admin:accounts_{page}", args=[target.pk]), _fields(target, email="x@e.org"))
        assert response.status_code == 403
        response = client.post(
            reverse("admin:auth_user_password_change", args=[target.pk]),
            {"password1": "taken-over-99", "password2": "taken-over-99"},
        )
        assert response.status_code == 403
        assert User.objects.get(pk=target.pk).check_password(PASSWORD)


def test_second_addresses_to_sign_in_with_cannot_be_entered(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    assert client.get("/admin/account/emailaddress/").status_code == 404
