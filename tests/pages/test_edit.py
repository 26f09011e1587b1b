"""A prompt that is edited on pages: what its form begins with, what goes with it, what each refusal leaves."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from conversations.models import Conversation, Generation, LanguageModel, Message
from conversations.services import retry_answer
from tests.factories import PNG, make_file, make_user, token
from tests.pages.record import text_of
from tests.pages.versions import EITHER, address, switch_of


def edit(page: Client, message: Message, text: str = "Anew", headers: dict[str, str] | None = None, **form: Any) -> Any:
    data = {"prompt": text, "client_token": str(token()), "assistant": message.conversation.assistant.slug} | form
    return page.post(address(message, "edit"), data, headers=headers)


@EITHER
def test_the_form_begins_with_what_was_said_and_its_files(
    page: Client, prompt: Message, headers: dict[str, str]
) -> None:
    file = make_file(prompt.owner, message=prompt, name="<b>.png")
    response = page.get(address(prompt, "edit"), headers=headers)
    body = response.content.decode()
    assert "What is on record?</textarea>" in body
    assert re.search(rf'name="keep"\s+value="{file.pk}"\s+checked', body)
    assert "&lt;b&gt;.png" in body
    assert ("<html" in body) == (not headers)


@EITHER
def test_an_edit_leads_to_the_page_with_it(page: Client, prompt: Message, headers: dict[str, str]) -> None:
    response = edit(page, prompt, "Put another way", headers)
    said = Message.objects.get(text="Put another way")
    target = f"/conversations/{prompt.conversation_id}/?at={said.pk}#message-{said.pk}"
    assert response.headers["HX-Redirect" if headers else "Location"] == target
    assert response.status_code == (200 if headers else 303)
    assert switch_of(page.get(target), said) == ("Version 2 of 2", [str(prompt.pk)])


@EITHER
def test_an_edit_carries_the_files_that_stay_ticked_and_new_ones(
    page: Client, prompt: Message, headers: dict[str, str]
) -> None:
    LanguageModel.objects.update(accepts_images=True)
    kept, _ = (make_file(prompt.owner, message=prompt, name=name) for name in ("kept.png", "left.png"))
    new = SimpleUploadedFile("new.png", PNG, "image/png")
    edit(page, prompt, "Look", headers, keep=[str(kept.pk)], files=new)
    said = Message.objects.get(text="Look")
    assert sorted(file.name for file in said.attachments.all()) == ["kept.png", "new.png"]


@EITHER
def test_c12_an_edit_while_an_answer_runs_keeps_text_files_and_ticks(
    page: Client, prompt: Message, answer: Message, headers: dict[str, str]
) -> None:
    LanguageModel.objects.update(accepts_images=True)
    kept, left = (make_file(prompt.owner, message=prompt, name=name) for name in ("kept.png", "left.png"))
    retry_answer(message=answer)
    before = Message.objects.count()
    new = SimpleUploadedFile("new.png", PNG, "image/png")
    response = edit(page, prompt, "Look <b>here</b>", headers, keep=[str(kept.pk)], files=new)
    body = response.content.decode()
    assert response.status_code == 409
    assert "still being written" in text_of(response)
    assert "Look &lt;b&gt;here&lt;/b&gt;</textarea>" in body
    assert re.search(rf'value="{kept.pk}"\s+checked', body)
    assert re.search(rf'value="{left.pk}"\s*/>', body)
    assert "new.png" in body
    assert Message.objects.count() == before


@EITHER
def test_an_edit_in_a_concluded_conversation_is_refused_and_the_text_given_back(
    page: Client, prompt: Message, headers: dict[str, str]
) -> None:
    Conversation.objects.update(state="concluded", concluded_at=timezone.now())
    before = list(Conversation.objects.values()), Message.objects.count()
    response = edit(page, prompt, "Too late", headers)
    assert response.status_code == 409
    assert "is concluded" in text_of(response)
    assert "Too late</textarea>" in response.content.decode()
    for verb, message in (("retry", Message.objects.get(role="assistant")), ("continue", prompt)):
        assert page.post(address(message, verb), headers=headers).status_code == 409
    assert (list(Conversation.objects.values()), Message.objects.count()) == before


@EITHER
@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"prompt": " \u200b "}, 422),
        ({"client_token": ""}, 422),
        ({"client_token": "nonsense"}, 422),
        ({"assistant": "never-was"}, 422),
        ({"model": "gpt-9"}, 422),
        ({"keep": "nonsense"}, 422),
        ({"keep": str(uuid4())}, 422),
        ({"attachments": str(uuid4())}, 422),
    ],
    ids=["blank", "no token", "bad token", "assistant", "model", "bad id", "unknown file", "unknown upload"],
)
def test_a_bad_edit_is_refused_with_its_text(
    page: Client, prompt: Message, form: dict[str, str], status: int, headers: dict[str, str]
) -> None:
    before = Message.objects.count(), Generation.objects.count()
    response = edit(page, prompt, "Kept", headers, **form)
    assert response.status_code == status
    assert "prompt" in form or "Kept</textarea>" in response.content.decode()
    assert (Message.objects.count(), Generation.objects.count()) == before


def test_a_file_of_somebody_else_is_not_kept(page: Client, prompt: Message) -> None:
    foreign = make_file(make_user(), name="secret.png")
    for name in ("keep", "attachments"):
        response = edit(page, prompt, "Look", None, **{name: str(foreign.pk)})
        assert response.status_code == 422
        assert "secret.png" not in response.content.decode()


def test_an_answer_has_no_form_to_edit_it(page: Client, answer: Message) -> None:
    assert page.get(address(answer, "edit")).status_code == 404
    assert edit(page, answer, "Mine now").status_code == 404
    assert Message.objects.count() == 2
