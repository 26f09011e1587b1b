"""What cannot be used is refused with a reason; the typed text stays, and nothing is half-written."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from django.utils.html import escape
from pytest_django import Settings

from conversations.models import Assistant, Conversation, LanguageModel, Message
from tests.access.record import changed_tables, snapshot
from tests.access.requests import START, send_to
from tests.access.world import World
from tests.factories import make_assistant
from tests.pages.record import HTMX

TYPED = "What I <typed> & must not lose"


@pytest.fixture(params=["page", "fragment"])
def headers(request: pytest.FixtureRequest) -> dict[str, str]:
    return HTMX if request.param == "fragment" else {}


@pytest.fixture(params=["start", "send"])
def address(request: pytest.FixtureRequest, world: World) -> str:
    return START if request.param == "start" else send_to(world)


def refused(world: World, address: str, status: int, reason: str, headers: dict[str, str], **form: Any) -> str:
    """Send a form that must be refused; return the answer."""
    before = snapshot()
    response = world.ask("owner", "POST", address, world.form() | {"prompt": TYPED} | form, headers=headers)
    text = str(response.content.decode())
    assert (response.status_code, reason in text) == (status, True), text
    assert escape(form.get("prompt", TYPED)) in text
    assert changed_tables(before, snapshot()) == []  # no row, and no job: jobs are rows too
    return text


@pytest.mark.parametrize("prompt", ["", " \n\t ", "\u200b", "\u00a0\u2003\ufeff"])
def test_f1_an_empty_or_blank_prompt_is_refused(
    world: World, address: str, headers: dict[str, str], prompt: str
) -> None:
    refused(world, address, 422, "The message is empty", headers, prompt=prompt)


def test_f1_emoji_alone_are_a_prompt(world: World) -> None:
    assert world.ask("owner", "POST", START, world.form() | {"prompt": "👍🏽"}).status_code == 303
    assert Message.objects.filter(text="👍🏽").exists()


def test_f2_a_prompt_over_the_limit_is_refused_and_kept(
    world: World, address: str, headers: dict[str, str], settings: Settings
) -> None:
    settings.MAX_PROMPT_CHARS = 1000
    refused(world, address, 422, "1,001 characters", headers, prompt="é" * 1001)


def test_f2_the_longest_prompt_of_the_longest_characters_is_accepted(world: World, settings: Settings) -> None:
    response = world.ask("owner", "POST", START, world.form() | {"prompt": "😀" * settings.MAX_PROMPT_CHARS})
    assert response.status_code == 303


def test_f2_a_form_of_20_megabytes_is_refused_unread(world: World, address: str) -> None:
    before = snapshot()
    response = world.ask("owner", "POST", address, world.form() | {"prompt": "x" * 20_000_000})
    assert response.status_code in (400, 413)
    assert changed_tables(before, snapshot()) == []


def test_f2_too_many_fields_are_refused(world: World, address: str) -> None:
    response = world.ask("owner", "POST", address, world.form() | {f"field{number}": "" for number in range(2000)})
    assert response.status_code == 400


@pytest.mark.parametrize("sent", ["", "nonsense", "1", "00000000-0000-0000-0000-00000000000g", "\x00"])
def test_a_form_without_its_token_is_refused(world: World, address: str, headers: dict[str, str], sent: str) -> None:
    refused(world, address, 422, "This page was out of date", headers, client_token=sent)


def test_c4_a_token_used_for_another_text_is_refused_and_replaced(
    world: World, address: str, headers: dict[str, str]
) -> None:
    used = str(world.belongings.prompt.client_token)
    text = refused(world, address, 409, "already sent with another text", headers, client_token=used)
    assert used not in text


@pytest.mark.parametrize("slug", ["", "never-was", "a" * 5000, "../../etc/passwd", "1 OR 1=1"])
def test_an_unknown_assistant_is_refused(world: World, headers: dict[str, str], slug: str) -> None:
    reason = "This assistant is not available" if slug.strip() else "Choose who is to answer"
    refused(world, START, 422, reason, headers, assistant=slug)


def test_f3_an_assistant_of_hostile_bytes_is_refused(world: World, headers: dict[str, str]) -> None:
    refused(world, START, 422, "not allowed", headers, assistant="\x00")


def test_a_disabled_assistant_is_refused(world: World, address: str, headers: dict[str, str]) -> None:
    make_assistant()
    Assistant.objects.filter(pk=world.assistant.pk).update(is_enabled=False)
    refused(world, address, 422, "This assistant is not available", headers)


def test_the_last_assistant_being_disabled_loses_no_text(world: World, headers: dict[str, str]) -> None:
    Assistant.objects.update(is_enabled=False)
    refused(world, START, 422, "This assistant is not available", headers)


def test_f18_a_model_that_is_switched_off_is_refused(world: World, address: str, headers: dict[str, str]) -> None:
    LanguageModel.objects.update(is_enabled=False)
    refused(world, address, 422, "The model of this assistant is not available", headers)


def test_a_concluded_conversation_takes_nothing_and_gives_the_text_back(world: World, headers: dict[str, str]) -> None:
    Conversation.objects.update(state="concluded", concluded_at=timezone.now())
    refused(world, send_to(world), 409, "is concluded", headers)


def test_c12_a_send_while_an_answer_runs_is_refused(world: World, headers: dict[str, str]) -> None:
    running = world.belongings.running.conversation
    refused(world, f"/conversations/{running.pk}/messages/", 409, "still being written", headers)


@pytest.mark.parametrize("title", ["", " \u200b ", "x" * 201])
def test_f1_a_title_that_cannot_be_kept_is_refused(world: World, headers: dict[str, str], title: str) -> None:
    address = f"/conversations/{world.belongings.conversation.pk}/rename/"
    before = snapshot()
    response = world.ask("owner", "POST", address, {"title": title}, headers=headers)
    assert response.status_code == 422
    assert escape(title) in response.content.decode()
    assert changed_tables(before, snapshot()) == []


def test_what_ended_is_not_stopped_and_what_runs_is_not_retried(world: World, headers: dict[str, str]) -> None:
    before = snapshot()
    ended, running = world.belongings.ended, world.belongings.running
    for address in (
        f"/messages/{ended.pk}/stop/",
        f"/messages/{running.pk}/retry/",
        f"/messages/{ended.parent_id}/retry/",
    ):
        response = world.ask("owner", "POST", address, headers=headers)
        assert response.status_code == 409 or response["Location"].startswith("/conversations/")
    assert changed_tables(before, snapshot()) == []
