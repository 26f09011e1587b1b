"""Search with its filters: what is found and where it leads, and what cannot be searched for."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from accounts.models import User
from conversations.models import Assistant, Conversation, Message
from conversations.services import hide_conversation
from tests.factories import make_assistant, make_user
from tests.pages.found import FIND, day, found, index
from tests.pages.record import HTMX, text_of
from tests.search.said import say

MARKUP = "<img src=x onerror=alert(1)> & <mark>umbrella</mark>"


# -- search --------------------------------------------------------------------------------------------------------


def test_a_hit_shows_its_words_marked_and_leads_to_its_message(page: Client, conversation: Conversation) -> None:
    answer = conversation.messages.get(role="assistant")
    index()
    response = page.get(FIND, {"q": "said"})
    html = response.content.decode()
    assert found(response) == [conversation.title]
    assert "<mark>said</mark>" in html
    assert f'href="/conversations/{conversation.pk}/?at={answer.pk}#message-{answer.pk}"' in html
    assert "Answer Archivist just now" in text_of(response)
    assert page.get(f"/conversations/{conversation.pk}/?at={answer.pk}").status_code == 200


def test_where_the_words_stand_is_told(page: Client, owner: User, assistant: Assistant) -> None:
    prompt, *_ = say(owner, "Nothing to see", title="The umbrella", assistant=assistant)
    say(owner, "An umbrella", title="Mine", assistant=assistant)
    index()
    words = text_of(page.get(FIND, {"q": "umbrella"}))
    assert "In the title" in words
    assert " You " in words
    assert prompt.conversation.title in words


def test_one_conversation_is_offered_for_selection_once(page: Client, conversation: Conversation) -> None:
    Message.objects.update(text="Umbrella, umbrella")
    index()
    response = page.get(FIND, {"q": "umbrella"})
    assert found(response) == [conversation.title] * 2
    assert response.content.decode().count(f'value="{conversation.pk}"') == 1


def test_markup_is_only_text_in_titles_snippets_and_the_box(page: Client, owner: User, assistant: Assistant) -> None:
    say(owner, MARKUP, title=MARKUP, assistant=assistant)
    index()
    response = page.get(FIND, {"q": "umbrella"})
    html = response.content.decode()
    assert len(found(response)) == 1
    assert "<img src" not in html
    assert escape(MARKUP) in html
    for address in (FIND, "/conversations/deleted/"):
        Conversation.objects.update(hidden_at=timezone.now() if "deleted" in address else None)
        html = page.get(address, {"q": MARKUP[:20]}).content.decode()
        assert "<img src" not in html
    assert escape('"><script>') in page.get(FIND, {"q": '"><script>x'}).content.decode()


def test_results_go_on_page_by_page(page: Client, owner: User, assistant: Assistant) -> None:
    for number in range(45):
        say(owner, f"Umbrella {number}", title=f"Number {number}", assistant=assistant)
    index()
    address = f"{FIND}?q=umbrella"
    met: list[str] = []
    while address:
        response = page.get(address, headers=HTMX if met else {})
        met += found(response)
        more = re.search(r'id="line-more">\s*<a href="(.+?)"', response.content.decode())
        address = more[1].replace("&amp;", "&") if more else ""
    assert sorted(met) == sorted(f"Number {number}" for number in range(45))
    assert "Back to the first page" in text_of(page.get(f"{FIND}?q=umbrella&page=2"))


def test_a_capped_search_says_what_was_ranked(page: Client, owner: User, assistant: Assistant) -> None:
    first, *_ = say(owner, "Umbrella", title="Many", assistant=assistant)
    Message.objects.bulk_create(
        Message(conversation=first.conversation, owner=owner, role="user", status="completed", text="Umbrella")
        for _ in range(505)
    )
    index()
    assert "The newest 500 matches, best first." in text_of(page.get(FIND, {"q": "umbrella"}))
    assert "Best matches first." in text_of(page.get(FIND, {"q": "many"}))


def test_filters_narrow_a_search(page: Client, owner: User, assistant: Assistant) -> None:
    other = make_assistant(name="Bookkeeper")
    say(owner, "Umbrella", title="Archived", assistant=assistant)
    say(owner, "Umbrella", title="Booked", assistant=other)
    index()
    assert found(page.get(FIND, {"q": "umbrella", "assistant": other.slug})) == ["Booked"]
    assert len(found(page.get(FIND, {"q": "umbrella", "from": day(-1), "to": day(1)}))) == 2
    for days in ({"to": day(-1)}, {"from": day(1)}):
        response = page.get(FIND, {"q": "umbrella", **days})
        assert found(response) == []
        assert "Nothing was found" in text_of(response)
        assert "Clear filters" in text_of(response)


def test_a7_deleted_ones_and_those_of_others_are_never_found(
    page: Client, stranger: Client, owner: User, assistant: Assistant
) -> None:
    said, *_ = say(owner, "Umbrella", title="Mine", assistant=assistant)
    index()
    assert found(page.get(FIND, {"q": "umbrella"})) == ["Mine"]
    assert found(stranger.get(FIND, {"q": "umbrella"})) == []
    hide_conversation(conversation=said.conversation)
    assert found(page.get(FIND, {"q": "umbrella"})) == []
    assert found(page.get(FIND)) == []


def test_a_search_takes_as_many_queries_for_20_hits_as_for_10(page: Client, owner: User, assistant: Assistant) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert page.get(FIND, {"q": "umbrella"}).status_code == 200
        return len(captured)

    counts = []
    for _ in range(2):
        for number in range(10):
            say(owner, f"Umbrella {number}", title=f"Number {number}", assistant=assistant)
        index()
        counts.append(queries())
    assert counts[0] == counts[1]


# -- what cannot be searched for -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("x" * 10_000, "10,000 characters"),
        ("& | ! ( ) <-> :*", "no word"),
        ("-umbrella", "left out"),
        ("the of and", "no word"),
    ],
    ids=["10,000 characters", "operators", "only without", "stop words"],
)
def test_f2_what_cannot_be_searched_for_is_refused_and_kept_in_the_box(
    page: Client, conversation: Conversation, query: str, reason: str
) -> None:
    response = page.get(FIND, {"q": query})
    assert response.status_code == 422
    assert reason in text_of(response)
    assert f'value="{escape(query)}"' in response.content.decode()
    assert found(response) == []


@pytest.mark.parametrize(
    "query", ["'", "\\", "''\\''", "a:*b", "\u202e\u200bx", "½☃", "((((", "😀", "a" * 250, '"', "<->", "%", "\ufffd"]
)
def test_f3_odd_words_are_no_fault(page: Client, conversation: Conversation, query: str) -> None:
    assert page.get(FIND, {"q": query}).status_code in (200, 422)


@pytest.mark.parametrize("query", ["", "   ", "\u200b", "\n\t"])
def test_no_words_list_conversations(page: Client, conversation: Conversation, query: str) -> None:
    assert found(page.get(FIND, {"q": query})) == [conversation.title]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("from", day) for day in ("nonsense", "2026-02-30", "31.12.2026x", "0001-01-01", "9999-12-31", "1e9", "²")),
        ("to", "9999-12-31"),
        ("assistant", "never-was"),
        ("assistant", "1 OR 1=1"),
        ("assistant", "a" * 5_000),
        *(("page", number) for number in ("0", "-1", "x", "99999999999999999999", "1.5", "²")),
    ],
)
def test_a_filter_that_cannot_be_used_is_refused(
    page: Client, conversation: Conversation, name: str, value: str
) -> None:
    for words in ({}, {"q": "said"}):
        response = page.get(FIND, {name: value} | words)
        assert response.status_code == 422
        assert 'role="alert"' in response.content.decode()
        assert found(response) == []


def test_days_in_the_wrong_order_are_refused(page: Client, conversation: Conversation) -> None:
    response = page.get(FIND, {"from": "2026-03-02", "to": "2026-03-01"})
    assert response.status_code == 422
    assert "The first day is after the last one" in text_of(response)


def test_a_page_that_is_not_there_holds_nothing(page: Client, conversation: Conversation) -> None:
    index()
    response = page.get(FIND, {"q": "said", "page": "900"})
    assert response.status_code == 200
    assert found(response) == []


def test_an_assistant_of_others_cannot_be_told_from_none(page: Client, conversation: Conversation) -> None:
    theirs = make_assistant(name="Of somebody else", is_enabled=False)
    Conversation.objects.create(owner=make_user(), assistant=theirs, title="Theirs")
    answers = [page.get(FIND, {"assistant": slug}) for slug in (theirs.slug, "never-was")]
    assert "Of somebody else" not in answers[0].content.decode()
    assert text_of(answers[0]) == text_of(answers[1])


# -- selection -----------------------------------------------------------------------------------------------------


def test_r5_the_pages_hold_no_inline_script_or_style(page: Client, conversation: Conversation) -> None:
    for address in (FIND, f"{FIND}?q=said", "/conversations/deleted/", f"/conversations/{conversation.pk}/hide/"):
        body = page.get(address).content.decode()
        assert body.count("<script") == body.count("<script src=")
        assert " style=" not in body
        assert "no-store" in page.get(address).headers["Cache-Control"]
