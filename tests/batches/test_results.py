"""Results of batches: as far as they have come, for as long as their owner may have them, whole or cut off."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import AsyncClient

from accounts.access import SESSION, Access
from accounts.tokens import revoke_token
from batches.live.results import NotAllowed, _Reader
from batches.models import Batch
from batches.results import NotWhole, result_pieces
from batches.services import delete_batch
from conversations.models import Assistant, Message
from tests.api.caller import Caller
from tests.batches.given import begin_all, go_through, make
from tests.factories import make_user
from tests.pages.asked import read, with_client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_jobs")]


@pytest.fixture
def caller() -> Caller:
    return Caller(make_user())


@pytest.fixture
def batch(caller: Caller, assistant: Assistant) -> Batch:
    return make(caller.user, assistant, 110)


def ask(caller: Caller, batch: Batch, *, method: str = "get") -> Any:
    """Ask as a server with asyncio does, and read all of the answer."""

    async def asked(client: AsyncClient) -> Any:
        headers = {"Accept": "application/x-ndjson", "Authorization": f"Bearer {caller.secret}"}
        return await read(await getattr(client, method)(f"/api/v1/batches/{batch.pk}/result/", headers=headers))

    return with_client(None, asked)


def lines(caller: Caller, batch: Batch) -> list[dict[str, Any]]:
    response = ask(caller, batch)
    assert (response.status_code, response["Content-Type"]) == (200, "application/x-ndjson")
    assert response["Cache-Control"] == "private, no-store"
    return [json.loads(one) for one in response.body.decode().splitlines()]


@pytest.mark.slow
def test_the_result_has_a_line_for_each_prompt_at_any_time(caller: Caller, batch: Batch) -> None:
    begin_all()
    found = lines(caller, batch)
    assert [one["line"] for one in found] == list(range(1, 111))
    assert [one["status"] for one in found] == ["running"] * 4 + ["waiting"] * 106
    assert {one["text"] for one in found} == {None}
    go_through(batch)
    found = lines(caller, batch)
    assert {one["status"] for one in found} == {"completed"}
    assert found[7]["custom_id"] == "id-8"
    answer = Message.objects.get(pk=found[7]["message"])
    assert answer.parent is not None
    assert (answer.parent.text, found[7]["text"]) == ("Prompt 8", answer.text)
    assert found[7]["usage"]["total_tokens"] == 1234
    assert found[7]["error"] is None


def test_the_result_is_named_after_the_batch_and_gone_after_its_time(caller: Caller, batch: Batch) -> None:
    Batch.objects.update(name='../"Lëtters";\u202e x')
    response = ask(caller, batch, method="head")
    assert (response.status_code, response.body) == (200, b"")
    assert response["Content-Disposition"].startswith("attachment; ")
    assert response["Content-Disposition"].isascii()
    assert response["X-Content-Type-Options"] == "nosniff"
    Batch.objects.update(state="expired", ended_at="2026-01-01T00:00Z", expires_at="2026-02-01T00:00Z")
    response = ask(caller, batch)
    assert (response.status_code, json.loads(response.body)["code"]) == (410, "result_expired")


def test_v1_a_result_whose_batch_is_deleted_meanwhile_is_cut_off(batch: Batch) -> None:
    pieces = result_pieces(batch)
    assert len(next(pieces).splitlines()) == 100
    delete_batch(batch=batch)
    with pytest.raises(NotWhole):
        next(pieces)


@pytest.mark.parametrize("kind", ["token", "session"])
def test_a9_a_result_on_its_way_ends_with_what_it_was_asked_with(caller: Caller, batch: Batch, kind: str) -> None:
    is_token = kind == "token"
    access = Access("token", SESSION.scopes, caller.token.pk) if is_token else SESSION
    reader = _Reader(batch, access, "a session that has ended")
    assert reader.read(0)
    if is_token:
        reader._checked -= 60
        assert reader.read(0)
        reader = _Reader(batch, access, "")
        revoke_token(token=caller.token, by=caller.user)
    reader._checked -= 60
    with pytest.raises(NotAllowed):
        reader.read(0)
    reader.close()
