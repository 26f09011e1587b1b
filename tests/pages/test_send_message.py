"""Sending in a conversation, by htmx and by a plain form."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from conversations.models import Conversation, Message
from tests.pages.record import HTMX, add_turns, client_token, prompt_box, text_of


def send(page: Client, conversation: Conversation, prompt: str = "And then?", **fields: str) -> Any:
    """Send as htmx does; `plain=True` as a form does."""
    headers = {} if fields.pop("plain", "") else HTMX
    data = {"prompt": prompt, "client_token": str(uuid4()), "after": str(conversation.current_leaf_id)} | fields
    return page.post(f"/conversations/{conversation.pk}/messages/", data, headers=headers)


def test_htmx_gets_the_two_messages_and_a_fresh_composer(page: Client, conversation: Conversation) -> None:
    token = str(uuid4())
    response = send(page, conversation, client_token=token)
    body = response.content.decode()
    said, answer = Message.objects.order_by("id")[2:]
    assert response.status_code == 200
    assert body.count('<article id="message-') == 2
    assert f'hx-sse:connect="/messages/{answer.pk}/stream/?after=0"' in body
    assert f'value="{answer.pk}"' in body, "the composer knows the last message"
    assert "And then?" in text_of(response)
    assert prompt_box(response) == ""
    assert client_token(response) != token
    assert said.parent_id == conversation.current_leaf_id


def test_c10_a_form_leads_back_to_the_conversation(page: Client, conversation: Conversation) -> None:
    response = send(page, conversation, plain="yes")
    assert response.status_code == 303
    assert response.headers["Location"] == f"/conversations/{conversation.pk}/#latest"


def test_c4_a_double_submit_is_one_message(page: Client, conversation: Conversation) -> None:
    token = str(uuid4())
    for _ in range(3):
        assert send(page, conversation, client_token=token).status_code == 200
    assert Message.objects.filter(text="And then?").count() == 1


def test_what_another_tab_said_comes_along(page: Client, conversation: Conversation) -> None:
    seen = str(conversation.current_leaf_id)
    add_turns(conversation, 2)
    assert send(page, conversation, after=seen).content.decode().count('<article id="message-') == 6


def test_a_page_that_shows_another_path_is_loaded_anew(page: Client, conversation: Conversation) -> None:
    response = send(page, conversation, after=str(uuid4()))
    said = Message.objects.get(text="And then?")
    assert response.headers["HX-Redirect"] == f"/conversations/{conversation.pk}/?at={said.pk}#message-{said.pk}"


@pytest.mark.parametrize("plain", ["", "yes"])
def test_c12_a_send_while_an_answer_runs_keeps_the_text(page: Client, running: Message, plain: str) -> None:
    response = send(page, running.conversation, "Wait, <b>also</b> this", plain=plain)
    assert response.status_code == 409
    assert "still being written" in text_of(response)
    assert prompt_box(response) == "Wait, &lt;b&gt;also&lt;/b&gt; this"
    assert Message.objects.count() == 2


def test_a_token_used_for_another_text_keeps_the_text(page: Client, conversation: Conversation) -> None:
    token = str(Message.objects.get(role="user").client_token)
    response = send(page, conversation, client_token=token)
    assert response.status_code == 409
    assert prompt_box(response) == "And then?"
    assert client_token(response) != token


@pytest.mark.parametrize("token", ["", "not-a-token"])
def test_a_form_without_a_token_keeps_the_text(page: Client, conversation: Conversation, token: str) -> None:
    response = send(page, conversation, client_token=token)
    assert response.status_code == 422
    assert "out of date" in text_of(response)
    assert prompt_box(response) == "And then?"
    assert Message.objects.count() == 2


def test_a_concluded_conversation_takes_no_more(page: Client, conversation: Conversation) -> None:
    conversation.state, conversation.concluded_at = "concluded", timezone.now()
    conversation.save()
    response = send(page, conversation)
    assert response.status_code == 409
    assert "This conversation is concluded" in text_of(response)
    assert Message.objects.count() == 2


def test_text_that_begins_with_a_line_break_comes_back_whole(page: Client, running: Message) -> None:
    response = send(page, running.conversation, "\n\nthird line")
    assert "\n\nthird line</textarea>" in response.content.decode().replace('">\n\n\nthird', '">\n\nthird')


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_f5_other_verbs_are_refused(page: Client, conversation: Conversation, method: str) -> None:
    assert getattr(page, method)(f"/conversations/{conversation.pk}/messages/").status_code == 405
