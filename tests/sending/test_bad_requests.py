"""What cannot be sent is refused with words that name it; nothing is written, and no model is called."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from pytest_django import Settings

from accounts.access import Scope
from conversations.models import Assistant, Conversation, Generation, LanguageModel, Message
from conversations.services import start_conversation, stop_answer
from tests.api.caller import Caller
from tests.factories import make_assistant, make_file, make_model, make_user, token
from tests.fakes.folder import FilesFolder
from tests.services.calls import jobs

pytestmark = pytest.mark.django_db
NOWHERE = "0199f6a2-5b1c-7c3e-9d44-0f3c9a1b7e02"
DOOR = {"Prefer": "respond-async"}


@pytest.fixture
def caller() -> Caller:
    make_model()
    make_assistant()
    return Caller(make_user())


@pytest.fixture
def answer(caller: Caller) -> Message:
    """An answer that was cut off, with a file on its prompt."""
    assistant = Assistant.objects.get()
    said = start_conversation(owner=caller.user, assistant=assistant, prompt="Hello", client_token=token())
    said = stop_answer(message=said)
    said.text = "It begins with"
    said.save(update_fields=["text"])
    return said


def rows() -> list[object]:
    kinds = (Conversation, Message, Generation)
    return [sorted(map(repr, kind.objects.values_list())) for kind in kinds] + [jobs("conversations.tasks.answer")]


def addresses(answer: Message) -> dict[str, str]:
    return {
        "start": "conversations/",
        "send": f"conversations/{answer.conversation_id}/messages/",
        "retry": f"messages/{answer.pk}/retry/",
        "edit": f"messages/{answer.parent_id}/edit/",
        "continue": f"messages/{answer.pk}/continue/",
        "stop": f"messages/{answer.pk}/stop/",
    }


def refused(caller: Caller, address: str, body: Any) -> tuple[int, str, list[str], str]:
    """Return status, code, the fields that are named, and the words of a refusal that has changed nothing."""
    before = rows()
    response = caller.ask("POST", address, body, **DOOR)
    assert response["Content-Type"] == "application/problem+json", response.content
    assert rows() == before
    problem = response.json()
    return response.status_code, problem["code"], [error["field"] for error in problem["errors"]], problem["detail"]


TEXT = {"text": "Hello"}
WRONG: dict[str, tuple[str, Any, int, str, list[str]]] = {
    "no text": ("start send edit", {}, 400, "invalid", ["text"]),
    "null": ("start send edit", {"text": None}, 400, "invalid", ["text"]),
    "a number": ("start send edit", {"text": 7}, 400, "invalid", ["text"]),
    "a list": ("start send edit", {"text": ["Hello"]}, 400, "invalid", ["text"]),
    "an object": ("start send edit", {"text": {"text": "Hello"}}, 400, "invalid", ["text"]),
    "f1 empty": ("start send edit", {"text": ""}, 422, "empty", []),
    "f1 white space": ("start send edit", {"text": " \n\t"}, 422, "empty", []),
    "f1 nothing to see": ("start send edit", {"text": "\u200b\u2800"}, 422, "empty", []),
    "f2 too long": ("start send edit", {"text": "x" * 1001}, 422, "too_long", []),
    "an unknown field": ("start send retry edit", TEXT | {"prompt": "Hello"}, 400, "invalid", ["prompt"]),
    "f6 what is not theirs to set": (
        "start send edit",
        TEXT | {"owner": 1, "status": "completed", "role": "assistant", "created_at": "2020-01-01"},
        400,
        "invalid",
        ["created_at", "owner", "role", "status"],
    ),
    "f18 parameters of the model": ("start send edit", TEXT | {"temperature": 99}, 400, "invalid", ["temperature"]),
    "a body where none is wanted": ("continue stop", TEXT, 400, "invalid", ["text"]),
    "f18 no such model": ("retry", {"model": "gpt-9"}, 422, "no_model", ["model"]),
    "f18 no such model for an edit": ("edit", TEXT | {"model": "gpt-9\x00"}, 422, "no_model", ["model"]),
    "no such assistant": ("start", TEXT | {"assistant": "nobody"}, 422, "assistant_unavailable", ["assistant"]),
    "another no such assistant": ("retry", {"assistant": "no\x00body"}, 422, "assistant_unavailable", ["assistant"]),
    "an assistant that is no text": ("start", TEXT | {"assistant": 1}, 400, "invalid", ["assistant"]),
    "a token that is none": ("start send edit", TEXT | {"client_token": "7"}, 400, "invalid", ["client_token"]),
    "a token that is a number": ("start send edit", TEXT | {"client_token": 7}, 400, "invalid", ["client_token"]),
    "files that are no list": ("start send edit", TEXT | {"attachments": NOWHERE}, 400, "invalid", ["attachments"]),
    "files that are no ids": (
        "start send edit",
        TEXT | {"attachments": [NOWHERE, 1]},
        400,
        "invalid",
        ["attachments[1]"],
    ),
    "files that are not there": ("start send edit", TEXT | {"attachments": [NOWHERE]}, 422, "file", []),
    "too many files": (
        "start send edit",
        TEXT | {"attachments": [str(uuid.uuid4()) for _ in range(60)]},
        422,
        "file",
        [],
    ),
    "kept files that are not there": ("edit", TEXT | {"keep_files": [NOWHERE]}, 422, "file", []),
    "a parent that is none": ("send", TEXT | {"parent": "first"}, 400, "invalid", ["parent"]),
    "a parent that is not there": ("send", TEXT | {"parent": NOWHERE}, 409, "no_parent", []),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_and_nothing_is_written(
    caller: Caller, answer: Message, settings: Settings, case: str
) -> None:
    settings.MAX_PROMPT_CHARS = 1000
    operations, body, status, code, fields = WRONG[case]
    for operation in operations.split():
        if operation == "retry" and "text" in body:
            body = {name: value for name, value in body.items() if name != "text"}
        found = refused(caller, addresses(answer)[operation], body)
        assert (found[0], found[1], sorted(found[2])) == (status, code, fields), (operation, found)
        assert len(found[3]) > 10
        assert "\x00" not in found[3]


BYTES = {
    "no json": b"{",
    "a list": b"[]",
    "twice the same key": b'{"text": "a", "text": "b"}',
    "NaN": b'{"text": NaN}',
    "half a character": b'{"text": "\\ud800"}',
    "no utf-8": b'{"text": "\xff"}',
    "deep": b'{"text": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "large": json.dumps({"text": "x" * 2_100_000}).encode(),
}


@pytest.mark.parametrize("case", BYTES)
def test_f3_bodies_that_cannot_be_read_are_refused(caller: Caller, answer: Message, case: str) -> None:
    before = rows()
    for address in addresses(answer).values():
        response = caller._client.generic("POST", f"/api/v1/{address}", BYTES[case], "application/json", headers=DOOR)
        assert response.status_code == (413 if case == "large" else 400), (address, response.content)
        assert response["Content-Type"] == "application/problem+json"
    assert rows() == before


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_f5_r1_only_json_is_read(caller: Caller, answer: Message, kind: str) -> None:
    before = rows()
    for address in addresses(answer).values():
        response = caller._client.generic("POST", f"/api/v1/{address}", b'{"text": "Hello"}', kind, headers=DOOR)
        assert response.status_code == 415, address
    assert rows() == before


def test_f5_what_is_wanted_back_must_be_something_that_there_is(caller: Caller, answer: Message) -> None:
    before = rows()
    for kind in ("text/html", "application/xml", "text/event-stream;q=0"):
        for address in addresses(answer).values():
            assert caller.ask("POST", address, TEXT, Accept=kind, **DOOR).status_code == 406, (kind, address)
    assert rows() == before


def test_a8_a_token_without_the_scope_sends_nothing(caller: Caller, answer: Message) -> None:
    reader = Caller(caller.user, [Scope.READ])
    for address in addresses(answer).values():
        status, code, _, words = refused(reader, address, TEXT)
        assert (status, code) == (403, "scope_missing")
        assert "write" in words
    writer = Caller(caller.user, [Scope.WRITE])
    assert writer.get(f"messages/{answer.pk}/stream/").status_code == 403


def test_a4_files_and_messages_of_others_are_not_there(caller: Caller, answer: Message, folder: FilesFolder) -> None:
    LanguageModel.objects.update(accepts_images=True)
    other = Caller(make_user())
    foreign_file = make_file(other.user)
    foreign = start_conversation(
        owner=other.user, assistant=Assistant.objects.get(), prompt="Mine", client_token=token()
    )
    for address in (addresses(answer)[name] for name in ("start", "send", "edit")):
        assert refused(caller, address, TEXT | {"attachments": [str(foreign_file.pk)]})[:2] == (422, "file")
    assert refused(caller, addresses(answer)["send"], TEXT | {"parent": str(foreign.pk)})[:2] == (409, "no_parent")
    for name, address in addresses(foreign).items():
        if name != "start":
            assert refused(caller, address, TEXT if name in ("send", "edit") else {})[:2] == (404, "not_found"), name


def test_what_is_concluded_or_of_another_role_is_a_conflict(caller: Caller, answer: Message) -> None:
    prompt = answer.parent_id
    assert refused(caller, f"messages/{prompt}/retry/", {})[:2] == (409, "not_retryable")
    assert refused(caller, f"messages/{prompt}/continue/", {})[:2] == (409, "not_continuable")
    assert refused(caller, f"messages/{prompt}/stop/", {})[:2] == (409, "not_running")
    assert refused(caller, f"messages/{answer.pk}/edit/", TEXT)[:2] == (409, "not_editable")
    assert caller.ask("POST", f"conversations/{answer.conversation_id}/conclude/").status_code == 200
    for name, address in addresses(answer).items():
        if name not in ("start", "stop"):
            assert refused(caller, address, TEXT if name in ("send", "edit") else {})[:2] == (409, "concluded"), name


def test_q1_a_limit_says_when_to_come_back(caller: Caller, answer: Message, settings: Settings) -> None:
    settings.MAX_PARALLEL_ANSWERS = 1
    assert caller.ask("POST", "conversations/", TEXT, **DOOR).status_code == 202
    before = rows()
    response = caller.ask("POST", "conversations/", TEXT, **DOOR)
    assert (response.status_code, response.json()["code"], response["Retry-After"]) == (429, "limit", "15")
    assert rows() == before


def test_q1_answers_are_counted_by_the_minute_and_stops_are_not(
    caller: Caller, answer: Message, settings: Settings
) -> None:
    settings.API_ANSWERS_PER_MINUTE = 1
    assert caller.ask("POST", "conversations/", TEXT, **DOOR).status_code == 202
    before = rows()
    for address in ("conversations/", f"messages/{answer.pk}/retry/"):
        response = caller.ask("POST", address, {}, **DOOR)
        assert (response.status_code, response.json()["code"]) == (429, "throttled")
        assert int(response["Retry-After"]) > 0
    assert rows() == before
    assert caller.ask("POST", f"messages/{answer.pk}/stop/", {}).status_code == 200


def test_where_nothing_is_to_be_said_no_body_is_needed(caller: Caller, answer: Message) -> None:
    for address in (f"messages/{answer.pk}/stop/", f"messages/{answer.pk}/retry/"):
        response = caller._client.generic("POST", f"/api/v1/{address}", b"", "", headers=DOOR)
        assert response.status_code in (200, 202), response.content


@pytest.mark.parametrize("asked", ["wait=abc", "wait=-1", "wait", "handling=lenient, , =", "wait=1e9", ";;;,,,==="])
def test_preferences_that_make_no_sense_are_passed_over(caller: Caller, asked: str) -> None:
    response = caller.ask("POST", "conversations/", TEXT, Prefer=f"respond-async, {asked}")
    assert (response.status_code, response["Preference-Applied"]) == (202, "respond-async")


@pytest.mark.parametrize(
    ("given", "stored"),
    [("  Hi\r\nthere ", "Hi\nthere"), ("a\x00b", "a\ufffdb"), ("😀 ü", "😀 ü"), ("<script>", "<script>")],
    ids=["lines", "nul", "emoji", "markup"],
)
def test_text_is_stored_as_from_the_page(caller: Caller, given: str, stored: str) -> None:
    assert caller.ask("POST", "conversations/", {"text": given}, **DOOR).status_code == 202
    assert Message.objects.get(role="user").text == stored
