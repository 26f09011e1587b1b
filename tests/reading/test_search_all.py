"""Search over all: what reviewers find, in which order, and what the audit is told of it."""

from __future__ import annotations

import datetime
import itertools
import json
import re
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from conversations.models import AttachmentText, Conversation, Feedback, Message
from conversations.services import index_messages
from records.filters import FilterForm
from records.search import LIMITS, FoundOfAll, Limits, search_all
from records.services.facts import keep_facts
from tests.admin.record import make_answer, make_conversation, make_prompt, make_thread
from tests.factories import make_assistant, make_file, make_user
from tests.sitting import SittingClient

pytestmark = pytest.mark.django_db
PAGE = "admin:conversations_conversation_search"
_numbers = itertools.count(1)


def said(text: str, *, on: str = "", **fields: Any) -> Message:
    """A prompt of somebody, said now or on a day, with an id of that time."""
    conversation = make_conversation(**fields)
    message = make_prompt(conversation, text)
    if on:
        moment = datetime.datetime.fromisoformat(f"{on}T12:00:00+00:00")
        pk = UUID(int=int(moment.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | next(_numbers))
        Message.objects.filter(pk=message.pk).update(id=pk, created_at=moment)
        message = Message.objects.get(pk=pk)
    return message


def find(query: str, *, page: int = 1, limits: Limits = LIMITS, **given: Any) -> FoundOfAll:
    while index_messages():
        pass
    keep_facts()
    filters = FilterForm({name: str(value) for name, value in given.items()})
    assert filters.is_valid(), filters.errors
    return search_all(query, filters, page=page, limits=limits)


def found(query: str, **given: Any) -> list[UUID]:
    result = find(query, **given)
    assert result.problem == ""
    return [hit.hit.message_id for hit in result.hits]


def ask(client: Client, query: str = "", **given: Any) -> Any:
    while index_messages():
        pass
    keep_facts()
    response: Any = client.get(reverse(PAGE), {"q": query, **given})
    return response


def test_everybody_s_messages_are_found() -> None:
    one, other = said("The lease of the warehouse"), said("A warehouse in Leeds")
    said("Lunch")
    assert set(found("warehouse")) == {one.pk, other.pk}
    assert found('"lease of the warehouse"') == [one.pk]
    assert found("warehouse -lease") == [other.pk]


def test_titles_and_files_are_found_too() -> None:
    titled = said("Why?", title="The quarterly umbrella")
    carrier = said("See")
    file = make_file(carrier.owner, message=carrier, data=b"x", name="umbrella.txt", content_type="text/plain")
    AttachmentText.objects.create(attachment=file, text="An umbrella of many colours")
    hits = find("umbrella").hits
    assert {hit.hit.message_id: hit.hit.source for hit in hits} == {titled.pk: "title", carrier.pk: "file"}


def test_what_its_owner_deleted_is_found_and_marked(client: SittingClient) -> None:
    message = said("The lease of the warehouse")
    Conversation.objects.filter(pk=message.conversation_id).update(hidden_at=timezone.now())
    assert found("warehouse") == [message.pk]
    assert "Deleted by its owner" in ask(client, "warehouse").content.decode()


def test_what_is_being_removed_is_not_found(client: SittingClient) -> None:
    message = said("The lease of the warehouse")
    Conversation.objects.filter(pk=message.conversation_id).update(removal_begun_at=timezone.now())
    assert found("warehouse") == []
    assert "Nothing was found" in ask(client, "warehouse").content.decode()


def test_filters_narrow_what_is_found() -> None:
    wanted, assistant, owner = make_thread(), make_assistant(), make_user(username="ada")
    answer = wanted.messages.get(role="assistant")
    Message.objects.filter(pk=answer.pk).update(text="A warehouse", search_vector=None)
    Feedback.objects.create(message=answer, user=wanted.owner, rating="down")
    other = said("A warehouse", owner=owner, assistant=assistant)
    assert found("warehouse", feedback="down") == [answer.pk]
    assert found("warehouse", owner="ada") == [other.pk]
    assert found("warehouse", assistant=assistant.pk) == [other.pk]
    assert found("warehouse", owner="ada", feedback="down") == []


def test_days_are_those_of_messages() -> None:
    old, new = said("A warehouse", on="2019-03-31"), said("A warehouse")
    assert found("warehouse", **{"from": "2019-03-31", "to": "2019-03-31"}) == [old.pk]
    assert found("warehouse", **{"from": "2019-04-01"}) == [new.pk]
    assert found("warehouse", to="2019-03-30") == []
    assert set(found("warehouse")) == {old.pk, new.pk}


def test_years_without_a_word_are_no_end_of_the_search() -> None:
    messages = [said("A warehouse", on=f"{year}-06-01") for year in (1995, 2003, 2011, 2024)]
    assert set(found("warehouse")) == {message.pk for message in messages}


def test_the_newest_matches_are_ranked_and_that_is_said() -> None:
    best = said("warehouse warehouse warehouse")
    for _ in range(3):
        said("A warehouse among many other words that say nothing of it")
    result = find("warehouse", limits=Limits(ranked=3))
    assert result.matches == 3
    assert best.pk not in [hit.hit.message_id for hit in result.hits]
    assert result.note == "The newest 3 matches, best first. Choose days to find older ones."


def test_the_search_ends_where_too_many_hold_the_words() -> None:
    for _ in range(4):
        said("warehouse lease")
    note = find('"lease warehouse"', limits=Limits(looked_at=3)).note
    assert note.startswith("Only the newest 3 of the messages that hold these words")


def test_hits_come_on_pages(client: SittingClient) -> None:
    for _ in range(25):
        said("A warehouse")
    pages = [find("warehouse", page=number) for number in (1, 2, 3)]
    assert [len(page.hits) for page in pages] == [20, 5, 0]
    assert [page.has_more for page in pages] == [True, False, False]
    assert len({hit.hit.message_id for page in pages for hit in page.hits}) == 25
    assert "page=2" in ask(client, "warehouse").content.decode()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"q": "the of"}, "There is no word in this to search for"),
        ({"q": "-lease"}, "This says only what is to be left out."),
        ({"q": "x" * 301}, "This has 301 characters; at most 300 can be searched for."),
        ({"q": "lease", "page": "0"}, "There is no such page of results."),
        ({"q": "lease", "page": "x"}, "There is no such page of results."),
        ({"q": "lease", "from": "yesterday"}, "That is no day to look from or to."),
        ({"q": "lease", "from": "2026-02-02", "to": "2026-02-01"}, "The first day is after the last one."),
        ({"q": "lease", "owner": "nobody at all"}, "Nobody here has this in their name"),
    ],
    ids=["stop words", "left out", "long", "page 0", "no page", "no day", "days", "nobody"],
)
def test_what_cannot_be_searched_for_is_told_and_kept(client: SittingClient, given: dict[str, str], words: str) -> None:
    response = client.get(reverse(PAGE), given)
    page = response.content.decode()
    assert response.status_code == 422
    assert words in page
    assert f'value="{given["q"]}"' in page
    assert not AuditEvent.objects.filter(kind="conversation.searched").exists()


@pytest.mark.parametrize(
    "query", ["\0lease", "lease & | ! ( :*", "'; DROP TABLE x --", "\\", "<b>lease</b>", "😀 lease"]
)
def test_hostile_words_are_words(client: SittingClient, query: str) -> None:
    message = said("The lease")
    response = ask(client, query)
    assert response.status_code in (200, 400, 422)
    assert b"<b>lease" not in response.content
    assert Message.objects.filter(pk=message.pk).exists()


def test_hits_are_marked_and_lead_to_the_message(client: SittingClient) -> None:
    message = said("The <script>lease</script> of the warehouse", owner=make_user(first_name="Ada", last_name="L"))
    page = ask(client, "warehouse").content.decode()
    assert "<mark>warehouse</mark>" in page
    assert "&lt;script&gt;" in page
    assert "Ada L" in page
    target = reverse("admin:conversations_conversation_change", args=[message.conversation_id])
    link = re.search(rf'href="({target}\?at={message.pk})#message-{message.pk}"', page)
    assert link is not None
    assert f'id="message-{message.pk}"' in client.get(link[1]).content.decode()


def test_a_search_is_written_down_by_ids_and_counts(client: SittingClient, reviewer: User) -> None:
    message = said("The lease of the warehouse", owner=make_user(username="ada-lovelace"))
    ask(client, "warehouse", owner="ada-lovelace", hidden="no", cost_to="0.50")
    event = AuditEvent.objects.get(kind="conversation.searched")
    assert (event.actor_id, event.reason) == (reviewer.pk, "Case 2026-17")
    assert event.details == {
        "owners_asked": [message.owner_id],
        "owners": [message.owner_id],
        "hidden": "no",
        "cost_to": "0.50",
        "matches": 1,
        "page": 1,
    }
    assert "warehouse" not in json.dumps(list(AuditEvent.objects.values("details", "object_id", "reason")))
    assert "ada" not in json.dumps(event.details)


def test_each_page_of_a_search_is_written_down_and_none_of_no_words(client: SittingClient) -> None:
    said("A warehouse")
    assert ask(client).status_code == 200
    assert ask(client, "  ").status_code == 200
    assert not AuditEvent.objects.filter(kind="conversation.searched").exists()
    for page in (1, 2):
        ask(client, "warehouse", page=page)
    pages = AuditEvent.objects.filter(kind="conversation.searched").order_by("seq")
    assert [(event.details["page"], len(event.details["owners"])) for event in pages] == [(1, 1), (2, 0)]


def test_a_search_asks_for_a_reason_first(reviewer: User) -> None:
    plain = Client()
    plain.force_login(reviewer)
    response = plain.get(reverse(PAGE), {"q": "warehouse"})
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("records:sitting"))


def test_nobody_else_searches(client: SittingClient) -> None:
    said("A warehouse")
    client.force_login(make_user(is_staff=True))
    assert client.get(reverse(PAGE), {"q": "warehouse"}).status_code == 403
    client.force_login(make_user())
    assert client.get(reverse(PAGE), {"q": "warehouse"}).status_code == 302


def test_queries_do_not_grow_with_the_hits(client: SittingClient) -> None:
    counts = []
    for _ in range(2):
        for _ in range(8):
            conversation = make_conversation()
            make_answer(make_prompt(conversation, "A warehouse"), "A warehouse")
        ask(client)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(PAGE), {"q": "warehouse"}).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
