"""Messages sent from another path than the current one, and from pages that are out of date."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from conversations.models import Conversation, Message
from conversations.services import retry_answer
from tests.factories import token
from tests.pages.record import HTMX, Shown, add_turns
from tests.pages.versions import EITHER, shown, thread


def send(page: Client, message: Message, headers: dict[str, str] | None = None, **form: str) -> Any:
    data = {"prompt": "And then?", "client_token": str(token())} | form
    return page.post(thread(message, "messages/"), data, headers=headers)


def composer(response: Shown) -> dict[str, str]:
    """The hidden fields of the composer that say what the page shows."""
    return dict(re.findall(r'name="(after|parent)" value="(.*?)"', response.content.decode()))


@EITHER
def test_a_page_of_another_version_goes_on_from_it(
    page: Client, versions: list[Message], headers: dict[str, str]
) -> None:
    first = versions[0]
    fields = composer(page.get(thread(first, f"?at={first.pk}")))
    assert fields == {"after": str(first.pk), "parent": str(first.pk)}
    response = send(page, first, headers, **fields)
    said = Message.objects.get(text="And then?")
    assert said.parent == first
    assert response.status_code == (200 if headers else 303)
    if headers:
        assert composer(response)["parent"] == ""
        assert ".other-path" in response.content.decode()
    assert composer(page.get(thread(first))) == {"after": shown(page.get(thread(first)))[-1], "parent": ""}


def test_c12_a_refused_message_goes_on_from_the_version_it_was_written_for(
    page: Client, versions: list[Message]
) -> None:
    first = versions[0]
    retry_answer(message=first)
    for headers in ({}, HTMX):
        fields = {"after": str(first.pk), "parent": str(first.pk)}
        response = send(page, first, headers, **fields)
        assert response.status_code == 409
        assert composer(response) == fields


def test_two_tabs_a_plain_page_that_is_out_of_date_goes_on_with_the_current_path(
    page: Client, versions: list[Message]
) -> None:
    first, _, third = versions
    response = send(page, first, HTMX, after=str(first.pk))
    said = Message.objects.get(text="And then?")
    assert said.parent == third
    assert f"?at={said.pk}" in response.headers["HX-Redirect"]


@EITHER
@pytest.mark.parametrize("parent", ["nonsense", "01a20317-11ca-7c46-bf80-e949291f626f", "prompt", "elsewhere"])
def test_a_parent_that_is_none_is_refused_and_the_text_kept(
    page: Client, answer: Message, prompt: Message, parent: str, headers: dict[str, str]
) -> None:
    other = Conversation.objects.create(owner=answer.owner, assistant=answer.conversation.assistant)
    apart = Message.objects.create(conversation=other, owner=other.owner, role="user", status="completed", text="x")
    ids = {"prompt": str(prompt.pk), "elsewhere": str(apart.pk)}
    response = send(page, answer, headers, parent=ids.get(parent, parent))
    assert response.status_code in (409, 422)
    assert "And then?</textarea>" in response.content.decode()
    assert not Message.objects.filter(text="And then?").exists()


def test_a_page_that_lacks_too_much_is_left_for_the_end(page: Client, conversation: Conversation) -> None:
    seen = conversation.path()[-1]
    add_turns(conversation, 60)
    response = send(page, seen, HTMX, after=str(seen.pk))
    said = Message.objects.get(text="And then?")
    assert f"?at={said.pk}" in response.headers["HX-Redirect"]
