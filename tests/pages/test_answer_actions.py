"""Reading, stopping and retrying an answer; renaming its conversation."""

import pytest
from django.test import Client

from conversations.models import Conversation, Message
from tests.pages.record import HTMX, end, text_of


def test_stop_shows_the_stopped_answer(page: Client, running: Message) -> None:
    response = page.post(f"/messages/{running.pk}/stop/", headers=HTMX)
    running.refresh_from_db()
    assert response.status_code == 200
    assert running.status == "stopped"
    assert f'id="message-{running.pk}"' in response.content.decode()
    assert "You stopped this answer before it began." in text_of(response)


def test_stop_without_scripts_leads_back(page: Client, running: Message) -> None:
    response = page.post(f"/messages/{running.pk}/stop/")
    assert response.status_code == 303
    assert response.headers["Location"] == f"/conversations/{running.conversation_id}/#latest"


def test_stopping_an_ended_answer_shows_how_it_ended(page: Client, answer: Message) -> None:
    response = page.post(f"/messages/{answer.pk}/stop/", headers=HTMX)
    assert response.status_code == 409
    assert "Everything that was said" in text_of(response)


def test_retry_puts_a_sibling_in_its_place(page: Client, answer: Message) -> None:
    response = page.post(f"/messages/{answer.pk}/retry/", headers=HTMX)
    sibling = Message.objects.latest("id")
    assert response.status_code == 200
    assert sibling.parent_id == answer.parent_id
    assert f'<article id="message-{sibling.pk}"' in response.content.decode()
    assert Message.objects.filter(pk=answer.pk, text="Everything that was **said**.").exists()


def test_retry_without_scripts_leads_back(page: Client, answer: Message) -> None:
    assert page.post(f"/messages/{answer.pk}/retry/").status_code == 303


@pytest.mark.parametrize("headers", [HTMX, {}])
def test_a_refused_retry_says_why(page: Client, answer: Message, headers: dict[str, str]) -> None:
    page.post(f"/messages/{answer.pk}/retry/")
    response = page.post(f"/messages/{answer.pk}/retry/", headers=headers)
    assert response.status_code == 409
    assert "still being written" in text_of(response)


def test_c10_a_message_can_be_asked_for(page: Client, running: Message) -> None:
    assert "Waiting for the model" in text_of(page.get(f"/messages/{running.pk}/", headers=HTMX))
    end(running, text="Done.")
    assert "Done." in text_of(page.get(f"/messages/{running.pk}/", headers=HTMX))


def test_rename_shows_the_new_title_everywhere(page: Client, conversation: Conversation) -> None:
    response = page.post(f"/conversations/{conversation.pk}/rename/", {"title": "<i>Minutes</i>"}, headers=HTMX)
    body = response.content.decode()
    assert response.status_code == 200
    assert body.count("&lt;i&gt;Minutes&lt;/i&gt;") == 5  # heading, field, what the page showed, rail, tab
    assert "<i>" not in body


def test_rename_without_scripts_leads_back(page: Client, conversation: Conversation) -> None:
    response = page.post(f"/conversations/{conversation.pk}/rename/", {"title": "Minutes"})
    assert response.status_code == 303
    conversation.refresh_from_db()
    assert conversation.title == "Minutes"


@pytest.mark.parametrize("headers", [HTMX, {}])
def test_a_refused_title_is_kept_with_the_reason(
    page: Client, conversation: Conversation, headers: dict[str, str]
) -> None:
    response = page.post(f"/conversations/{conversation.pk}/rename/", {"title": "y" * 201}, headers=headers)
    assert response.status_code == 422
    assert "at most 200" in text_of(response)
    assert "y" * 201 in response.content.decode()


def test_the_page_waits_for_a_title_a_few_times(page: Client, conversation: Conversation) -> None:
    address = f"/conversations/{conversation.pk}/heading/"
    assert f'hx-get="{address}?tries=4"' in page.get(address, {"tries": "3"}, headers=HTMX).content.decode()
    assert "hx-get" not in page.get(address, {"tries": "8"}, headers=HTMX).content.decode()
    Conversation.objects.update(title="Minutes", is_title_provisional=False)
    body = page.get(address, {"tries": "1"}, headers=HTMX).content.decode()
    assert "Minutes" in body
    assert "hx-get" not in body
