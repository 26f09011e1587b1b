"""Pictures in chat completions: kept, shown to the model, and gone where nothing comes of them."""

from __future__ import annotations

from typing import Any

import pytest
from openai import AsyncOpenAI, BadRequestError

from conversations.models import Attachment, Message
from tests.door.asking import ask, bodies, picture, rows
from tests.door.completions import FIRST, TWO, create
from tests.factories import make_model
from tests.fakes.folder import FilesFolder
from tests.fakes.process import FakeOpenAI
from tests.sending.asking import Program

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_jobs")]


def test_images_in_the_request_are_kept_and_shown_to_the_model(
    program: Program, openai: FakeOpenAI, folder: FilesFolder
) -> None:
    make_model().__class__.objects.update(accepts_images=True)
    openai.script([{"text": "First"}, {"text": "Second"}])
    shown: Any = {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": picture(), "detail": "low"}},
        ],
    }
    first = create(program, shown)
    attachment = Attachment.objects.get()
    assert (attachment.owner, attachment.state, attachment.content_type) == (program.owner, "ready", "image/png")
    assert attachment.message == Message.objects.get(role="user")
    assert bodies(openai)[0]["input"][0]["content"][1]["type"] == "input_image"
    where = (first.model_extra or {})["conversation"]
    create(program, shown, FIRST, TWO, extra_body={"conversation": where})
    assert Attachment.objects.count() == 1
    create(program, shown, FIRST, TWO)
    assert Attachment.objects.filter(message__is_supplied=True).count() == 1


BAD_IMAGES = {
    "SSRF an address": "https://example.org/a.png",
    "F10 no picture": "data:image/png;base64,PHNjcmlwdD4=",
    "F10 SVG": "data:image/svg+xml;base64,PHN2Zz4=",
    "no base64": "data:image/png;base64,***",
}


def test_images_that_cannot_be_used_leave_nothing(program: Program, openai: FakeOpenAI, folder: FilesFolder) -> None:
    async def all_of_them(client: AsyncOpenAI) -> dict[str, str]:
        params = {}
        for case, url in BAD_IMAGES.items():
            parts = [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": url}}]
            message: Any = {"role": "user", "content": parts}
            with pytest.raises(BadRequestError) as refused:
                await client.chat.completions.create(model="general", messages=[message])
            params[case] = refused.value.param or ""
        return params

    where = "messages[0].content[1].image_url.url"
    assert ask(program, all_of_them) == dict.fromkeys(BAD_IMAGES, where)
    assert rows() == (0, 0, 0)
    assert not Attachment.objects.exclude(state="deleted").exists()
    assert openai.requests() == []


def test_an_upload_is_taken_back_where_the_model_cannot_see(
    program: Program, openai: FakeOpenAI, folder: FilesFolder
) -> None:
    parts = [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": picture()}}]
    with pytest.raises(BadRequestError) as refused:
        create(program, {"role": "user", "content": parts})
    assert "images" in refused.value.message
    assert rows() == (0, 0, 0)
    assert not Attachment.objects.exclude(state="deleted").exists()
