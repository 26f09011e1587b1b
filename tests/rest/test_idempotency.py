"""The same request with the same key is carried out once, and answered alike."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections, transaction
from django.db.models import F
from django.utils import timezone

from batches.views import BatchesView
from conversations.api.views.attachments import AttachmentsView
from records.services.erasing import ask_erasure
from rest import idempotency
from rest.models import IdempotentRequest
from rest.threads import in_thread
from tests.factories import make_user
from tests.rest import site
from tests.rest.conftest import NOTE, Program, problem, program_of

WAITING = "/api/v1/waiting/"


def test_i4_the_same_request_is_carried_out_once_and_answered_alike(program: Program) -> None:
    for address in (NOTE, WAITING):
        first = program.ask("POST", address, {"title": "a", "count": 1}, Idempotency_Key=address)
        again = program.ask("POST", address.rstrip("/"), {"count": 1, "title": "a"}, Idempotency_Key=address)
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert "Idempotency-Replayed" not in first
        assert again["Idempotency-Replayed"] == "true"
        assert again["Content-Type"] == first["Content-Type"]
        assert again.get("Location") == first.get("Location")
    assert len(site.carried_out) == 2


def test_i4_another_request_with_the_same_key_is_refused(program: Program) -> None:
    program.ask("POST", NOTE, {"title": "a"}, Idempotency_Key="k")
    for address, body in ((NOTE, {"title": "b"}), (WAITING, {"title": "a"}), (f"{NOTE}x", None)):
        response = program.ask("POST", address, body, Idempotency_Key="k")
        assert problem(response) in [(409, "idempotency_key_reused"), (404, "not_found")]
    assert len(site.carried_out) == 1


def test_keys_of_different_people_do_not_meet(program: Program) -> None:
    other = program_of()
    for person in (program, other):
        assert program.ask("POST", NOTE, {"title": "a"}, Idempotency_Key="k").status_code == 201
        assert person.ask("POST", NOTE, {"title": "a"}, Idempotency_Key="k").status_code == 201
    assert len(site.carried_out) == 2
    assert len({token for _, _, token in site.carried_out}) == 2


def test_a_key_stands_for_one_token_of_its_person_for_a_day(program: Program) -> None:
    def send(**headers: str) -> Any:
        program.ask("POST", NOTE, {"title": "a"}, **headers)
        return site.carried_out[-1][-1]

    first = send(Idempotency_Key="k")
    IdempotentRequest.objects.update(state="running", seen_at=timezone.now() - idempotency.SILENCE)
    assert send(Idempotency_Key="k") == first, "whoever had it died before the answer"
    IdempotentRequest.objects.update(created_at=timezone.now() - idempotency.KEPT)
    tomorrow = send(Idempotency_Key="k")
    assert len({first, tomorrow, send(Idempotency_Key="l")}) == 3
    assert send() is None


def test_a_key_that_an_error_gave_back_takes_any_request_under_the_same_token(program: Program) -> None:
    program.ask("POST", NOTE, {"title": "late"}, Idempotency_Key="k")
    IdempotentRequest.objects.update(created_at=timezone.now() - datetime.timedelta(hours=23))
    for address, title in ((NOTE, "late"), (WAITING, "mended"), (WAITING, "mended")):
        program.ask("POST", address, {"title": title}, Idempotency_Key="k")
    tokens = [one[-1] for one in site.carried_out]
    assert len(tokens) == 3, "the request that was mended is carried out once"
    assert len(set(tokens)) == 1
    IdempotentRequest.objects.update(created_at=F("created_at") - datetime.timedelta(hours=23))
    again = program.ask("POST", WAITING, {"title": "mended"}, Idempotency_Key="k")
    assert again["Idempotency-Replayed"] == "true", "its day began when it was taken"
    assert problem(program.ask("POST", NOTE, {"title": "a"}, Idempotency_Key="k")) == (409, "idempotency_key_reused")


def test_a_key_whose_request_is_on_record_with_its_failure_begins_anew(program: Program) -> None:
    tokens = []
    for _ in range(2):
        response = program.ask("POST", NOTE, {"title": "on record"}, Idempotency_Key="k")
        assert problem(response) == (502, "failed")
        tokens.append(site.carried_out[-1][-1])
    assert tokens[0] != tokens[1]
    assert not IdempotentRequest.objects.exists()


@pytest.mark.parametrize("title", ["stubborn", "broken", "far too long to be a title"])
@pytest.mark.parametrize("address", [NOTE, WAITING])
def test_an_error_is_not_kept_and_its_key_is_free_again(program: Program, address: str, title: str) -> None:
    assert program.ask("POST", address, {"title": title}, Idempotency_Key="k").status_code >= 400 or title == "broken"
    assert not IdempotentRequest.objects.exclude(state="answered").exclude(state="open", fingerprint="").exists()
    assert program.ask("POST", address, {"title": "a"}, Idempotency_Key="k").status_code in (200, 201, 409)


@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "a" * 256])
def test_a_key_that_cannot_be_used_is_refused(program: Program, key: str) -> None:
    response = program.ask("POST", NOTE, {"title": "a"}, Idempotency_Key=key)
    assert problem(response) == (400, "idempotency_key_invalid")
    assert site.carried_out == []


def test_files_are_part_of_what_is_the_same(program: Program) -> None:
    def send(data: bytes, key: str) -> Any:
        file = SimpleUploadedFile("a.txt", data, "text/plain")
        headers = program.headers | {"Idempotency-Key": key}
        return program.client.post("/api/v1/file/", {"file": file, "name": "x"}, headers=headers)

    first, again = send(b"one", "k"), send(b"one", "k")
    assert first.content == again.content
    assert problem(send(b"two", "k")) == (409, "idempotency_key_reused")
    assert site.carried_out == [[b"one"]]


def test_the_same_request_meanwhile_is_told_to_wait_and_taken_over_where_it_fell_silent(program: Program) -> None:
    program.ask("POST", NOTE, {"title": "a"}, Idempotency_Key="k")
    row = IdempotentRequest.objects.get()
    row.state = "running"
    row.save()
    response = program.ask("POST", NOTE, {"title": "a"}, Idempotency_Key="k")
    assert problem(response) == (409, "idempotency_in_progress")
    assert response["Retry-After"]
    IdempotentRequest.objects.update(seen_at=timezone.now() - idempotency.SILENCE)
    assert program.ask("POST", NOTE, {"title": "a"}, Idempotency_Key="k").status_code == 201
    assert len(site.carried_out) == 2
    idempotency.give_back(row)  # whoever was silent wakes up, and changes nothing
    assert IdempotentRequest.objects.get().state == "answered"


def test_what_stores_a_file_is_taken_over_only_after_five_minutes(program: Program) -> None:
    def send() -> Any:
        file = SimpleUploadedFile("a.txt", b"one", "text/plain")
        headers = program.headers | {"Idempotency-Key": "k"}
        return program.client.post("/api/v1/file/", {"file": file}, headers=headers)

    send()
    for silence, carried_out in ((datetime.timedelta(minutes=4), 1), (datetime.timedelta(minutes=6), 2)):
        IdempotentRequest.objects.update(state="running", seen_at=timezone.now() - silence)
        assert send().status_code == (409 if carried_out == 1 else 200)
        assert len(site.carried_out) == carried_out
    for view in (AttachmentsView, BatchesView):
        assert view.patience == idempotency.PATIENCE_FOR_FILES


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_comes_while_its_request_is_taken_over_is_the_answer() -> None:
    program = program_of(make_user())
    first = program.ask("POST", NOTE, {"title": "a"}, Idempotency_Key="k")
    silent = timezone.now() - datetime.timedelta(minutes=5)
    IdempotentRequest.objects.update(state="running", seen_at=silent)

    def send(_: int) -> Any:
        try:
            return program_like(program).ask("POST", NOTE, {"title": "a"}, Idempotency_Key="k")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            IdempotentRequest.objects.update(state="answered")
            again = threads.submit(send, 0)
            while not _waits_for_us():
                time.sleep(0.01)
        response = again.result(20)
    assert (response.status_code, response.content) == (201, first.content)
    assert response["Idempotency-Replayed"] == "true"
    assert len(site.carried_out) == 1


def _waits_for_us() -> bool:
    with connection.cursor() as cursor:
        # Of locks: within a transaction the activity of others is what it was when it was first looked at.
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])


def test_keys_are_kept_for_a_day(program: Program) -> None:
    program.ask("POST", NOTE, {"title": "a"}, Idempotency_Key="k")
    IdempotentRequest.objects.update(created_at=timezone.now() - datetime.timedelta(hours=23))
    assert idempotency.purge() == 0
    IdempotentRequest.objects.update(created_at=timezone.now() - datetime.timedelta(hours=25))
    response = program.ask("POST", NOTE, {"title": "b"}, Idempotency_Key="k")
    assert (response.status_code, IdempotentRequest.objects.count()) == (201, 1)
    IdempotentRequest.objects.update(created_at=timezone.now() - datetime.timedelta(hours=25))
    assert idempotency.purge() == 1


def test_who_is_to_be_erased_leaves_no_answer_behind(program: Program) -> None:
    person, other = make_user(), make_user(is_superuser=True, is_staff=True)
    for somebody in (program_of(person), program):
        somebody.ask("POST", NOTE, {"title": "a"}, Idempotency_Key="k")
    ask_erasure(person=person, asked_by=other, reason="They asked for it.")
    assert not IdempotentRequest.objects.filter(user=person).exists()
    assert IdempotentRequest.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_i4_q3_of_twenty_at_once_one_is_carried_out() -> None:
    program = program_of(make_user())

    def send(_: int) -> int:
        try:
            return int(program_like(program).ask("POST", NOTE, {"title": "a"}, Idempotency_Key="k").status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as threads:
        statuses = list(threads.map(send, range(20)))
    assert len(site.carried_out) == 1
    assert set(statuses) <= {201, 409}
    assert 201 in statuses


def program_like(program: Program) -> Program:
    return Program(program.headers["Authorization"].removeprefix("Bearer "))


def awaited(work: Awaitable[Any]) -> Any:
    return asyncio.run(work)  # type: ignore[arg-type]


@pytest.mark.django_db(transaction=True)
def test_a_stream_is_made_anew_for_the_same_request() -> None:
    program = program_of(make_user())

    async def twice() -> list[bytes]:
        found = []
        for _ in range(2):
            response = await program.ask_async("POST", WAITING, {"title": "stream"}, Idempotency_Key="k")
            found.append(b"".join([piece async for piece in response.streaming_content]))
        return found

    assert awaited(twice()) == [b"one two", b"one two"]
    assert len({token for _, token in site.carried_out}) == 1
    assert problem(program.ask("POST", WAITING, {"title": "b"}, Idempotency_Key="k")) == (409, "idempotency_key_reused")


@pytest.mark.django_db(transaction=True)
def test_who_waits_holds_no_connection_and_who_goes_away_may_come_back() -> None:
    program = program_of(make_user())

    async def go_away() -> None:
        site.gates["gate"] = asyncio.Event()
        waiting = asyncio.create_task(program.ask_async("POST", WAITING, {"title": "gate"}, Idempotency_Key="k"))
        while not site.carried_out:
            await asyncio.sleep(0.01)
        assert await sync_to_async(lambda: connection.connection)() is None
        meanwhile = await program.ask_async("POST", WAITING, {"title": "gate"}, Idempotency_Key="k")
        assert problem(meanwhile) == (409, "idempotency_in_progress")
        waiting.cancel()
        await asyncio.wait([waiting])
        site.gates["gate"].set()
        again = await program.ask_async("POST", WAITING, {"title": "gate"}, Idempotency_Key="k")
        assert again.status_code == 200

    awaited(go_away())
    assert len(site.carried_out) == 2
    assert len({token for _, token in site.carried_out}) == 1


@pytest.mark.django_db(transaction=True)
def test_a_request_that_waits_for_long_shows_that_it_lives() -> None:
    program = program_of(make_user())

    async def wait() -> None:
        site.gates["gate"] = asyncio.Event()
        waiting = asyncio.create_task(program.ask_async("POST", WAITING, {"title": "gate"}, Idempotency_Key="k"))
        while not site.carried_out:
            await asyncio.sleep(0.01)
        old = timezone.now() - datetime.timedelta(minutes=5)
        await in_thread(IdempotentRequest.objects.update, seen_at=old)
        while (await in_thread(IdempotentRequest.objects.get)).seen_at == old:
            await asyncio.sleep(0.02)
        site.gates["gate"].set()
        assert (await waiting).status_code == 200

    awaited(wait())
    assert IdempotentRequest.objects.get().state == "answered"
