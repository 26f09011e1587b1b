"""A conversation that is too long for one page: what is shown of it, and what that takes."""

from __future__ import annotations

import re

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conversations.models import Conversation, Message
from tests.pages.record import add_turns, text_of
from tests.pages.versions import shown, thread


def test_an_old_message_is_shown_with_what_surrounds_it(page: Client, conversation: Conversation) -> None:
    add_turns(conversation, 200)
    path = [str(message.pk) for message in conversation.path()]
    response = page.get(thread(conversation, f"?at={path[150]}"))
    assert shown(response) == path[100:200]
    assert "Show earlier messages (100 more)" in text_of(response)
    assert "Show later messages (202 more)" in text_of(response)
    body = response.content.decode()
    assert f'href="?at={path[100]}#message-{path[100]}"' in body
    assert f'href="?at={path[199]}#message-{path[199]}"' in body
    assert shown(page.get(thread(conversation, f"?at={path[401]}"))) == path[302:]


def test_no_page_shows_more_than_a_thousand_messages(page: Client, conversation: Conversation) -> None:
    count = 1100
    rows = [
        Message(conversation=conversation, owner=conversation.owner, role="user", status="completed", text="Again")
        for _ in range(count)
    ]
    before = conversation.current_leaf_id
    for row in rows:
        row.parent_id, before = before, row.pk
    Message.objects.bulk_create(rows)
    Conversation.objects.update(current_leaf=rows[-1])
    response = page.get(thread(conversation, "?show=900000"))
    assert len(shown(response)) == 1000
    (link,) = re.findall(r'href="(\?at=[^"]+)"', response.content.decode().split('<ol class="thread"')[0])
    assert str(rows[100].pk) in link


def test_what_is_said_is_read_of_the_messages_shown_alone(page: Client, conversation: Conversation) -> None:
    add_turns(conversation, 300)
    with CaptureQueriesContext(connection) as captured:
        page.get(thread(conversation))
    reading = [query["sql"] for query in captured if '"conversations_message"."text"' in query["sql"]]
    assert len(reading) == 1
    assert '"conversations_message"."id" IN' in reading[0]
