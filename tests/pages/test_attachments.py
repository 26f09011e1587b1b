"""Files on pages: uploaded and taken back, sent with a message, shown with it, and what each refusal leaves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from accounts.models import User
from conversations.models import Assistant, Attachment, Conversation, Message
from conversations.templatetags.pages import file_kind, file_size
from records.admin.transcript import read_transcript
from tests.factories import PNG, make_file, make_model
from tests.pages.record import HTMX, add_turns, prompt_box, text_of

CSV = b"shelf,count\nA1,118\n"
HOSTILE = "<script>alert(1)</script>\"'&.csv"


@pytest.fixture(autouse=True)
def places(settings: Settings, tmp_path: Path) -> Path:
    """Storage and temporary files of a test's own; return the folder with both."""
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path / "files"}}
    settings.STORAGES = settings.STORAGES | {"default": backend}
    (tmp_path / "temporary").mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "temporary"
    return tmp_path


@pytest.fixture(autouse=True)
def _takes_everything(db: None) -> None:
    make_model(accepts_images=True, accepts_files=True)


def file(name: str = "count.csv", data: bytes = CSV, content_type: str = "text/csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type)


def upload(page: Client, sent: object = None) -> Any:
    return page.post("/attachments/", {"file": sent or file()}, headers=HTMX)


def left(places: Path) -> list[str]:
    """What lies in storage and among the temporary files."""
    return sorted(path.relative_to(places).parts[0] for path in places.rglob("*") if path.is_file())


def chips(response: Any) -> list[tuple[str, str]]:
    """The chips of a page: how each stands, and its words. The blank one that the script copies is none."""
    text = re.sub(r"<template.*?</template>", "", response.content.decode(), flags=re.DOTALL)
    found = re.findall(r'<li class="chip"\s+data-state="(\w+)">(.*?)</li>', text, flags=re.DOTALL)
    return [(state, " ".join(re.sub(r"<[^>]*>", " ", words).split())) for state, words in found]


def send(page: Client, conversation: Conversation, *ids: object, **fields: Any) -> Any:
    headers = {} if fields.pop("plain", "") else HTMX
    data = {"prompt": "And these?", "client_token": str(uuid4()), "after": str(conversation.current_leaf_id)}
    data["attachments"] = [str(pk) for pk in ids]  # type: ignore[assignment]
    return page.post(f"/conversations/{conversation.pk}/messages/", data | fields, headers=headers)


def test_an_uploaded_file_comes_back_as_a_chip_to_send(page: Client, owner: User, places: Path) -> None:
    response = upload(page)
    attachment = Attachment.objects.get()
    assert response.status_code == 200
    assert chips(response) == [("ready", "count.csv CSV · 19 B")]
    assert f'name="attachments"\n           value="{attachment.pk}"' in response.content.decode()
    assert (attachment.owner, attachment.state, attachment.message) == (owner, "ready", None)
    assert left(places) == ["files"]


def test_an_image_has_its_thumbnail_on_its_chip(page: Client) -> None:
    body = upload(page, file("dot.png", PNG, "image/png")).content.decode()
    assert f'src="/attachments/{Attachment.objects.get().pk}/thumbnail/"' in body


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("count.csv", b"", "empty"),
        ("program.exe", b"MZ\x90\x00", "exe"),
        ("photo.png", b"<html><script>alert(1)</script></html>", "photo.png"),
        ("large.csv", b"1,2\n" * 250_001, "MB"),
        ("broken.pdf", b"%PDF-1.7\nnothing", "damaged"),
    ],
)
def test_f10_f15_what_cannot_be_used_is_refused_with_a_reason_and_leaves_nothing(
    page: Client, places: Path, settings: Settings, name: str, data: bytes, reason: str
) -> None:
    settings.MAX_FILE_MEGABYTES = 1
    response = upload(page, file(name, data))
    ((state, words),) = chips(response)
    assert (response.status_code, state) == (422, "failed")
    assert words.startswith(name)
    assert reason in words
    assert left(places) == []
    assert not Attachment.objects.exists()


def test_f15_a_file_of_exactly_the_limit_is_taken(page: Client, settings: Settings) -> None:
    settings.MAX_FILE_MEGABYTES = 1
    assert upload(page, file(data=b"1,2\n" * 250_000)).status_code == 200


def test_f9_a_name_is_text_and_nothing_else(page: Client, conversation: Conversation) -> None:
    response = upload(page, file(HOSTILE))
    refused = upload(page, file("<img src=x onerror=alert(1)>.exe"))
    send(page, conversation, Attachment.objects.get().pk)
    shown = page.get(f"/conversations/{conversation.pk}/")
    for answer in (response, refused, shown):
        body = answer.content.decode()
        assert "<script>alert" not in body
        assert "<img src=x" not in body


@pytest.mark.parametrize("data", [{}, {"file": "text"}, {"other": "x"}])
def test_an_upload_without_a_file_is_refused(page: Client, data: dict[str, str]) -> None:
    response = page.post("/attachments/", data, headers=HTMX)
    assert response.status_code == 422
    assert "No file arrived" in text_of(response)


def test_f16_two_hundred_files_in_one_request_are_refused(page: Client, places: Path) -> None:
    data = {"file": [file(f"{number}.csv") for number in range(200)]}
    assert page.post("/attachments/", data).status_code == 400
    assert left(places) == []


def test_s1_storage_that_is_away_is_told_and_the_same_file_may_come_again(
    page: Client, places: Path, settings: Settings
) -> None:
    (places / "files").write_text("A file where the folder should be.")
    response = upload(page)
    ((state, words),) = chips(response)
    assert (response.status_code, state) == (503, "failed")
    assert "Try again" in words
    assert not Attachment.objects.exclude(state="deleted").exists()  # half of it may lie there, and is removed
    (places / "files").unlink()
    assert upload(page).status_code == 200


def test_who_was_signed_out_is_told_so_and_nothing_is_read(places: Path) -> None:
    response = upload(Client())
    assert (response.status_code, response.content) == (401, b"")
    assert left(places) == []


def test_a_file_can_be_taken_back_until_it_is_sent(page: Client, conversation: Conversation) -> None:
    upload(page)
    upload(page)
    unsent, sent = Attachment.objects.all()
    assert send(page, conversation, sent.pk).status_code == 200
    assert page.post(f"/attachments/{unsent.pk}/remove/").status_code == 204
    assert page.post(f"/attachments/{unsent.pk}/remove/").status_code == 404
    assert page.post(f"/attachments/{sent.pk}/remove/").status_code == 404
    unsent.refresh_from_db()
    sent.refresh_from_db()
    assert (unsent.state, sent.state) == ("deleted", "ready")


def test_the_composer_tells_the_limits_before_anything_is_sent(page: Client, assistant: Assistant) -> None:
    response = page.get("/conversations/")
    body = response.content.decode()
    assert "Up to 10 files, 45 MB each: images, PDF" in text_of(response)
    assert 'data-most="10"' in body
    assert 'data-megabytes="45"' in body
    assert 'accept=".png,' in body
    assert 'data-takes="images files"' in body
    assert 'enctype="multipart/form-data"' in body


def test_the_page_says_what_the_model_takes(page: Client, conversation: Conversation) -> None:
    model = make_model()
    model.accepts_images = False
    model.save()
    assert 'data-takes="files"' in page.get(f"/conversations/{conversation.pk}/").content.decode()


def test_files_go_with_the_message_and_the_composer_is_empty_again(page: Client, conversation: Conversation) -> None:
    upload(page)
    upload(page, file("dot.png", PNG, "image/png"))
    ids = list(Attachment.objects.values_list("pk", flat=True))
    response = send(page, conversation, *ids)
    said = Message.objects.get(text="And these?")
    assert response.status_code == 200
    assert set(Attachment.objects.filter(message=said).values_list("pk", flat=True)) == set(ids)
    body = response.content.decode()
    assert f'href="/attachments/{ids[0]}/"' in body
    assert f'src="/attachments/{ids[1]}/thumbnail/"' in body
    assert chips(response) == []


def test_a_conversation_begins_with_files(page: Client, assistant: Assistant) -> None:
    upload(page)
    data = {"prompt": "Count it", "client_token": str(uuid4()), "assistant": assistant.slug}
    response = page.post("/conversations/", data | {"attachments": [str(Attachment.objects.get().pk)]}, headers=HTMX)
    assert "HX-Redirect" in response.headers
    assert Attachment.objects.get().message == Message.objects.get(role="user")


def test_a_refused_message_keeps_its_files(page: Client, running: Message) -> None:
    upload(page)
    response = send(page, running.conversation, Attachment.objects.get().pk)
    assert response.status_code == 409
    assert prompt_box(response) == "And these?"
    assert chips(response) == [("ready", "count.csv CSV · 19 B")]
    assert Attachment.objects.get().message is None


def test_a_model_that_takes_no_images_is_not_asked(page: Client, conversation: Conversation) -> None:
    model = make_model()
    model.accepts_images = False
    model.save()
    upload(page, file("dot.png", PNG, "image/png"))
    response = send(page, conversation, Attachment.objects.get().pk)
    assert response.status_code == 422
    assert "cannot be shown images" in text_of(response)
    assert chips(response) == [("ready", "dot.png PNG · 70 B")]


@pytest.mark.parametrize("wanted", ["nonsense", "7919a64d-4ce7-42fc-b312-ca8b652cc2a3", "", "\x00"])
def test_a_file_that_is_not_there_is_refused_and_the_text_kept(
    page: Client, conversation: Conversation, wanted: str
) -> None:
    response = send(page, conversation, wanted)
    assert response.status_code == 422
    assert prompt_box(response) == "And these?"
    assert Message.objects.count() == 2


def test_c10_a_form_without_scripts_brings_its_files_itself(
    page: Client, conversation: Conversation, places: Path
) -> None:
    response = send(page, conversation, plain="yes", files=[file(), file("dot.png", PNG, "image/png")])
    assert response.status_code == 303
    assert [one.name for one in Attachment.objects.filter(message__text="And these?")] == ["count.csv", "dot.png"]
    assert left(places) == ["files", "files"]


def test_c10_without_scripts_a_bad_file_loses_neither_the_text_nor_the_good_ones(
    page: Client, conversation: Conversation, places: Path
) -> None:
    response = send(page, conversation, plain="yes", files=[file(), file("program.exe", b"MZ")])
    assert response.status_code == 422
    assert "program.exe" in text_of(response)
    assert prompt_box(response) == "And these?"
    assert chips(response) == [("ready", "count.csv CSV · 19 B")]
    assert left(places) == ["files"]
    again = send(page, conversation, Attachment.objects.get().pk, plain="yes")
    assert again.status_code == 303


def test_f16_too_many_files_of_a_form_are_refused_before_one_is_stored(
    page: Client, conversation: Conversation, places: Path, settings: Settings
) -> None:
    settings.MAX_FILES_PER_MESSAGE = 2
    upload(page)
    response = send(page, conversation, Attachment.objects.get().pk, plain="yes", files=[file(), file()])
    assert response.status_code == 422
    assert "You attached 3 files; one message can carry 2" in text_of(response)
    assert len(chips(response)) == 1
    assert left(places) == ["files"]


def test_what_became_of_each_file_of_an_answer_is_shown(page: Client, owner: User, answer: Message) -> None:
    made: dict[str, Any] = {"origin": "model", "message": answer, "content_type": "application/octet-stream"}
    ready = make_file(owner, data=CSV, name="table.csv", **made)
    picture = make_file(owner, name="chart.png", **made | {"content_type": "image/png", "width": 1, "height": 1})
    lost = make_file(owner, data=None, name="lost.docx", container_file_id="cfile_1", **made)
    hopeless = make_file(owner, data=None, name="huge.zip", failure="It has 900 MB.", **made)
    make_file(owner, data=None, name="late.json", state="pending", failure="", **made)
    make_file(owner, data=None, name="gone.txt", state="deleted", failure="", **made)
    response = page.get(f"/conversations/{answer.conversation_id}/")
    body, words = response.content.decode(), text_of(response)
    assert f'href="/attachments/{ready.pk}/"' in body
    assert "table.csv CSV · 19 B" in words
    assert f'src="/attachments/{picture.pk}/thumbnail/"' in body
    assert f'href="/attachments/{picture.pk}/?inline"' in body
    assert "lost.docx It was gone." in words
    assert f'hx-post="/attachments/{lost.pk}/retry/"' in body
    assert "huge.zip It has 900 MB." in words
    assert f"/attachments/{hopeless.pk}/" not in body
    assert "late.json On its way into storage" in words
    assert f'hx-get="/messages/{answer.pk}/" hx-trigger="load delay:3s"' in body
    assert "gone.txt" not in words


def test_a_page_asks_again_only_while_a_file_is_on_its_way(page: Client, owner: User, answer: Message) -> None:
    make_file(owner, message=answer, data=None)
    assert "load delay:3s" not in page.get(f"/conversations/{answer.conversation_id}/").content.decode()


def test_links_of_an_answer_into_the_container_lead_to_our_files(page: Client, owner: User, answer: Message) -> None:
    answer.text = "See [the table](sandbox:/mnt/data/table.csv) and [another](sandbox:/mnt/data/other.csv)."
    answer.save()
    table = make_file(owner, message=answer, data=CSV, name="table.csv", content_type="text/csv", origin="model")
    body = page.get(f"/conversations/{answer.conversation_id}/").content.decode()
    assert re.search(rf'<a href="/attachments/{table.pk}/"[^>]*>the table</a>', body)
    assert "sandbox:" not in body


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_u23_a_lost_file_of_an_answer_is_fetched_once_more(
    page: Client, owner: User, answer: Message, headers: dict[str, str]
) -> None:
    lost = make_file(owner, message=answer, data=None, container_file_id="cfile_1", origin="model")
    response = page.post(f"/attachments/{lost.pk}/retry/", headers=headers)
    lost.refresh_from_db()
    assert response.status_code == (200 if headers else 303)
    assert lost.state == "pending"
    assert ProcrastinateJob.objects.filter(args__contains={"attachment_id": str(lost.pk)}).count() == 1
    again = page.post(f"/attachments/{lost.pk}/retry/", headers=headers)
    assert again.status_code == (409 if headers else 303)


def test_a_file_without_a_message_is_not_retried(page: Client, owner: User) -> None:
    assert page.post(f"/attachments/{make_file(owner).pk}/retry/").status_code == 404


def test_a_concluded_conversation_shows_its_files_and_changes_none(page: Client, owner: User, answer: Message) -> None:
    make_file(owner, message=answer, data=None, container_file_id="cfile_1", origin="model")
    ready = make_file(owner, message=answer.parent)
    Conversation.objects.update(state="concluded", concluded_at=timezone.now())
    body = page.get(f"/conversations/{answer.conversation_id}/").content.decode()
    assert f'href="/attachments/{ready.pk}/?inline"' in body
    assert "/retry/" not in body


def test_a_reviewer_reads_what_there_is_and_gets_no_link(owner: User, answer: Message) -> None:
    make_file(owner, message=answer)
    (view,) = [entry.view for entry in read_transcript(answer.conversation) if not entry.view.is_prompt]
    assert view.pictures == []
    assert [one.name for one in view.files] == ["dot.png"]


def test_files_of_many_messages_take_one_query(page: Client, owner: User, conversation: Conversation) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            page.get(f"/conversations/{conversation.pk}/")
        return len(captured)

    add_turns(conversation, 10)
    before = count()
    for message in conversation.messages.all():
        make_file(owner, message=message)
        make_file(owner, message=message, data=CSV, name="a.csv", content_type="text/csv")
    assert count() == before


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1 KB"), (14_400, "14 KB"), (999_499, "999 KB"), (999_500, "1.0 MB"),
        (9_949_999, "9.9 MB"), (9_950_000, "10 MB"), (45_000_000, "45 MB"), (1_200_000_000, "1.2 GB"), (None, ""),
    ],
)  # fmt: skip
def test_sizes_are_written_for_people(size: int | None, words: str) -> None:
    assert file_size(size) == words


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.pdf", "PDF"),
        ("a.b.XLSX", "XLSX"),
        ("Makefile", "File"),
        (".env", "File"),
        ("a.<b>", "File"),
        ("a.é", "File"),
    ],
)
def test_types_are_written_for_people(name: str, kind: str) -> None:
    assert file_kind(name) == kind
