"""Other versions of prompts and answers on pages: made, switched between, gone on from."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from conversations.models import Assistant, Conversation, Generation, LanguageModel, Message
from conversations.services import edit_prompt, retry_answer
from tests.factories import PNG, make_assistant, make_file, make_model, make_user, token
from tests.pages.record import HTMX, Shown, add_turns, end, text_of

EITHER = pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])


def address(message: Message, verb: str = "") -> str:
    return f"/messages/{message.pk}/{verb}/"


def thread(conversation: Conversation | Message, query: str = "") -> str:
    pk = conversation.conversation_id if isinstance(conversation, Message) else conversation.pk
    return f"/conversations/{pk}/{query}"


def shown(response: Shown) -> list[str]:
    """The ids of the messages on a page, in order."""
    return re.findall(r'<article id="message-(.+?)"', response.content.decode())


def switch_of(response: Shown, message: Message) -> tuple[str, list[str]]:
    """What the switch below a message says, and the ids that it leads to."""
    article = response.content.decode().split(f'<article id="message-{message.pk}"')[1].split("</article>")[0]
    says = re.search(r'role="group"\s+aria-label="(Version .+?)"', article)
    return says[1] if says else "", re.findall(r"\?at=(.{36})#message-\1", article)


def edit(page: Client, message: Message, text: str = "Anew", headers: dict[str, str] | None = None, **form: Any) -> Any:
    data = {"prompt": text, "client_token": str(token()), "assistant": message.conversation.assistant.slug} | form
    return page.post(address(message, "edit"), data, headers=headers)


@pytest.fixture
def prompt(answer: Message) -> Message:
    assert answer.parent is not None
    return answer.parent


@pytest.fixture
def versions(answer: Message) -> list[Message]:
    """Three answers to one prompt, oldest first; the last one is current."""
    made = [answer]
    for number in (2, 3):
        made.append(retry_answer(message=answer))
        end(made[-1], text=f"Version {number}.")
    return made


# -- the switch ------------------------------------------------------------------------------------------------------


def test_a_switch_says_which_version_is_shown_and_leads_to_its_neighbours(
    page: Client, versions: list[Message]
) -> None:
    first, second, third = versions
    response = page.get(thread(first))
    assert switch_of(response, third) == ("Version 3 of 3", [str(second.pk)])
    response = page.get(thread(first, f"?at={second.pk}"))
    assert str(third.pk) not in shown(response)
    assert switch_of(response, second) == ("Version 2 of 3", [str(first.pk), str(third.pk)])


def test_without_other_versions_there_is_no_switch(page: Client, answer: Message) -> None:
    assert switch_of(page.get(thread(answer)), answer) == ("", [])


def test_another_version_is_shown_with_what_followed_it(page: Client, conversation: Conversation) -> None:
    add_turns(conversation, 2)
    path = conversation.path()
    edit_prompt(message=path[2], prompt="Otherwise", client_token=token())
    response = page.get(thread(conversation, f"?at={path[2].pk}"))
    assert shown(response) == [str(message.pk) for message in path]
    assert "You are looking at another version" in text_of(response)


def test_a_message_of_the_current_path_shows_the_current_path(page: Client, versions: list[Message]) -> None:
    response = page.get(thread(versions[0], f"?at={versions[0].parent_id}"))
    assert shown(response)[-1] == str(versions[-1].pk)
    assert "another version" not in text_of(response)


def test_reading_another_version_writes_nothing(page: Client, versions: list[Message]) -> None:
    before = list(Conversation.objects.values())
    page.get(thread(versions[0], f"?at={versions[0].pk}"))
    assert list(Conversation.objects.values()) == before


@pytest.mark.parametrize("at", ["", "nonsense", "0b6fd8a4-53a3-4b5c-8d3f-3a7f3e3ad4c1", "9" * 400, "1767225600"])
def test_nonsense_shows_the_current_path(page: Client, versions: list[Message], at: str) -> None:
    response = page.get(thread(versions[0], f"?at={at}"))
    assert response.status_code == 200
    assert shown(response)[-1] == str(versions[-1].pk)


def test_a_message_of_another_conversation_shows_the_current_path(page: Client, versions: list[Message]) -> None:
    other = Conversation.objects.create(owner=versions[0].owner, assistant=versions[0].conversation.assistant)
    foreign = Message.objects.create(
        conversation=other, owner=other.owner, role="user", status="completed", text="Apart"
    )
    response = page.get(thread(versions[0], f"?at={foreign.pk}"))
    assert shown(response)[-1] == str(versions[-1].pk)
    assert "Apart" not in text_of(response).split("What is on record?", 1)[1]


def test_versions_of_a_concluded_conversation_can_be_read_and_nothing_else(
    page: Client, versions: list[Message]
) -> None:
    Conversation.objects.update(state="concluded", concluded_at=timezone.now())
    first, second, _ = versions
    response = page.get(thread(first, f"?at={first.pk}"))
    assert switch_of(response, first) == ("Version 1 of 3", [str(second.pk)])
    assert not re.search("/messages/[^/]+/(edit|retry|continue)/", response.content.decode())


def test_the_last_event_of_a_stream_and_a_poll_draw_the_switch(page: Client, versions: list[Message]) -> None:
    response = page.get(address(versions[2]).replace("//", "/"), headers=HTMX)
    assert switch_of(response, versions[2]) == ("Version 3 of 3", [str(versions[1].pk)])


# -- long conversations ----------------------------------------------------------------------------------------------


def test_an_old_message_is_shown_with_what_surrounds_it(page: Client, conversation: Conversation) -> None:
    add_turns(conversation, 200)
    path = [str(message.pk) for message in conversation.path()]
    response = page.get(thread(conversation, f"?at={path[150]}"))
    assert shown(response) == path[100:200]
    assert "Show earlier messages (100 more)" in text_of(response)
    assert "Show later messages (202 more)" in text_of(response)
    body = response.content.decode()
    assert f'href="?at={path[100]}#message-{path[100]}"' in body
    assert f'href="?at={path[199]}#message-{path[199]}"' in body
    assert shown(page.get(thread(conversation, f"?at={path[401]}"))) == path[302:]


def test_no_page_shows_more_than_a_thousand_messages(page: Client, conversation: Conversation) -> None:
    count = 1100
    rows = [
        Message(conversation=conversation, owner=conversation.owner, role="user", status="completed", text="Again")
        for _ in range(count)
    ]
    before = conversation.current_leaf_id
    for row in rows:
        row.parent_id, before = before, row.pk
    Message.objects.bulk_create(rows)
    Conversation.objects.update(current_leaf=rows[-1])
    response = page.get(thread(conversation, "?show=900000"))
    assert len(shown(response)) == 1000
    (link,) = re.findall(r'href="(\?at=[^"]+)"', response.content.decode().split('<ol class="thread"')[0])
    assert str(rows[100].pk) in link


def test_what_is_said_is_read_of_the_messages_shown_alone(page: Client, conversation: Conversation) -> None:
    add_turns(conversation, 300)
    with CaptureQueriesContext(connection) as captured:
        page.get(thread(conversation))
    reading = [query["sql"] for query in captured if '"conversations_message"."text"' in query["sql"]]
    assert len(reading) == 1
    assert '"conversations_message"."id" IN' in reading[0]


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


# -- edit ------------------------------------------------------------------------------------------------------------


@EITHER
def test_the_form_begins_with_what_was_said_and_its_files(
    page: Client, prompt: Message, headers: dict[str, str]
) -> None:
    file = make_file(prompt.owner, message=prompt, name="<b>.png")
    response = page.get(address(prompt, "edit"), headers=headers)
    body = response.content.decode()
    assert "What is on record?</textarea>" in body
    assert re.search(rf'name="keep"\s+value="{file.pk}"\s+checked', body)
    assert "&lt;b&gt;.png" in body
    assert ("<html" in body) == (not headers)


@EITHER
def test_an_edit_leads_to_the_page_with_it(page: Client, prompt: Message, headers: dict[str, str]) -> None:
    response = edit(page, prompt, "Put another way", headers)
    said = Message.objects.get(text="Put another way")
    target = f"/conversations/{prompt.conversation_id}/?at={said.pk}#message-{said.pk}"
    assert response.headers["HX-Redirect" if headers else "Location"] == target
    assert response.status_code == (200 if headers else 303)
    assert switch_of(page.get(target), said) == ("Version 2 of 2", [str(prompt.pk)])


@EITHER
def test_an_edit_carries_the_files_that_stay_ticked_and_new_ones(
    page: Client, prompt: Message, headers: dict[str, str]
) -> None:
    LanguageModel.objects.update(accepts_images=True)
    kept, _ = (make_file(prompt.owner, message=prompt, name=name) for name in ("kept.png", "left.png"))
    new = SimpleUploadedFile("new.png", PNG, "image/png")
    edit(page, prompt, "Look", headers, keep=[str(kept.pk)], files=new)
    said = Message.objects.get(text="Look")
    assert sorted(file.name for file in said.attachments.all()) == ["kept.png", "new.png"]


@EITHER
def test_c12_an_edit_while_an_answer_runs_keeps_text_files_and_ticks(
    page: Client, prompt: Message, answer: Message, headers: dict[str, str]
) -> None:
    LanguageModel.objects.update(accepts_images=True)
    kept, left = (make_file(prompt.owner, message=prompt, name=name) for name in ("kept.png", "left.png"))
    retry_answer(message=answer)
    before = Message.objects.count()
    new = SimpleUploadedFile("new.png", PNG, "image/png")
    response = edit(page, prompt, "Look <b>here</b>", headers, keep=[str(kept.pk)], files=new)
    body = response.content.decode()
    assert response.status_code == 409
    assert "still being written" in text_of(response)
    assert "Look &lt;b&gt;here&lt;/b&gt;</textarea>" in body
    assert re.search(rf'value="{kept.pk}"\s+checked', body)
    assert re.search(rf'value="{left.pk}"\s*/>', body)
    assert "new.png" in body
    assert Message.objects.count() == before


@EITHER
def test_an_edit_in_a_concluded_conversation_is_refused_and_the_text_given_back(
    page: Client, prompt: Message, headers: dict[str, str]
) -> None:
    Conversation.objects.update(state="concluded", concluded_at=timezone.now())
    before = list(Conversation.objects.values()), Message.objects.count()
    response = edit(page, prompt, "Too late", headers)
    assert response.status_code == 409
    assert "is concluded" in text_of(response)
    assert "Too late</textarea>" in response.content.decode()
    for verb, message in (("retry", Message.objects.get(role="assistant")), ("continue", prompt)):
        assert page.post(address(message, verb), headers=headers).status_code == 409
    assert (list(Conversation.objects.values()), Message.objects.count()) == before


@EITHER
@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"prompt": " \u200b "}, 422),
        ({"client_token": ""}, 422),
        ({"client_token": "nonsense"}, 422),
        ({"assistant": "never-was"}, 422),
        ({"model": "gpt-9"}, 422),
        ({"keep": "nonsense"}, 422),
        ({"keep": str(uuid4())}, 422),
        ({"attachments": str(uuid4())}, 422),
    ],
    ids=["blank", "no token", "bad token", "assistant", "model", "bad id", "unknown file", "unknown upload"],
)
def test_a_bad_edit_is_refused_with_its_text(
    page: Client, prompt: Message, form: dict[str, str], status: int, headers: dict[str, str]
) -> None:
    before = Message.objects.count(), Generation.objects.count()
    response = edit(page, prompt, "Kept", headers, **form)
    assert response.status_code == status
    assert "prompt" in form or "Kept</textarea>" in response.content.decode()
    assert (Message.objects.count(), Generation.objects.count()) == before


def test_a_file_of_somebody_else_is_not_kept(page: Client, prompt: Message) -> None:
    foreign = make_file(make_user(), name="secret.png")
    for name in ("keep", "attachments"):
        response = edit(page, prompt, "Look", None, **{name: str(foreign.pk)})
        assert response.status_code == 422
        assert "secret.png" not in response.content.decode()


def test_an_answer_has_no_form_to_edit_it(page: Client, answer: Message) -> None:
    assert page.get(address(answer, "edit")).status_code == 404
    assert edit(page, answer, "Mine now").status_code == 404
    assert Message.objects.count() == 2


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


# -- sending from another path, and from pages that are out of date --------------------------------------------------


def send(page: Client, message: Message, headers: dict[str, str] | None = None, **form: str) -> Any:
    data = {"prompt": "And then?", "client_token": str(token())} | form
    return page.post(thread(message, "messages/"), data, headers=headers)


def composer(response: Shown) -> dict[str, str]:
    """The hidden fields of the composer that say what the page shows."""
    return dict(re.findall(r'name="(after|parent)" value="(.*?)"', response.content.decode()))


@EITHER
def test_a_page_of_another_version_goes_on_from_it(
    page: Client, versions: list[Message], headers: dict[str, str]
) -> None:
    first = versions[0]
    fields = composer(page.get(thread(first, f"?at={first.pk}")))
    assert fields == {"after": str(first.pk), "parent": str(first.pk)}
    response = send(page, first, headers, **fields)
    said = Message.objects.get(text="And then?")
    assert said.parent == first
    assert response.status_code == (200 if headers else 303)
    if headers:
        assert composer(response)["parent"] == ""
        assert ".other-path" in response.content.decode()
    assert composer(page.get(thread(first))) == {"after": shown(page.get(thread(first)))[-1], "parent": ""}


def test_c12_a_refused_message_goes_on_from_the_version_it_was_written_for(
    page: Client, versions: list[Message]
) -> None:
    first = versions[0]
    retry_answer(message=first)
    for headers in ({}, HTMX):
        fields = {"after": str(first.pk), "parent": str(first.pk)}
        response = send(page, first, headers, **fields)
        assert response.status_code == 409
        assert composer(response) == fields


def test_two_tabs_a_plain_page_that_is_out_of_date_goes_on_with_the_current_path(
    page: Client, versions: list[Message]
) -> None:
    first, _, third = versions
    response = send(page, first, HTMX, after=str(first.pk))
    said = Message.objects.get(text="And then?")
    assert said.parent == third
    assert f"?at={said.pk}" in response.headers["HX-Redirect"]


@EITHER
@pytest.mark.parametrize("parent", ["nonsense", "01a20317-11ca-7c46-bf80-e949291f626f", "prompt", "elsewhere"])
def test_a_parent_that_is_none_is_refused_and_the_text_kept(
    page: Client, answer: Message, prompt: Message, parent: str, headers: dict[str, str]
) -> None:
    other = Conversation.objects.create(owner=answer.owner, assistant=answer.conversation.assistant)
    apart = Message.objects.create(conversation=other, owner=other.owner, role="user", status="completed", text="x")
    ids = {"prompt": str(prompt.pk), "elsewhere": str(apart.pk)}
    response = send(page, answer, headers, parent=ids.get(parent, parent))
    assert response.status_code in (409, 422)
    assert "And then?</textarea>" in response.content.decode()
    assert not Message.objects.filter(text="And then?").exists()


def test_a_page_that_lacks_too_much_is_left_for_the_end(page: Client, conversation: Conversation) -> None:
    seen = conversation.path()[-1]
    add_turns(conversation, 60)
    response = send(page, seen, HTMX, after=str(seen.pk))
    said = Message.objects.get(text="And then?")
    assert f"?at={said.pk}" in response.headers["HX-Redirect"]


# -- who may ---------------------------------------------------------------------------------------------------------


def test_i7_a_stranger_reaches_no_version(stranger: Client, answer: Message, prompt: Message) -> None:
    for verb, message in (("edit", prompt), ("retry", answer)):
        assert stranger.get(address(message, verb)).status_code == 404
    for verb, message in (("edit", prompt), ("retry", answer), ("continue", answer)):
        assert stranger.post(address(message, verb), {"prompt": "Mine"}).status_code == 404
    assert stranger.get(thread(answer, f"?at={answer.pk}")).status_code == 404


def test_pages_take_as_many_queries_with_versions_as_without(page: Client, owner: User, answer: Message) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert page.get(thread(answer)).status_code == 200
        return len(captured)

    before = queries()
    for _ in range(5):
        end(retry_answer(message=answer), text="Again")
    assert queries() == before


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


def test_nothing_begins_in_a_conversation_that_was_hidden_meanwhile(answer: Message, prompt: Message) -> None:
    Conversation.objects.update(hidden_at=timezone.now())
    with pytest.raises(Conversation.DoesNotExist):
        retry_answer(message=answer)
    with pytest.raises(Conversation.DoesNotExist):
        edit_prompt(message=prompt, prompt="Anew", client_token=uuid4())
    assert Message.objects.count() == 2
