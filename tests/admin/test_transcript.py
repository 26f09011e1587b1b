"""A conversation as a reviewer reads it: every message of the tree, in order, branches marked."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from conversations.models import Message, MessageChunk
from records.admin.transcript import read_transcript
from tests.admin.record import make_answer, make_conversation, make_prompt, make_thread


def _page(client: Client, conversation: object) -> str:
    response = client.get(reverse("admin:conversations_conversation_change", args=[conversation]))
    assert response.status_code == 200
    return response.content.decode()


def test_every_branch_is_read_to_its_end_and_marked(db: None) -> None:
    conversation = make_conversation()
    first = make_prompt(conversation, "first")
    failed = make_answer(first, "", status=Message.Status.FAILED, error_text="Try again.")
    answer = make_answer(first, "answer")
    after_failure = make_prompt(conversation, "after the failure", failed)
    old = make_answer(make_prompt(conversation, "old wording", answer), "old answer")
    new = make_answer(make_prompt(conversation, "new wording", answer), "new answer")
    conversation.refresh_from_db()
    assert old.parent is not None
    assert new.parent is not None
    entries = read_transcript(conversation).entries
    assert [(e.view.message.pk, e.place.version, e.place.versions, e.is_shown) for e in entries] == [
        (first.pk, 1, 1, True),
        (failed.pk, 1, 2, False),
        (after_failure.pk, 1, 1, False),
        (answer.pk, 2, 2, True),
        (old.parent.pk, 1, 2, False),
        (old.pk, 1, 1, False),
        (new.parent.pk, 2, 2, True),
        (new.pk, 1, 1, True),
    ]


def test_page_draws_messages_as_the_chat_does_but_offers_nothing_to_do(client: Client, reviewer: User) -> None:
    conversation = make_conversation()
    prompt = make_prompt(conversation, "Why **so**?")
    make_answer(prompt, "", status=Message.Status.FAILED, error_text="The model could not be reached.")
    make_answer(prompt, "Because of *this*.")
    client.force_login(reviewer)
    page = _page(client, conversation.pk)
    assert f'id="message-{prompt.pk}"' in page
    assert "<em>this</em>" in page
    assert "The model could not be reached." in page
    assert "Version 2 of 2" in page
    for doing in ("/stop/", "/retry/", "hx-post", "hx-sse", 'type="submit" name'):
        assert doing not in page
    assert page.count("<form") == 2  # to sign out, and to review it


def test_answer_that_is_being_written_is_shown_as_far_as_it_is(client: Client, reviewer: User) -> None:
    conversation = make_conversation()
    answer = make_answer(make_prompt(conversation), "", status=Message.Status.STREAMING)
    MessageChunk.objects.create(message=answer, start=0, text="So far ")
    MessageChunk.objects.create(message=answer, start=7, text="so good")
    client.force_login(reviewer)
    assert "So far so good" in _page(client, conversation.pk)


def test_unknown_cost_is_shown_as_unknown_and_calls_are_linked(client: Client, reviewer: User) -> None:
    conversation = make_thread()
    call = conversation.generations.get()
    conversation.generations.update(cost=None, input_tokens=None)
    client.force_login(reviewer)
    page = _page(client, conversation.pk)
    assert "<span>cost unknown</span>" in page
    assert "<span>tokens unknown, 5 out</span>" in page
    assert reverse("admin:conversations_generation_change", args=[call.pk]) in page


def test_queries_of_the_page_do_not_grow_with_the_conversation(client: Client, reviewer: User) -> None:
    client.force_login(reviewer)
    counts = []
    for turns in (5, 10):
        conversation = make_thread(turns)
        with CaptureQueriesContext(connection) as queries:
            _page(client, conversation.pk)
        counts.append(len(queries))
    assert counts[0] == counts[1]
