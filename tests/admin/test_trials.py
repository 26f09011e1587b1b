"""The button that calls a model, the page on which an assistant is tried out, and what stands above the catalogue."""

from __future__ import annotations

import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from conversations.llm import Finished, ModelError, Usage
from conversations.models import Conversation, Generation, LanguageModel, Trial
from conversations.services import CallProgress, claim_trial, fail_trial, finish_trial, plan_preview, plan_test
from tests.admin.test_hostile_text import HOSTILE, _active_content
from tests.factories import make_assistant, make_model, make_user

DONE = Finished("completed", None, Usage(1_000, 0, 100, 0), "gpt-4o-2024-11-20", "")


@pytest.fixture
def browser(client: Client, superuser: User) -> Client:
    client.force_login(superuser)
    return client


def end(trial: Trial, text: str = "OK", *, error: ModelError | None = None) -> None:
    plan = claim_trial(generation_id=trial.pk)
    assert plan is not None
    now = datetime.datetime.now(datetime.UTC)
    progress = CallProgress("resp_1", "req_1", "gpt-4o", first_text_at=now)
    if error is None:
        finish_trial(plan=plan, finished=DONE, text=text, progress=progress)
    else:
        fail_trial(plan=plan, error=error, text=text, progress=CallProgress())


def model_page(model: LanguageModel) -> str:
    return reverse("admin:conversations_languagemodel_change", args=[model.pk])


def press(model: LanguageModel) -> str:
    return reverse("admin:conversations_languagemodel_test", args=[model.pk])


def preview_page(assistant: Any) -> str:
    return reverse("admin:conversations_assistant_preview", args=[assistant.pk])


def test_a_press_has_the_model_called_and_the_page_shows_what_came_of_it(browser: Client, superuser: User) -> None:
    model = make_model()
    response = browser.post(press(model))
    assert (response.status_code, response["Location"]) == (302, f"{model_page(model)}#tests")
    trial = Trial.objects.get()
    assert trial.asked_by == superuser
    waiting = browser.get(model_page(model)).content.decode()
    assert "Waiting for the answer" in waiting
    assert 'hx-select="#tests"' in waiting
    end(trial)
    shown = browser.get(model_page(model)).content.decode()
    for words in ("Completed", "first text after", "answered by gpt-4o-2024-11-20", "1,100 tokens", "$0.0035", "root"):
        assert words in shown, words
    assert "hx-select" not in shown


def test_an_error_is_told_as_people_can_act_on(browser: Client, superuser: User) -> None:
    model = make_model()
    error = ModelError("wrong_key", "HTTP 401, code invalid_api_key: Incorrect API key")
    end(plan_test(model=model, person=superuser), "", error=error)
    shown = browser.get(model_page(model)).content.decode()
    assert "The provider did not accept the key. Check OPENAI_API_KEY of the worker." in shown
    assert "Incorrect API key" in shown


def test_a_disabled_model_can_be_called_before_it_is_enabled(browser: Client) -> None:
    model = make_model(is_enabled=False)
    browser.post(press(model))
    assert Generation.objects.get().model == model


def test_pressing_twice_makes_one_call_and_says_so(browser: Client) -> None:
    model = make_model()
    browser.post(press(model))
    response = browser.post(press(model), follow=True)
    assert "Another call that you are trying out is still running" in response.content.decode()
    assert Generation.objects.count() == 1
    assert browser.get(press(model)).status_code == 405
    assert browser.post(press(model).replace(str(model.pk), "9" * 30)).status_code == 404


def test_an_assistant_is_tried_out_with_instructions_that_are_not_saved(browser: Client, superuser: User) -> None:
    make_model()
    assistant = make_assistant(name="Clerk", instructions="Be brief.")
    shown = browser.get(preview_page(assistant)).content.decode()
    assert "Be brief." in shown
    sent = {"prompt": "What is on record?", "instructions": "Be long.", "model": "", "follows": ""}
    response = browser.post(preview_page(assistant), sent)
    trial = Trial.objects.select_related("generation").get()
    address = f"{preview_page(assistant)}?at={trial.pk}"
    assert (response.status_code, response["Location"]) == (303, address)
    assert (trial.generation.instructions, trial.asked_by) == ("Be long.", superuser)
    waiting = browser.get(address).content.decode()
    assert "Waiting for the answer" in waiting
    assert "<textarea" not in waiting
    end(trial, "All that was **said**.")
    shown = browser.get(address).content.decode()
    for words in ("What is on record?", "<strong>said</strong>", "Be long.", "Go on", "Start over", "$0.0035"):
        assert words in shown, words
    browser.post(preview_page(assistant), sent | {"prompt": "And then?", "follows": str(trial.pk)})
    assert Trial.objects.filter(follows=trial, prompt="And then?").exists()
    assistant.refresh_from_db()
    assert assistant.instructions == "Be brief."
    assert not Conversation.objects.exists()


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"prompt": ""}, "This field is required."),
        ({"prompt": " \u200b\n"}, "The message is empty."),
        ({"prompt": "a\x00"}, "Null characters are not allowed."),
        ({"prompt": "Hello", "instructions": "x" * 100_001}, "The instructions have 100,001 characters"),
        ({"prompt": "Hello", "model": "777"}, "Select a valid choice."),
        ({"prompt": "Hello", "model": "x"}, "Select a valid choice."),
        ({"prompt": "Hello", "follows": "x"}, ""),
    ],
    ids=["none", "blank", "null", "long", "no model", "no number", "no id"],
)
def test_nonsense_is_told_and_nothing_that_was_typed_is_lost(browser: Client, form: dict[str, str], told: str) -> None:
    make_model()
    assistant = make_assistant()
    response = browser.post(preview_page(assistant), {"instructions": "Mine alone."} | form)
    shown = response.content.decode()
    assert response.status_code == 422
    assert told in shown
    assert "instructions" in form or "Mine alone." in shown
    assert not Trial.objects.exists()


def test_nobody_sees_what_another_one_tries(browser: Client) -> None:
    make_model()
    assistant = make_assistant()
    trial = plan_preview(assistant=assistant, person=make_user(), prompt="Mine", instructions="")
    end(trial)
    for at in (str(trial.pk), str(uuid4()), "x", ""):
        assert browser.get(f"{preview_page(assistant)}?at={at}").status_code == 404
    browser.post(preview_page(assistant), {"prompt": "More", "instructions": "", "follows": str(trial.pk)})
    assert Trial.objects.get(prompt="More").follows is None


def test_staff_without_the_right_calls_nothing(client: Client, staff: User, reviewer: User) -> None:
    model, assistant = make_model(), make_assistant()
    for person in (staff, reviewer):
        client.force_login(person)
        for response in (
            client.post(press(model)),
            client.get(preview_page(assistant)),
            client.post(preview_page(assistant), {"prompt": "Hello"}),
        ):
            assert response.status_code == 403
    assert not Generation.objects.exists()


def test_what_should_be_seen_to_stands_on_the_index_and_above_the_catalogue(
    browser: Client, client: Client, staff: User
) -> None:
    model = make_model(label="GPT-4o", shutdown_date=timezone.localdate() + datetime.timedelta(days=30))
    assistant = make_assistant()
    pages = ["/admin/", model_page(model), reverse("admin:conversations_assistant_change", args=[assistant.pk])]
    pages += [reverse(f"admin:conversations_{name}_changelist") for name in ("languagemodel", "assistant")]
    for page in pages:
        assert "GPT-4o</a>, the default model, is ended by its provider on" in browser.get(page).content.decode(), page
    other = Client()
    other.force_login(staff)
    assert "the default model" not in other.get("/admin/").content.decode()


def test_the_list_of_models_says_what_the_provider_lists(browser: Client) -> None:
    make_model("new")
    make_model("here", is_listed=True, checked_at=timezone.now(), listed_at=timezone.now())
    make_model("gone", is_listed=False, checked_at=timezone.now(), listed_at=timezone.now())
    shown = browser.get(reverse("admin:conversations_languagemodel_changelist")).content.decode()
    for words in ("not asked yet", ">listed<", "not listed since"):
        assert words in shown


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_x14_hostile_text_is_inert_in_trials_and_above_the_catalogue(
    browser: Client, superuser: User, text: str
) -> None:
    User.objects.filter(pk=superuser.pk).update(first_name=text[:150])
    model = make_model(label=text[:100], shutdown_date=timezone.localdate())
    assistant = make_assistant(name=text[:100], instructions=text, model=model)
    tested = plan_test(model=model, person=superuser)
    end(tested, text)
    failed = plan_test(model=model, person=superuser)
    end(failed, text, error=ModelError("invalid_request", text))
    Generation.objects.update(model_answered=text[:100], finish_reason=text[:60])
    trial = plan_preview(assistant=assistant, person=superuser, prompt=text, instructions=text)
    end(trial, text)
    pages = ["/admin/", model_page(model), preview_page(assistant), f"{preview_page(assistant)}?at={trial.pk}"]
    pages += [reverse("admin:conversations_assistant_changelist")]
    for page in pages:
        response = browser.get(page)
        assert response.status_code == 200, page
        assert _active_content(response.content.decode()) == [], page
    refused = browser.post(preview_page(assistant), {"prompt": "", "instructions": text, "model": text})
    assert (refused.status_code, _active_content(refused.content.decode())) == (422, [])
