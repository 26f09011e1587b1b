"""What the model makes is in storage before the answer has ended, or its reason for missing is told."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings

from conversations import services
from conversations.files import storage
from conversations.live import made_files
from conversations.models import Attachment, Generation
from tests.fakes.process import FakeOpenAI
from tests.live.with_files import begin, sent, write

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("files")]


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


def test_what_was_handed_out_before_a_fault_is_kept(openai: FakeOpenAI) -> None:
    openai.script(
        [{"text": "one two three", "image": {}, "fail": {"code": "server_error", "message": "x"}, "after": 2}]
    )
    answer = begin()
    write(answer)

    assert answer.status in ("failed", "interrupted")
    assert [file.state for file in Attachment.objects.all()] == ["ready"]


def test_d1_a_file_stays_whose_commit_was_not_answered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answer = begin()
    planned = Attachment.objects.create(
        message=answer, owner=answer.owner, origin="model", key=storage.new_key(), name="result.csv"
    )
    (tmp_path / "result.csv").write_bytes(b"a,b\n1,2\n")
    keep, kept = services.keep_file, []

    def keep_file(**what: Any) -> bool:
        kept.append(keep(**what))
        if len(kept) == 1:
            raise OperationalError("the connection ends, behind the commit")
        return kept[-1]

    monkeypatch.setattr(services, "keep_file", keep_file)
    asyncio.run(made_files.store(planned, tmp_path / "result.csv"))

    row = Attachment.objects.get(pk=planned.pk)
    assert len(kept) == 2
    assert row.state == "ready"
    assert storage.read(row.key) == b"a,b\n1,2\n"
