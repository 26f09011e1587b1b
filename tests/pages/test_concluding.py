"""Concluding on pages: asked first, then said, sealed, handed out, and gone on from."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import AsyncClient, Client
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from conversations.files import storage
from conversations.models import Assistant, Conversation, Message, SealedDocument
from conversations.services import conclude_conversation, continue_conversation, hide_conversation, seal_conversation
from tests.fakes.folder import FilesFolder
from tests.pages.record import HTMX, text_of

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def no_jobs_left(transactional_db: None) -> Iterator[None]:
    yield
    ProcrastinateJob.objects.all().delete()  # a table that no test case empties


@pytest.fixture
def concluded(conversation: Conversation) -> Conversation:
    return conclude_conversation(conversation=conversation)


@pytest.fixture
def sealed(concluded: Conversation) -> SealedDocument:
    assert seal_conversation(conversation_id=concluded.pk)
    return SealedDocument.objects.get(pk=concluded.pk)


def at(conversation: Conversation, action: str = "") -> str:
    return f"/conversations/{conversation.pk}/{action}"


def show(page: Client, conversation: Conversation) -> Any:
    response = page.get(at(conversation))
    assert response.status_code == 200
    return response


def test_the_menu_leads_to_a_question_that_says_what_happens(page: Client, conversation: Conversation) -> None:
    assert at(conversation, "conclude/") in show(page, conversation).content.decode()
    asked = page.get(at(conversation, "conclude/"))
    words = text_of(asked)
    assert "Conclude “What is on record?”?" in words
    for consequence in ("takes no more messages", "one sealed document", "cannot be opened again"):
        assert consequence in words
    conversation.refresh_from_db()
    assert conversation.is_open


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["form", "htmx"])
def test_concluding_leads_back_to_the_conversation(
    page: Client, conversation: Conversation, headers: dict[str, str]
) -> None:
    response = page.post(at(conversation, "conclude/"), headers=headers)
    assert response.status_code == (200 if headers else 303)
    assert response.headers["HX-Redirect" if headers else "Location"] == at(conversation) + "#latest"
    conversation.refresh_from_db()
    assert not conversation.is_open


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["form", "htmx"])
def test_concluding_twice_is_refused(page: Client, concluded: Conversation, headers: dict[str, str]) -> None:
    response = page.post(at(concluded, "conclude/"), headers=headers)
    assert response.status_code == 409
    assert "This conversation is concluded already." in text_of(response)


def test_concluding_while_an_answer_runs_is_refused(page: Client, running: Message) -> None:
    response = page.post(at(running.conversation, "conclude/"))
    assert response.status_code == 409
    assert "An answer is still being written." in text_of(response)
    running.conversation.refresh_from_db()
    assert running.conversation.is_open


def test_a_hidden_conversation_is_neither_concluded_nor_continued(page: Client, sealed: SealedDocument) -> None:
    conversation = hide_conversation(conversation=sealed.conversation)
    for action in ("conclude/", "continue/"):
        assert page.post(at(conversation, action)).status_code == 404
    for action in ("conclude/", "seal/"):
        assert page.get(at(conversation, action)).status_code == 404


def test_a_page_waits_for_the_seal_and_then_shows_it(page: Client, concluded: Conversation) -> None:
    waiting = show(page, concluded).content.decode()
    assert f'hx-get="{at(concluded, "seal/")}?tries=1"' in waiting
    assert "Being sealed" in waiting
    again = page.get(at(concluded, "seal/"), {"tries": 2}).content.decode()
    assert f'hx-get="{at(concluded, "seal/")}?tries=3"' in again

    seal_conversation(conversation_id=concluded.pk)
    sealed = SealedDocument.objects.get()
    for response in (show(page, concluded), page.get(at(concluded, "seal/"), {"tries": 3})):
        shown = response.content.decode()
        assert "hx-get" not in shown[shown.index('id="seal"') :].partition("</p>")[0]
        assert sealed.sha256 in shown
        assert at(concluded, "sealed/") in shown


@pytest.mark.parametrize("tries", ["8", "99", "-1", "x", "", "9" * 50], ids=str)
def test_waiting_for_the_seal_ends(page: Client, concluded: Conversation, tries: str) -> None:
    response = page.get(at(concluded, "seal/"), {"tries": tries})
    assert response.status_code == 200
    assert b"hx-get" not in response.content


def test_an_open_conversation_has_no_seal(page: Client, conversation: Conversation) -> None:
    assert page.get(at(conversation, "seal/")).status_code == 404


def test_a_concluded_conversation_is_only_read(page: Client, sealed: SealedDocument) -> None:
    response = show(page, sealed.conversation)
    shown = response.content.decode()
    words = text_of(response)
    assert "This conversation is concluded. You concluded it just now . It is kept as it is" in words
    assert "Sealed just now" in words
    for action in ("rename/", "conclude/", "messages/"):
        assert at(sealed.conversation, action) not in shown
    for form in ("/retry/", "/edit/", 'name="prompt"'):
        assert form not in shown


def test_one_that_the_policy_concluded_says_so(page: Client, concluded: Conversation) -> None:
    Conversation.objects.update(concluded_by="policy")
    assert "Nothing was said in it for a long time" in text_of(show(page, concluded))


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["form", "htmx"])
def test_its_title_stays(page: Client, sealed: SealedDocument, headers: dict[str, str]) -> None:
    response = page.post(at(sealed.conversation, "rename/"), {"title": "Other"}, headers=headers)
    assert response.status_code == 409
    assert "keeps the title that it has" in text_of(response)
    assert "What is on record?" in text_of(response)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["form", "htmx"])
def test_a_message_that_comes_too_late_is_given_back(
    page: Client, sealed: SealedDocument, headers: dict[str, str]
) -> None:
    data = {"prompt": "One more thing", "client_token": str(uuid4())}
    response = page.post(at(sealed.conversation, "messages/"), data, headers=headers)
    assert response.status_code == 409
    assert "One more thing" in response.content.decode()
    assert "Continue as new conversation" in text_of(response)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["form", "htmx"])
def test_continuing_leads_to_the_new_conversation(
    page: Client, sealed: SealedDocument, headers: dict[str, str]
) -> None:
    responses = [page.post(at(sealed.conversation, "continue/"), headers=headers) for _ in range(2)]
    continued = Conversation.objects.get(continued_from=sealed.conversation)
    for response in responses:
        assert response.status_code == (200 if headers else 303)
        assert response.headers["HX-Redirect" if headers else "Location"] == at(continued) + "#latest"
    response = show(page, continued)
    words = text_of(response)
    assert "Continues What is on record?" in words
    assert f'href="{at(sealed.conversation)}#latest"' in response.content.decode()
    assert "Repeated just now" in words
    assert "Everything that was said" in words
    assert f"Continued as {continued.title}" in text_of(show(page, sealed.conversation))


def test_one_that_goes_on_from_a_deleted_one_does_not_lead_there(page: Client, concluded: Conversation) -> None:
    continued = continue_conversation(conversation=concluded)
    hide_conversation(conversation=concluded)
    response = show(page, continued)
    assert "which you deleted" in text_of(response)
    assert at(concluded) not in response.content.decode()


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["form", "htmx"])
def test_without_its_assistant_it_is_not_continued(
    page: Client, sealed: SealedDocument, headers: dict[str, str]
) -> None:
    Assistant.objects.update(is_enabled=False)
    response = page.post(at(sealed.conversation, "continue/"), headers=headers)
    assert response.status_code == 422
    assert "Its assistant is not open to you any more" in text_of(response)
    assert Conversation.objects.count() == 1


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["form", "htmx"])
def test_an_open_one_is_not_continued(page: Client, conversation: Conversation, headers: dict[str, str]) -> None:
    response = page.post(at(conversation, "continue/"), headers=headers)
    assert response.status_code == 409
    assert "This conversation is open: go on in it." in text_of(response)


@pytest.mark.django_db(transaction=True)  # a download gives its database connection back
@pytest.mark.usefixtures("no_jobs_left")
def test_the_sealed_document_is_handed_out(owner: User, sealed: SealedDocument) -> None:
    address = at(sealed.conversation, "sealed/")

    async def ask() -> Any:
        client = AsyncClient()
        await client.aforce_login(owner)
        response: Any = await client.get(address)
        response.body = b"".join([chunk async for chunk in response.streaming_content])
        return response

    response = asyncio.run(ask())
    assert response.status_code == 200
    assert hashlib.sha256(response.body).hexdigest() == sealed.sha256
    assert json.loads(response.body)["conversation"]["id"] == str(sealed.pk)
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Content-Disposition"] == f'attachment; filename="conversation-{sealed.pk}.json"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_jobs_left")
@pytest.mark.parametrize("how", ["unsealed", "hidden"])
def test_without_a_seal_or_hidden_there_is_nothing_to_hand_out(page: Client, concluded: Conversation, how: str) -> None:
    if how == "hidden":
        seal_conversation(conversation_id=concluded.pk)
        hide_conversation(conversation=concluded)
    assert page.get(at(concluded, "sealed/")).status_code == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_jobs_left")
def test_s8_a_lost_document_is_no_server_error(page: Client, sealed: SealedDocument, folder: FilesFolder) -> None:
    folder.take_away()
    assert page.get(at(sealed.conversation, "sealed/")).status_code == 503
    folder.give_back()
    storage.delete(sealed.key)
    assert page.get(at(sealed.conversation, "sealed/")).status_code == 404
    assert show(page, sealed.conversation)
