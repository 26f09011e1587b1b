"""Edits and retries make versions beside what was said; the model sees the path that leads to its answer alone."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from conversations.models import Attachment, Conversation, Generation, LanguageModel, Message
from conversations.services import (
    Refused,
    claim_answer,
    claim_title,
    continue_answer,
    edit_prompt,
    retry_answer,
    send_message,
    start_conversation,
)
from conversations.services.branching import CONTINUE_PROMPT
from tests.factories import make_assistant, make_file, make_model, make_user, token
from tests.pages.record import end

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def first(owner: User) -> Message:
    """The first answer of a conversation, which has ended."""
    make_model()
    answer = start_conversation(owner=owner, assistant=make_assistant(), prompt="One", client_token=token())
    end(answer, text="First")
    return answer


@pytest.fixture
def second(first: Message) -> Message:
    """The answer after it."""
    return say(first.conversation, "Two", "Second")


def say(conversation: Conversation, prompt: str, text: str, **more: object) -> Message:
    answer = send_message(
        owner=conversation.owner,
        conversation_id=conversation.pk,
        prompt=prompt,
        client_token=token(),
        **more,  # type: ignore[arg-type]
    )
    end(answer, text=text)
    return answer


def edited(message: Message, prompt: str, text: str = "", **more: object) -> Message:
    """Edit the prompt of an answer; with a text, the new answer has ended."""
    assert message.parent is not None
    answer = edit_prompt(message=message.parent, prompt=prompt, client_token=token(), **more)  # type: ignore[arg-type]
    if text:
        end(answer, text=text)
    return answer


def path(message: Message) -> list[str]:
    conversation = Conversation.objects.get(pk=message.conversation_id)
    return [one.text for one in conversation.path()]


def sent(answer: Message) -> list[str]:
    """What the model is shown."""
    plan = claim_answer(message_id=answer.pk)
    assert plan is not None
    return [turn.text for turn in plan.request.turns]


def refusal(act: Callable[[], object]) -> str:
    before = rows()
    with pytest.raises(Refused) as refused:
        act()
    assert rows() == before
    return refused.value.code.value


def rows() -> list[object]:
    return [sorted(model.objects.values_list(), key=str) for model in (Message, Generation, Conversation, Attachment)]


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


# -- who answers -----------------------------------------------------------------------------------------------------


def test_another_assistant_answers_here_and_from_then_on(second: Message) -> None:
    other = make_assistant(name="Jurist", instructions="Cite the law.", tools=["create_file"])
    LanguageModel.objects.update(tools=["create_file"])
    again = retry_answer(message=second, assistant=other)

    plan = claim_answer(message_id=again.pk)
    assert plan is not None
    assert (plan.request.instructions, plan.request.tools) == ("Cite the law.", ("create_file",))
    end(again, text="By law")
    following = say(again.conversation, "And?", "So.")
    assert [one.assistant for one in (second, again, following)] == [second.assistant, other, other]
    assert second.assistant != other
    assert Conversation.objects.get().assistant == other


def test_an_answer_keeps_its_assistant_when_it_is_claimed_late(second: Message) -> None:
    """Instructions are those of whoever was asked, not of whoever answers next by then."""
    again = retry_answer(message=second)
    Conversation.objects.update(assistant=make_assistant(instructions="Sing."))
    plan = claim_answer(message_id=again.pk)
    assert plan is not None
    assert plan.request.instructions == "Answer briefly."


def test_answers_of_before_it_was_noted_keep_who_gave_them(second: Message) -> None:
    Message.objects.update(assistant=None)
    before = second.conversation.assistant
    retry_answer(message=second, assistant=make_assistant())
    second.refresh_from_db()
    assert second.assistant == before


def test_another_model_answers_here_and_from_then_on(second: Message) -> None:
    mini = make_model("gpt-4o-mini")
    again = retry_answer(message=second, model=mini)
    assert again.generations.get().model == mini
    end(again, text="In short")
    assert say(again.conversation, "And?", "So.").generations.get().model_asked == "gpt-4o-mini"


def test_an_assistant_without_a_model_answers_with_its_own(second: Message) -> None:
    mini, own = make_model("gpt-4o-mini"), make_model("gpt-5")
    end(retry_answer(message=second, model=mini), text="In short")
    again = retry_answer(message=second, assistant=make_assistant(model=own))
    assert again.generations.get().model == own
    assert Conversation.objects.get().model is None


def test_an_edit_chooses_who_answers_as_well(second: Message) -> None:
    mini, other = make_model("gpt-4o-mini"), make_assistant()
    answer = edited(second, "Two, but otherwise", assistant=other, model=mini)
    assert (answer.assistant, answer.generations.get().model) == (other, mini)


def test_a_model_that_was_chosen_and_is_switched_off_gives_way_to_the_assistants_own(second: Message) -> None:
    mini = make_model("gpt-4o-mini")
    end(retry_answer(message=second, model=mini), text="In short")
    LanguageModel.objects.filter(pk=mini.pk).update(is_enabled=False)
    assert say(second.conversation, "And?", "So.").generations.get().model_asked == "gpt-4o"


@pytest.mark.parametrize("flaw", [{"is_enabled": False}, {"is_offered": False}, {"is_local": True}], ids=str)
def test_a_model_that_may_not_be_chosen_is_refused(second: Message, flaw: dict[str, bool]) -> None:
    wrong = make_model("gpt-0", **flaw)
    assert refusal(lambda: retry_answer(message=second, model=wrong)) == "no_model"
    assert refusal(lambda: edited(second, "Otherwise", model=wrong)) == "no_model"


def test_an_assistant_for_others_is_refused(second: Message) -> None:
    other = make_assistant()
    other.groups.add(Group.objects.create(name="Others"))
    assert refusal(lambda: retry_answer(message=second, assistant=other)) == "assistant_unavailable"
    assert refusal(lambda: edited(second, "Otherwise", assistant=other)) == "assistant_unavailable"


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


def all_three(message: Message) -> list[Callable[[], object]]:
    return [
        lambda: edited(message, "Otherwise"),
        lambda: retry_answer(message=message),
        lambda: continue_answer(message=message),
    ]


def test_c12_nothing_begins_while_an_answer_runs(first: Message, second: Message) -> None:
    end(second, status="incomplete", text="Half a")
    running = retry_answer(message=first)
    for act in [*all_three(second), lambda: retry_answer(message=running), lambda: continue_answer(message=running)]:
        assert refusal(act) == "busy"


def test_a_concluded_conversation_has_its_versions_for_good(second: Message) -> None:
    end(second, status="incomplete", text="Half a")
    Conversation.objects.update(state="concluded", concluded_at=timezone.now())
    message = Message.objects.select_related("conversation").get(pk=second.pk)
    for act in all_three(message):
        assert refusal(act) == "concluded"


def test_an_answer_is_not_edited_and_a_prompt_neither_retried_nor_gone_on_with(second: Message) -> None:
    prompt = second.parent
    assert prompt is not None
    assert refusal(lambda: edit_prompt(message=second, prompt="Mine now", client_token=token())) == "not_editable"
    assert refusal(lambda: retry_answer(message=prompt)) == "not_retryable"
    assert refusal(lambda: continue_answer(message=prompt)) == "not_continuable"


def test_a_prompt_goes_on_from_answers_of_its_own_conversation_alone(second: Message) -> None:
    other = start_conversation(owner=second.owner, assistant=make_assistant(), prompt="Apart", client_token=token())
    end(other, text="Elsewhere")
    for parent in (other.pk, second.parent_id, token()):
        assert refusal(lambda parent=parent: say(second.conversation, "And?", "", parent_id=parent)) == "no_parent"  # type: ignore[misc]


@pytest.mark.parametrize("prompt", ["", " \u200b\n"])
def test_f1_an_edit_to_nothing_is_refused(second: Message, prompt: str) -> None:
    assert refusal(lambda: edited(second, prompt)) == "empty"


def test_c4_an_edit_sent_twice_is_one(second: Message) -> None:
    assert second.parent is not None
    once = token()
    answers = {edit_prompt(message=second.parent, prompt="Anew", client_token=once).pk for _ in range(3)}
    assert len(answers) == 1
    assert Message.objects.filter(text="Anew").count() == 1
    with pytest.raises(Refused, match="already sent with another text"):
        edit_prompt(message=second.parent, prompt="Otherwise", client_token=once)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_retry_and_edit_at_once_one_goes_through(second: Message) -> None:
    barrier, made, refused = threading.Barrier(8), [], []

    def press(number: int) -> None:
        try:
            barrier.wait()
            act = edited(second, "Anew") if number % 2 else retry_answer(message=second)
            made.append(act.pk)
        except Refused as error:
            refused.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), set(refused)) == (1, {"busy"})
    assert Message.objects.running().count() == 1


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
