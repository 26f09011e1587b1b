"""Thumbs under answers, the reason that may follow, and the note that the end of a conversation was seen."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from conversations.models import Conversation, Feedback, Message
from tests.pages.record import HTMX, add_turns, end, text_of


@pytest.fixture
def address(answer: Message) -> str:
    return f"/messages/{answer.pk}/feedback/"


def test_an_answer_offers_both_thumbs_and_asks_for_no_reason_yet(page: Client, answer: Message) -> None:
    body = page.get(f"/conversations/{answer.conversation_id}/").content.decode()
    assert body.count('aria-pressed="false"') == 2
    assert 'name="reason"' not in body


def test_a_thumb_is_pressed_and_the_reason_is_asked_for(page: Client, address: str) -> None:
    response = page.post(address, {"rating": "up"}, headers=HTMX)
    body = response.content.decode()
    assert response.status_code == 200
    assert (body.count('aria-pressed="true"'), body.count('aria-pressed="false"')) == (1, 1)
    assert '<details class="reason" open>' in body
    assert "What was good about it?" in text_of(response)


def test_the_reason_is_kept_and_folded_away(page: Client, address: str) -> None:
    page.post(address, {"rating": "down"}, headers=HTMX)
    response = page.post(address, {"rating": "down", "reason": "<b>Wrong</b> date"}, headers=HTMX)
    body = response.content.decode()
    assert Feedback.objects.get().reason == "<b>Wrong</b> date"
    assert '<details class="reason">' in body
    assert "&lt;b&gt;Wrong&lt;/b&gt; date</textarea>" in body
    assert "Your reason" in text_of(response)


def test_pressing_the_same_thumb_again_takes_the_rating_back(page: Client, address: str) -> None:
    page.post(address, {"rating": "up"}, headers=HTMX)
    response = page.post(address, {"rating": ""}, headers=HTMX)
    assert response.content.decode().count('aria-pressed="false"') == 2
    assert not Feedback.objects.exists()


def test_without_scripts_the_page_of_the_answer_comes_back(page: Client, answer: Message, address: str) -> None:
    response = page.post(address, {"rating": "up", "reason": "Clear."})
    assert response.status_code == 303
    assert response.headers["Location"].startswith(f"/conversations/{answer.conversation_id}/")
    assert response.headers["Location"].endswith(f"#message-{answer.pk}")
    shown = page.get(response.headers["Location"].partition("#")[0])
    assert "Your reason" in text_of(shown)
    assert "Clear." in shown.content.decode()


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "form"])
def test_a_refused_reason_is_kept_with_why(page: Client, address: str, headers: dict[str, str]) -> None:
    page.post(address, {"rating": "up"}, headers=HTMX)
    response = page.post(address, {"rating": "up", "reason": "y" * 1001}, headers=headers)
    assert response.status_code == 422
    assert text_of(response).count("at most 1,000 can be kept") == 1
    assert "y" * 1001 in response.content.decode()
    assert Feedback.objects.get().reason == ""


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "form"])
def test_an_unknown_rating_is_refused(page: Client, address: str, headers: dict[str, str]) -> None:
    response = page.post(address, {"rating": "5 stars"}, headers=headers)
    assert response.status_code == 422
    assert "Reload it and rate the answer again" in text_of(response)
    assert not Feedback.objects.exists()


def test_a_running_answer_is_not_rated(page: Client, running: Message) -> None:
    assert "aria-pressed" not in page.get(f"/conversations/{running.conversation_id}/").content.decode()
    assert page.post(f"/messages/{running.pk}/feedback/", {"rating": "up"}, headers=HTMX).status_code == 409
    assert not Feedback.objects.exists()


def test_a_prompt_and_an_answer_without_a_word_offer_no_thumbs(page: Client, running: Message) -> None:
    end(running, status="failed", text="")
    assert "aria-pressed" not in page.get(f"/conversations/{running.conversation_id}/").content.decode()
    assert page.post(f"/messages/{running.parent_id}/feedback/", {"rating": "up"}, headers=HTMX).status_code == 409


def test_answers_of_a_concluded_conversation_can_be_rated(page: Client, answer: Message, address: str) -> None:
    Conversation.objects.update(state="concluded", concluded_at=answer.created_at)
    assert 'aria-pressed="false"' in page.get(f"/conversations/{answer.conversation_id}/").content.decode()
    assert page.post(address, {"rating": "up"}, headers=HTMX).status_code == 200


def test_i7_a_stranger_rates_nothing_and_sees_nothing(stranger: Client, page: Client, address: str) -> None:
    page.post(address, {"rating": "up", "reason": "Mine."})
    assert stranger.post(address, {"rating": "down"}, headers=HTMX).status_code == 404
    assert Feedback.objects.get().rating == "up"


def test_answers_of_a_hidden_conversation_are_not_rated(page: Client, address: str, answer: Message) -> None:
    Conversation.objects.update(hidden_at=answer.created_at)
    assert page.post(address, {"rating": "up"}).status_code == 404


def test_ratings_take_one_query_whatever_their_number(page: Client, answer: Message, owner: User) -> None:
    add_turns(answer.conversation, 10)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert page.get(f"/conversations/{answer.conversation_id}/").status_code == 200
        return len([query for query in captured if "conversations_feedback" in query["sql"]])

    assert queries() == 1
    for message in Message.objects.filter(role="assistant"):
        Feedback.objects.create(message=message, user=owner, rating="up")
    assert queries() == 1


# Seen


def test_the_end_of_a_conversation_is_seen(page: Client, answer: Message) -> None:
    response = page.post(f"/conversations/{answer.conversation_id}/seen/", {"last": str(answer.pk)})
    assert (response.status_code, response.content) == (204, b"")
    seen_at = Conversation.objects.get().seen_at
    assert seen_at is not None
    assert answer.finished_at is not None
    assert seen_at > answer.finished_at


def test_what_another_tab_has_said_since_is_not_seen(page: Client, answer: Message) -> None:
    add_turns(answer.conversation, 1)
    assert page.post(f"/conversations/{answer.conversation_id}/seen/", {"last": str(answer.pk)}).status_code == 204
    assert Conversation.objects.get().seen_at is None


@pytest.mark.parametrize("last", ["nonsense", "\x00", "1" * 5000], ids=["words", "nul", "long"])
def test_nonsense_is_not_seen(page: Client, conversation: Conversation, last: str) -> None:
    assert page.post(f"/conversations/{conversation.pk}/seen/", {"last": last}).status_code == 422
    assert Conversation.objects.get().seen_at is None


def test_a_foreign_message_is_not_seen(page: Client, conversation: Conversation) -> None:
    assert page.post(f"/conversations/{conversation.pk}/seen/", {"last": str(uuid4())}).status_code == 204
    assert Conversation.objects.get().seen_at is None


def test_i7_a_stranger_sees_nothing(stranger: Client, answer: Message) -> None:
    assert stranger.post(f"/conversations/{answer.conversation_id}/seen/", {"last": str(answer.pk)}).status_code == 404
    assert Conversation.objects.get().seen_at is None
