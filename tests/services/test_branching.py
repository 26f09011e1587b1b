"""Edits and retries make versions beside what was said; the model sees the path that leads to its answer alone."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import User
from conversations.models import Attachment, Generation, LanguageModel, Message
from conversations.services import (
    claim_answer,
    claim_title,
    continue_answer,
    retry_answer,
    send_message,
)
from conversations.services.branching import CONTINUE_PROMPT
from tests.factories import make_file, make_model, make_user, token
from tests.pages.record import end
from tests.services.versions import edited, path, refusal, say, sent

pytestmark = pytest.mark.django_db


# -- what the model sees ---------------------------------------------------------------------------------------------


def test_an_edit_is_a_sibling_and_the_model_sees_only_the_path_that_leads_there(second: Message) -> None:
    say(second.conversation, "Three", "Third")
    answer = edited(second, "Two, but otherwise")

    assert answer.parent is not None
    assert second.parent is not None
    assert answer.parent.parent_id == second.parent.parent_id
    assert path(answer) == ["One", "First", "Two, but otherwise", ""]
    assert sent(answer) == ["One", "First", "Two, but otherwise"]
    assert Message.objects.filter(text__in=["Two", "Second", "Three", "Third"]).count() == 4


def test_the_first_prompt_can_be_edited_too(second: Message, first: Message) -> None:
    answer = edited(first, "Something else")
    assert sent(answer) == ["Something else"]
    assert second.conversation.messages.filter(parent=None).count() == 2


def test_an_answer_further_up_can_be_asked_for_again(first: Message, second: Message) -> None:
    again = retry_answer(message=first)
    assert (again.parent_id, again.pk != first.pk) == (first.parent_id, True)
    assert path(again) == ["One", ""]
    assert sent(again) == ["One"]
    end(again, text="First, anew")
    assert path(say(again.conversation, "And?", "So.")) == ["One", "First, anew", "And?", "So."]


def test_a_prompt_can_go_on_from_another_version(first: Message, second: Message) -> None:
    edited(second, "Two, but otherwise", "Other")
    answer = send_message(
        owner=first.owner,
        conversation_id=first.conversation_id,
        prompt="Three",
        client_token=token(),
        parent_id=second.pk,
    )
    assert sent(answer) == ["One", "First", "Two", "Second", "Three"]
    assert path(answer) == ["One", "First", "Two", "Second", "Three", ""]


# -- files -----------------------------------------------------------------------------------------------------------


def test_an_edit_keeps_the_files_that_are_named_and_takes_new_ones(second: Message, owner: User) -> None:
    LanguageModel.objects.update(accepts_images=True)
    kept, left = (make_file(owner, message=second.parent, name=name) for name in ("kept.png", "left.png"))
    new = make_file(owner, name="new.png")
    answer = edited(second, "Look", attachment_ids=[new.pk], kept_files=[kept.pk, kept.pk])

    assert answer.parent is not None
    files = {file.name: file.key for file in answer.parent.attachments.all()}
    assert files == {"kept.png": kept.key, "new.png": new.key}
    assert {file.name for file in Attachment.objects.filter(message=second.parent)} == {"kept.png", left.name}
    plan = claim_answer(message_id=answer.pk)
    assert plan is not None
    assert [file.name for file in plan.files[-1]] == ["new.png", "kept.png"]


def test_files_of_other_messages_and_of_others_are_not_kept(first: Message, second: Message, owner: User) -> None:
    elsewhere, foreign = make_file(owner, message=first.parent), make_file(make_user())
    unsent = make_file(owner)
    for file in (elsewhere, foreign, unsent):
        assert refusal(lambda file=file: edited(second, "Look", kept_files=[file.pk])) == "file"  # type: ignore[misc]
    for file in (elsewhere, foreign):
        assert refusal(lambda file=file: edited(second, "Look", attachment_ids=[file.pk])) == "file"  # type: ignore[misc]


def test_kept_files_count_towards_what_a_message_can_carry(second: Message, owner: User, settings: Settings) -> None:
    LanguageModel.objects.update(accepts_images=True)
    settings.MAX_FILES_PER_MESSAGE = 2
    old = [make_file(owner, message=second.parent) for _ in range(2)]
    new = make_file(owner)
    ids = [file.pk for file in old]
    assert refusal(lambda: edited(second, "Look", kept_files=ids, attachment_ids=[new.pk])) == "file"
    edited(second, "Look", kept_files=ids)


def test_kept_files_must_be_taken_by_the_model_that_is_chosen(second: Message, owner: User) -> None:
    kept = make_file(owner, message=second.parent)
    blind = make_model("gpt-3.5", accepts_images=False)
    assert refusal(lambda: edited(second, "Look", kept_files=[kept.pk], model=blind)) == "file"


# -- going on with what was cut off ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["incomplete", "stopped", "interrupted"])
def test_an_answer_that_was_cut_off_is_gone_on_with_by_a_prompt_that_can_be_read(second: Message, status: str) -> None:
    end(second, status=status, text="Half a")
    answer = continue_answer(message=second)
    assert path(answer) == ["One", "First", "Two", "Half a", CONTINUE_PROMPT, ""]
    assert sent(answer) == ["One", "First", "Two", "Half a", CONTINUE_PROMPT]


def test_however_often_it_is_pressed_an_answer_is_gone_on_with_once(second: Message) -> None:
    end(second, status="incomplete", text="Half a")
    answer = continue_answer(message=second)
    assert continue_answer(message=second) == answer
    end(answer, text="sentence.")
    assert continue_answer(message=second) == answer
    assert Message.objects.filter(text=CONTINUE_PROMPT).count() == 1


@pytest.mark.parametrize("status", ["completed", "refused", "failed"])
def test_an_answer_that_was_not_cut_off_is_not_gone_on_with(second: Message, status: str) -> None:
    end(second, status=status, text="All of it")
    assert refusal(lambda: continue_answer(message=second)) == "not_continuable"


def test_without_text_there_is_nothing_to_go_on_with(second: Message) -> None:
    end(second, status="stopped")
    assert refusal(lambda: continue_answer(message=second)) == "not_continuable"


# -- what cannot be done ---------------------------------------------------------------------------------------------


def test_a_plain_send_takes_no_more_statements_where_there_are_versions(second: Message, owner: User) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            answer = send_message(
                owner=owner, conversation_id=second.conversation_id, prompt="And?", client_token=token()
            )
        end(answer, text="So.")
        return len(captured)

    before = statements()
    for number in range(5):
        edited(second, f"Version {number}", "So.")
    assert statements() == before <= 10


def test_a_title_is_made_of_the_path_that_is_shown(first: Message) -> None:
    answer = edited(first, "An ode to umbrellas", "Under the rain")
    call = Generation.objects.create(
        purpose="title", conversation=answer.conversation, model=make_model(), model_asked="gpt-4o"
    )
    plan = claim_title(generation_id=call.pk)
    assert plan is not None
    assert plan.request.turns[0].text == "Person: An ode to umbrellas\n\nAssistant: Under the rain"
