"""A hold that is placed while a conversation is being removed: one comes first, and the other knows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from audit.models import AuditEvent
from conversations.models import Conversation
from conversations.services import Refusal, Refused
from records.models import LegalHold, RetentionRun, Tombstone
from records.services.due import Standing
from records.services.erasing import ask_erasure
from records.services.holds import Placed, hold_conversation, hold_person
from records.services.removing import begin_removal
from records.services.retention import begin_run
from records.services.runs import carry_out
from tests.factories import make_user
from tests.fakes.folder import FilesFolder
from tests.records.retained import is_whole, make_old, make_policy
from tests.services.calls import sql
from tests.services.other import Other

pytestmark = pytest.mark.django_db(transaction=True)
REASON = "Case 17"


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Iterator[FilesFolder]:
    yield FilesFolder(settings, tmp_path)
    sql("DELETE FROM procrastinate_jobs")


@pytest.fixture
def old() -> Conversation:
    return make_old()


@pytest.fixture
def run() -> RetentionRun:
    make_policy(30)
    run = begin_run()
    assert run is not None
    return run


def place_on_conversation(conversation: Conversation) -> Callable[[], Any]:
    admin = make_user()
    return lambda: hold_conversation(conversation_id=conversation.pk, placed_by=admin, reason=REASON)


def place_on_person(conversation: Conversation) -> Callable[[], Any]:
    admin = make_user()
    return lambda: hold_person(person=conversation.owner, placed_by=admin, reason=REASON)


@pytest.mark.parametrize("place", [place_on_conversation, place_on_person])
def test_a_hold_that_comes_first_keeps_the_conversation_whole(
    old: Conversation, run: RetentionRun, place: Callable[[Conversation], Callable[[], Any]]
) -> None:
    hold = place(old)
    with transaction.atomic():
        hold()
        removal = Other(lambda: begin_removal(conversation_id=old.pk, run=run))
        removal.wait_until_it_waits()
    assert removal.end() is Standing.HELD
    assert is_whole(old)
    assert carry_out(run_id=run.pk)
    assert is_whole(old)


def test_a_hold_on_a_conversation_whose_removal_has_begun_is_refused_and_names_it(
    old: Conversation, run: RetentionRun
) -> None:
    hold = place_on_conversation(old)
    with transaction.atomic():
        assert begin_removal(conversation_id=old.pk, run=run) is Standing.DUE
        placing = Other(hold)
        placing.wait_until_it_waits()
    told = placing.end()
    assert isinstance(told, Refused)
    assert told.code == Refusal.REMOVED
    assert str(told).startswith(f"The removal of conversation {old.pk} began on ")
    assert not LegalHold.objects.exists()
    assert not AuditEvent.objects.filter(kind="hold.placed").exists()
    assert Tombstone.objects.get().pk == old.pk
    assert carry_out(run_id=run.pk)
    with pytest.raises(Refused, match=f"Conversation {old.pk} was removed on .*, so there is nothing to hold"):
        hold()


def test_a_hold_on_a_person_names_what_had_begun_and_keeps_the_rest(old: Conversation, run: RetentionRun) -> None:
    other = make_old()
    Conversation.objects.filter(pk=other.pk).update(owner=old.owner)
    hold = place_on_person(old)
    with transaction.atomic():
        assert begin_removal(conversation_id=old.pk, run=run) is Standing.DUE
        placing = Other(hold)
        placing.wait_until_it_waits()
    placed = placing.end()
    assert isinstance(placed, Placed)
    assert placed.too_late_for == [old.pk]
    assert carry_out(run_id=run.pk)
    assert list(Tombstone.objects.values_list("pk", flat=True)) == [old.pk]
    assert is_whole(other)


def test_where_the_removal_is_taken_back_a_hold_that_waited_holds(old: Conversation, run: RetentionRun) -> None:
    hold = place_on_conversation(old)
    with transaction.atomic():
        begin_removal(conversation_id=old.pk, run=run)
        placing = Other(hold)
        placing.wait_until_it_waits()
        transaction.set_rollback(True)
    assert isinstance(placing.end(), LegalHold)
    assert carry_out(run_id=run.pk)
    assert is_whole(old)


def test_a_hold_and_a_request_for_erasure_take_turns(old: Conversation) -> None:
    admin = make_user(is_superuser=True)
    hold = place_on_person(old)
    with transaction.atomic():
        hold()
        asking = Other(lambda: ask_erasure(person=old.owner, asked_by=admin, reason=REASON))
        asking.wait_until_it_waits()
    told = asking.end()
    assert isinstance(told, Refused)
    assert str(LegalHold.objects.get().pk) in str(told)
    old.owner.refresh_from_db()
    assert old.owner.is_active
    assert not RetentionRun.objects.exists()


def test_a_hold_that_comes_before_the_last_step_of_an_erasure_ends_it(old: Conversation) -> None:
    admin = make_user(is_superuser=True)
    erasure = ask_erasure(person=old.owner, asked_by=admin, reason=REASON)
    hold = place_on_person(old)
    with transaction.atomic():
        hold()
        carrying = Other(lambda: carry_out(run_id=erasure.pk))
        carrying.wait_until_it_waits()
    assert carrying.end() is True
    erasure.refresh_from_db()
    assert erasure.state == RetentionRun.State.FAILED
    assert f"A hold is in force: {LegalHold.objects.get().pk} on the person" in erasure.problem
    assert is_whole(old)
    old.owner.refresh_from_db()
    assert not old.owner.username.startswith("erased")


def test_many_holds_and_removals_at_once_leave_each_conversation_held_or_gone(run: RetentionRun) -> None:
    conversations = [make_old() for _ in range(8)]
    Conversation.objects.update(owner=conversations[0].owner)
    holds = [Other(place_on_conversation(one)) for one in conversations]
    removals = [Other(lambda: carry_out(run_id=run.pk)) for _ in range(2)]
    came = [hold.end() for hold in holds]
    assert [removal.end() for removal in removals]
    for conversation, placed in zip(conversations, came, strict=True):
        if isinstance(placed, LegalHold):
            assert is_whole(conversation)
        else:
            assert isinstance(placed, Refused)
            assert str(conversation.pk) in str(placed)
    held = LegalHold.objects.count()
    assert Tombstone.objects.count() == len(conversations) - held
