"""Transcripts of any length are read page by page, and each page is written down."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from conversations.models import Conversation, Generation, Message
from records.admin.transcript import PAGE, read_transcript
from tests.admin.record import make_answer, make_conversation, make_prompt
from tests.sitting import SittingClient

pytestmark = pytest.mark.django_db


def _long(count: int, **fields: object) -> Conversation:
    """A conversation of so many messages, each after the one before."""
    conversation = make_conversation(**fields)  # type: ignore[arg-type]
    owner = conversation.owner
    messages: list[Message] = []
    for number in range(count):
        messages.append(
            Message(
                conversation=conversation,
                owner=owner,
                parent_id=messages[-1].pk if messages else None,
                role="user" if number % 2 == 0 else "assistant",
                status="completed",
                text=f"Message {number + 1}",
            )
        )
    Message.objects.bulk_create(messages)
    Conversation.objects.filter(pk=conversation.pk).update(current_leaf=messages[-1])
    conversation.refresh_from_db()
    return conversation


def _page(client: SittingClient, conversation: Conversation, query: str = "") -> str:
    response = client.get(reverse("admin:conversations_conversation_change", args=[conversation.pk]) + query)
    assert response.status_code == 200
    return response.content.decode()


def test_a_long_transcript_comes_in_pages(client: SittingClient) -> None:
    conversation = _long(2 * PAGE + 1)
    numbers = {page: read_transcript(conversation, page=page) for page in ("", "1", "2", "3")}
    assert [(one.page, one.first, one.last) for one in numbers.values()] == [
        (1, 1, PAGE),
        (1, 1, PAGE),
        (2, PAGE + 1, 2 * PAGE),
        (3, 2 * PAGE + 1, 2 * PAGE + 1),
    ]
    page = _page(client, conversation, "?page=2")
    assert f"Messages {PAGE + 1} to {2 * PAGE} of {2 * PAGE + 1}" in page
    assert 'rel="prev" href="?page=1"' in page
    assert 'rel="next" href="?page=3"' in page
    assert page.count('class="transcript-entry') == PAGE


def test_a_link_to_a_message_shows_its_page() -> None:
    conversation = _long(PAGE + 5)
    last = conversation.current_leaf_id
    transcript = read_transcript(conversation, at=str(last))
    assert transcript.page == 2
    assert transcript.entries[-1].view.message.pk == last


@pytest.mark.parametrize("query", ["?page=0", "?page=-1", "?page=x", "?page=99999999999", "?page=²", "?at=nonsense",
                                   "?at=00000000-0000-7000-8000-000000000000", "?page=1&at="])  # fmt: skip
def test_a_page_that_there_is_not_is_another_one(client: SittingClient, query: str) -> None:
    assert "Message 1" in _page(client, _long(3), query)


def test_queries_and_texts_do_not_grow_with_the_transcript(client: SittingClient) -> None:
    counts, sizes = [], []
    for count in (2 * PAGE, 10 * PAGE):
        conversation = _long(count)
        with CaptureQueriesContext(connection) as queries:
            page = _page(client, conversation, "?page=2")
        counts.append(len(queries))
        sizes.append(len(page))
        whole = [query["sql"] for query in queries if '"conversations_message"."text"' in query["sql"]]
        assert whole
        assert all(" IN (" in sql for sql in whole)
    assert counts[0] == counts[1]
    assert abs(sizes[1] - sizes[0]) < 2_000


def test_thousands_of_turns_are_no_deeper_than_the_stack() -> None:
    transcript = read_transcript(_long(5_000), page="25")
    assert (transcript.messages, transcript.pages, transcript.last) == (5_000, 25, 5_000)


def test_each_page_is_written_down_once(client: SittingClient) -> None:
    conversation = _long(PAGE + 1)
    _page(client, conversation)
    _page(client, conversation, "?page=2")
    events = AuditEvent.objects.filter(kind="conversation.read").order_by("seq")
    assert [(event.object_id, event.subject_id) for event in events] == [
        (str(conversation.pk), conversation.owner_id)
    ] * 2
    assert [event.details for event in events] == [
        {"page": 1, "messages": PAGE, "pictures": 0},
        {"page": 2, "messages": 1, "pictures": 0},
    ]
    assert {event.reason for event in events} == {"Case 2026-17"}


def test_versions_are_linked_across_pages(client: SittingClient) -> None:
    conversation = make_conversation()
    first = make_prompt(conversation, "first")
    one, other = make_answer(first, "one"), make_answer(first, "other")
    page = _page(client, conversation)
    assert f'href="?at={other.pk}#message-{other.pk}">Next</a>' in page
    assert f'href="?at={one.pk}#message-{one.pk}">Previous</a>' in page


def test_every_call_of_an_answer_is_told_in_a_fold(client: SittingClient) -> None:
    conversation = make_conversation()
    answer = make_answer(make_prompt(conversation), "", status="failed", error_code="timeout", error_text="Too slow.")
    call = Generation.objects.get(message=answer)
    call.pk, call.attempt, call.status = None, 2, "failed"
    call.error_code, call.error_detail = "timeout", "<b>upstream</b> said 504"
    call.finished_at = timezone.now()
    Generation.objects.bulk_create([call])
    page = _page(client, conversation)
    assert "<summary>2 model calls</summary>" in page
    assert "Answer, attempt 2" in page
    assert "&lt;b&gt;upstream&lt;/b&gt; said 504" in page
    assert "Failed: timeout" in page


def test_a_missing_conversation_is_no_fault(client: SittingClient) -> None:
    for pk in ("00000000-0000-7000-8000-000000000000", "nonsense"):
        address = reverse("admin:conversations_conversation_change", args=[pk])
        assert client.get(address).status_code == 302
    assert not AuditEvent.objects.filter(kind="conversation.read").exists()
