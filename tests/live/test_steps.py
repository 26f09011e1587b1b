"""Answers of several steps, resumed or failed: files are handed over and made once, each step billed for itself."""

import asyncio
from pathlib import Path

import pytest
from pytest_django import Settings

from conversations.live import sent_files
from conversations.models import Attachment, Generation
from tests.fakes.folder import FilesFolder
from tests.fakes.process import FakeOpenAI
from tests.live.running import until, writing
from tests.live.with_files import begin, sent, write

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("files")]


def test_a_response_that_is_resumed_after_a_cut_makes_its_files_once(openai: FakeOpenAI, settings: Settings) -> None:
    settings.OPENAI_BACKGROUND = True
    first = {"before": "Calculating now.", "create_file": {"name": "a.csv", "content": "a,b"}, "image": {}}
    openai.script([first | {"then": {"text": "Here it is, all of it.", "cut": "reset", "after": 3}}])
    answer = begin()
    write(answer)

    assert (answer.status, answer.text[-22:]) == ("completed", "Here it is, all of it.")
    assert answer.text.count("Here") == 1
    assert sorted(file.name for file in Attachment.objects.all()) == ["a.csv", "image-1.png"]


def test_a_large_file_is_handed_over_once_for_all_steps(
    openai: FakeOpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent_files, "INLINE_BYTES", 4)
    openai.script([{"create_file": {"name": "a.csv", "content": "a"}, "text": "Done."}])
    write(begin(("count.csv", b"a,b\n1,2\n"), folder=tmp_path))

    assert len(openai.requests("/v1/files")) == 1


def test_a_response_that_another_worker_resumes_goes_on_with_the_whole_conversation_and_no_file_twice(
    openai: FakeOpenAI, settings: Settings, files: FilesFolder
) -> None:
    settings.OPENAI_BACKGROUND = True
    create_file = {"name": "a.csv", "content": "a,b"}
    openai.script([{"before": "Let me see.", "image": {}, "create_file": create_file, "then": {"text": "Here it is."}}])
    answer = begin()
    files.take_away()

    async def first_worker() -> None:
        async with writing(answer):
            await until(lambda: Attachment.objects.filter(state="pending").exists())

    asyncio.run(first_worker())
    answer.refresh_from_db()
    assert answer.status == "queued"
    files.give_back()
    write(answer)

    assert (answer.status, answer.text) == ("completed", "Let me see.\n\nHere it is.")
    assert [(file.name, file.state) for file in Attachment.objects.order_by("name")] == [
        ("a.csv", "ready"),
        ("image-1.png", "ready"),
    ]
    assert sent(openai)["instructions"] == "Answer briefly."
    assert sent(openai)["input"][0]["content"] == "Go"


def test_a_later_step_that_fails_is_billed_for_itself_alone(openai: FakeOpenAI) -> None:
    quota = {"status": 429, "error": {"code": "insufficient_quota", "message": "x"}}
    openai.script([{"before": "Many words. " * 50, "create_file": {"name": "a.csv", "content": "a"}, "then": quota}])
    answer = begin()
    write(answer)
    first, second = Generation.objects.filter(message=answer).order_by("id")

    assert answer.status == "failed"
    assert first.cost
    assert (second.output_tokens, second.cost) == (None, None)
