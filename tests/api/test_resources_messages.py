"""Messages: the path that is shown, all versions, one by one, and those that are being written."""

from __future__ import annotations

import json

import pytest

from conversations.models import Message, MessageChunk
from conversations.services import edit_prompt, retry_answer
from tests.api.caller import Caller, every_page
from tests.api.said import MARK, Said, ended, more, say
from tests.factories import token
from tests.services.calls import begin, claim, job_of, lose

pytestmark = pytest.mark.django_db


def test_the_current_path_is_what_the_page_shows_and_all_is_every_version(said: Said, anna: Caller) -> None:
    again = ended(retry_answer(message=said.answer), "Hi.")
    last = more(again)
    current = anna.read(f"{said.address}messages/")["results"]
    assert [row["text"] for row in current] == [MARK, "Hi.", "And then?", "Hello there."]
    assert [row["parent"] for row in current] == [None, *(row["id"] for row in current[:-1])]
    everything = anna.ids(f"{said.address}messages/?path=all")
    assert everything == [
        str(message.pk) for message in (said.prompt, said.answer, again.answer, last.prompt, last.answer)
    ]
    assert anna.ids(f"{said.address}messages/?path=current") == [row["id"] for row in current]


def test_a_long_path_is_read_in_pages_that_miss_nothing_and_go_back(said: Said, anna: Caller) -> None:
    for number in range(3):
        more(said, f"Number {number}")
    whole = every_page(anna, f"{said.address}messages/")
    assert len(whole) == 8
    for of in ("current", "all"):
        assert every_page(anna, f"{said.address}messages/?limit=3&path={of}") == whole
        second = anna.read(anna.read(f"{said.address}messages/?limit=3&path={of}")["next"])
        assert second["results"] == whole[3:6]
        assert anna.read(second["previous"])["results"] == whole[:3]


def test_a_path_that_grows_is_read_on_without_a_gap(said: Said, anna: Caller) -> None:
    first = anna.read(f"{said.address}messages/?limit=1")
    more(said)
    rest = every_page(anna, first["next"])
    assert [row["text"] for row in first["results"] + rest] == [MARK, "Hello there.", "And then?", "Hello there."]


def test_a_path_that_leads_elsewhere_by_now_is_begun_anew(said: Said, anna: Caller) -> None:
    further = more(said)
    page = anna.read(f"{said.address}messages/?limit=3")
    edit_prompt(message=further.prompt, prompt="Something else", client_token=token())
    response = anna.get(page["next"])
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "cursor")
    assert "first page" in response.json()["detail"]


@pytest.mark.parametrize("cursor", ["x", "YQ==", "YTEy", "0" * 500, "%F0%9F%8C%82", "bnVsbA=="])
def test_a_cursor_that_is_none_is_named(said: Said, anna: Caller, cursor: str) -> None:
    response = anna.get(f"{said.address}messages/?cursor={cursor}")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "cursor")


def test_a_message_is_the_same_wherever_it_is_read(said: Said, anna: Caller) -> None:
    alone = anna.read(f"messages/{said.answer.pk}/")
    assert alone == anna.read(f"{said.address}messages/")["results"][1]
    assert alone == anna.read("messages/?role=assistant")["results"][0]


def test_hostile_text_is_data(anna: Caller, said: Said) -> None:
    text = "</script><img src=x onerror=alert(1)> \u202e \ufffd {{7*7}} 🌂"
    hostile = say(text, owner=said.owner)
    response = anna.get(f"messages/{hostile.prompt.pk}/")
    assert response["Content-Type"] == "application/json"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert json.loads(response.content)["text"] == text


def test_the_whole_of_a_long_text_is_told(said: Said, anna: Caller) -> None:
    Message.objects.filter(pk=said.answer.pk).update(text="word " * 200_000)
    assert len(anna.read(f"messages/{said.answer.pk}/")["text"]) == 1_000_000


def test_an_answer_that_is_being_written_is_told_so_far() -> None:
    answer = begin()
    anna = Caller(answer.owner)
    claim(answer)
    MessageChunk.objects.create(message=answer, start=0, text="It be")
    for shown in (
        anna.read(f"messages/{answer.pk}/"),
        anna.read("messages/?status=streaming")["results"][0],
        anna.read(f"conversations/{answer.conversation_id}/messages/")["results"][1],
    ):
        assert (shown["status"], shown["text"]) == ("streaming", "It be")


def test_reading_an_answer_whose_worker_died_settles_it() -> None:
    answers = [begin() for _ in range(2)]
    for answer in answers:
        claim(answer)
        MessageChunk.objects.create(message=answer, start=0, text="It be")
        lose(job_of(answer))
    for answer, address in zip(answers, (f"messages/{answers[0].pk}/", "messages/?role=assistant"), strict=True):
        shown = Caller(answer.owner).read(address)
        shown = shown if "id" in shown else shown["results"][0]
        assert (shown["status"], shown["text"]) == ("interrupted", "It be")


@pytest.mark.parametrize("path", ["", "feedback/"])
def test_i7_a2_a_message_of_somebody_else_is_as_if_it_never_was(said: Said, boris: Caller, path: str) -> None:
    answers = [boris.get(f"messages/{pk}/{path}") for pk in (said.answer.pk, "0199f6a2-5b1c-7c3e-9d44-0f3c9a1b7e00")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_both_spellings_of_an_address_lead_to_the_same(said: Said, anna: Caller) -> None:
    with_slash, without = anna.get(f"messages/{said.answer.pk}/"), anna.get(f"messages/{said.answer.pk}")
    assert (without.status_code, without.content) == (200, with_slash.content)
