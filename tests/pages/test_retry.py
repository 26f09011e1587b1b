"""An answer that is asked for again on pages, of whomever one chooses; and one that is gone on with."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import User
from conversations.models import Assistant, Conversation, Message
from conversations.services import retry_answer
from tests.factories import make_assistant, make_model
from tests.pages.record import HTMX, add_turns, end, text_of
from tests.pages.versions import EITHER, address, shown, switch_of, thread

# -- retry -----------------------------------------------------------------------------------------------------------


def test_a_retry_of_the_last_answer_takes_its_place_with_the_switch(page: Client, answer: Message) -> None:
    response = page.post(address(answer, "retry"), headers=HTMX)
    again = Message.objects.latest("id")
    assert shown(response) == [str(again.pk)]
    assert switch_of(response, again) == ("Version 2 of 2", [str(answer.pk)])
    assert f'name="after" value="{again.pk}"' in response.content.decode()


@EITHER
def test_a_retry_further_up_leads_to_the_page_with_it(
    page: Client, conversation: Conversation, answer: Message, headers: dict[str, str]
) -> None:
    add_turns(conversation, 2)
    response = page.post(address(answer, "retry"), headers=headers)
    again = Message.objects.latest("id")
    target = f"/conversations/{conversation.pk}/?at={again.pk}#message-{again.pk}"
    assert response.headers["HX-Redirect" if headers else "Location"] == target
    assert shown(page.get(target)) == [str(answer.parent_id), str(again.pk)]


@EITHER
def test_whom_to_ask_again_is_chosen_in_a_form(page: Client, answer: Message, headers: dict[str, str]) -> None:
    make_model("gpt-4o-mini", label="Mini")
    make_model("gpt-0", label="Secret", is_offered=False)
    make_assistant(name="Jurist")
    response = page.get(address(answer, "retry"), headers=headers)
    words = text_of(response)
    for name in ("Archivist", "Jurist", "Mini", "Assistant’s own"):
        assert name in words
    assert "Secret" not in words
    assert ("<html" in response.content.decode()) == (not headers)


@EITHER
def test_another_assistant_and_model_answer_from_then_on(
    page: Client, answer: Message, headers: dict[str, str]
) -> None:
    make_model("gpt-4o-mini", label="Mini")
    other = make_assistant(name="Jurist")
    form = {"assistant": other.slug, "model": "gpt-4o-mini"}
    response = page.post(address(answer, "retry"), form, headers=headers)
    again = Message.objects.latest("id")
    assert f"?at={again.pk}" in response.headers["HX-Redirect" if headers else "Location"]
    end(again, text="By law.")
    page_now = page.get(thread(answer)).content.decode()
    assert '<span class="topbar-assistant">Jurist</span>' in page_now
    assert '<span class="topbar-model">Mini</span>' in page_now
    assert "Reply to Jurist" in page_now
    assert "Archivist" in text_of(page.get(thread(answer, f"?at={answer.pk}"))).split("Everything that was said")[1]


@EITHER
@pytest.mark.parametrize(
    "form",
    [
        {"assistant": "never-was"},
        {"assistant": "for-others"},
        {"assistant": "\x00"},
        {"model": "gpt-9"},
        {"model": "gpt-0"},
        {"model": "\x00"},
        {"model": "1 OR 1=1"},
    ],
    ids=["unknown", "for others", "nul", "unknown model", "not offered", "nul model", "injection"],
)
def test_a_choice_that_one_does_not_have_is_refused(
    page: Client, answer: Message, form: dict[str, str], headers: dict[str, str]
) -> None:
    make_model("gpt-0", is_offered=False)
    make_assistant(slug="for-others").groups.add(Group.objects.create(name="Others"))
    before = list(Conversation.objects.values()), Message.objects.count()
    response = page.post(address(answer, "retry"), form, headers=headers)
    assert response.status_code == 422
    assert (list(Conversation.objects.values()), Message.objects.count()) == before


def test_a_refusal_stands_at_the_message_or_below_the_page_once(page: Client, conversation: Conversation) -> None:
    add_turns(conversation, 2)
    first = conversation.path()[1]
    retry_answer(message=first)
    response = page.post(address(first, "retry"))
    assert response.status_code == 409
    assert text_of(response).count("still being written. Wait for it") == 1


def test_a_prompt_cannot_be_asked_again(page: Client, prompt: Message) -> None:
    assert page.get(address(prompt, "retry")).status_code == 404
    response = page.post(address(prompt, "retry"), headers=HTMX)
    assert response.status_code == 409
    assert "Only an answer can be asked for again." in text_of(response)


# -- going on --------------------------------------------------------------------------------------------------------


def test_an_answer_that_was_cut_off_can_be_gone_on_with_at_the_end_alone(page: Client, running: Message) -> None:
    end(running, status="incomplete", text="Half a", call={"finish_reason": "max_output_tokens"})
    assert "/continue/" in page.get(thread(running)).content.decode()
    response = page.post(address(running, "continue"))
    said = Message.objects.get(parent=running)
    assert response.headers["Location"] == thread(running, f"?at={said.pk}#message-{said.pk}")
    shows = page.get(thread(running))
    assert "Continue exactly where it ended." in text_of(shows)
    assert "/continue/" not in shows.content.decode()


@EITHER
def test_an_answer_that_is_whole_is_not_gone_on_with(page: Client, answer: Message, headers: dict[str, str]) -> None:
    response = page.post(address(answer, "continue"), headers=headers)
    assert response.status_code == 409
    assert "There is nothing to go on with." in text_of(response)


# -- who may ---------------------------------------------------------------------------------------------------------


def test_an_assistant_that_is_gone_can_be_replaced_by_a_retry(page: Client, answer: Message) -> None:
    other = make_assistant(name="Jurist")
    Assistant.objects.filter(pk=answer.conversation.assistant_id).update(is_enabled=False)
    assert page.post(address(answer, "retry"), headers=HTMX).status_code == 422
    assert page.post(address(answer, "retry"), {"assistant": other.slug, "model": ""}).status_code == 303


def test_an_assistant_of_two_groups_is_offered_once_and_can_be_chosen(
    page: Client, owner: User, answer: Message, prompt: Message
) -> None:
    shared = make_assistant(slug="of-two-groups")
    for name in ("Sales", "Support"):
        shared.groups.add(group := Group.objects.create(name=name))
        owner.groups.add(group)
    assert page.get("/conversations/").content.decode().count('value="of-two-groups"') == 1
    chosen = {"assistant": shared.slug, "model": ""}
    assert page.post(address(answer, "retry"), chosen).status_code == 303
    answer.conversation.refresh_from_db()
    assert answer.conversation.assistant == shared
