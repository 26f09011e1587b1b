"""The list and the first message of a conversation."""

from typing import Any
from uuid import uuid4

from django.test import Client

from accounts.models import User
from conversations.models import Assistant, Conversation, Message
from tests.factories import make_assistant
from tests.pages.record import HTMX, client_token, prompt_box, text_of

LIST = "/conversations/"


def post(page: Client, assistant: Assistant | str, prompt: str = "Why?", *, token: str = "", **headers: str) -> Any:
    slug = assistant if isinstance(assistant, str) else assistant.slug
    data = {"assistant": slug, "prompt": prompt, "client_token": token or str(uuid4())}
    return page.post(LIST, data, headers=headers)


def test_front_door_leads_to_the_list(page: Client) -> None:
    assert page.get("/").headers["Location"] == LIST


def test_list_offers_assistants_and_their_prompts(page: Client, assistant: Assistant) -> None:
    words = text_of(page.get(LIST))
    assert "Archivist" in words
    assert "What is on record?" in words


def test_a_suggestion_fills_the_box_without_scripts(page: Client, assistant: Assistant) -> None:
    response = page.get(LIST, {"assistant": assistant.slug, "suggestion": "2"})
    assert prompt_box(response) == "Summarise it"


def test_a_form_leads_to_the_new_conversation(page: Client, assistant: Assistant) -> None:
    response = post(page, assistant)
    conversation = Conversation.objects.get()
    assert response.status_code == 303
    assert response.headers["Location"] == f"/conversations/{conversation.pk}/#latest"


def test_htmx_is_sent_to_the_new_conversation(page: Client, assistant: Assistant) -> None:
    response = post(page, assistant, **HTMX)
    conversation = Conversation.objects.get()
    assert response.status_code == 200
    assert response.headers["HX-Redirect"] == f"/conversations/{conversation.pk}/#latest"


def test_c4_a_double_submit_is_one_conversation(page: Client, assistant: Assistant) -> None:
    token = str(uuid4())
    addresses = {post(page, assistant, token=token).headers["Location"] for _ in range(3)}
    assert len(addresses) == 1
    assert Message.objects.count() == 2


def test_f1_a_blank_message_is_refused(page: Client, assistant: Assistant) -> None:
    response = post(page, assistant, " \u200b\n ")
    assert response.status_code == 422
    assert "The message is empty" in text_of(response)
    assert not Conversation.objects.exists()


def test_f2_an_overlong_message_is_kept(page: Client, assistant: Assistant) -> None:
    text = "x" * 100_001
    response = post(page, assistant, text, **HTMX)
    assert response.status_code == 422
    assert "at most 100,000" in text_of(response)
    assert prompt_box(response) == text
    assert not Conversation.objects.exists()


def test_f2_a_request_beyond_the_limit_is_no_server_error(page: Client, assistant: Assistant) -> None:
    assert post(page, assistant, "x" * (9 * 1024 * 1024)).status_code in (400, 413)


def test_a_disabled_assistant_is_refused_and_the_text_kept(page: Client, assistant: Assistant) -> None:
    off = make_assistant(is_enabled=False)
    response = post(page, off, "Are you there?")
    assert response.status_code == 422
    assert "not available" in text_of(response)
    assert prompt_box(response) == "Are you there?"


def test_f6_fields_that_are_not_offered_change_nothing(page: Client, assistant: Assistant, owner: User) -> None:
    data = {"assistant": assistant.slug, "prompt": "Why?", "client_token": str(uuid4())}
    page.post(LIST, data | {"owner": "1", "title": "Mine", "state": "concluded", "role": "assistant"})
    conversation = Conversation.objects.get()
    assert (conversation.owner, conversation.state, conversation.title) == (owner, "open", "Why?")


def test_a_refused_form_comes_back_with_a_new_token(page: Client, assistant: Assistant) -> None:
    token = str(uuid4())
    response = post(page, assistant, "", token=token)
    assert client_token(response) not in ("", token)


def test_f3_odd_characters_are_kept_as_far_as_they_can_be(page: Client, assistant: Assistant) -> None:
    body = f"assistant={assistant.slug}&client_token={uuid4()}&prompt=a%00b%ED%A0%80c%FFd%0D%0Ae"
    assert page.post(LIST, body, content_type="application/x-www-form-urlencoded").status_code == 303
    said = Message.objects.get(role="user").text
    assert said.startswith("a\ufffdb")
    assert said.endswith("d\ne")


def test_who_has_no_assistant_is_told_so(page: Client) -> None:
    assert "No assistant is open to you" in text_of(page.get(LIST))
