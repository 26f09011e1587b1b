"""Who may see a page, and how many queries it takes."""

from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from conversations.models import Assistant, Conversation, Message
from tests.pages.record import HTMX, add_turns, queries, text_of


def test_a_conversation_takes_as_many_queries_for_20_turns_as_for_10(page: Client, answer: Message) -> None:
    address = f"/conversations/{answer.conversation_id}/"
    add_turns(answer.conversation, 10)
    before = queries(page, address)
    add_turns(answer.conversation, 10)
    assert queries(page, address) == before <= 14


def test_the_list_takes_as_many_queries_for_20_rows_as_for_10(page: Client, owner: User, assistant: Assistant) -> None:
    def add() -> None:
        for number in range(10):
            Conversation.objects.create(owner=owner, assistant=assistant, title=f"Number {number}")

    add()
    before = queries(page, "/conversations/")
    add()
    assert queries(page, "/conversations/") == before <= 10


@pytest.mark.parametrize("show", ["0", "-3", "x", "99999999999", "²"])
def test_a_wrong_number_of_messages_is_ignored(page: Client, conversation: Conversation, show: str) -> None:
    assert page.get(f"/conversations/{conversation.pk}/", {"show": show}).status_code == 200


def test_a_long_thread_shows_its_newest_hundred_and_more_on_demand(page: Client, conversation: Conversation) -> None:
    add_turns(conversation, 60)
    address = f"/conversations/{conversation.pk}/"
    assert page.get(address).content.decode().count('<article id="message-') == 100
    assert "(22 more)" in text_of(page.get(address))
    assert page.get(address, {"show": "500"}).content.decode().count('<article id="message-') == 122


def test_i7_a_stranger_gets_404_everywhere(stranger: Client, answer: Message) -> None:
    conversation = f"/conversations/{answer.conversation_id}/"
    assert stranger.get(conversation).status_code == 404
    assert stranger.get(f"{conversation}heading/").status_code == 404
    assert stranger.get(f"/messages/{answer.pk}/").status_code == 404
    for address in (f"{conversation}messages/", f"{conversation}rename/"):
        assert stranger.post(address, {"prompt": "Why?", "title": "Mine"}).status_code == 404
    for verb in ("stop", "retry"):
        assert stranger.post(f"/messages/{answer.pk}/{verb}/").status_code == 404


def test_a_page_leads_to_the_sign_in_and_back(db: None) -> None:
    address = f"/conversations/{uuid4()}/"
    assert Client().get(address).headers["Location"] == f"/accounts/login/?next={address.replace('/', '%2F')}"


def test_c11_a_fragment_is_sent_to_the_sign_in_and_back_to_its_page(conversation: Conversation) -> None:
    page = f"http://testserver/conversations/{conversation.pk}/"
    response = Client().post(f"{page}messages/", headers=HTMX | {"HX-Current-URL": page})
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == f"/accounts/login/?next=%2Fconversations%2F{conversation.pk}%2F"


def test_a13_the_way_back_never_leaves_the_site(db: None) -> None:
    response = Client().post(f"/messages/{uuid4()}/stop/", headers=HTMX | {"HX-Current-URL": "https://evil.example/"})
    assert response.headers["HX-Redirect"] == "/accounts/login/?next=%2Fconversations%2F"


def test_pages_are_kept_in_no_cache(page: Client, conversation: Conversation) -> None:
    assert "no-store" in page.get(f"/conversations/{conversation.pk}/").headers["Cache-Control"]


def test_r5_pages_hold_no_inline_script_or_style(page: Client, conversation: Conversation) -> None:
    for address in ("/conversations/", f"/conversations/{conversation.pk}/", "/accounts/password/change/"):
        body = page.get(address).content.decode()
        assert body.count("<script") == body.count("<script src=")
        assert " style=" not in body
        assert "<style" not in body
        assert " onclick=" not in body


@pytest.mark.parametrize("address", ["/accounts/password/change/", "/accounts/logout/"])
def test_account_pages_are_ours(page: Client, address: str) -> None:
    assert "Conversations with a language model, kept on record and open to review." in text_of(page.get(address))


def test_an_unknown_address_says_what_to_do(page: Client) -> None:
    response = page.get("/nowhere/")
    assert response.status_code == 404
    assert "The address is wrong" in text_of(response)
