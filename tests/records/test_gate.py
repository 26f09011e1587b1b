"""Pages that show what others wrote, message by message: never without a reason, never without a line in the audit."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from conversations.models import Conversation, Feedback, Message
from tests.admin.record import make_thread
from tests.factories import make_file, make_user
from tests.sitting import REASON, SittingClient, sit

TEXT = "the colour of that umbrella"
NOUNS = {"message": "message", "attachment": "attachment", "feedback": "feedback", "generation": "call"}


@pytest.fixture
def reviewer(db: None) -> User:
    reviewer = make_user(username="reviewer", is_staff=True)
    reviewer.user_permissions.add(Permission.objects.get(codename="review_conversation"))
    return reviewer


@pytest.fixture
def rows(reviewer: User) -> dict[str, Any]:
    """A row of each kind, all of one person's conversation."""
    conversation = make_thread()
    answer = Message.objects.get(role=Message.Role.ASSISTANT)
    Message.objects.update(text=TEXT)
    return {
        "message": answer,
        "attachment": make_file(conversation.owner, message=answer, name=f"{TEXT}.png"),
        "feedback": Feedback.objects.create(message=answer, user=conversation.owner, rating="down", reason=TEXT),
        "generation": conversation.generations.get(),
    }


def _address(model: str, page: str, *args: object) -> str:
    return reverse(f"admin:conversations_{model}_{page}", args=args)


def _told() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(kind__regex=r"\.(read|listed)$").order_by("seq"))


@pytest.mark.parametrize("model", NOUNS)
def test_a10_without_a_reason_nothing_is_shown_and_nothing_told(
    client: Client, reviewer: User, rows: dict[str, Any], model: str
) -> None:
    client.force_login(reviewer)
    pages = [_address(model, page, rows[model].pk) for page in ("change", "history")]
    if model != "generation":  # whose list shows nothing that anybody wrote
        pages.append(_address(model, "changelist"))
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("records:sitting"))
        assert TEXT not in answer.content.decode()
    assert _told() == []


@pytest.mark.parametrize("model", NOUNS)
def test_a10_a_row_that_is_read_is_told_with_whose_it_is_and_why_and_never_what_it_says(
    reviewer: User, rows: dict[str, Any], model: str
) -> None:
    client = SittingClient()
    client.force_login(reviewer)
    assert client.get(_address(model, "change", rows[model].pk)).status_code == 200
    (event,) = _told()
    conversation = Conversation.objects.get()
    assert (event.kind, event.object_type, event.object_id) == (
        f"{NOUNS[model]}.read",
        model,
        str(rows[model].pk),
    )
    assert (event.actor_id, event.subject_id, event.reason) == (reviewer.pk, conversation.owner_id, REASON)
    assert event.details == {"conversation": str(conversation.pk)}


@pytest.mark.parametrize("model", ["message", "attachment", "feedback"])
def test_a_list_tells_of_all_whose_rows_it_showed(reviewer: User, rows: dict[str, Any], model: str) -> None:
    client = SittingClient()
    client.force_login(reviewer)
    other = make_thread()
    answer = other.messages.get(role=Message.Role.ASSISTANT)
    make_file(other.owner, message=answer)
    Feedback.objects.create(message=answer, user=other.owner, rating="up")
    assert client.get(_address(model, "changelist")).status_code == 200
    (event,) = _told()
    owners = sorted(Conversation.objects.values_list("owner_id", flat=True))
    count = 4 if model == "message" else 2
    assert (event.kind, event.subject_id) == (f"{NOUNS[model]}.listed", None)
    assert event.details == {"rows": count, "owners": owners}
    for owner in User.objects.filter(pk__in=owners):
        assert list(AuditEvent.objects.about(owner).filter(kind__endswith=".listed")) == [event]
    assert not AuditEvent.objects.about(reviewer).filter(kind__endswith=".listed").exists()


def test_a_list_that_shows_nothing_tells_of_nobody(reviewer: User, rows: dict[str, Any]) -> None:
    client = SittingClient()
    client.force_login(reviewer)
    assert client.get(_address("message", "changelist"), {"status__exact": "failed"}).status_code == 200
    assert client.get(_address("message", "changelist"), {"nonsense": "x"}).status_code == 302
    assert client.get(_address("message", "change", "no-id")).status_code == 302
    assert client.get(_address("message", "add")).status_code == 403
    assert _told() == []


def test_who_may_not_read_is_told_so_also_with_a_reason(rows: dict[str, Any]) -> None:
    client = Client()
    client.force_login(make_user(is_staff=True))
    sit(client)
    for model in NOUNS:
        for page in ("change", "history"):
            assert client.get(_address(model, page, rows[model].pk)).status_code == 403
        assert client.get(_address(model, "changelist")).status_code == 403
    assert _told() == []
