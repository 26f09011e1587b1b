"""What the provider's list says of our models, and what administrators are told of it."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from conversations.availability import find_concerns
from conversations.llm import ListedModel
from conversations.models import LanguageModel
from conversations.services import note_listing
from tests.factories import make_assistant, make_model
from tests.fakes.process import FakeOpenAI
from tests.live.conftest import fake_process, openai

__all__ = ["fake_process", "openai"]
pytestmark = pytest.mark.django_db


def in_days(days: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=days)


def lists(*names: str, **days: datetime.date) -> None:
    note_listing(listed=[ListedModel(name, None) for name in names] + [ListedModel(*one) for one in days.items()])


def told() -> list[tuple[str, bool]]:
    return [(concern.text, concern.is_urgent) for concern in find_concerns()]


def test_each_model_knows_whether_it_is_listed_and_when_it_last_was() -> None:
    model, other = make_model(), make_model("gpt-5")
    lists("gpt-4o", "gpt-7")
    model.refresh_from_db()
    other.refresh_from_db()
    assert (model.is_listed, model.listed_at) == (True, model.checked_at)
    assert (other.is_listed, other.listed_at, other.checked_at) == (False, None, model.checked_at)
    seen = model.listed_at
    lists("gpt-7")
    model.refresh_from_db()
    assert (model.is_listed, model.listed_at) == (False, seen)
    assert model.checked_at is not None
    assert seen is not None
    assert model.checked_at > seen
    assert set(LanguageModel.objects.values_list("name", flat=True)) == {"gpt-4o", "gpt-5"}


def test_the_end_that_the_provider_announces_is_entered_where_none_is() -> None:
    model, other = make_model("one"), make_model("two", shutdown_date=in_days(90))
    lists(one=in_days(100), two=in_days(100))
    model.refresh_from_db()
    other.refresh_from_db()
    assert (model.shutdown_date, model.announced_shutdown_date) == (in_days(100), in_days(100))
    assert (other.shutdown_date, other.announced_shutdown_date) == (in_days(90), in_days(100))
    event = AuditEvent.objects.get(kind="setting.changed")
    assert (event.object_id, event.details, event.actor_id) == (str(model.pk), {"fields": ["shutdown_date"]}, None)


@pytest.mark.parametrize(("days", "is_told"), [(61, False), (60, True), (1, True), (0, True), (-5, True)])
def test_the_end_of_the_default_model_is_told_60_days_before(days: int, is_told: bool) -> None:
    make_model(label="GPT-4o", shutdown_date=in_days(days))
    concerns = told()
    assert bool(concerns) is is_told
    if is_told:
        ((text, is_urgent),) = concerns
        assert is_urgent
        assert text.startswith("GPT-4o, the default model, " + ("is ended" if days > 0 else "was ended"))
        assert text.endswith("Choose what takes its place.")


def test_what_is_to_take_its_place_is_named_and_looked_at() -> None:
    heir = make_model("gpt-6-luna", label="GPT-6 Luna")
    make_model(label="GPT-4o", shutdown_date=in_days(30), replacement=heir)
    assert told()[0][0].endswith("GPT-6 Luna takes its place; make a test call of it.")
    lists("gpt-4o")
    assert told()[0][0].endswith(
        "GPT-6 Luna is to take its place and is not in the provider's list: choose another one."
    )
    LanguageModel.objects.filter(pk=heir.pk).update(is_enabled=False)
    assert told()[0][0].endswith("GPT-6 Luna is to take its place and is disabled: enable it.")


def test_a_model_that_answers_and_is_not_listed_is_told_with_who_uses_it() -> None:
    make_model(label="GPT-4o")
    make_model("unused")
    make_model("off", is_enabled=False)
    own = make_model("gpt-5", label="GPT-5")
    for name in ("Clerk", "Lawyer"):
        make_assistant(name=name, model=own)
    make_assistant(name="Gone", model=own, is_enabled=False)
    assert told() == []
    lists("gpt-7")
    assert told() == [
        (f"{words} is not in the provider's list, so it may not answer. "
         "Make a test call, and choose another model where it fails.", True)
        for words in ("GPT-4o, the default model,", "GPT-5, the model of “Clerk” and the model of “Lawyer”,")
    ]  # fmt: skip


def test_a_model_that_another_one_has_replaced_is_no_emergency() -> None:
    heir = make_model("heir", label="Heir")
    make_model(label="GPT-4o", shutdown_date=in_days(-1), replacement=heir)
    lists("heir")
    assert told() == [
        (f"GPT-4o, the default model, was ended by its provider on {in_days(-1):%-d %B %Y}. "
         "Heir takes its place; make a test call of it.", False)
    ]  # fmt: skip


def test_a_day_that_differs_from_the_provider_s_is_told() -> None:
    make_model(label="GPT-4o", shutdown_date=in_days(400))
    note_listing(listed=[ListedModel("gpt-4o", in_days(300))])
    assert told() == [
        (f"GPT-4o: the provider announces its end for {in_days(300):%-d %B %Y}; {in_days(400):%-d %B %Y} is entered.",
         True)
    ]  # fmt: skip


def test_a_default_model_that_is_missing_is_told() -> None:
    assert told() == [
        ("The default model is missing or disabled: enter or enable the model of DEFAULT_MODEL.", True)
    ]  # fmt: skip


def test_the_command_notes_and_tells(openai: FakeOpenAI, capsys: pytest.CaptureFixture[str]) -> None:
    make_model(label="GPT-4o")
    make_model("gpt-9")
    openai.set_shutdown_dates({"gpt-4o": in_days(20).isoformat()})
    call_command("check_models")
    first, second, warning = capsys.readouterr().out.splitlines()
    assert (first, second) == (f"gpt-4o: listed, until {in_days(20)}", "gpt-9: not listed")
    assert warning.startswith("Warning: GPT-4o, the default model, is ended by its provider on")
    assert LanguageModel.objects.get(name="gpt-4o").is_listed is True


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"status": 503, "body": ""}, "The provider has a fault."),
        ({"status": 401, "body": '{"error": {"code": "invalid_api_key"}}'}, "The provider did not accept the key."),
        ({"body": '{"data": []}'}, "The answer could not be read."),
        (None, "No key is set."),
    ],
    ids=["down", "key", "empty", "none"],
)
def test_a_provider_that_cannot_be_asked_is_one_clear_line_and_changes_nothing(
    openai: FakeOpenAI, settings: Settings, answer: dict[str, Any] | None, told: str
) -> None:
    make_model()
    if answer is None:
        settings.OPENAI_BASE_URL = settings.OPENAI_API_KEY = ""
    else:
        openai.answer_models(answer)
    before = list(LanguageModel.objects.values())
    with pytest.raises(CommandError) as raised:
        call_command("check_models")
    assert raised.value.returncode == 1
    assert str(raised.value).startswith(f"The models could not be checked. {told}")
    assert "\n" not in str(raised.value)
    assert list(LanguageModel.objects.values()) == before
