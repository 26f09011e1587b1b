"""What owners do to a conversation in their list: pin it, delete it, and have it back."""

from __future__ import annotations

import datetime
import re

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from conversations.history import read_rail
from conversations.models import Assistant, Conversation, Message
from tests.pages.rail import HOUR, LIST, add, shown
from tests.pages.record import HTMX, queries, text_of


def test_a_form_pins_and_leads_back(page: Client, conversation: Conversation) -> None:
    for pinned, is_pinned in (("yes", True), ("yes", True), ("no", False), ("no", False)):
        response = page.post(f"{LIST}{conversation.pk}/pin/", {"pinned": pinned})
        assert (response.status_code, response.headers["Location"]) == (303, f"{LIST}{conversation.pk}/")
        assert (Conversation.objects.get().pinned_at is not None) == is_pinned


def test_htmx_gets_the_other_button_and_has_the_rail_drawn_anew(page: Client, conversation: Conversation) -> None:
    response = page.post(f"{LIST}{conversation.pk}/pin/", {"pinned": "yes"}, headers=HTMX)
    assert response.status_code == 200
    assert response.headers["HX-Trigger"] == "history:changed"
    assert "Unpin" in text_of(response)
    assert 'name="pinned" value="no"' in " ".join(response.content.decode().split())


def test_a_pin_too_many_is_refused_with_the_reason(
    page: Client, owner: User, assistant: Assistant, conversation: Conversation
) -> None:
    add(owner, assistant, 50, pinned_at=timezone.now())
    address = f"{LIST}{conversation.pk}/pin/"
    fragment = page.post(address, {"pinned": "yes"}, headers=HTMX)
    assert fragment.status_code == 409
    assert "You have pinned 50 conversations" in text_of(fragment)
    assert page.post(address, {"pinned": "yes"}).status_code == 303
    assert "You have pinned 50 conversations" in text_of(page.get(f"{LIST}{conversation.pk}/"))
    assert Conversation.objects.get(pk=conversation.pk).pinned_at is None


def test_deleting_asks_first_and_says_that_it_can_be_undone(page: Client, conversation: Conversation) -> None:
    menu = page.get(f"{LIST}{conversation.pk}/").content.decode()
    assert f'href="/conversations/{conversation.pk}/hide/"' in menu
    question = page.get(f"{LIST}{conversation.pk}/hide/")
    assert "For 30 days you can restore it" in text_of(question)
    assert Conversation.objects.get().hidden_at is None

    done = page.post(f"{LIST}{conversation.pk}/hide/", follow=True)
    assert done.redirect_chain == [(LIST, 303)]
    assert "You can restore it for 30 days" in text_of(done)
    assert conversation.title not in shown(done)
    assert page.get(f"{LIST}{conversation.pk}/").status_code == 404


def test_c4_a_double_click_deletes_and_restores_once(page: Client, conversation: Conversation) -> None:
    for verb in ("hide", "hide", "restore", "restore"):
        assert page.post(f"{LIST}{conversation.pk}/{verb}/").status_code == 303
    assert Conversation.objects.get().hidden_at is None


def test_deleting_stops_the_answer_that_is_being_written(page: Client, running: Message) -> None:
    assert page.post(f"{LIST}{running.conversation_id}/hide/").status_code == 303
    assert Message.objects.get(pk=running.pk).status == "stopped"


def test_what_was_deleted_is_listed_and_can_be_had_back(page: Client, conversation: Conversation) -> None:
    page.post(f"{LIST}{conversation.pk}/hide/")
    listed = page.get("/conversations/deleted/")
    assert conversation.title in text_of(listed)
    assert f'action="/conversations/{conversation.pk}/restore/"' in listed.content.decode()

    back = page.post(f"{LIST}{conversation.pk}/restore/", follow=True)
    assert back.redirect_chain == [(f"{LIST}{conversation.pk}/", 303)]
    assert "The conversation is restored" in text_of(back)
    assert conversation.title not in text_of(page.get("/conversations/deleted/")).split("Deleted", 3)[-1]


def test_after_30_days_it_is_listed_no_longer_and_the_record_keeps_it(page: Client, conversation: Conversation) -> None:
    Conversation.objects.update(hidden_at=timezone.now() - datetime.timedelta(days=30, minutes=1))
    assert conversation.title not in text_of(page.get("/conversations/deleted/"))
    for verb in ("restore", "hide"):
        assert page.post(f"{LIST}{conversation.pk}/{verb}/").status_code == 404
    assert Conversation.objects.get().hidden_at is not None
    assert Message.objects.count() == 2


def test_deleted_ones_are_paged_by_cursor_in_as_many_queries(page: Client, owner: User, assistant: Assistant) -> None:
    now = timezone.now()
    for number in range(60):
        add(owner, assistant, 1, title=f"Gone {number:02}", hidden_at=now - number * HOUR)
    first = page.get("/conversations/deleted/")
    assert re.findall(r"Gone \d\d", text_of(first)) == [f"Gone {number:02}" for number in range(50)]
    address = re.search(r'hx-get="(/conversations/deleted/\?.+?)"', first.content.decode())
    assert address
    second = page.get(address[1], headers=HTMX)
    assert re.findall(r"Gone \d\d", text_of(second)) == [f"Gone {number:02}" for number in range(50, 60)]
    assert "Back to the first page" in text_of(page.get(address[1]))
    before = queries(page, address[1])
    Conversation.objects.filter(title__lt="Gone 30").update(hidden_at=now - 700 * HOUR)
    assert queries(page, "/conversations/deleted/") == queries(page, address[1]) == before
    for cursor in ("nonsense", read_rail(owner).older or "x"):
        assert page.get("/conversations/deleted/", {"after": cursor}).status_code == 400


@pytest.mark.parametrize("verb", ["pin", "hide", "restore"])
def test_i7_a_stranger_changes_nothing(stranger: Client, conversation: Conversation, verb: str) -> None:
    before = Conversation.objects.values().get()
    for hidden_at in (None, timezone.now()):
        Conversation.objects.update(hidden_at=hidden_at)
        response = stranger.post(f"{LIST}{conversation.pk}/{verb}/", {"pinned": "yes"})
        assert response.status_code == 404
        assert Conversation.objects.values().get() == before | {"hidden_at": hidden_at}
