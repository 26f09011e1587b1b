"""Tokens in the back office: who sees and ends them, and that they end with the account."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Token, User
from accounts.tokens import make_token
from audit.models import AuditEvent
from tests.factories import make_user

LIST = "/admin/accounts/token/"


@pytest.fixture
def clerk(db: None) -> User:
    """Staff who may manage tokens, and nothing else."""
    clerk = make_user(username="clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="manage_tokens"))
    return clerk


def revoke(client: Client, *tokens: Token) -> int:
    data = {"action": "revoke", "_selected_action": [str(token.pk) for token in tokens], "index": "0"}
    return client.post(LIST, data).status_code


def test_who_has_the_right_sees_and_revokes_everybodys(client: Client, clerk: User) -> None:
    token, secret = make_token(owner=make_user(username="ada"), name="Nightly job", scopes=["read"])
    client.force_login(clerk)
    pages = [client.get(address) for address in ("/admin/", LIST, f"{LIST}{token.pk}/change/", f"{LIST}?q=ada")]
    assert [page.status_code for page in pages] == [200] * 4
    for page in pages[1:]:
        assert "Nightly job" in page.content.decode()
        assert secret not in page.content.decode()
        assert token.digest not in page.content.decode()
    assert revoke(client, token) == 302
    assert revoke(client, token) == 302
    assert not Token.objects.usable().exists()
    assert AuditEvent.objects.filter(kind="token.revoked", actor_id=clerk.pk, subject_id=token.owner_id).count() == 1


def test_a12_reviewers_and_staff_see_and_revoke_none(client: Client, staff: User, reviewer: User) -> None:
    token, _ = make_token(owner=make_user(), name="Nightly job", scopes=["read"])
    for person in (staff, reviewer):
        client.force_login(person)
        assert client.get(LIST).status_code == 403
        assert revoke(client, token) == 403
    assert Token.objects.usable().exists()


def test_a8_deactivating_somebody_ends_their_tokens_for_good(client: Client, superuser: User) -> None:
    person = make_user()
    make_token(owner=person, name="Nightly job", scopes=["read"])
    client.force_login(superuser)
    fields = {"username": person.username, "email": person.email, "first_name": "", "last_name": ""}
    page = reverse("admin:accounts_user_change", args=[person.pk])
    assert client.post(page, fields | {"is_active": "on", "first_name": "Ada"}).status_code == 302
    assert Token.objects.usable().exists()
    assert client.post(page, fields).status_code == 302
    assert client.post(page, fields | {"is_active": "on"}).status_code == 302
    person.refresh_from_db()
    assert person.is_active
    assert not Token.objects.usable().exists()
    assert AuditEvent.objects.filter(kind="token.revoked", actor_id=superuser.pk).count() == 1


def test_queries_of_the_list_do_not_grow_with_the_rows(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    counts = []
    for _ in range(2):
        for _ in range(5):
            make_token(owner=make_user(), name="Nightly job", scopes=["read"])
        with CaptureQueriesContext(connection) as queries:
            assert client.get(LIST).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
