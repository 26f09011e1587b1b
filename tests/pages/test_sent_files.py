"""Files that are sent with a message, or by a form without scripts, and what a refused message keeps."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from conversations.models import Assistant, Attachment, Conversation, Message
from tests.factories import PNG, make_model
from tests.pages.record import HTMX, prompt_box, text_of
from tests.pages.uploads import chips, file, left, send, upload

pytestmark = pytest.mark.usefixtures("places", "takes_everything")


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
