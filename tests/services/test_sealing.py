"""What is concluded is sealed: one document in storage, one row, one event, whoever seals it and however often."""

from __future__ import annotations

import threading
import time
from uuid import uuid4

import pytest
from django.db import IntegrityError, connections, transaction

from conversations.files import storage
from conversations.llm import ModelError
from conversations.models import Attachment, Conversation, Event, SealedDocument
from conversations.services import (
    CallProgress,
    NotSettled,
    claim_title,
    conclude_conversation,
    fail_title,
    find_unsealed,
    seal_conversation,
)
from conversations.services.canonical import moment
from conversations.services.reconciling import find_differences
from tests.fakes.folder import FilesFolder
from tests.services.calls import begin, fetch, lose, sql, title_of
from tests.services.concluded import answer_it, bounded, make_answered, make_concluded, make_long, make_sealed, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]
SEAL = "conversations.tasks.seal"


def keys() -> set[str]:
    return {found.key for found in storage.list_keys()}


def seal_job() -> int:
    return int(sql("SELECT id FROM procrastinate_jobs WHERE task_name = %s", SEAL)[0][0])


def test_the_document_holds_every_message_call_and_file() -> None:
    sealed = make_sealed(turns=2)
    conversation = sealed.conversation
    document = stored(sealed)
    assert document["format"] == sealed.format == 1
    assert document["conversation"]["id"] == str(conversation.pk)
    for section, rows in (
        ("messages", conversation.messages),
        ("generations", conversation.generations),
        ("attachments", Attachment.objects),
    ):
        assert [row["id"] for row in document[section]] == [str(row.pk) for row in rows.order_by("id")], section
    (file,) = document["attachments"]
    assert file["sha256"] == Attachment.objects.get().sha256


def test_the_event_tells_ids_hash_and_address_and_no_text() -> None:
    sealed = make_sealed("A secret of mine")
    event = Event.objects.get()
    conversation = sealed.conversation
    assert (event.seq, event.kind, event.conversation_id) == (1, "conversation.concluded", conversation.pk)
    assert event.data == {
        "conversation": str(conversation.pk),
        "owner": str(conversation.owner_id),
        "concluded_at": conversation.concluded_at and moment(conversation.concluded_at),
        "concluded_by": "owner",
        "document": {"format": 1, "sha256": sealed.sha256, "size": sealed.size, "address": sealed.key},
    }


def test_sealing_again_changes_nothing() -> None:
    sealed = make_sealed()
    before = keys()
    assert not seal_conversation(conversation_id=sealed.pk)
    assert keys() == before
    assert Event.objects.count() == SealedDocument.objects.count() == 1


@pytest.mark.parametrize("known", [True, False], ids=["open", "unknown"])
def test_what_is_not_concluded_is_not_sealed(known: bool) -> None:
    assert not seal_conversation(conversation_id=make_answered().pk if known else uuid4())
    assert not SealedDocument.objects.exists()


def test_sealing_waits_for_the_title() -> None:
    answer = answer_it(begin())
    plan = claim_title(generation_id=title_of(answer).pk)
    assert plan is not None
    conversation = conclude_conversation(conversation=answer.conversation)
    with pytest.raises(NotSettled):
        seal_conversation(conversation_id=conversation.pk)
    fail_title(plan=plan, error=ModelError("provider_down", "HTTP 500"), text="", progress=CallProgress())
    assert seal_conversation(conversation_id=conversation.pk)
    document = stored(SealedDocument.objects.get())
    assert [call["status"] for call in document["generations"]] == ["completed", "failed"]


def test_sealing_waits_for_a_file_that_is_fetched_again() -> None:
    conversation = make_concluded()
    Attachment.objects.update(state="pending")
    with pytest.raises(NotSettled):
        seal_conversation(conversation_id=conversation.pk)
    assert not Event.objects.exists()
    Attachment.objects.update(state="failed", failure="It was gone.")
    assert seal_conversation(conversation_id=conversation.pk)
    (file,) = stored(SealedDocument.objects.get())["attachments"]
    assert (file["state"], file["failure"]) == ("failed", "It was gone.")


def test_s8_storage_that_is_away_is_waited_for(folder: FilesFolder) -> None:
    conversation = make_concluded()
    folder.take_away()
    with pytest.raises(storage.StorageProblem):
        seal_conversation(conversation_id=conversation.pk)
    assert not SealedDocument.objects.exists()
    assert not Event.objects.exists()
    folder.give_back()
    before = keys()
    assert seal_conversation(conversation_id=conversation.pk)
    assert keys() - before == {SealedDocument.objects.get().key}


@pytest.mark.django_db(transaction=True)
def test_of_two_who_seal_at_once_one_counts_and_nothing_of_the_other_stays() -> None:
    conversation = make_concluded()
    before = keys()
    outcomes: list[bool] = []

    def seal() -> None:
        outcomes.append(seal_conversation(conversation_id=conversation.pk))
        connections.close_all()

    sealers = [threading.Thread(target=seal) for _ in range(4)]
    with transaction.atomic():
        # Nobody can write the row as long as this is held, so all four have stored their document by then.
        Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
        for sealer in sealers:
            sealer.start()
        give_up_at = time.monotonic() + 20
        while len(keys() - before) < 4 and time.monotonic() < give_up_at:
            time.sleep(0.02)
        assert len(keys() - before) == 4
    for sealer in sealers:
        sealer.join(20)
    assert sorted(outcomes) == [False, False, False, True]
    sealed = SealedDocument.objects.get()
    assert keys() - before == {sealed.key}
    assert Event.objects.count() == 1
    assert stored(sealed)["conversation"]["id"] == str(conversation.pk)
    assert list(find_differences(hours=0)) == []


def test_one_whose_row_was_taken_away_is_not_sealed_in_silence() -> None:
    sealed = make_sealed()
    SealedDocument.objects.filter(pk=sealed.pk).delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        seal_conversation(conversation_id=sealed.pk)
    assert not SealedDocument.objects.exists()


def test_one_whose_job_comes_is_left_to_it_and_one_whose_worker_died_is_picked_up() -> None:
    conversation = make_concluded()
    assert find_unsealed() == []
    fetch(seal_job())
    assert find_unsealed() == []
    sql("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
    assert find_unsealed() == [conversation.pk]
    lose(seal_job())
    assert find_unsealed() == [conversation.pk]
    assert find_unsealed(after=conversation.pk) == []
    assert seal_conversation(conversation_id=conversation.pk)
    assert find_unsealed() == []


def test_a_sealed_document_is_no_orphan_and_a_lost_one_is_told() -> None:
    sealed = make_sealed()
    assert list(find_differences(hours=0)) == []
    storage.delete(sealed.key)
    (difference,) = find_differences(hours=0)
    assert (difference.kind, difference.key, difference.attachment_id) == ("missing", sealed.key, None)
    assert str(sealed.pk) in difference.detail


@pytest.mark.slow
def test_twenty_thousand_messages_are_sealed_in_flat_memory() -> None:
    conversation = make_long(20_000)
    with bounded(megabytes=16):
        assert seal_conversation(conversation_id=conversation.pk)
    assert SealedDocument.objects.get().size > 20_000_000
