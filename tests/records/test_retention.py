"""Which conversations the policies let go, and what is left of these."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from conversations.models import Attachment, Conversation, Event, Generation, SealedDocument
from conversations.services import continue_conversation, hide_conversation, seal_conversation
from records.models import LegalHold, RetentionPolicy, Tombstone
from records.services.holds import hold_conversation, hold_person, lift_hold
from tests.factories import make_assistant, make_model, make_user
from tests.fakes.folder import FilesFolder
from tests.records.retained import (
    SECRET,
    age,
    is_whole,
    make_old,
    make_policy,
    make_whole,
    named_objects,
    objects,
    run_policies,
    where_it_says,
)
from tests.services.calls import begin
from tests.services.concluded import make_concluded

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> FilesFolder:
    return FilesFolder(settings, tmp_path)


def gone() -> set[Any]:
    return set(Tombstone.objects.filter(removed_at__isnull=False).values_list("pk", flat=True))


def command(*options: str) -> str:
    out = io.StringIO()
    call_command("apply_retention", *options, stdout=out)
    return out.getvalue()


def test_nothing_is_left_of_a_removed_conversation_but_its_tombstone() -> None:
    conversation = make_whole()
    sealed, files = conversation.sealed_document, Attachment.objects.filter(message__conversation=conversation)
    hashes, size = sorted(file.sha256 for file in files), sum(file.size or 0 for file in files)
    call = Generation.objects.get(conversation=conversation, purpose="answer")
    policy = make_policy(30)
    assert len(objects()) == 2
    assert where_it_says(SECRET)

    run = run_policies()

    assert where_it_says(SECRET) == []
    # What names it: its tombstone, the event that others may have read, and a mark of a change that a job takes.
    assert set(where_it_says(str(conversation.pk))) <= {
        "records_tombstone", "conversations_event", "records_staleconversation", "procrastinate_jobs"
    }  # fmt: skip
    assert objects() == named_objects() == set()
    tombstone = Tombstone.objects.get()
    assert (tombstone.pk, tombstone.run, tombstone.policy_id) == (conversation.pk, run, policy.pk)
    assert (tombstone.owner_id, tombstone.assistant_id) == (conversation.owner_id, conversation.assistant_id)
    assert (tombstone.created_at, tombstone.last_activity_at, tombstone.concluded_at) == (
        conversation.created_at, conversation.last_activity_at, conversation.concluded_at
    )  # fmt: skip
    assert (tombstone.messages, tombstone.generations, tombstone.attachments) == (2, 2, 1)
    assert (tombstone.sealed_sha256, tombstone.file_hashes) == (sealed.sha256, hashes)
    assert (tombstone.attachment_bytes, tombstone.output_tokens) == (size, call.output_tokens)
    assert tombstone.cost == call.cost
    assert tombstone.removed_at is not None


@pytest.mark.parametrize(
    ("days", "basis", "is_sealed", "age_in_days", "goes"),
    [
        (30, "activity", False, 31, True),
        (30, "activity", False, 29, False),
        (30, "activity", True, 31, True),
        (30, "concluded", True, 31, True),
        (30, "concluded", True, 29, False),
        (30, "concluded", False, 3000, False),
    ],
)
def test_a_policy_counts_days_from_what_it_says(
    days: int, basis: str, is_sealed: bool, age_in_days: int, goes: bool
) -> None:
    conversation = make_old(age_in_days, is_sealed=is_sealed)
    make_policy(days, basis)
    run = run_policies()
    assert gone() == ({conversation.pk} if goes else set())
    assert run.counts["conversations"] == int(goes)


def test_without_a_policy_that_matches_everything_stays() -> None:
    conversation = make_old(5000)
    make_policy(1, is_enabled=False)
    assert command() == "No retention policy is enabled, so nothing was removed.\n"
    make_policy(1, group=Group.objects.create(name="Others"))
    make_policy(1, assistant=make_assistant())
    run_policies()
    assert is_whole(conversation)


def test_of_several_policies_the_longest_time_wins() -> None:
    group = Group.objects.create(name="Lawyers")
    conversation = make_old(100)
    conversation.owner.groups.add(group)
    make_policy(30)
    make_policy(60, assistant=conversation.assistant)
    longest = make_policy(200, group=group)
    run_policies()
    assert is_whole(conversation)
    RetentionPolicy.objects.filter(pk=longest.pk).update(days=90)
    run_policies()
    assert Tombstone.objects.get().policy_id == longest.pk


def test_a_policy_on_concluded_ones_keeps_an_open_one_that_another_lets_go() -> None:
    conversation = make_old(100)
    make_policy(30)
    make_policy(1, "concluded")
    run_policies()
    assert is_whole(conversation)


def test_a_policy_of_a_group_and_an_assistant_matches_both() -> None:
    group = Group.objects.create(name="Lawyers")
    both, other = make_old(100), make_old(100)
    both.owner.groups.add(group)
    other.owner.groups.add(group)
    make_policy(30, group=group, assistant=both.assistant)
    run_policies()
    assert gone() == {both.pk}
    assert is_whole(other)


def test_what_its_owner_deleted_goes_by_the_same_rule() -> None:
    old, new = make_old(100), make_old(1)
    for conversation in (old, new):
        hide_conversation(conversation=conversation)
    make_policy(30)
    run_policies()
    assert gone() == {old.pk}
    assert is_whole(new)


def test_running_answers_open_calls_and_unsealed_ones_wait() -> None:
    running = age(begin().conversation, 100)
    unsealed = age(make_concluded(), 100)
    with_title = make_old(100)
    Generation.objects.create(purpose="title", conversation=with_title, model=make_model(), model_asked="gpt-4o")
    with_file = make_old(100)
    Attachment.objects.create(
        owner=with_file.owner, message=with_file.messages.first(), origin="model", key="files/later", name="later"
    )
    make_policy(30)
    run = run_policies()
    assert gone() == set()
    assert (run.counts["conversations"], run.counts["waiting"]) == (0, 4)
    assert {row.pk for row in Conversation.objects.all()} == {running.pk, unsealed.pk, with_title.pk, with_file.pk}


def test_holds_on_a_person_and_on_a_conversation_win_until_they_are_lifted() -> None:
    admin = make_user()
    of_person, alone, free = make_old(), make_old(), make_old()
    holds = [
        hold_person(person=of_person.owner, placed_by=admin, reason="Case 1").hold,
        hold_conversation(conversation_id=alone.pk, placed_by=admin, reason="Case 2"),
    ]
    make_policy(30)
    run = run_policies()
    assert gone() == {free.pk}
    assert (run.counts["conversations"], run.counts["held"]) == (1, 2)
    assert is_whole(of_person)
    assert is_whole(alone)
    for hold in holds:
        lift_hold(hold=hold, lifted_by=admin, reason="Case closed")
    run_policies()
    assert gone() == {free.pk, of_person.pk, alone.pk}
    assert LegalHold.objects.filter(lifted_at__isnull=False).count() == 2


def test_an_object_that_another_conversation_names_goes_with_the_last_of_them() -> None:
    conversation = make_old(is_sealed=True)
    continued = continue_conversation(conversation=conversation)
    (key,) = Attachment.objects.filter(message__conversation=conversation).values_list("key", flat=True)
    make_policy(30)
    run_policies()
    assert gone() == {conversation.pk}
    assert objects() == named_objects() == {key}
    continued.refresh_from_db()
    assert continued.messages.filter(copy_of__isnull=False).count() == 2
    age(continued, 100)
    run_policies()
    assert objects() == named_objects() == set()


def test_two_that_share_an_object_and_go_in_one_run_leave_none_behind() -> None:
    conversation = make_old(is_sealed=True)
    age(continue_conversation(conversation=conversation), 200)
    make_policy(30)
    assert run_policies().counts["conversations"] == 2
    assert objects() == named_objects() == set()


def test_the_event_of_a_removed_conversation_stays_and_a_continuation_still_verifies() -> None:
    first = make_old(is_sealed=True)
    continued = continue_conversation(conversation=first)
    Conversation.objects.filter(pk=continued.pk).update(state="concluded", concluded_at=timezone.now())
    assert seal_conversation(conversation_id=continued.pk)
    make_policy(30)
    run_policies()
    assert gone() == {first.pk}
    assert set(Event.objects.values_list("conversation_id", flat=True)) == {first.pk, continued.pk}
    assert SealedDocument.objects.get().pk == continued.pk
    out = io.StringIO()
    call_command("verify_record", stdout=out)
    assert "all are as they were" in out.getvalue()
    call_command("reconcile_files", stdout=out)
    assert "agree" in out.getvalue()
