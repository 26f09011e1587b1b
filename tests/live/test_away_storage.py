"""Files of an answer whose storage is away, that is stopped, or whose worker dies: the text is kept, the file told."""

import asyncio
import threading

import pytest

from conversations.files import storage
from conversations.live import made_files
from conversations.live.database import in_database
from conversations.llm import close_clients
from conversations.models import Attachment
from conversations.services import (
    Refused,
    find_pending_file,
    retry_file,
    settle_lost_files,
    stop_answer,
)
from conversations.services.jobs import FETCH_FILE_TASK
from tests.fakes.folder import FilesFolder
from tests.fakes.process import FakeOpenAI
from tests.live.running import ask, until, writing
from tests.live.with_files import begin, write
from tests.services.calls import jobs, sql

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("files")]


def test_s2_storage_that_is_away_for_a_while_is_waited_for(
    openai: FakeOpenAI, files: FilesFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made_files, "RETRY_PAUSES", (0.2,) * 100)
    openai.script([{"text": "Done.", "image": {}}])
    answer = begin()
    files.take_away()
    back = threading.Timer(1.0, files.give_back)
    back.start()
    write(answer)
    back.join()

    assert answer.status == "completed"
    assert Attachment.objects.get().state == "ready"
    assert len(list(storage.list_keys())) == 1


def test_s2_storage_that_stays_away_fails_the_file_not_the_answer_and_it_can_be_fetched_later(
    openai: FakeOpenAI, files: FilesFolder
) -> None:
    openai.script([{"text": "Done.", "code_interpreter": {"files": [{"name": "result.csv"}]}, "image": {}}])
    answer = begin()
    files.take_away()
    write(answer)
    files.give_back()
    image, result = Attachment.objects.order_by("name")

    assert (answer.status, answer.text) == ("completed", "Done.")
    assert {image.state, result.state} == {"failed"}
    assert "storage" in result.failure
    with pytest.raises(Refused):
        retry_file(attachment=image)
    retry_file(attachment=result)
    assert jobs(FETCH_FILE_TASK) == [{"attachment_id": str(result.pk)}]
    pending = find_pending_file(attachment_id=result.pk)
    assert pending is not None

    async def again() -> None:
        await made_files.fetch(pending)
        await close_clients()

    asyncio.run(again())
    result.refresh_from_db()
    assert result.state == "ready"
    assert storage.read(result.key).startswith(b"number")


def test_an_answer_that_is_stopped_while_files_are_saved_keeps_its_text_and_says_what_is_missing(
    openai: FakeOpenAI, files: FilesFolder
) -> None:
    openai.script([{"text": "Done.", "image": {}}])
    answer = begin()
    files.take_away()

    async def run() -> None:
        async with writing(answer) as task:
            await until(lambda: Attachment.objects.filter(state="pending").exists() and answer.chunks.exists())
            await in_database(stop_answer, message=answer)
            await asyncio.wait([task], timeout=20)

    asyncio.run(run())
    rows = ask("SELECT status, text FROM conversations_message WHERE id = %s", answer.pk)

    assert rows == [("stopped", "Done.")]
    assert Attachment.objects.get().state == "failed"


def test_a_file_whose_worker_died_while_it_fetched_it_is_given_up(openai: FakeOpenAI) -> None:
    openai.script([{"text": "Done.", "code_interpreter": {"expired": True, "files": [{"name": "result.csv"}]}}])
    answer = begin()
    write(answer)
    file = Attachment.objects.get()
    retry_file(attachment=file)
    assert settle_lost_files() == 0
    sql("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = %s", FETCH_FILE_TASK)

    assert settle_lost_files() == 1
    file.refresh_from_db()
    assert (file.state, file.can_retry) == ("failed", True)
