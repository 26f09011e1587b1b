"""The audit in the back office: for who has the right to it, found by who, whom, what and when, and never written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit import services
from audit.models import AuditEvent
from records.admin.record import CappedPaginator
from tests.factories import make_user

pytestmark = pytest.mark.django_db
LIST = "/admin/audit/auditevent/"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'


@pytest.fixture
def auditor() -> User:
    """Staff with the one right to read the audit."""
    auditor = make_user(username="auditor", is_staff=True)
    auditor.user_permissions.add(Permission.objects.get(codename="read_audit"))
    return auditor


@pytest.fixture
def events(auditor: User) -> dict[str, AuditEvent]:
    ivy, ada = make_user(username="ivy"), make_user(username="ada", email="ada@example.org")
    return {
        "read": services.record(
            kind="conversation.read", actor=ivy, object_type="conversation", object_id="c-1", subject_id=ada.pk,
            reason="Case 7", details={"messages": 2},
        ),
        "ran": services.record(kind="retention.ran", actor=None, details={"removed": 0}),
    }  # fmt: skip


def listed(client: Client, **query: Any) -> list[int]:
    response = client.get(LIST, query)
    assert response.status_code == 200
    return [event.seq for event in response.context["cl"].result_list]


def test_who_has_the_right_reads_everything_of_an_event(
    client: Client, auditor: User, events: dict[str, AuditEvent]
) -> None:
    client.force_login(auditor)
    page = client.get(LIST).content.decode()
    for words in ("conversation.read", "ivy", "ada", "conversation c-1", "Case 7", "retention.ran"):
        assert words in page
    event = events["read"]
    page = client.get(f"{LIST}{event.pk}/change/").content.decode()
    for words in (event.hash, event.previous_hash, "{&quot;messages&quot;: 2}", "Case 7", "ivy", "ada"):
        assert words in page


@pytest.mark.parametrize("codename", ["review_conversation", "export_record", None])
def test_other_rights_open_nothing_of_it(client: Client, events: dict[str, AuditEvent], codename: str | None) -> None:
    person = make_user(is_staff=True)
    if codename:
        person.user_permissions.add(Permission.objects.get(codename=codename))
    client.force_login(person)
    event = events["read"]
    for address in (LIST, f"{LIST}{event.pk}/change/", f"{LIST}{event.pk}/history/"):
        assert client.get(address).status_code == 403
    assert b"Case 7" not in client.get("/admin/").content


def test_a12_nobody_writes_it(client: Client, auditor: User, events: dict[str, AuditEvent]) -> None:
    superuser = User.objects.create_superuser("root", "root@example.org", "a-fair-password-17")
    for person in (auditor, superuser):
        client.force_login(person)
        before = list(AuditEvent.objects.values())
        pk = events["read"].pk
        for page in (f"{pk}/change/", f"{pk}/delete/", "add/"):
            assert client.post(LIST + page, {"reason": "Another", "post": "yes"}).status_code == 403
        client.post(LIST, {"action": "delete_selected", "_selected_action": [pk], "post": "yes"})
        assert 'name="_save"' not in client.get(f"{LIST}{pk}/change/").content.decode()
        assert list(AuditEvent.objects.values()) == before
    offered = client.get(reverse("admin:auth_group_add")).content.decode()
    assert "Can read who did what" in offered
    assert "Can change audit event" not in offered


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param({"q": "ivy"}, ["read"], id="who"),
        pytest.param({"q": "ADA@example.org"}, ["read"], id="whose"),
        pytest.param({"q": " c-1 "}, ["read"], id="object"),
        pytest.param({"kind": "retention.ran"}, ["ran"], id="kind"),
        pytest.param({"kind": "no.such"}, [], id="no-such-kind"),
        pytest.param({"days": "1", "kind": "retention.ran"}, ["ran"], id="days-and-kind"),
        pytest.param({"days": "soon", "q": "ivy"}, ["read"], id="nonsense-days"),
        pytest.param({"q": "99999999999999999999999"}, [], id="number-beyond-all"),
        pytest.param({"q": "nobody of that name' OR 1=1"}, [], id="no-such-thing"),
    ],
)
def test_events_are_found(
    client: Client, auditor: User, events: dict[str, AuditEvent], query: dict[str, str], found: list[str]
) -> None:
    client.force_login(auditor)
    assert [seq for seq in listed(client, **query) if seq in {event.seq for event in events.values()}] == [
        events[name].seq for name in found
    ]


def test_an_event_is_found_by_its_number(client: Client, auditor: User, events: dict[str, AuditEvent]) -> None:
    client.force_login(auditor)
    assert events["ran"].seq in listed(client, q=str(events["ran"].seq))


def test_nothing_older_than_asked_for_is_listed(client: Client, auditor: User, events: dict[str, AuditEvent]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
        AuditEvent.objects.update(created_at=timezone.now() - timedelta(days=3))
        cursor.execute("ALTER TABLE audit_auditevent ENABLE TRIGGER USER")
    client.force_login(auditor)
    (signed_in,) = AuditEvent.objects.filter(kind="account.signed_in").values_list("seq", flat=True)
    assert listed(client, days="1") == [signed_in]
    assert len(listed(client, days="7")) == AuditEvent.objects.count()


def test_somebody_who_is_gone_is_named_by_their_number(
    client: Client, auditor: User, events: dict[str, AuditEvent]
) -> None:
    ivy = User.objects.get(username="ivy")
    pk = ivy.pk
    ivy.delete()
    client.force_login(auditor)
    assert f"somebody who is gone ({pk})" in client.get(LIST).content.decode()
    assert f"somebody who is gone ({pk})" in client.get(f"{LIST}{events['read'].pk}/change/").content.decode()


def test_x14_hostile_reasons_and_details_are_text(client: Client, auditor: User) -> None:
    User.objects.filter(pk=auditor.pk).update(first_name=HOSTILE)
    event = services.record(
        kind="conversation.read", actor=auditor, object_type="conversation", object_id=HOSTILE[:64], reason=HOSTILE,
        details={HOSTILE: HOSTILE},
    )  # fmt: skip
    client.force_login(auditor)
    for address in (LIST, f"{LIST}{event.pk}/change/", f"{LIST}{event.pk}/history/", f"{LIST}?q={HOSTILE}"):
        page = client.get(address)
        assert page.status_code == 200
        assert "<script>alert" not in page.content.decode()
        assert "<img src=x" not in page.content.decode()


def test_queries_do_not_grow_with_the_events_and_nothing_counts_them_all(client: Client, auditor: User) -> None:
    client.force_login(auditor)
    counts = []
    for _ in range(2):
        for _ in range(10):
            services.record(kind="conversation.read", actor=make_user(), subject_id=make_user().pk)
        with CaptureQueriesContext(connection) as queries:
            listed(client)
        counts.append(len(queries))
        counting = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
        assert all(f"LIMIT {CappedPaginator.MOST}" in sql for sql in counting)
        assert not [query["sql"] for query in queries if "DISTINCT" in query["sql"]]
    assert counts[0] == counts[1]
