"""What becomes of an answer when its writer is disturbed: nothing that arrived is lost, and nobody waits in vain."""

import asyncio
import contextlib

import pytest
from pytest_django import Settings

from conversations.live.answer import surely
from conversations.live.database import connect, in_database
from conversations.live.recorder import Recorder, Recording, recorder
from conversations.models import Generation, Message
from conversations.services import settle, stop_answer
from conversations.services.jobs import FORGET_TASK
from tests.fakes.process import FakeOpenAI
from tests.live.running import ask, other_connection, until, writing
from tests.services.calls import begin, claim, job_of, jobs, lose

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_jobs")]
TEXT = " ".join(f"word-{number}" for number in range(60))


def write(answer: Message) -> BaseException | None:
    """Write an answer to its end; return what it raised."""

    async def run() -> BaseException | None:
        async with writing(answer) as task:
            await asyncio.wait([task], timeout=30)
            return task.exception()

    raised = asyncio.run(run())
    answer.refresh_from_db()
    return raised


def test_an_answer_is_written(openai: FakeOpenAI) -> None:
    openai.script([{"text": TEXT}])
    answer = begin()
    assert write(answer) is None
    assert (answer.status, answer.text) == ("completed", TEXT)


def test_a_fault_of_our_own_ends_the_answer_at_once_with_all_that_had_arrived(openai: FakeOpenAI) -> None:
    openai.script([{"text": TEXT, "usage": {"input_tokens": 2_000_000_000, "output_tokens": 1}}])
    answer = begin()
    # The cost does not fit its column: a stand-in for any mistake that comes to light at the end.
    answer.generations.get().model.prices.update(input_price=999_999)

    raised = write(answer)

    assert raised is not None
    assert (answer.status, answer.error_code, answer.text) == ("interrupted", "worker_lost", TEXT)


def test_a_worker_that_goes_down_lets_an_ending_be_done_first(openai: FakeOpenAI) -> None:
    openai.script([{"text": TEXT, "delay_ms": 5}])
    answer = begin()
    waiting = (
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%conversations_message%%'"
        " AND application_name <> 'verbatim recorder'"
    )

    async def run() -> None:
        async with writing(answer) as task:
            await until(lambda: Message.objects.get(pk=answer.pk).text_so_far())
            with other_connection() as other:
                other.execute("BEGIN")
                other.execute("SELECT FROM conversations_message WHERE id = %s FOR UPDATE", [answer.pk])
                ((pid,),) = await until(lambda: ask(waiting))
                task.cancel()
                ask("SELECT pg_terminate_backend(%s)", pid)  # the ending has to be tried again
                await asyncio.sleep(0.1)
                other.execute("ROLLBACK")
            with contextlib.suppress(asyncio.CancelledError):
                await task

    asyncio.run(run())
    answer.refresh_from_db()
    assert (answer.status, answer.text) == ("completed", TEXT)


@pytest.mark.parametrize("cut", ["reset", "eof"])
def test_u9_a_background_answer_goes_on_when_the_link_breaks(openai: FakeOpenAI, settings: Settings, cut: str) -> None:
    settings.OPENAI_BACKGROUND = True
    openai.script([{"text": TEXT, "cut": cut, "after": 20}])
    answer = begin()

    assert write(answer) is None

    assert (answer.status, answer.text) == ("completed", TEXT)
    assert [call["method"] for call in openai.requests("/v1/responses")] == ["POST"]
    call = answer.generations.get()
    assert (call.status, call.usage_source) == ("completed", "exact")
    assert jobs(FORGET_TASK) == [{"response_id": call.response_id}]


def test_u27_a_background_answer_stopped_before_its_id_was_saved_is_forgotten(
    openai: FakeOpenAI, settings: Settings
) -> None:
    settings.OPENAI_BACKGROUND = True
    openai.script([{"tokens": 2000, "delay_ms": 20}])
    answer = begin()

    async def run() -> str:
        async with writing(answer, is_stopped=True) as task:
            response_id = await until(lambda: Generation.objects.get(message=answer).response_id)
            ask("UPDATE conversations_generation SET response_id = '' WHERE message_id = %s", answer.pk)
            await in_database(stop_answer, message=answer)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            return str(response_id)

    response_id = asyncio.run(run())
    assert jobs(FORGET_TASK) == [{"response_id": response_id}]


def test_what_a_writer_does_last_is_done_even_where_it_is_cancelled_once_more() -> None:
    done: list[str] = []

    async def last() -> None:
        await asyncio.sleep(0.05)
        done.append("forgotten")

    async def run() -> None:
        task = asyncio.create_task(surely(last()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert done == ["forgotten"]


def test_p5_a_writer_whose_answer_is_taken_again_in_the_same_process_loses_it() -> None:
    answer = begin()
    lost: list[int] = []

    async def run() -> None:
        first = recorder().open(answer.pk, 1, saved_text="", on_lost=lambda: lost.append(1))
        second = recorder().open(answer.pk, 2, saved_text="", on_lost=lambda: lost.append(2))
        recorder().close(first)
        assert (first.is_lost, second.is_lost) == (True, False)
        await recorder()._drop_connection()

    asyncio.run(run())
    assert lost == [1]


def test_p5_text_of_an_earlier_attempt_is_not_saved_and_its_writer_is_told() -> None:
    answer = begin()
    early = claim(answer)
    lose(job_of(answer))
    assert settle(message_id=answer.pk)
    assert claim(answer).attempt == early.attempt + 1
    lost: list[bool] = []

    async def run() -> None:
        recording = recorder().open(answer.pk, early.attempt, saved_text="", on_lost=lambda: lost.append(True))
        recording.add("Too late.")
        await recorder().save(recording)
        await recorder()._drop_connection()

    asyncio.run(run())
    assert lost == [True]
    assert Message.objects.get(pk=answer.pk).text_so_far() == ""


def test_live_text_of_several_answers_takes_them_in_the_order_in_which_all_do() -> None:
    """Else it holds the second while it waits for the first, and whoever holds the first waits for the second."""
    older, newer = begin(), begin()
    plans = [claim(newer), claim(older)]  # so that the rows lie in the other order as well
    free = "SELECT id FROM conversations_message WHERE status = 'streaming' FOR NO KEY UPDATE SKIP LOCKED"
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%unnest%%FOR SHARE%%'"

    async def run() -> None:
        pieces = [Recording(plan.message_id, plan.attempt, list, lambda *_: None, "Text") for plan in plans]
        async with await connect("recorder") as link:
            with other_connection() as other:
                other.execute("BEGIN")
                other.execute("SELECT FROM conversations_message WHERE id = %s FOR NO KEY UPDATE", [older.pk])
                saving = asyncio.create_task(Recorder()._save(link, pieces))
                await until(lambda: ask(waiting))
                assert ask(free) == [(newer.pk,)]
                other.execute("ROLLBACK")
                await saving

    asyncio.run(run())
    assert [answer.text_so_far() for answer in Message.objects.running()] == ["Text"] * 2
