"""The worker's side of sealing: what nobody seals is picked up, and what cannot be sealed keeps no other from it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from conversations import tasks
from conversations.live.sealing import seal_conversation, seal_left_behind
from conversations.models import Attachment, Conversation, Event, SealedDocument
from conversations.services import conclude_idle
from tests.fakes.folder import FilesFolder
from tests.services.calls import lose, sql
from tests.services.concluded import make_answered, make_concluded, make_sealed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folder")]


@pytest.fixture(autouse=True)
def _no_other_jobs(transactional_db: None) -> Iterator[None]:
    sql("DELETE FROM procrastinate_jobs")
    yield
    sql("DELETE FROM procrastinate_jobs")


def sealed() -> set[Conversation]:
    return {document.conversation for document in SealedDocument.objects.select_related("conversation")}


def lose_jobs() -> None:
    for (job,) in sql("SELECT id FROM procrastinate_jobs WHERE task_name = 'conversations.tasks.seal'"):
        lose(job)


def test_two_workers_that_seal_at_once_make_one_document_and_one_event() -> None:
    conversation = make_concluded()

    async def both() -> None:
        await asyncio.gather(*(seal_conversation(conversation.pk) for _ in range(2)))

    asyncio.run(both())
    assert sealed() == {conversation}
    assert Event.objects.count() == 1


def test_the_sweep_seals_what_the_policy_concluded(settings: Settings) -> None:
    settings.CONCLUDE_AFTER_IDLE_DAYS = 1
    conversations = {make_answered(f"Idle {number}") for number in range(3)}
    Conversation.objects.update(last_activity_at="2026-01-01T00:00Z")
    assert conclude_idle() == 3
    asyncio.run(seal_left_behind())
    assert sealed() == conversations
    assert {event.data["concluded_by"] for event in Event.objects.all()} == {"policy"}


def test_one_that_is_not_settled_or_cannot_be_sealed_keeps_no_other_from_it() -> None:
    torn, waiting, sound = make_sealed("Torn").conversation, make_concluded("Waiting"), make_concluded("Sound")
    SealedDocument.objects.all().delete()  # its event says that it was sealed
    Attachment.objects.filter(message__conversation=waiting).update(state="pending")
    lose_jobs()
    asyncio.run(seal_left_behind())
    assert sealed() == {sound}
    assert torn not in sealed()


def test_s8_where_storage_is_away_the_sweep_ends_and_the_next_one_goes_on(folder: FilesFolder) -> None:
    conversations = {make_concluded(f"Late {number}") for number in range(2)}
    lose_jobs()
    folder.take_away()
    asyncio.run(seal_left_behind())
    assert sealed() == set()
    folder.give_back()
    asyncio.run(seal_left_behind())
    assert sealed() == conversations


def test_the_tasks_are_known_by_the_names_that_services_use() -> None:
    assert tasks.seal.name == "conversations.tasks.seal"
    assert tasks.seal.retry_strategy is not None
    assert tasks.seal_concluded.name == "conversations.tasks.seal_concluded"
