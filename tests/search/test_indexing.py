"""The job that writes the words of messages: every message once, a bad one alone, a new title again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection, connections, transaction

from accounts.models import User
from conversations.models import Conversation, Message
from conversations.search import search_messages
from conversations.services import claim_title, finish_answer, finish_title, index_messages, rename_conversation
from conversations.services.calls import CallProgress
from conversations.services.indexing import BATCH, LENGTHS
from tests.factories import make_user
from tests.search.said import attach, find, say
from tests.services.calls import FINISHED, begin, claim, sql, title_of


def unindexed() -> int:
    return Message.objects.filter(search_vector=None).count()


def test_all_ended_messages_are_indexed_once_in_batches(anna: User) -> None:
    said = say(anna, *["umbrella"] * (BATCH * 2 + 4))
    Message.objects.filter(pk=said[-1].pk).update(status="queued")
    assert index_messages() == BATCH * 2 + 3
    assert (unindexed(), index_messages()) == (1, 0)


def test_a_run_ends_when_its_time_is_over(anna: User) -> None:
    say(anna, *["umbrella"] * 3)
    assert index_messages(seconds=0) == 0
    assert unindexed() == 3


def test_the_newest_come_first(anna: User) -> None:
    said = say(anna, *["umbrella"] * (BATCH + 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.monotonic", iter([0.0, 1.0, 9.0]).__next__)
        index_messages(seconds=8)
    assert list(Message.objects.filter(search_vector=None)) == [said[0]]


def poison(length: int) -> str:
    """Words that are all different: their vector is larger than PostgreSQL's limit of 1 MB."""
    return " ".join(f"{number:x}ж{number:x}" for number in range(length))


def test_a_message_that_postgresql_refuses_keeps_no_other_from_it(anna: User) -> None:
    before = say(anna, "umbrella one")[0]
    bad = say(anna, "umbrella two", title="Poisonous")[0]
    for number in range(10):
        attach(bad, poison(20_000)[: LENGTHS[0]], name=f"{number}.txt")
    Message.objects.filter(pk=bad.pk).update(
        text="umbrella " + "".join(f"{chr(0x4E00 + n % 20_000)} x{n:x}ж " for n in range(60_000))
    )
    after = say(anna, "umbrella three")[0]
    found = find(anna, "umbrella")
    assert {hit.message_id for hit in found.hits} == {before.pk, bad.pk, after.pk}
    assert len(find(anna, "poisonous").hits) == 1
    assert unindexed() == 0


def test_words_of_any_length_and_texts_of_any_kind_are_taken(anna: User) -> None:
    for text in (
        "x" * 100_000,
        "ж" * 200_000,
        "\U0001f600" * 200_000,
        "\ufffd\u202e\x01\x7f",
        "",
        " " * 1000,
        "a\n" * 100_000,
    ):
        say(anna, text + " umbrella", title=text[:200])
    index_messages()
    assert unindexed() == 0


def test_a_new_title_is_found_and_the_old_one_is_not(anna: User) -> None:
    prompt = say(anna, "hello", "hello", title="Umbrella")[0]
    assert [hit.message_id for hit in find(anna, "umbrella").hits] == [prompt.pk]
    rename_conversation(conversation=prompt.conversation, title="Scarf")
    assert unindexed() == 1
    assert [hit.message_id for hit in find(anna, "scarf").hits] == [prompt.pk]
    assert find(anna, "umbrella").hits == []


def test_a_title_that_the_model_found_is_found(db: None) -> None:
    answer = begin("Something about rain")
    finish_answer(plan=claim(answer), finished=FINISHED, text="", progress=CallProgress())
    index_messages()
    plan = claim_title(generation_id=title_of(answer).pk)
    assert plan is not None
    finish_title(plan=plan, finished=replace(FINISHED, text="Umbrellas"), text="", progress=CallProgress())
    found = find(answer.conversation.owner, "umbrella")
    assert [(hit.message_id, hit.source) for hit in found.hits] == [(answer.parent_id, "title")]


def test_an_edited_first_prompt_does_not_carry_the_title(anna: User) -> None:
    first = say(anna, "hello", title="Umbrella")[0]
    Message.objects.create(
        conversation=first.conversation, owner=anna, role="user", status="completed", text="hello again"
    )
    assert [hit.message_id for hit in find(anna, "umbrella").hits] == [first.pk]


def _index_elsewhere() -> int:
    try:
        return index_messages()
    finally:
        connections.close_all()


def test_messages_that_somebody_holds_are_left_to_the_next_run(transactional_db: None) -> None:
    anna = make_user()
    held = say(anna, "umbrella", "umbrella")[0]
    with transaction.atomic():
        Message.objects.select_for_update().get(pk=held.pk)
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(_index_elsewhere).result(timeout=20) == 1
    assert list(Message.objects.filter(search_vector=None)) == [held]


def test_a_title_that_changes_while_its_message_is_indexed_is_indexed_again(transactional_db: None) -> None:
    anna = make_user()
    first = say(anna, "hello", title="Umbrella")[0]
    renamed = threading.Event()

    def rename() -> None:
        rename_conversation(conversation=Conversation.objects.get(pk=first.conversation_id), title="Scarf")
        renamed.set()
        connections.close_all()

    with transaction.atomic():
        assert index_messages() == 1
        thread = threading.Thread(target=rename)
        thread.start()
        assert not renamed.wait(0.3)  # it waits for the row
    thread.join(timeout=20)
    assert len(find(anna, "scarf").hits) == 1
    assert search_messages(anna, "umbrella").hits == []


def test_the_job_finds_its_work_by_the_index_alone(anna: User) -> None:
    say(anna, *["umbrella"] * 300)
    index_messages()
    say(anna, "umbrella")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE conversations_message")
        cursor.execute(
            "EXPLAIN SELECT id FROM conversations_message WHERE search_vector IS NULL"
            " AND NOT (status IN ('queued', 'streaming')) AND id < 'ffffffff-ffff-7fff-bfff-ffffffffffff'"
            " ORDER BY id DESC LIMIT 50 FOR NO KEY UPDATE SKIP LOCKED"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "message_unindexed" in plan, plan
    assert sql("SELECT indexdef FROM pg_indexes WHERE indexname = 'message_search'")
