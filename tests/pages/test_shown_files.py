"""Files of an answer as pages show them: what became of each, fetched once more, in few queries."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from conversations.models import Conversation, Message
from conversations.templatetags.pages import file_kind, file_size
from records.admin.transcript import read_transcript
from tests.factories import make_file
from tests.pages.record import HTMX, add_turns, text_of
from tests.pages.uploads import CSV

pytestmark = pytest.mark.usefixtures("places", "takes_everything")


def test_what_became_of_each_file_of_an_answer_is_shown(page: Client, owner: User, answer: Message) -> None:
    made: dict[str, Any] = {"origin": "model", "message": answer, "content_type": "application/octet-stream"}
    ready = make_file(owner, data=CSV, name="table.csv", **made)
    picture = make_file(owner, name="chart.png", **made | {"content_type": "image/png", "width": 1, "height": 1})
    lost = make_file(owner, data=None, name="lost.docx", container_file_id="cfile_1", **made)
    hopeless = make_file(owner, data=None, name="huge.zip", failure="It has 900 MB.", **made)
    make_file(owner, data=None, name="late.json", state="pending", failure="", **made)
    make_file(owner, data=None, name="gone.txt", state="deleted", failure="", **made)
    response = page.get(f"/conversations/{answer.conversation_id}/")
    body, words = response.content.decode(), text_of(response)
    assert f'href="/attachments/{ready.pk}/"' in body
    assert "table.csv CSV · 19 B" in words
    assert f'src="/attachments/{picture.pk}/thumbnail/"' in body
    assert f'href="/attachments/{picture.pk}/?inline"' in body
    assert "lost.docx It was gone." in words
    assert f'hx-post="/attachments/{lost.pk}/retry/"' in body
    assert "huge.zip It has 900 MB." in words
    assert f"/attachments/{hopeless.pk}/" not in body
    assert "late.json On its way into storage" in words
    assert f'hx-get="/messages/{answer.pk}/" hx-trigger="load delay:3s"' in body
    assert "gone.txt" not in words


def test_a_page_asks_again_only_while_a_file_is_on_its_way(page: Client, owner: User, answer: Message) -> None:
    make_file(owner, message=answer, data=None)
    assert "load delay:3s" not in page.get(f"/conversations/{answer.conversation_id}/").content.decode()


def test_links_of_an_answer_into_the_container_lead_to_our_files(page: Client, owner: User, answer: Message) -> None:
    answer.text = "See [the table](sandbox:/mnt/data/table.csv) and [another](sandbox:/mnt/data/other.csv)."
    answer.save()
    table = make_file(owner, message=answer, data=CSV, name="table.csv", content_type="text/csv", origin="model")
    body = page.get(f"/conversations/{answer.conversation_id}/").content.decode()
    assert re.search(rf'<a href="/attachments/{table.pk}/"[^>]*>the table</a>', body)
    assert "sandbox:" not in body


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_u23_a_lost_file_of_an_answer_is_fetched_once_more(
    page: Client, owner: User, answer: Message, headers: dict[str, str]
) -> None:
    lost = make_file(owner, message=answer, data=None, container_file_id="cfile_1", origin="model")
    response = page.post(f"/attachments/{lost.pk}/retry/", headers=headers)
    lost.refresh_from_db()
    assert response.status_code == (200 if headers else 303)
    assert lost.state == "pending"
    assert ProcrastinateJob.objects.filter(args__contains={"attachment_id": str(lost.pk)}).count() == 1
    again = page.post(f"/attachments/{lost.pk}/retry/", headers=headers)
    assert again.status_code == (409 if headers else 303)


def test_a_file_without_a_message_is_not_retried(page: Client, owner: User) -> None:
    assert page.post(f"/attachments/{make_file(owner).pk}/retry/").status_code == 404


def test_a_concluded_conversation_shows_its_files_and_changes_none(page: Client, owner: User, answer: Message) -> None:
    make_file(owner, message=answer, data=None, container_file_id="cfile_1", origin="model")
    ready = make_file(owner, message=answer.parent)
    Conversation.objects.update(state="concluded", concluded_at=timezone.now())
    body = page.get(f"/conversations/{answer.conversation_id}/").content.decode()
    assert f'href="/attachments/{ready.pk}/?inline"' in body
    assert "/retry/" not in body


def test_a_reviewer_opens_files_through_the_back_office_and_not_through_the_pages_of_owners(
    owner: User, answer: Message
) -> None:
    make_file(owner, message=answer)
    (view,) = [entry.view for entry in read_transcript(answer.conversation).entries if not entry.view.is_prompt]
    assert [one.name for one in view.pictures] == ["dot.png"]
    assert not view.routes.is_owner
    assert {view.routes.download.split(":")[0], view.routes.thumbnail.split(":")[0]} == {"records"}


def test_files_of_many_messages_take_one_query(page: Client, owner: User, conversation: Conversation) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            page.get(f"/conversations/{conversation.pk}/")
        return len(captured)

    add_turns(conversation, 10)
    before = count()
    for message in conversation.messages.all():
        make_file(owner, message=message)
        make_file(owner, message=message, data=CSV, name="a.csv", content_type="text/csv")
    assert count() == before


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1 KB"), (14_400, "14 KB"), (999_499, "999 KB"), (999_500, "1.0 MB"),
        (9_949_999, "9.9 MB"), (9_950_000, "10 MB"), (45_000_000, "45 MB"), (1_200_000_000, "1.2 GB"), (None, ""),
    ],
)  # fmt: skip
def test_sizes_are_written_for_people(size: int | None, words: str) -> None:
    assert file_size(size) == words


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.pdf", "PDF"),
        ("a.b.XLSX", "XLSX"),
        ("Makefile", "File"),
        (".env", "File"),
        ("a.<b>", "File"),
        ("a.é", "File"),
    ],
)
def test_types_are_written_for_people(name: str, kind: str) -> None:
    assert file_kind(name) == kind
