"""Batches over the API: taken or refused as a whole, seen and steered by their owner alone."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Scope
from accounts.models import User
from batches.models import Batch, BatchItem
from conversations.models import Assistant, Message
from tests.api.caller import Caller, counted, every_page
from tests.batches.given import begin_all, go_through, make
from tests.factories import make_user

pytestmark = pytest.mark.django_db
LINES = b'{"custom_id": "a", "prompt": "One"}\n{"custom_id": "b", "prompt": "Two"}\n'


def file(data: bytes = LINES, name: str = "letters.jsonl") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="application/octet-stream")


def client_of(caller: Caller) -> Client:
    return Client(headers={"Authorization": f"Bearer {caller.secret}"})


def send(caller: Caller, form: dict[str, Any], **headers: str) -> Any:
    return client_of(caller).post("/api/v1/batches/", form, headers=headers)


@pytest.fixture
def caller(owner: User) -> Caller:
    return Caller(owner)


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """Return a problem, once it is seen to be one and nothing was written."""
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json"), response.content
    body: dict[str, Any] = response.json()
    assert (body["code"], body["status"]) == (code, status), body
    return body


def test_a_file_of_prompts_is_taken(caller: Caller, assistant: Assistant) -> None:
    response = send(caller, {"file": file(), "assistant": assistant.slug, "name": " Letters\nof May "})
    assert response.status_code == 201, response.content
    shown = response.json()
    assert (shown["name"], shown["assistant"], shown["state"]) == ("Letters of May", assistant.slug, "running")
    assert shown["counts"] == dict.fromkeys(shown["counts"], 0) | {"total": 2, "waiting": 2}
    assert response["Location"].endswith(f"/api/v1/batches/{shown['id']}/")
    assert caller.read(response["Location"]) == shown
    assert list(BatchItem.objects.values_list("custom_id", "prompt")) == [("a", "One"), ("b", "Two")]
    assert not Message.objects.exists()


def test_a_table_is_taken_under_its_own_name(caller: Caller, assistant: Assistant) -> None:
    form = {"file": file(b"prompt\nOne\n", "../../x/table.csv"), "assistant": assistant.slug}
    assert send(caller, form).json()["name"] == "table.csv"


def test_how_far_a_batch_is_is_told_at_every_step(caller: Caller, owner: User, assistant: Assistant) -> None:
    batch = make(owner, assistant, 6)
    begin_all()
    shown = caller.read(f"batches/{batch.pk}/")
    assert shown["counts"] | {"waiting": 2, "running": 4, "total": 6} == shown["counts"]
    go_through(batch)
    shown = caller.read(f"batches/{batch.pk}/")
    assert (shown["state"], shown["counts"]["completed"], shown["ended_at"][-1]) == ("done", 6, "Z")


def test_batches_are_listed_newest_first_and_page_by_page_in_few_queries(
    caller: Caller, owner: User, assistant: Assistant
) -> None:
    made = [str(make(owner, assistant, 1).pk) for _ in range(3)]
    make(make_user(), assistant, 1)
    assert [row["id"] for row in every_page(caller, "batches/?limit=2")] == made[::-1]
    with CaptureQueriesContext(connection) as few:
        caller.read("batches/")
    for _ in range(5):
        make(owner, assistant, 1)
    with CaptureQueriesContext(connection) as many:
        caller.read("batches/")
    assert counted(many) == counted(few)
    assert caller.read("batches/?state=done")["results"] == []
    problem(caller.get("batches/?state=paused"), 400, "invalid")
    problem(caller.get("batches/?owner=1"), 400, "invalid")


def test_i4_the_same_file_sent_twice_with_a_key_is_one_batch(caller: Caller, assistant: Assistant) -> None:
    answers = [
        send(caller, {"file": file(), "assistant": assistant.slug}, **{"Idempotency-Key": "one"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    other = send(
        caller, {"file": file(LINES + LINES.lower()), "assistant": assistant.slug}, **{"Idempotency-Key": "one"}
    )
    assert other.status_code == 409
    assert Batch.objects.count() == 1


def test_i4_a_batch_whose_maker_died_before_the_answer_is_not_made_twice(caller: Caller, assistant: Assistant) -> None:
    from rest.models import IdempotentRequest

    def die() -> None:
        silent = timezone.now() - datetime.timedelta(minutes=5)
        IdempotentRequest.objects.update(state="running", seen_at=silent)

    form = {"file": file(), "assistant": assistant.slug, "name": "Letters"}
    first = send(caller, form, **{"Idempotency-Key": "two"}).json()
    die()
    again = send(caller, form | {"file": file()}, **{"Idempotency-Key": "two"})
    assert (again.json()["id"], Batch.objects.count()) == (first["id"], 1)
    IdempotentRequest.objects.update(state="open", fingerprint="")  # as after an error
    other = send(caller, form | {"file": file(), "name": "Others"}, **{"Idempotency-Key": "two"})
    problem(other, 409, "token_reused")
    IdempotentRequest.objects.update(created_at=timezone.now() - datetime.timedelta(days=1))
    other = send(caller, form | {"file": file(), "name": "Others"}, **{"Idempotency-Key": "two"})
    assert (other.status_code, Batch.objects.count()) == (201, 2), "a day later the key is another one"


def test_f1_bad_lines_are_named_and_nothing_is_taken(caller: Caller, assistant: Assistant) -> None:
    data = LINES + b'{"prompt": ""}\n{"prompt": 1}\n'
    told = problem(send(caller, {"file": file(data), "assistant": assistant.slug}), 400, "invalid")
    assert told["errors"] == [
        {"field": "file", "message": "Line 3: “prompt” is empty."},
        {"field": "file", "message": "Line 4: “prompt” must be text."},
    ]
    assert not Batch.objects.exists()


FORMS: dict[str, tuple[dict[str, Any], str]] = {
    "no file": ({}, "file"),
    "a text": ({"file": "hello"}, "file"),
    "empty": ({"file": b""}, "file"),
    "two files": ({"file": [LINES, LINES]}, "file"),
    "no assistant": ({"file": LINES, "assistant": ""}, "assistant"),
    "no slug": ({"file": LINES, "assistant": "../x"}, "assistant"),
    "unknown": ({"file": LINES, "owner": "1"}, "owner"),
    "state": ({"file": LINES, "state": "done"}, "state"),
    "long name": ({"file": LINES, "name": "x" * 101}, "name"),
    "blank name": ({"file": LINES, "name": "\u200b\u2800"}, "name"),
    "name with null": ({"file": LINES, "name": "a\x00b"}, "name"),
}


@pytest.mark.parametrize("case", FORMS)
def test_f6_a_form_that_cannot_be_used_says_which_field_is_wrong(
    caller: Caller, assistant: Assistant, case: str
) -> None:
    given, field = FORMS[case]
    form = {"assistant": assistant.slug} | given
    for name, value in form.items():
        if isinstance(value, bytes):
            form[name] = file(value)
        elif isinstance(value, list):
            form[name] = [file(one) for one in value]
    told = problem(send(caller, form), 400, "invalid")
    assert {error["field"] for error in told["errors"]} == {field}
    assert not Batch.objects.exists()


def test_f18_an_assistant_of_others_is_refused_like_one_that_never_was(caller: Caller, assistant: Assistant) -> None:
    Assistant.objects.update(is_enabled=False)
    bodies = [
        problem(send(caller, {"file": file(), "assistant": slug}), 422, "assistant_unavailable")
        for slug in (assistant.slug, "never-was")
    ]
    assert bodies[0] == bodies[1]


def test_f5_other_bodies_and_methods_are_refused(caller: Caller, owner: User, assistant: Assistant) -> None:
    assert caller.ask("POST", "batches/", {"file": "x"}).status_code == 415
    batch = make(owner, assistant, 1)
    for address in ("batches/", f"batches/{batch.pk}/", f"batches/{batch.pk}/cancel/", f"batches/{batch.pk}/result/"):
        problem(caller.ask("PUT", address, {}), 405, "method_not_allowed")
    for deed in ("cancel", "resume"):
        told = problem(caller.ask("POST", f"batches/{batch.pk}/{deed}/", {"state": "done"}), 400, "invalid")
        assert told["errors"][0]["field"] == "state"
    batch.refresh_from_db()
    assert batch.state == "running"


def test_a_batch_is_cancelled_gone_on_with_and_deleted(caller: Caller, owner: User, assistant: Assistant) -> None:
    batch = make(owner, assistant, 6)
    begin_all()
    address = f"batches/{batch.pk}/"
    problem(caller.ask("POST", f"{address}resume/"), 409, "busy")
    shown = caller.ask("POST", f"{address}cancel/").json()
    assert (shown["state"], shown["counts"]["stopped"], shown["counts"]["waiting"]) == ("cancelled", 4, 2)
    problem(caller.ask("POST", f"{address}cancel/"), 409, "not_running")
    shown = caller.ask("POST", f"{address}resume/").json()
    assert (shown["state"], shown["counts"]["waiting"], shown["expires_at"]) == ("running", 6, None)
    assert caller.ask("DELETE", address).status_code == 204
    problem(caller.get(address), 404, "not_found")
    assert Message.objects.filter(role="user").count() == 4


def test_a1_a2_a_stranger_finds_no_batch_and_changes_none(owner: User, assistant: Assistant) -> None:
    batch = make(owner, assistant, 1)
    stranger = Caller(make_user(is_staff=True, is_superuser=True), tuple(Scope))
    never = "batches/01936f3c-7a60-7c5e-9d2b-5b0b6f1c2a10/"
    for method, rest in [("GET", ""), ("DELETE", ""), ("POST", "cancel/"), ("POST", "resume/"), ("GET", "result/")]:
        bodies = [
            problem(stranger.ask(method, address + rest), 404, "not_found")
            for address in (f"batches/{batch.pk}/", never)
        ]
        assert bodies[0] == bodies[1]
    assert stranger.read("batches/")["results"] == []
    batch.refresh_from_db()
    assert batch.state == "running"


def test_a8_what_a_token_lacks_it_cannot_do(owner: User, assistant: Assistant) -> None:
    batch = make(owner, assistant, 1)
    reader, writer = Caller(owner, [Scope.READ]), Caller(owner, [Scope.WRITE])
    problem(send(reader, {"file": file(), "assistant": assistant.slug}), 403, "scope_missing")
    problem(reader.ask("POST", f"batches/{batch.pk}/cancel/"), 403, "scope_missing")
    problem(reader.ask("DELETE", f"batches/{batch.pk}/"), 403, "scope_missing")
    problem(writer.get(f"batches/{batch.pk}/"), 403, "scope_missing")
    problem(writer.get(f"batches/{batch.pk}/result/"), 403, "scope_missing")
    assert Client().get(f"/api/v1/batches/?token={reader.secret}").status_code == 401
    assert Batch.objects.get().state == "running"


def test_r3_a_browser_needs_the_token_of_its_forms(owner: User, assistant: Assistant) -> None:
    batch = make(owner, assistant, 1)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    assert browser.post(f"/api/v1/batches/{batch.pk}/cancel/").status_code == 403
    assert Batch.objects.get().state == "running"
    assert browser.get("/api/v1/batches/").json()["results"][0]["id"] == str(batch.pk)


def test_an_etag_spares_what_has_not_changed_and_guards_what_has(
    caller: Caller, owner: User, assistant: Assistant
) -> None:
    batch = make(owner, assistant, 1)
    address = f"batches/{batch.pk}/"
    tag = caller.get(address)["ETag"]
    assert caller.get(address, headers={"If-None-Match": tag}).status_code == 304
    begin_all()
    assert caller.get(address, headers={"If-None-Match": tag}).status_code == 200
    problem(client_of(caller).delete(f"/api/v1/{address}", headers={"If-Match": tag}), 412, "precondition_failed")
    assert Batch.objects.exists()


def test_q1_too_many_batches_are_refused(caller: Caller, owner: User, assistant: Assistant) -> None:
    for _ in range(10):
        make(owner, assistant, 1)
    problem(send(caller, {"file": file(), "assistant": assistant.slug}), 429, "limit")


def test_f15_a_file_over_20_mb_is_refused(caller: Caller, assistant: Assistant) -> None:
    body = file(b'{"prompt": "%s"}\n' % (b"x" * 1_000) * 20_000)
    problem(send(caller, {"file": body, "assistant": assistant.slug}), 413, "too_large")
    assert not Batch.objects.exists()
