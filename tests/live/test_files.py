"""Files of an answer: what people attached goes to the model, what the model makes is in storage before the end."""

import asyncio
import base64
import datetime
import hashlib
import io
import json
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from conversations.files import storage
from conversations.live import made_files, sent_files
from conversations.live.database import in_database
from conversations.llm import close_clients
from conversations.models import Attachment, Generation, LanguageModel, Message
from conversations.services import (
    Refused,
    find_pending_file,
    receive_file,
    retry_file,
    send_message,
    settle_lost_files,
    start_conversation,
    stop_answer,
)
from conversations.services.jobs import FETCH_FILE_TASK
from tests.factories import make_assistant, make_model, make_user, token
from tests.fakes.folder import FilesFolder
from tests.fakes.process import FakeOpenAI
from tests.live.running import ask, until, writing
from tests.services.calls import jobs, sql

pytestmark = pytest.mark.django_db(transaction=True)
ALL_TOOLS = ["code_interpreter", "image_generation", "create_file"]


@pytest.fixture(autouse=True)
def files(transactional_db: None, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FilesFolder:
    sql("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")
    monkeypatch.setattr(made_files, "RETRY_PAUSES", (0.2,) * 4)
    return FilesFolder(settings, tmp_path)


def begin(*files: tuple[str, bytes], folder: Path | None = None) -> Message:
    owner = make_user()
    ids = []
    for name, data in files:
        assert folder is not None
        path = folder / uuid.uuid4().hex
        path.write_bytes(data)
        ids.append(receive_file(owner=owner, path=path, name=name).pk)
    model = make_model("gpt-4o", accepts_images=True, accepts_files=True, tools=ALL_TOOLS)
    assistant = make_assistant(model=model, tools=ALL_TOOLS)
    return start_conversation(owner=owner, assistant=assistant, prompt="Go", client_token=token(), attachment_ids=ids)


def write(answer: Message) -> None:
    async def run() -> None:
        async with writing(answer) as task:
            await asyncio.wait_for(task, 30)

    asyncio.run(run())
    answer.refresh_from_db()


def sent(openai: FakeOpenAI, number: int = -1) -> Any:
    return [one for one in openai.requests("/v1/responses") if one["method"] == "POST"][number]["body"]


def photo() -> bytes:
    data = io.BytesIO()
    picture = Image.new("RGB", (4_000, 1_000), (200, 30, 30))
    exif = picture.getexif()
    exif[0x010E] = "where it was taken"
    picture.save(data, "jpeg", exif=exif)
    return data.getvalue()


def test_an_image_goes_to_the_model_without_its_metadata_and_smaller(openai: FakeOpenAI, tmp_path: Path) -> None:
    original = photo()
    answer = begin(("photo.jpg", original), folder=tmp_path)
    write(answer)
    text, image = sent(openai)["input"][-1]["content"]
    shown = base64.b64decode(image["image_url"].partition(",")[2])

    assert text == {"type": "input_text", "text": "Go"}
    assert image["type"] == "input_image"
    assert b"where it was taken" in original
    assert b"where it was taken" not in shown
    assert max(Image.open(io.BytesIO(shown)).size) == 2048
    assert storage.read(Attachment.objects.get().key) == original


def test_a_small_file_goes_inline_and_again_with_the_next_prompt(openai: FakeOpenAI, tmp_path: Path) -> None:
    answer = begin(("count.csv", b"a,b\n1,2\n"), folder=tmp_path)
    write(answer)
    file = sent(openai)["input"][-1]["content"][1]

    assert (file["type"], file["filename"]) == ("input_file", "count.csv")
    assert base64.b64decode(file["file_data"].partition(",")[2]) == b"a,b\n1,2\n"
    assert not openai.requests("/v1/files")


def test_a_large_file_goes_through_the_files_api_once(
    openai: FakeOpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent_files, "INLINE_BYTES", 4)
    answer = begin(("count.csv", b"a,b\n1,2\n"), folder=tmp_path)
    write(answer)
    file = Attachment.objects.get()

    assert sent(openai)["input"][-1]["content"][1] == {"type": "input_file", "file_id": file.provider_file_id}
    (upload,) = openai.requests("/v1/files")
    assert upload["body"]["purpose"] == "user_data"
    assert file.provider_file_expires_at is not None
    assert file.provider_file_expires_at - timezone.now() < datetime.timedelta(days=1, minutes=1)


def test_f16_what_does_not_fit_into_one_request_is_left_out_and_said(
    openai: FakeOpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent_files, "MAX_REQUEST_BYTES", 4)
    write(begin(("count.csv", b"a,b\n1,2\n"), folder=tmp_path))

    (text,) = (part if isinstance(part, str) else part["text"] for part in [sent(openai)["input"][-1]["content"]])
    assert "count.csv" in text


def test_a_file_that_storage_lost_ends_the_answer_with_its_name(openai: FakeOpenAI, tmp_path: Path) -> None:
    answer = begin(("count.csv", b"a,b\n1,2\n"), folder=tmp_path)
    storage.delete(Attachment.objects.get().key)
    write(answer)

    assert (answer.status, answer.error_code) == ("failed", "file")
    assert "count.csv" in answer.error_text
    assert "attached anew" in answer.error_text
    assert not openai.requests("/v1/responses")


def test_everything_that_is_made_is_in_storage_before_the_answer_has_ended(openai: FakeOpenAI) -> None:
    openai.script(
        [
            {
                "text": "See [the result](sandbox:/mnt/data/result.csv).",
                "before": "Calculating.",
                "code_interpreter": {
                    "files": [{"name": "result.csv"}, {"name": "../../plot.txt", "text": "plot", "cited": False}]
                },
                "image": {},
                "create_file": {"name": "report.docx", "content": "# Report\n\nAll is well."},
            }
        ]
    )
    answer = begin()
    write(answer)
    files = {file.name: file for file in Attachment.objects.order_by("id")}

    assert answer.status == "completed"
    assert answer.text == "Calculating.\n\nSee [the result](sandbox:/mnt/data/result.csv)."
    assert sorted(files) == ["image-1.png", "plot.txt", "report.docx", "result.csv"]
    for file in files.values():
        assert (file.state, file.origin, file.message_id, file.owner) == ("ready", "model", answer.pk, answer.owner)
        assert hashlib.sha256(storage.read(file.key)).hexdigest() == file.sha256
    assert files["image-1.png"].content_type == "image/png"
    assert files["report.docx"].content_type.endswith("wordprocessingml.document")
    steps = list(Generation.objects.filter(message=answer).order_by("id"))
    assert [(step.step, step.attempt, step.status) for step in steps] == [(1, 1, "completed"), (2, 1, "completed")]
    assert all(step.cost for step in steps)
    follow_up = sent(openai)["input"]
    assert [item["type"] for item in follow_up][-2:] == ["function_call", "function_call_output"]
    assert json.loads(follow_up[-1]["output"]) == {"saved": "report.docx"}


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ({"name": "create_file", "arguments": {"name": "a.exe", "content": "x"}}, "error"),
        ({"name": "create_file", "arguments": "no JSON"}, "JSON object"),
        ({"name": "delete_everything", "arguments": {}}, "no function"),
    ],
)
def test_a_call_that_makes_no_sense_is_told_to_the_model(openai: FakeOpenAI, call: dict[str, Any], told: str) -> None:
    openai.script([{"text": "I am sorry.", "function_calls": [call]}])
    answer = begin()
    write(answer)

    assert (answer.status, answer.text) == ("completed", "I am sorry.")
    assert told in sent(openai)["input"][-1]["output"]
    assert not Attachment.objects.exists()


def test_u23_a_container_that_is_gone_leaves_the_text_and_a_failed_file_with_its_reason(openai: FakeOpenAI) -> None:
    openai.script([{"text": "Done.", "code_interpreter": {"expired": True, "files": [{"name": "result.csv"}]}}])
    answer = begin()
    write(answer)
    file = Attachment.objects.get()

    assert (answer.status, answer.text) == ("completed", "Done.")
    assert (file.state, file.name) == ("failed", "result.csv")
    assert "no longer has this file" in file.failure


def test_u23_a_file_that_is_too_large_is_given_up(openai: FakeOpenAI, settings: Settings) -> None:
    settings.MAX_FILE_MEGABYTES = 1
    openai.script([{"text": "Done.", "code_interpreter": {"files": [{"name": "big.csv", "size": 1_000_001}]}}])
    answer = begin()
    write(answer)
    file = Attachment.objects.get()

    assert answer.status == "completed"
    assert file.state == "failed"
    assert "larger" in file.failure
    assert list(storage.list_keys()) == []


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


def test_what_was_handed_out_before_a_fault_is_kept(openai: FakeOpenAI) -> None:
    openai.script(
        [{"text": "one two three", "image": {}, "fail": {"code": "server_error", "message": "x"}, "after": 2}]
    )
    answer = begin()
    write(answer)

    assert answer.status in ("failed", "interrupted")
    assert [file.state for file in Attachment.objects.all()] == ["ready"]


def test_a_response_that_is_resumed_after_a_cut_makes_its_files_once(openai: FakeOpenAI, settings: Settings) -> None:
    settings.OPENAI_BACKGROUND = True
    first = {"before": "Calculating now.", "create_file": {"name": "a.csv", "content": "a,b"}, "image": {}}
    openai.script([first | {"then": {"text": "Here it is, all of it.", "cut": "reset", "after": 3}}])
    answer = begin()
    write(answer)

    assert (answer.status, answer.text[-22:]) == ("completed", "Here it is, all of it.")
    assert answer.text.count("Here") == 1
    assert sorted(file.name for file in Attachment.objects.all()) == ["a.csv", "image-1.png"]


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


def test_an_old_file_that_storage_lost_does_not_end_the_conversation(openai: FakeOpenAI, tmp_path: Path) -> None:
    first = begin(("count.csv", b"a,b\n1,2\n"), folder=tmp_path)
    write(first)
    storage.delete(Attachment.objects.get().key)
    second = send_message(owner=first.owner, conversation_id=first.conversation_id, prompt="And?", client_token=token())
    write(second)

    assert second.status == "completed"
    assert "cannot be read any more" in sent(openai)["input"][0]["content"]


def test_old_files_are_kept_from_a_model_that_cannot_read_them(openai: FakeOpenAI, tmp_path: Path) -> None:
    first = begin(("count.csv", b"a,b\n1,2\n"), folder=tmp_path)
    write(first)
    LanguageModel.objects.update(accepts_files=False)
    second = send_message(owner=first.owner, conversation_id=first.conversation_id, prompt="And?", client_token=token())
    write(second)

    assert second.status == "completed"
    assert "You cannot be given it" in sent(openai)["input"][0]["content"]


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
