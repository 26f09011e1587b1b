"""Whoever waits for an answer or reads along is told all of it, once, in whichever process."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from conversations.api.live import waiting
from conversations.api.live.waiting import Activity, Ended, Files, Happening, Text, answer_of
from conversations.live.database import in_database
from conversations.models import Message, MessageChunk
from conversations.services import stop_answer
from tests.fakes.process import FakeOpenAI
from tests.live.running import ask, until, writing
from tests.sending.reading import ending, first, held_connections, is_idle, put_together, read, run
from tests.services.calls import begin, claim, job_of, lose

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_jobs")]
TEXT = " ".join(f"word-{number} ü😀" for number in range(60))


def streaming(text: str = "") -> Message:
    """An answer that somebody writes, with so much of it on disk."""
    answer = begin()
    claim(answer)
    if text:
        MessageChunk.objects.create(message=answer, start=0, text=text)
    return answer


def add(answer: Message, start: int, text: str) -> None:
    ask("INSERT INTO conversations_messagechunk (message_id, start, text) VALUES (%s, %s, %s)", answer.pk, start, text)


def end(answer: Message, text: str, status: str = "completed") -> None:
    """End an answer as its writer does, in one statement for each table."""
    ask("DELETE FROM conversations_messagechunk WHERE message_id = %s", answer.pk)
    ask(
        "UPDATE conversations_message SET status = %s, text = %s, activity = '', finished_at = now() WHERE id = %s",
        status,
        text,
        answer.pk,
    )


def has_text(happening: Happening) -> bool:
    return isinstance(happening, Text)


def test_who_waits_gets_the_end_and_who_reads_along_every_character_of_it(openai: FakeOpenAI) -> None:
    openai.script([{"text": TEXT, "delay_ms": 5}])
    answer = begin()

    async def wait_and_read() -> tuple[str, list[Happening]]:
        async with writing(answer):
            status, told = await asyncio.gather(answer_of(answer.pk, 25), read(answer.pk))
        return status, told

    status, told = run(wait_and_read)
    assert (status, ending(told), put_together(told)) == ("completed", "completed", TEXT)
    assert sum(isinstance(one, Text) for one in told) > 1
    starts = [one.start for one in told if isinstance(one, Text)]
    assert starts == sorted(set(starts))


def test_who_comes_back_goes_on_where_they_were() -> None:
    answer = streaming("Hällo 😀 wor")

    async def leave_and_come_back() -> tuple[list[Happening], list[Happening]]:
        before = await first(answer.pk, has_text)
        add(answer, 11, "ld, and")
        end(answer, "Hällo 😀 world, and more")
        return before, await read(answer.pk, after=11)

    before, rest = run(leave_and_come_back)
    assert before == [Text(0, "Hällo 😀 wor")]
    assert rest == [Text(11, "ld, and more"), Ended(Message.Status.COMPLETED)]


@pytest.mark.parametrize("after", [0, 5, 9_000_000], ids=["all", "a part", "nonsense"])
def test_an_answer_that_has_ended_is_told_from_where_one_asks(after: int) -> None:
    answer = streaming()
    end(answer, "Hello world")
    expected = {0: [Text(0, "Hello world")], 5: [Text(5, " world")]}.get(after, [])
    assert run(lambda: read(answer.pk, after=after)) == [*expected, Ended(Message.Status.COMPLETED)]


@pytest.mark.parametrize(
    ("final", "correction"),
    [
        ("Hello there.", Text(6, "there.")),
        ("Hel", Text(3, "")),
        ("Hello world!", Text(11, "!")),
        ("Hello world", None),
    ],
    ids=["another word", "shorter", "longer", "the same"],
)
def test_where_the_final_text_is_another_one_the_reader_is_told_from_the_difference_on(
    final: str, correction: Text | None
) -> None:
    answer = streaming("Hello world")

    async def read_to_the_end() -> list[Happening]:
        reading = asyncio.create_task(read(answer.pk))
        await asyncio.sleep(0.5)
        await in_database(end, answer=answer, text=final)
        return await reading

    told = run(read_to_the_end)
    assert put_together(told) == final
    assert told[1:-1] == ([correction] if correction else [])


def test_what_it_does_and_which_files_come_is_told() -> None:
    answer = streaming()

    async def read_activities() -> list[Happening]:
        reading = asyncio.create_task(read(answer.pk))
        for number in (1, 2):
            ask("UPDATE conversations_message SET activity = %s WHERE id = %s", f"Step {number}", answer.pk)
            await asyncio.sleep(0.6)
        ask(
            "INSERT INTO conversations_attachment (id, owner_id, message_id, origin, state, bucket, key, name, sha256,"
            " content_type, is_read, failure, container_id, container_file_id, source_id, provider_file_id, created_at)"
            " VALUES (%s, %s, %s, 'model', 'pending', '', 'key', 'a.csv', '', 'text/csv', false, '', '', '', '', '',"
            " now())",
            uuid.uuid4(),
            answer.owner_id,
            answer.pk,
        )
        await asyncio.sleep(0.6)
        ask("UPDATE conversations_attachment SET state = 'failed', failure = 'Gone.'")
        await asyncio.sleep(0.6)
        end(answer, "Done.")
        return await reading

    assert run(read_activities) == [
        Activity("Step 1"),
        Activity("Step 2"),
        Files(),
        Files(),
        Text(0, "Done."),
        Ended(Message.Status.COMPLETED),
    ]


def test_a_stop_ends_every_wait_at_once(openai: FakeOpenAI) -> None:
    openai.script([{"tokens": 5, "gap": {"after": 3, "ms": 20_000}}])
    answer = begin()

    async def stop() -> tuple[str, list[Happening]]:
        async with writing(answer):
            waits = asyncio.gather(answer_of(answer.pk, 25), read(answer.pk))
            await until(lambda: Message.objects.get(pk=answer.pk).text_so_far())
            await in_database(stop_answer, message=answer)
            return await waits

    status, told = run(stop)
    assert (status, ending(told)) == ("stopped", "stopped")
    assert put_together(told) == Message.objects.get(pk=answer.pk).text


def test_who_does_not_want_to_wait_longer_is_told_how_it_stands() -> None:
    queued = begin()
    claimed = streaming("Hello")
    assert run(lambda: answer_of(queued.pk, 0.5)) == "queued"
    assert run(lambda: answer_of(claimed.pk, 0.5)) == "streaming"


def test_there_is_no_waiting_for_what_is_not_there() -> None:
    with pytest.raises(Message.DoesNotExist):
        run(lambda: answer_of(uuid.uuid4(), 10))
    assert run(lambda: read(uuid.uuid4())) == []


def test_while_nothing_happens_there_are_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "IDLE_SECONDS", 1.2)
    answer = streaming("Hello")
    assert run(lambda: first(answer.pk, is_idle)) == [Text(0, "Hello"), waiting.Idle()]


def test_a9_who_may_not_go_on_is_told_nothing_more_not_even_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "RECHECK_SECONDS", 0.3)
    allowed = [True, True, False]
    answer = streaming("Hello")
    assert run(lambda: read(answer.pk, may_go_on=lambda: allowed.pop(0))) == [Text(0, "Hello")]
    end(answer, "Hello world")
    assert run(lambda: read(answer.pk, may_go_on=lambda: False)) == []


def test_i2_an_answer_whose_writer_died_is_settled_by_whoever_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "RECHECK_SECONDS", 0.3)
    one, other = streaming("Hello"), streaming("Hello")
    for answer in (one, other):
        lose(job_of(answer))
    assert run(lambda: answer_of(one.pk, 20)) == "interrupted"
    assert ending(run(lambda: read(other.pk))) == "interrupted"


def test_thirty_who_read_along_hold_no_connection_of_their_own() -> None:
    answer = streaming("Hello")

    async def read_together() -> tuple[list[list[Happening]], int]:
        readers = [asyncio.create_task(read(answer.pk)) for _ in range(30)]
        await asyncio.sleep(0.6)
        held = held_connections()
        end(answer, "Hello world")
        return await asyncio.gather(*readers), held

    told, held = run(read_together)
    assert {put_together(one) for one in told} == {"Hello world"}
    assert held <= 1
