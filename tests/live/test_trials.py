"""A call that is tried out, made by the worker's code over real HTTP."""

from __future__ import annotations

import asyncio

import pytest

from conversations.live.checking import check_models
from conversations.live.single_call import write_trial
from conversations.llm import close_clients
from conversations.models import LanguageModel, Trial
from conversations.services import plan_preview, plan_test
from tests.factories import make_assistant, make_model, make_user
from tests.fakes.process import FakeOpenAI

pytestmark = pytest.mark.django_db(transaction=True)


def write(trial: Trial) -> Trial:
    async def once() -> None:
        try:
            await write_trial(trial.pk)
        finally:
            await close_clients()

    asyncio.run(once())
    return Trial.objects.select_related("generation").get(pk=trial.pk)


def test_a_preview_is_answered(openai: FakeOpenAI, no_jobs: None) -> None:
    make_model()
    openai.script([{"text": "Good **day**."}])
    trial = write(plan_preview(assistant=make_assistant(), person=make_user(), prompt="Hello", instructions="Greet."))
    assert (trial.text, trial.generation.status) == ("Good **day**.", "completed")
    assert trial.generation.first_text_at is not None
    (request,) = openai.requests("/v1/responses")
    assert request["body"]["instructions"] == "Greet."
    assert request["body"]["store"] is False


@pytest.mark.parametrize(
    ("scenario", "status", "code", "text"),
    [
        ({"fault": "wrong_key"}, "failed", "wrong_key", ""),
        ({"fault": "model_gone"}, "failed", "model_gone", ""),
        ({"fault": "503"}, "failed", "overloaded", ""),
        ({"texts": ["Half ", "of it"], "cut": "eof"}, "failed", "connection", "Half of it"),
        ({"incomplete": "max_output_tokens", "text": "Cut"}, "incomplete", "", "Cut"),
        ({"refusal": "I will not."}, "refused", "", "I will not."),
    ],
    ids=["key", "gone", "overloaded", "cut", "incomplete", "refused"],
)
def test_however_a_test_call_ends_that_is_told(
    openai: FakeOpenAI, no_jobs: None, scenario: dict[str, object], status: str, code: str, text: str
) -> None:
    openai.script([scenario])
    trial = write(plan_test(model=make_model(), person=make_user()))
    assert (trial.generation.status, trial.generation.error_code, trial.text) == (status, code, text)


def test_the_nightly_check_notes_what_is_listed(openai: FakeOpenAI, no_jobs: None) -> None:
    make_model()

    async def once() -> None:
        try:
            await check_models()
        finally:
            await close_clients()

    asyncio.run(once())
    assert LanguageModel.objects.get().is_listed is True
