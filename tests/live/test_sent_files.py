"""What people attached goes to the model: as much of it as fits, in the way that its size asks for."""

import base64
import datetime
import io
from pathlib import Path

import pytest
from django.utils import timezone
from PIL import Image

from conversations.files import storage
from conversations.live import sent_files
from conversations.models import Attachment, LanguageModel
from conversations.services import (
    send_message,
)
from tests.factories import token
from tests.fakes.process import FakeOpenAI
from tests.live.with_files import begin, sent, write

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("files")]


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
