"""One conversation: read, changed, deleted, restored, concluded, gone on with, handed out sealed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group

from conversations.models import Conversation, Event
from conversations.services import conclude_conversation, hide_conversation, seal_conversation, start_conversation
from tests.access.record import changed_tables, snapshot
from tests.api.caller import Caller
from tests.api.said import MARK, Said, more, say
from tests.factories import make_assistant, make_model, token

pytestmark = pytest.mark.django_db


def test_a_conversation_is_read_with_what_it_used(said: Said, anna: Caller) -> None:
    more(said)
    shown = anna.read(said.address)
    assert (shown["id"], shown["title"], shown["owner"]) == (str(said.conversation.pk), MARK, "anna")
    assert (shown["usage"]["total_tokens"], shown["usage"]["cost"]) == (26, "0.00011000")


def test_what_has_not_changed_is_not_sent_again(said: Said, anna: Caller) -> None:
    tag = anna.get(said.address)["ETag"]
    again = anna.get(said.address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    more(said)
    assert anna.get(said.address, headers={"If-None-Match": tag}).status_code == 200


def test_a_conversation_is_changed_all_at_once(said: Said, anna: Caller) -> None:
    make_assistant(slug="lawyer")
    make_model("gpt-5")
    wanted = {"title": " Umbrellas \u0000", "pinned": True, "assistant": "lawyer", "model": "gpt-5"}
    response = anna.ask("PATCH", said.address, wanted)
    assert response.status_code == 200
    changed = {name: response.json()[name] for name in wanted}
    assert changed == wanted | {"title": "Umbrellas \ufffd"}
    assert response.json() == anna.read(said.address)


def test_an_assistant_alone_answers_with_its_own_model_and_null_goes_back_to_it(said: Said, anna: Caller) -> None:
    make_assistant(slug="lawyer")
    make_model("gpt-5")
    assert anna.ask("PATCH", said.address, {"model": "gpt-5"}).json()["model"] == "gpt-5"
    assert anna.ask("PATCH", said.address, {"assistant": "lawyer"}).json()["model"] is None
    anna.ask("PATCH", said.address, {"model": "gpt-5"})
    shown = anna.ask("PATCH", said.address, {"model": None}).json()
    assert (shown["assistant"], shown["model"]) == ("lawyer", None)


def test_nothing_asked_for_changes_nothing(said: Said, anna: Caller) -> None:
    before = anna.read(said.address)
    assert anna.ask("PATCH", said.address, {}).json() == before


BAD: list[tuple[Any, int, str]] = [
    ({"title": ""}, 422, "empty"),
    ({"title": "\u200b"}, 422, "empty"),
    ({"title": "x" * 201}, 422, "too_long"),
    ({"title": 5}, 400, "invalid"),
    ({"title": None}, 400, "invalid"),
    ({"title": ["x"]}, 400, "invalid"),
    ({"pinned": "true"}, 400, "invalid"),
    ({"pinned": 1}, 400, "invalid"),
    ({"assistant": "for-others"}, 422, "assistant_unavailable"),
    ({"assistant": "never-was"}, 422, "assistant_unavailable"),
    ({"assistant": None}, 400, "invalid"),
    ({"model": "gpt-9"}, 422, "no_model"),
    ({"model": "unoffered"}, 422, "no_model"),
    ({"pinned": True, "model": "gpt-9"}, 422, "no_model"),
    ({"owner": "boris"}, 400, "invalid"),
    ({"state": "concluded", "title": "Taken"}, 400, "invalid"),
    ({"id": "0199f6a2-5b1c-7c3e-9d44-0f3c9a1b7e00"}, 400, "invalid"),
    ({"created_at": "2020-01-01T00:00:00Z"}, 400, "invalid"),
]


@pytest.mark.parametrize(("body", "status", "code"), BAD, ids=[json.dumps(body)[:60] for body, _, _ in BAD])
def test_f6_f18_what_cannot_be_changed_is_named_and_nothing_is(
    said: Said, anna: Caller, body: dict[str, Any], status: int, code: str
) -> None:
    make_assistant(slug="for-others").groups.add(Group.objects.create(name="Others"))
    make_model("unoffered", is_offered=False)
    before = Conversation.objects.filter(pk=said.conversation.pk).values().get()
    response = anna.ask("PATCH", said.address, body)
    problem = response.json()
    assert (response.status_code, problem["code"]) == (status, code)
    assert response["Content-Type"] == "application/problem+json"
    assert problem["detail"]
    if code in ("invalid", "assistant_unavailable", "no_model"):
        assert problem["errors"][0]["field"] in body
    assert Conversation.objects.filter(pk=said.conversation.pk).values().get() == before


def test_an_assistant_for_others_is_like_one_that_never_was(said: Said, anna: Caller) -> None:
    make_assistant(slug="for-others").groups.add(Group.objects.create(name="Others"))
    answers = [anna.ask("PATCH", said.address, {"assistant": slug}) for slug in ("for-others", "never-was")]
    assert answers[0].content == answers[1].content


def test_of_two_who_read_the_same_one_is_told_of_the_other(said: Said, anna: Caller) -> None:
    tag = anna.get(said.address)["ETag"]
    assert anna.ask("PATCH", said.address, {"title": "First"}, If_Match=tag).status_code == 200
    second = anna.ask("PATCH", said.address, {"title": "Second"}, If_Match=tag)
    assert (second.status_code, second.json()["code"]) == (412, "precondition_failed")
    assert anna.read(said.address)["title"] == "First"
    assert anna.ask("DELETE", said.address, If_Match=tag).status_code == 412
    assert anna.read(said.address)["deleted_at"] is None


def test_what_is_deleted_is_gone_and_can_be_had_back(said: Said, anna: Caller) -> None:
    for _ in range(2):
        assert anna.ask("DELETE", said.address).status_code == 204
    assert anna.get(said.address).status_code == anna.get(f"messages/{said.answer.pk}/").status_code == 404
    assert anna.ask("PATCH", said.address, {"title": "x"}).status_code == 404
    for _ in range(2):
        restored = anna.ask("POST", f"{said.address}restore/")
        assert (restored.status_code, restored.json()["deleted_at"]) == (200, None)
    assert anna.read(said.address)["title"] == MARK


def test_an_answer_that_is_being_written_is_stopped_with_its_conversation(said: Said, anna: Caller) -> None:
    answer = start_conversation(
        owner=said.owner, assistant=said.conversation.assistant, prompt="Long", client_token=token()
    )
    assert anna.ask("DELETE", f"conversations/{answer.conversation_id}/").status_code == 204
    answer.refresh_from_db()
    assert answer.status == "stopped"


def test_a_concluded_conversation_is_sealed_and_its_document_is_what_the_event_tells(
    said: Said, anna: Caller, boris: Caller
) -> None:
    concluded = anna.ask("POST", f"{said.address}conclude/")
    assert (concluded.status_code, concluded.json()["state"]) == (200, "concluded")
    assert concluded.json()["document"] is None
    again = anna.ask("POST", f"{said.address}conclude/")
    assert (again.status_code, again.json()["code"]) == (409, "concluded")
    refused = anna.ask("PATCH", said.address, {"title": "Late"})
    assert (refused.status_code, refused.json()["code"]) == (409, "concluded")
    assert anna.get(f"{said.address}document/").status_code == 404
    assert seal_conversation(conversation_id=said.conversation.pk)
    document = anna.read(said.address)["document"]
    assert document["sha256"] in json.dumps(Event.objects.get().data)
    assert boris.get(f"{said.address}document/").status_code == 404


def test_one_with_a_running_answer_is_not_concluded(said: Said, anna: Caller) -> None:
    answer = start_conversation(
        owner=said.owner, assistant=said.conversation.assistant, prompt="Long", client_token=token()
    )
    refused = anna.ask("POST", f"conversations/{answer.conversation_id}/conclude/")
    assert (refused.status_code, refused.json()["code"]) == (409, "busy")


def test_a_concluded_conversation_goes_on_in_a_new_one(said: Said, anna: Caller) -> None:
    open_one = anna.ask("POST", f"{said.address}continue/")
    assert (open_one.status_code, open_one.json()["code"]) == (409, "not_concluded")
    conclude_conversation(conversation=said.conversation)
    made = anna.ask("POST", f"{said.address}continue/", {})
    assert (made.status_code, made.json()["continued_from"]) == (201, str(said.conversation.pk))
    assert made["Location"].endswith(f"/api/v1/conversations/{made.json()['id']}/")
    assert [row["text"] for row in anna.read(made["Location"] + "messages/")["results"]] == [MARK, "Hello there."]
    assert anna.ask("POST", f"{said.address}continue/").json()["id"] == made.json()["id"]


@pytest.mark.parametrize("deed", ["restore", "conclude", "continue"])
def test_a_deed_takes_no_body(said: Said, anna: Caller, deed: str) -> None:
    before = snapshot()
    response = anna.ask("POST", f"{said.address}{deed}/", {"force": True})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "force")
    assert changed_tables(before, snapshot()) == []


def test_the_same_key_does_a_deed_once_and_answers_alike(said: Said, anna: Caller) -> None:
    address = f"{said.address}conclude/"
    first = anna.ask("POST", address, Idempotency_Key="k-1")
    again = anna.ask("POST", address, Idempotency_Key="k-1")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert again["Idempotency-Replayed"] == "true"


DEEDS = [
    ("GET", ""),
    ("PATCH", ""),
    ("DELETE", ""),
    ("GET", "messages/"),
    ("GET", "messages/?path=all"),
    ("POST", "restore/"),
    ("POST", "conclude/"),
    ("POST", "continue/"),
    ("GET", "document/"),
]


@pytest.mark.parametrize(("method", "below"), DEEDS, ids=[f"{method} {below}" for method, below in DEEDS])
def test_i7_a2_a16_what_is_somebody_elses_is_as_if_it_never_was(
    said: Said, boris: Caller, method: str, below: str
) -> None:
    hidden = hide_conversation(conversation=say(owner=said.owner).conversation)
    before = snapshot()
    body = {"title": "Taken"} if method == "PATCH" else None
    answers = [
        boris.ask(method, f"conversations/{pk}/{below}", body)
        for pk in (said.conversation.pk, hidden.pk, "0199f6a2-5b1c-7c3e-9d44-0f3c9a1b7e00")
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.content for answer in answers}) == 1
    assert changed_tables(before, snapshot()) == []
