"""People see who they are here, that they may be read, and when they were; never by whom, or why."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from audit import services
from audit.models import AuditEvent
from conversations.models import Conversation
from records.readings import DEEDS, EVENTS_OF_A_PAGE, readings_of
from tests.admin.record import make_thread
from tests.factories import make_user

PAGE = "/account/"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> User:
    return make_user(username="ada", first_name="Ada", last_name="Byron", email="ada@example.org")


@pytest.fixture
def reviewer() -> User:
    return make_user(username="inspector-17", first_name="Ivy", last_name="Inspector")


@pytest.fixture
def conversation(person: User) -> Conversation:
    return make_thread(owner=person, title="Lease of the warehouse")


def read(reviewer: User, conversation: Conversation, kind: str = "conversation.read", **fields: Any) -> None:
    known: dict[str, Any] = {
        "object_type": "conversation",
        "object_id": conversation.pk,
        "subject_id": conversation.owner_id,
    }
    services.record(kind=kind, actor=reviewer, reason="A secret suspicion", **known | fields)


def page_of(person: User, **query: Any) -> str:
    client = Client()
    client.force_login(person)
    response = client.get(PAGE, query)
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_says_who_one_is_and_leads_on(person: User) -> None:
    person.groups.add(Group.objects.create(name="Sales"), Group.objects.create(name="Legal"))
    page = page_of(person)
    for words in ("Ada Byron", "ada@example.org", "Legal, Sales", "may read, search and export it", "Nobody has."):
        assert words in page
    assert reverse("conversations:usage") in page
    assert reverse("account_change_password") not in page  # who has no password has none to change
    person.set_password("a-fair-password-17")
    person.save()
    assert reverse("account_change_password") in page_of(person)


def test_every_page_says_that_what_is_written_may_be_reviewed(client: Client, person: User) -> None:
    assert "open to review" in client.get(reverse("account_login")).content.decode()
    client.force_login(person)
    page = client.get(reverse("conversations:list")).content.decode()
    assert "Kept on record, and may be reviewed" in page
    assert f'href="{PAGE}"' in page


def test_v11_a_person_is_told_when_theirs_was_read_and_not_by_whom_or_why(
    person: User, reviewer: User, conversation: Conversation
) -> None:
    read(reviewer, conversation)
    read(reviewer, conversation)
    read(reviewer, conversation, "file.read", object_type="attachment", details={"conversation": str(conversation.pk)})
    page = page_of(person)
    assert "Read, 2 times that day" in page
    assert "A file was opened" in page
    assert page.count(f'<a href="{reverse("conversations:detail", args=[conversation.pk])}">') >= 2
    for secret in ("inspector-17", "Ivy", "suspicion"):
        assert secret not in page


def test_who_looks_through_what_several_wrote_is_told_to_each_of_them(
    person: User, reviewer: User, conversation: Conversation
) -> None:
    other, nobody = make_user(), make_user()
    for kind in ("conversation.searched", "export.written"):
        details: dict[str, services.Detail] = {"owners": [person.pk, other.pk]}
        services.record(kind=kind, actor=reviewer, reason="A case", details=details)
    for reader in (person, other):
        page = page_of(reader)
        assert "Found in a search" in page
        assert "Exported" in page
        assert "Among those of others" in page
    assert "Nobody has." in page_of(nobody)


def test_one_is_not_told_of_oneself_nor_of_what_is_no_reading(person: User, conversation: Conversation) -> None:
    read(person, conversation)
    services.record(kind="hold.placed", actor=None, object_type="user", object_id=person.pk, subject_id=person.pk)
    read(make_user(), conversation, "review.claimed")
    assert "Nobody has." in page_of(person)


def test_nobody_is_told_of_what_belongs_to_others(reviewer: User, conversation: Conversation) -> None:
    stranger = make_user()
    read(reviewer, conversation)
    # However it came about: an event that names another's conversation does not show its title.
    read(reviewer, conversation, subject_id=stranger.pk)
    page = page_of(stranger)
    assert "Lease of the warehouse" not in page
    assert "kept no longer" in page


def test_a_conversation_that_was_deleted_is_told_of_without_its_title(
    person: User, reviewer: User, conversation: Conversation
) -> None:
    read(reviewer, conversation)
    Conversation.objects.update(hidden_at="2026-01-01T00:00Z")
    page = page_of(person)
    assert "One that you deleted" in page
    assert "Lease of the warehouse" not in page


def test_x14_hostile_titles_and_names_are_text(person: User, reviewer: User, conversation: Conversation) -> None:
    User.objects.filter(pk=person.pk).update(first_name=HOSTILE)
    person.groups.add(Group.objects.create(name=HOSTILE))
    Conversation.objects.update(title=HOSTILE)
    read(reviewer, conversation)
    page = page_of(User.objects.get(pk=person.pk))
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_the_list_is_paged_backwards(person: User, reviewer: User) -> None:
    threads = [make_thread(owner=person, title=f"Thread {number}") for number in range(2)]
    for number in range(EVENTS_OF_A_PAGE + 3):
        read(reviewer, threads[number % 2])
    first = readings_of(person)
    assert len(first.rows) == EVENTS_OF_A_PAGE
    assert first.before is not None
    assert f"?seen={first.before}" in page_of(person)
    earlier = readings_of(person, before=first.before)
    assert (len(earlier.rows), earlier.before) == (3, None)
    assert "Who you are here" not in page_of(person, seen=first.before)
    assert "Nothing earlier." in page_of(person, seen=1)


@pytest.mark.parametrize("seen", ["x", "-1", "1.5", "9" * 30, "²", "1 OR 1=1"])
def test_f3_a_place_in_the_list_that_there_cannot_be_is_refused(person: User, seen: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(person)
    assert client.get(PAGE, {"seen": seen}).status_code == 400


def test_queries_of_the_page_do_not_grow_with_what_is_on_it(person: User, reviewer: User) -> None:
    counts = []
    client = Client()
    client.force_login(person)
    for _ in range(2):
        for _ in range(5):
            read(reviewer, make_thread(owner=person))
        with CaptureQueriesContext(connection) as queries:
            client.get(PAGE)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_every_kind_of_reading_has_its_words(person: User, reviewer: User, conversation: Conversation) -> None:
    for kind in DEEDS:
        read(reviewer, conversation, kind)
    assert {row.deed for row in readings_of(person).rows} == set(DEEDS.values())
    assert AuditEvent.objects.about(person).filter(kind__in=DEEDS).count() == len(DEEDS)
