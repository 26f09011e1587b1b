"""The provider's list of models, and everything that can come in its place."""

from __future__ import annotations

import asyncio
import datetime

import pytest
from pytest_django import Settings

from conversations import llm
from conversations.llm import ListedModel, ModelError
from tests.fakes.openai_server import FakeOpenAI


def listed() -> list[ListedModel]:
    async def ask() -> list[ListedModel]:
        try:
            return await llm.list_models()
        finally:
            await llm.close_clients()

    return asyncio.run(ask())


def test_the_models_come_with_the_days_of_their_end(fake: FakeOpenAI) -> None:
    fake.set_shutdown_dates({"gpt-4o": "2027-01-14", "gpt-4.1": "2027-04-01T00:00:00Z", "gpt-4o-mini": "soon"})
    assert {model.name: model.shutdown_date for model in listed()} == {
        "gpt-4o": datetime.date(2027, 1, 14),
        "gpt-4o-2024-11-20": None,
        "gpt-4o-mini": None,
        "gpt-4.1": datetime.date(2027, 4, 1),
    }


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"body": "<html>", "content_type": "text/html"}, "protocol"),
        ({"body": "[]"}, "protocol"),
        ({"body": '{"data": 7}'}, "protocol"),
        ({"body": '{"data": []}'}, "protocol"),
        ({"body": '{"data": [{"id": ""}, 7, null]}'}, "protocol"),
        ({"status": 401, "body": '{"error": {"code": "invalid_api_key"}}'}, "wrong_key"),
        ({"status": 404, "body": "not here"}, "provider_error"),
        ({"status": 503, "body": ""}, "provider_down"),
    ],
    ids=["page", "list", "number", "empty", "nothing", "key", "no such address", "down"],
)
def test_what_is_no_list_is_an_error_with_a_code(fake: FakeOpenAI, answer: dict[str, object], code: str) -> None:
    fake.answer_models(answer)
    with pytest.raises(ModelError) as raised:
        listed()
    assert raised.value.code == code


def test_a_provider_that_is_away_or_not_set_is_an_error_with_a_code(settings: Settings) -> None:
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    with pytest.raises(ModelError, match="connection"):
        listed()
    settings.OPENAI_BASE_URL = settings.OPENAI_API_KEY = ""
    with pytest.raises(ModelError, match="no_key"):
        listed()
