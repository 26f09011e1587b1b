"""Two tabs that rename one conversation: the second is told, and may insist."""

from __future__ import annotations

import pytest
from django.test import Client

from conversations.models import Conversation
from tests.pages.rail import LIST
from tests.pages.record import HTMX, text_of


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_of_two_tabs_that_rename_the_second_is_told_and_may_insist(
    page: Client, conversation: Conversation, headers: dict[str, str]
) -> None:
    address, shown = f"{LIST}{conversation.pk}/rename/", conversation.title
    page.post(address, {"title": "Of the first tab", "shown": shown})
    second = page.post(address, {"title": "Of the second tab", "shown": shown}, headers=headers)
    html = " ".join(second.content.decode().split())
    assert second.status_code == 409
    assert "It was given the title “Of the first tab” meanwhile" in text_of(second)
    assert 'name="title" value="Of the second tab"' in html
    assert 'name="shown" value="Of the first tab"' in html
    assert Conversation.objects.get().title == "Of the first tab"

    page.post(address, {"title": "Of the second tab", "shown": "Of the first tab"})
    assert Conversation.objects.get().title == "Of the second tab"


def test_a_refused_title_does_not_make_another_tab_s_title_one_that_was_seen(
    page: Client, conversation: Conversation
) -> None:
    address, shown = f"{LIST}{conversation.pk}/rename/", conversation.title
    page.post(address, {"title": "Of the first tab", "shown": shown})
    refused = page.post(address, {"title": " ", "shown": shown}, headers=HTMX)
    assert refused.status_code == 422
    assert f'name="shown" value="{shown}"' in " ".join(refused.content.decode().split())


def test_the_title_that_the_model_gave_is_one_that_was_seen(page: Client, conversation: Conversation) -> None:
    Conversation.objects.update(title="Of the model", is_title_provisional=False)
    html = " ".join(page.get(f"{LIST}{conversation.pk}/heading/").content.decode().split())
    assert '<hx-partial hx-target="#title-shown" hx-swap="outerHTML">' in html
    assert 'name="shown" value="Of the model"' in html
