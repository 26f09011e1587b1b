"""Other versions of prompts and answers on pages: the switch between them, and which of them a page shows."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation, Message
from conversations.services import edit_prompt, retry_answer
from tests.factories import token
from tests.pages.record import HTMX, add_turns, end, text_of
from tests.pages.versions import address, shown, switch_of, thread

# -- the switch ------------------------------------------------------------------------------------------------------


def test_a_switch_says_which_version_is_shown_and_leads_to_its_neighbours(
    page: Client, versions: list[Message]
) -> None:
    first, second, third = versions
    response = page.get(thread(first))
    assert switch_of(response, third) == ("Version 3 of 3", [str(second.pk)])
    response = page.get(thread(first, f"?at={second.pk}"))
    assert str(third.pk) not in shown(response)
    assert switch_of(response, second) == ("Version 2 of 3", [str(first.pk), str(third.pk)])


def test_without_other_versions_there_is_no_switch(page: Client, answer: Message) -> None:
    assert switch_of(page.get(thread(answer)), answer) == ("", [])


def test_another_version_is_shown_with_what_followed_it(page: Client, conversation: Conversation) -> None:
    add_turns(conversation, 2)
    path = conversation.path()
    edit_prompt(message=path[2], prompt="Otherwise", client_token=token())
    response = page.get(thread(conversation, f"?at={path[2].pk}"))
    assert shown(response) == [str(message.pk) for message in path]
    assert "You are looking at another version" in text_of(response)


def test_a_message_of_the_current_path_shows_the_current_path(page: Client, versions: list[Message]) -> None:
    response = page.get(thread(versions[0], f"?at={versions[0].parent_id}"))
    assert shown(response)[-1] == str(versions[-1].pk)
    assert "another version" not in text_of(response)


def test_reading_another_version_writes_nothing(page: Client, versions: list[Message]) -> None:
    before = list(Conversation.objects.values())
    page.get(thread(versions[0], f"?at={versions[0].pk}"))
    assert list(Conversation.objects.values()) == before


@pytest.mark.parametrize("at", ["", "nonsense", "0b6fd8a4-53a3-4b5c-8d3f-3a7f3e3ad4c1", "9" * 400, "1767225600"])
def test_nonsense_shows_the_current_path(page: Client, versions: list[Message], at: str) -> None:
    response = page.get(thread(versions[0], f"?at={at}"))
    assert response.status_code == 200
    assert shown(response)[-1] == str(versions[-1].pk)


def test_a_message_of_another_conversation_shows_the_current_path(page: Client, versions: list[Message]) -> None:
    other = Conversation.objects.create(owner=versions[0].owner, assistant=versions[0].conversation.assistant)
    foreign = Message.objects.create(
        conversation=other, owner=other.owner, role="user", status="completed", text="Apart"
    )
    response = page.get(thread(versions[0], f"?at={foreign.pk}"))
    assert shown(response)[-1] == str(versions[-1].pk)
    assert "Apart" not in text_of(response).split("What is on record?", 1)[1]


def test_versions_of_a_concluded_conversation_can_be_read_and_nothing_else(
    page: Client, versions: list[Message]
) -> None:
    Conversation.objects.update(state="concluded", concluded_at=timezone.now())
    first, second, _ = versions
    response = page.get(thread(first, f"?at={first.pk}"))
    assert switch_of(response, first) == ("Version 1 of 3", [str(second.pk)])
    assert not re.search("/messages/[^/]+/(edit|retry|continue)/", response.content.decode())


def test_the_last_event_of_a_stream_and_a_poll_draw_the_switch(page: Client, versions: list[Message]) -> None:
    response = page.get(address(versions[2]).replace("//", "/"), headers=HTMX)
    assert switch_of(response, versions[2]) == ("Version 3 of 3", [str(versions[1].pk)])


# -- who may ---------------------------------------------------------------------------------------------------------


def test_i7_a_stranger_reaches_no_version(stranger: Client, answer: Message, prompt: Message) -> None:
    for verb, message in (("edit", prompt), ("retry", answer)):
        assert stranger.get(address(message, verb)).status_code == 404
    for verb, message in (("edit", prompt), ("retry", answer), ("continue", answer)):
        assert stranger.post(address(message, verb), {"prompt": "Mine"}).status_code == 404
    assert stranger.get(thread(answer, f"?at={answer.pk}")).status_code == 404


def test_pages_take_as_many_queries_with_versions_as_without(page: Client, owner: User, answer: Message) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert page.get(thread(answer)).status_code == 200
        return len(captured)

    before = queries()
    for _ in range(5):
        end(retry_answer(message=answer), text="Again")
    assert queries() == before


def test_nothing_begins_in_a_conversation_that_was_hidden_meanwhile(answer: Message, prompt: Message) -> None:
    Conversation.objects.update(hidden_at=timezone.now())
    with pytest.raises(Conversation.DoesNotExist):
        retry_answer(message=answer)
    with pytest.raises(Conversation.DoesNotExist):
        edit_prompt(message=prompt, prompt="Anew", client_token=uuid4())
    assert Message.objects.count() == 2
