"""Files and ratings over the API: by the same checks as on the pages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from conversations.models import Attachment, Feedback
from conversations.services import conclude_conversation
from tests.access.record import changed_tables, snapshot
from tests.api.caller import Caller
from tests.api.said import Said
from tests.factories import PNG, make_file
from tests.fakes.folder import FilesFolder
from tests.services.calls import begin

pytestmark = pytest.mark.django_db


def file(data: bytes = PNG, name: str = "dot.png", content_type: str = "image/png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type)


def test_a_file_is_uploaded_listed_and_taken_back(said: Said, anna: Caller) -> None:
    made = anna.upload(file())
    shown = made.json()
    assert made.status_code == 201
    assert made["Location"].endswith(f"/api/v1/attachments/{shown['id']}/")
    assert (shown["state"], shown["size"], shown["content_type"]) == ("ready", len(PNG), "image/png")
    assert (shown["width"], shown["height"], shown["message"], shown["owner"]) == (1, 1, None, "anna")
    assert anna.read(made["Location"]) == shown
    assert anna.ids("attachments/?unsent=true") == [shown["id"]]
    assert anna.ask("DELETE", made["Location"]).status_code == 204
    assert anna.get(made["Location"]).status_code == 404


def test_one_that_was_sent_stays_with_its_message(said: Said, anna: Caller) -> None:
    sent = make_file(said.owner, message=said.prompt)
    refused = anna.ask("DELETE", f"attachments/{sent.pk}/")
    assert (refused.status_code, refused.json()["code"]) == (409, "sent")
    assert anna.read(f"attachments/{sent.pk}/")["message"] == str(said.prompt.pk)
    assert anna.read(f"attachments/{sent.pk}/")["conversation"] == str(said.conversation.pk)


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.png",
        "C:\\x.png",
        "a" * 300 + ".png",
        "\u202egnp.png",
        "CON.png",
        '"q".png',
        "=1.png",
    ],
    ids=["path", "windows", "long", "bidi", "con", "quotes", "formula"],
)
def test_f9_a_name_is_kept_as_data_and_leads_nowhere(said: Said, anna: Caller, name: str) -> None:
    made = anna.upload(file(name=name))
    assert made.status_code == 201
    kept = Attachment.objects.get(pk=made.json()["id"])
    assert "/" not in kept.name
    assert "\n" not in kept.name
    assert kept.name not in kept.key


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "a.png"),
        (b"<script>alert(1)</script>", "a.png"),
        (b"MZ\x90", "a.exe"),
        (b"GIF89a;", "a"),
    ],
    ids=["empty", "html as png", "exe", "no ending"],
)
def test_f10_f15_what_is_no_file_that_is_taken_is_refused_and_nothing_kept(
    said: Said, anna: Caller, data: bytes, name: str
) -> None:
    before = snapshot()
    refused = anna.upload(file(data, name))
    assert (refused.status_code, refused.json()["code"]) == (422, "file")
    assert refused.json()["detail"]
    assert changed_tables(before, snapshot()) == []


def test_a_form_without_a_file_or_with_two_or_with_more_is_refused(said: Said, anna: Caller) -> None:
    before = Attachment.objects.count()
    several = anna.form({"file": [file(), file()]})
    for response, field in (
        (anna.form({}), "file"),
        (anna.form({"file": "no file"}), "file"),
        (several, "file"),
        (anna.form({"file": file(), "message": str(said.prompt.pk)}), "message"),
        (anna.form({"file": file(), "owner": "boris"}), "owner"),
        (anna.form({"document": file()}), "file"),
    ):
        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == field
    assert Attachment.objects.count() == before
    assert anna.ask("POST", "attachments/", {"file": "x"}).status_code == 415


def test_storage_that_is_away_is_told_and_the_same_file_may_be_sent_again(
    said: Said, anna: Caller, folder: FilesFolder
) -> None:
    folder.take_away()
    away = anna.upload(file())
    assert (away.status_code, away.json()["code"], away["Retry-After"]) == (503, "storage_away", "10")
    folder.give_back()
    assert anna.upload(file()).status_code == 201


def test_the_same_key_uploads_a_file_once(said: Said, anna: Caller) -> None:
    first, again = (anna.upload(file(), headers={"Idempotency-Key": "f-1"}) for _ in range(2))
    assert first.json() == again.json()
    assert len(anna.ids("attachments/")) == 1
    other = anna.upload(file(PNG, "other.png"), headers={"Idempotency-Key": "f-1"})
    assert other.status_code == 409


def test_q6_all_files_together_have_a_limit(said: Said, anna: Caller, settings: Settings) -> None:
    settings.MAX_STORED_MEGABYTES = 0
    refused = anna.upload(file())
    assert (refused.status_code, refused.json()["code"]) == (422, "file")


def test_a_file_that_could_not_be_kept_is_fetched_once_more(said: Said, anna: Caller) -> None:
    lost = make_file(said.owner, message=said.answer, data=None, origin="model", container_file_id="cfile_1")
    shown = anna.read(f"attachments/{lost.pk}/")
    assert (shown["state"], shown["failure"], shown["can_retry"]) == ("failed", "It was gone.", True)
    again = anna.ask("POST", f"attachments/{lost.pk}/retry/")
    assert (again.status_code, again.json()["state"]) == (202, "pending")
    assert anna.ask("POST", f"attachments/{lost.pk}/retry/").status_code == 409


def test_files_of_a_concluded_conversation_stay_as_they_are(said: Said, anna: Caller) -> None:
    lost = make_file(said.owner, message=said.answer, data=None, origin="model", container_file_id="cfile_1")
    conclude_conversation(conversation=said.conversation)
    refused = anna.ask("POST", f"attachments/{lost.pk}/retry/")
    assert (refused.status_code, refused.json()["code"]) == (409, "concluded")


@pytest.mark.parametrize(
    ("method", "below"), [("GET", ""), ("DELETE", ""), ("POST", "retry/")], ids=["read", "delete", "retry"]
)
def test_a3_a_file_of_somebody_else_is_as_if_it_never_was(said: Said, boris: Caller, method: str, below: str) -> None:
    boris.read("me/")
    sent, unsent = make_file(said.owner, message=said.prompt), make_file(said.owner)
    lost = make_file(said.owner, message=said.answer, data=None, container_file_id="cfile_1")
    before = snapshot()
    answers = [
        boris.ask(method, f"attachments/{pk}/{below}")
        for pk in (sent.pk, unsent.pk, lost.pk, "0199f6a2-5b1c-7c3e-9d44-0f3c9a1b7e00")
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert len({answer.content for answer in answers}) == 1
    assert changed_tables(before, snapshot()) == []


def test_an_answer_is_rated_changed_and_taken_back(said: Said, anna: Caller) -> None:
    address = f"messages/{said.answer.pk}/feedback/"
    assert anna.get(address).status_code == 404
    rated = anna.ask("PUT", address, {"rating": "up", "reason": "Right\u0000"})
    assert rated.status_code == 200
    assert (rated.json()["rating"], rated.json()["reason"]) == ("up", "Right\ufffd")
    assert anna.read(address) == rated.json() == anna.read("feedback/")["results"][0]
    assert anna.ask("PUT", address, {"rating": "up"}).json()["reason"] == "Right\ufffd"
    assert anna.ask("PUT", address, {"rating": "down"}).json()["reason"] == ""
    for _ in range(2):
        assert anna.ask("DELETE", address).status_code == 204
    assert not Feedback.objects.exists()


BAD_RATINGS: list[tuple[Any, int, str]] = [
    ({}, 400, "rating"),
    ({"rating": ""}, 400, "rating"),
    ({"rating": "sideways"}, 400, "rating"),
    ({"rating": 1}, 400, "rating"),
    ({"rating": None}, 400, "rating"),
    ({"rating": ["up"]}, 400, "rating"),
    ({"rating": "up", "reason": 5}, 400, "reason"),
    ({"rating": "up", "reason": None}, 400, "reason"),
    ({"rating": "up", "reason": "x" * 1001}, 422, ""),
    ({"rating": "up", "user": "boris"}, 400, "user"),
]


@pytest.mark.parametrize(("body", "status", "field"), BAD_RATINGS, ids=[json.dumps(row[0])[:40] for row in BAD_RATINGS])
def test_f6_a_rating_that_is_none_is_named(
    said: Said, anna: Caller, body: dict[str, Any], status: int, field: str
) -> None:
    refused = anna.ask("PUT", f"messages/{said.answer.pk}/feedback/", body)
    assert refused.status_code == status
    if field:
        assert refused.json()["errors"][0]["field"] == field
    assert not Feedback.objects.exists()


def test_only_a_finished_answer_of_one_s_own_can_be_rated(said: Said, anna: Caller, boris: Caller) -> None:
    running = begin()
    for caller, message, status in (
        (anna, said.prompt, 409),
        (Caller(running.owner), running, 409),
        (boris, said.answer, 404),
    ):
        assert caller.ask("PUT", f"messages/{message.pk}/feedback/", {"rating": "up"}).status_code == status
        assert caller.ask("DELETE", f"messages/{message.pk}/feedback/").status_code == status
    assert not Feedback.objects.exists()
