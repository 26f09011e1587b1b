"""Lists of the back office stay as quick with a million rows as with ten."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from conversations.models import Conversation
from records.admin.conversation_list import IdPaginator
from records.admin.record import CappedPaginator
from tests.admin.record import make_thread

LISTS = ["conversations_conversation", "conversations_message", "conversations_generation",
         "conversations_assistant", "conversations_languagemodel", "accounts_user"]  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_queries_do_not_grow_with_the_rows(client: Client, superuser: User, name: str) -> None:
    client.force_login(superuser)
    counts = []
    for _ in range(2):
        for _ in range(10):
            make_thread()
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(f"admin:{name}_changelist")).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("name", LISTS[1:3])
def test_nothing_counts_the_whole_table(client: Client, superuser: User, name: str) -> None:
    make_thread()
    client.force_login(superuser)
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse(f"admin:{name}_changelist"), {"q": "a"})
    counting = [query["sql"] for query in queries if query["sql"].startswith("SELECT COUNT(*)")]
    assert counting
    assert all(f"LIMIT {CappedPaginator.MOST}" in sql for sql in counting)
    assert not any("GROUP BY" in sql or "LEFT(" in sql for sql in counting)


def test_list_of_messages_leaves_their_texts_in_the_database(client: Client, superuser: User) -> None:
    make_thread()
    client.force_login(superuser)
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("admin:conversations_message_changelist"))
    whole = re.compile(r'(?<!LEFT\()"conversations_message"\."text"')
    assert not [query["sql"] for query in queries if whole.search(query["sql"])]


def test_paging_ends_where_counting_does(db: None) -> None:
    for _ in range(3):
        make_thread()
    for kind in (CappedPaginator, IdPaginator):
        paginator = kind(Conversation.objects.order_by("-id"), 2)
        paginator.MOST = 2
        assert (paginator.count, paginator.num_pages) == (2, 1)


def test_the_list_of_conversations_counts_nothing(client: Client, superuser: User) -> None:
    make_thread()
    client.force_login(superuser)
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("admin:conversations_conversation_changelist"), {"files": "no", "owner": "person"})
    assert not [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert [query["sql"] for query in queries if query["sql"].endswith("LIMIT 2000")]
