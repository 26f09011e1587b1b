"""What is listed where one searches without words, and what can be selected there and exported."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from conversations.models import Assistant, Conversation
from tests.factories import make_assistant
from tests.pages.found import FIND, add, day, found, index
from tests.pages.record import HTMX, text_of

# -- lists without words -------------------------------------------------------------------------------------------


def test_without_words_the_filters_choose_among_conversations(page: Client, owner: User, assistant: Assistant) -> None:
    retired, unused = make_assistant(name="Bookkeeper", is_enabled=False), make_assistant(name="Never asked")
    add(owner, assistant, 4)
    add(owner, retired, 2, title="Booked")
    assert found(page.get(FIND, {"assistant": retired.slug})) == ["Booked 0", "Booked 1"]
    assert found(page.get(FIND, {"assistant": unused.slug})) == []
    assert found(page.get(FIND, {"from": day(-2), "to": day(-1), "assistant": assistant.slug})) == [
        "Number 1",
        "Number 2",
    ]
    assert found(page.get(FIND, {"from": day(1)})) == []
    assert "No conversation is left by these filters" in text_of(page.get(FIND, {"from": day(1)}))


def test_a_list_goes_on_by_cursor_and_keeps_its_filters(page: Client, owner: User, assistant: Assistant) -> None:
    add(owner, assistant, 120)
    add(owner, make_assistant(), 3, title="Other")
    response = page.get(FIND, {"assistant": assistant.slug})
    met = found(response)
    while more := re.search(r'hx-get="(/conversations/find/.+?)"', response.content.decode()):
        response = page.get(more[1].replace("&amp;", "&"), headers=HTMX)
        assert "<html" not in response.content.decode()
        met += found(response)
    assert met == [f"Number {number}" for number in range(120)]


def test_a_list_takes_as_many_queries_for_20_rows_as_for_10(page: Client, owner: User, assistant: Assistant) -> None:
    counts = []
    for _ in range(2):
        add(owner, assistant, 10)
        with CaptureQueriesContext(connection) as captured:
            page.get(FIND)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 8


@pytest.mark.parametrize("cursor", ["nonsense", "'--", "%F0%9F%98%80", "a" * 2_000])
def test_a_cursor_that_was_tampered_with_is_refused(page: Client, conversation: Conversation, cursor: str) -> None:
    response = page.get(f"{FIND}?after={quote(cursor, safe='%')}")
    assert response.status_code == 400
    assert conversation.title not in text_of(response)


def test_who_has_said_nothing_is_told_so(page: Client) -> None:
    assert "You have no conversations yet" in text_of(page.get(FIND))


# -- selection -----------------------------------------------------------------------------------------------------


def test_what_is_selected_is_exported_without_scripts(page: Client, conversation: Conversation) -> None:
    html = page.get(FIND).content.decode()
    form = re.search(r'<form class="selection".*?</form>', html, re.DOTALL)
    assert form
    assert 'action="/conversations/export/"' in form[0]
    assert f'name="conversation" value="{conversation.pk}"' in " ".join(form[0].split())
    assert set(re.findall(r'<option value="(\w+)"', form[0])) == {"csv", "jsonl", "md", "zip"}
    assert 'name="all" value="1"' in " ".join(form[0].split())


def test_all_of_ones_own_is_not_offered_where_only_some_are_shown(page: Client, conversation: Conversation) -> None:
    index()
    for query in ("?q=said", f"?assistant={conversation.assistant.slug}"):
        assert 'name="all"' not in page.get(FIND + query).content.decode()
