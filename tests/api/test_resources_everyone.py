"""What others wrote: for tokens with the scope of people with the right, and never without a line in the audit."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client

from accounts.access import Scope
from audit.models import AuditEvent
from conversations.services import hide_conversation, rate_answer
from tests.access.record import changed_tables, snapshot
from tests.api.caller import Caller
from tests.api.said import MARK, Said, say
from tests.factories import make_file, make_user

pytestmark = pytest.mark.django_db


def addresses(said: Said) -> dict[str, tuple[str, str]]:
    """Return what can be read of somebody, by its name: the address, and what the audit calls reading it."""
    rate_answer(message=said.answer, user=said.owner, rating="up", reason=MARK)
    file = make_file(said.owner, message=said.prompt)
    return {
        "conversations": ("conversations/", "conversation.listed"),
        "conversation": (said.address, "conversation.read"),
        "thread": (f"{said.address}messages/", "conversation.read"),
        "versions": (f"{said.address}messages/?path=all", "conversation.read"),
        "messages": ("messages/", "message.listed"),
        "message": (f"messages/{said.answer.pk}/", "message.read"),
        "attachments": ("attachments/", "attachment.listed"),
        "attachment": (f"attachments/{file.pk}/", "attachment.read"),
        "feedback": ("feedback/", "feedback.listed"),
        "rating": (f"messages/{said.answer.pk}/feedback/", "feedback.read"),
    }


NAMES = (
    "conversations", "conversation", "thread", "versions", "messages", "message", "attachments", "attachment",
    "feedback", "rating",
)  # fmt: skip


def with_everyone(address: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}everyone=true"


@pytest.mark.parametrize("name", NAMES)
def test_a10_a_reviewer_reads_it_and_the_audit_tells_who_what_and_by_which_token(
    said: Said, reviewer: Caller, name: str
) -> None:
    address, kind = addresses(said)[name]
    own = reviewer.get(address)
    assert MARK not in own.content.decode()
    assert not AuditEvent.objects.filter(actor_id=reviewer.user.pk, kind=kind).exists()
    response = reviewer.get(with_everyone(address))
    assert response.status_code == 200
    told = AuditEvent.objects.get(kind=kind)
    assert told.actor_id == reviewer.user.pk
    assert told.details["token"] == str(reviewer.token.pk)
    if kind.endswith(".listed"):
        assert told.details["owners"] == [said.owner.pk]
        assert told.details["count"] == len(response.json()["results"]) > 0
    else:
        assert told.subject_id == said.owner.pk
        assert str(said.conversation.pk) in (told.object_id, told.details.get("conversation"))


@pytest.mark.parametrize("name", NAMES)
def test_who_has_no_right_or_no_scope_reads_nothing_and_nothing_is_written(
    said: Said, anna: Caller, reviewer: Caller, name: str
) -> None:
    address = with_everyone(addresses(said)[name][0])
    without_right = Caller(make_user(), [Scope.READ, Scope.READ_ALL])
    without_scope = Caller(reviewer.user, [Scope.READ, Scope.WRITE, Scope.EVENTS])
    for caller in (without_right, without_scope, anna):
        caller.read("me/")
        before = snapshot()
        refused = caller.get(address)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_everyone")
        assert MARK not in refused.content.decode()
        assert changed_tables(before, snapshot()) == []


def test_a_right_that_was_taken_away_opens_nothing_any_more(said: Said, reviewer: Caller) -> None:
    assert reviewer.get("conversations/?everyone=true").status_code == 200
    reviewer.user.user_permissions.clear()
    assert reviewer.get("conversations/?everyone=true").status_code == 403


def test_reading_what_is_one_s_own_is_not_told(said: Said, reviewer: Caller) -> None:
    say("Mine", owner=reviewer.user)
    for address in ("conversations/?everyone=true&owner=rita", "messages/?fields=status"):
        assert reviewer.get(address).status_code == 200
    assert not AuditEvent.objects.filter(kind__endswith=".listed").exists()


def test_everyone_s_conversations_are_narrowed_by_their_owner_and_the_deleted_are_apart(
    said: Said, reviewer: Caller
) -> None:
    deleted = hide_conversation(conversation=say(owner=said.owner).conversation)
    say("Mine", owner=reviewer.user)
    assert len(reviewer.ids("conversations/?everyone=true")) == 2
    assert reviewer.ids("conversations/?everyone=true&owner=anna") == [str(said.conversation.pk)]
    assert reviewer.ids("conversations/?everyone=true&deleted=true") == [str(deleted.pk)]
    assert reviewer.read(f"conversations/{deleted.pk}/?everyone=true")["deleted_at"]
    assert reviewer.get("conversations/?everyone=true&q=umbrella").status_code == 400


def test_what_was_removed_for_good_is_read_by_nobody(said: Said, reviewer: Caller) -> None:
    conversation = said.conversation
    all_of_it = addresses(said)
    conversation.removal_begun_at = conversation.hidden_at = conversation.created_at
    conversation.save()
    for address, _ in all_of_it.values():
        response = reviewer.get(with_everyone(address))
        assert MARK not in response.content.decode()
        assert response.status_code == 404 or response.json()["results"] == []


def test_an_upload_that_was_not_sent_is_its_owners_alone(said: Said, reviewer: Caller) -> None:
    unsent = make_file(said.owner)
    assert reviewer.get(f"attachments/{unsent.pk}/?everyone=true").status_code == 404
    assert reviewer.read("attachments/?everyone=true")["results"] == []


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_everyone_s_is_for_reading_alone(said: Said, reviewer: Caller, method: str) -> None:
    writer = Caller(reviewer.user, list(Scope))
    for address in (said.address, f"{said.address}?everyone=true"):
        with transaction.atomic():
            assert writer.ask(method, address, {"title": "Taken"}).status_code in (400, 404)
    said.conversation.refresh_from_db()
    assert (said.conversation.title, said.conversation.hidden_at) == (MARK, None)


def test_people_read_on_their_account_that_it_was_read(said: Said, reviewer: Caller) -> None:
    reviewer.read(f"{said.address}messages/?everyone=true")
    reviewer.read("conversations/?everyone=true")
    browser = Client()
    browser.force_login(said.owner)
    page = browser.get("/account/").content.decode()
    assert "Conversations were listed" in page
    assert MARK in page
