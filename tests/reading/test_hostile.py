"""What people wrote and named stays text in the reading room."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from pytest_django import Settings

from conversations.models import Attachment, Generation
from conversations.services import index_messages
from conversations.text import clean_text
from records.services.facts import keep_facts
from tests.admin.record import make_answer, make_conversation, make_prompt
from tests.admin.test_hostile_text import HOSTILE, _active_content
from tests.factories import make_assistant, make_file, make_model, make_user
from tests.fakes.folder import FilesFolder
from tests.rendering import corpus
from tests.sitting import SittingClient

pytestmark = pytest.mark.django_db
LIST, SEARCH = "admin:conversations_conversation_changelist", "admin:conversations_conversation_search"


@pytest.mark.parametrize("text", HOSTILE)
def test_x14_names_titles_and_messages_are_inert_in_lists_hits_and_filters(
    client: SittingClient, settings: Settings, tmp_path: Path, text: str
) -> None:
    FilesFolder(settings, tmp_path)
    Group.objects.create(name=text[:150])
    make_model(label=text)
    owner = make_user(first_name=text[:150], last_name=text[:150])
    conversation = make_conversation(owner=owner, assistant=make_assistant(name=text), title=text)
    answer = make_answer(make_prompt(conversation, f"{text} warehouse"), text, status="failed", error_text=text)
    Generation.objects.update(error_detail=text, error_code=text[:40], model_answered=text, finish_reason=text[:60])
    make_file(owner, message=answer.parent, name=text)
    make_file(owner, message=answer, name=f"{text}.txt", content_type="text/plain", origin="model")
    Attachment.objects.create(
        owner=owner, message=answer, origin="model", state="failed", key="k", name=text, failure=text
    )
    keep_facts()
    index_messages()
    addresses = [
        reverse(LIST),
        reverse(SEARCH) + "?q=warehouse",
        reverse("admin:conversations_conversation_change", args=[conversation.pk]),
    ]
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200, address
        assert _active_content(response.content.decode()) == [], address
    for address in (reverse(LIST), reverse(SEARCH)):
        for name in ("owner", "from", "assistant", "cost_from", "q"):
            response = client.get(address, {name: text})
            assert _active_content(response.content.decode()) == [], (address, name)


def test_x14_the_corpus_of_markdown_is_inert_in_a_transcript(client: SittingClient) -> None:
    conversation = make_conversation()
    parent = None
    for attack in corpus.HOSTILE:
        parent = make_answer(make_prompt(conversation, clean_text(attack), parent), clean_text(attack))
    page = client.get(reverse("admin:conversations_conversation_change", args=[conversation.pk]))
    assert page.status_code == 200
    assert _active_content(page.content.decode()) == []
