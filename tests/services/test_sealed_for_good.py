"""Whatever any service is asked to do with a sealed conversation, not a byte of its document changes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from django.db import DatabaseError, transaction
from pytest_django import Settings

from conversations import services
from conversations.files import FileFacts
from conversations.llm import Finished, ModelError, Usage
from conversations.models import Attachment, Conversation, Message, SealedDocument
from conversations.services import AnswerPlan, CallPlan, CallProgress, Refused, canonical
from conversations.services.reconciling import Difference, Kind, repair
from tests.factories import make_assistant, make_file, token
from tests.fakes.folder import FilesFolder
from tests.services.calls import FINISHED, begin, claim, title_of
from tests.services.concluded import stored

pytestmark = pytest.mark.django_db
FAULT = ModelError("provider_down", "HTTP 500")
TITLE = Finished("completed", "Another title", Usage(9, 0, 3, 0), "gpt-4o", "")
LATE = CallProgress("resp_late", "req_late", "gpt-4o-late")
FACTS = FileFacts("late.png", "image/png", 3, "0" * 64, 1, 1)


@dataclass
class Sealed:
    """A sealed conversation, and what those still hold in their hands who worked on it."""

    conversation: Conversation
    prompt: Message
    answer: Message
    plan: AnswerPlan
    title: CallPlan
    sent: Attachment
    lost: Attachment
    pending_key: str

    @property
    def id(self) -> UUID:
        return self.conversation.pk


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> FilesFolder:
    settings.CONCLUDE_AFTER_IDLE_DAYS = 1
    return FilesFolder(settings, tmp_path)


@pytest.fixture
def sealed() -> Sealed:
    answer = begin()
    plan = claim(answer)
    assert services.finish_answer(plan=plan, finished=FINISHED, text="Hello there.", progress=CallProgress())
    title = services.claim_title(generation_id=title_of(answer).pk)
    assert title is not None
    services.fail_title(plan=title, error=FAULT, text="", progress=CallProgress())
    answer.refresh_from_db()
    prompt = answer.parent
    assert prompt is not None
    sent = make_file(answer.owner, message=prompt)
    lost = make_file(answer.owner, message=answer, data=None, origin="model", container_file_id="cfile_1")
    conversation = services.conclude_conversation(conversation=answer.conversation)
    assert services.seal_conversation(conversation_id=conversation.pk)
    return Sealed(conversation, prompt, answer, plan, title, sent, lost, lost.key)


DEEDS: dict[str, Callable[[Sealed], object]] = {
    # People
    "send_message": lambda at: services.send_message(
        owner=at.conversation.owner, conversation_id=at.id, prompt="More", client_token=token()
    ),
    "send_history": lambda at: services.send_history(
        owner=at.conversation.owner,
        conversation_id=at.id,
        client_token=token(),
        history=[
            services.Said("user", at.prompt.text),
            services.Said("assistant", at.answer.text),
            services.Said("user", "x"),
        ],
    ),
    "edit_prompt": lambda at: services.edit_prompt(message=at.prompt, prompt="Other", client_token=token()),
    "retry_answer": lambda at: services.retry_answer(message=at.answer),
    "continue_answer": lambda at: services.continue_answer(message=at.answer),
    "stop_answer": lambda at: services.stop_answer(message=at.answer),
    "rename_conversation": lambda at: services.rename_conversation(conversation=at.conversation, title="Other"),
    "change_conversation": lambda at: services.change_conversation(
        conversation=at.conversation, title="X", pinned=True
    ),
    "choose_answerer": lambda at: services.choose_answerer(
        conversation=at.conversation, assistant=make_assistant(), model=None
    ),
    "conclude_conversation": lambda at: services.conclude_conversation(conversation=at.conversation),
    "continue_conversation": lambda at: services.continue_conversation(conversation=at.conversation),
    "hide_conversation": lambda at: services.hide_conversation(conversation=at.conversation),
    "restore_conversation": lambda at: services.restore_conversation(conversation=at.conversation),
    "pin_conversation": lambda at: services.pin_conversation(conversation=at.conversation, pinned=True),
    "mark_seen": lambda at: services.mark_seen(conversation=at.conversation),
    "rate_answer": lambda at: services.rate_answer(message=at.answer, user=at.answer.owner, rating="up", reason="Good"),
    "remove_attachment": lambda at: services.remove_attachment(attachment=at.sent),
    "retry_file": lambda at: services.retry_file(attachment=at.lost),
    # Writers that come late
    "claim_answer": lambda at: services.claim_answer(message_id=at.answer.pk),
    "next_attempt": lambda at: services.next_attempt(plan=at.plan, error=FAULT),
    "next_step": lambda at: services.next_step(plan=at.plan, finished=FINISHED, text="Late", progress=LATE, items=()),
    "finish_answer": lambda at: services.finish_answer(plan=at.plan, finished=FINISHED, text="Late", progress=LATE),
    "fail_answer": lambda at: services.fail_answer(plan=at.plan, error=FAULT, text="Late", progress=LATE),
    "leave_response": lambda at: services.leave_response(plan=at.plan, progress=LATE),
    "claim_title": lambda at: services.claim_title(generation_id=at.title.generation_id),
    "finish_title": lambda at: services.finish_title(plan=at.title, finished=TITLE, text="Late", progress=LATE),
    "fail_title": lambda at: services.fail_title(plan=at.title, error=FAULT, text="", progress=LATE),
    "plan_file": lambda at: services.plan_file(plan=at.plan, name="late.png", source_id="late"),
    "prepare_file": lambda at: services.prepare_file(attachment=at.lost, facts=FACTS),
    "keep_file": lambda at: services.keep_file(attachment=at.lost, key=at.pending_key),
    "fail_file": lambda at: services.fail_file(attachment=at.lost, reason="Too late."),
    "note_sent_to_provider": lambda at: services.note_sent_to_provider(
        attachment_id=at.sent.pk, file_id="file-1", expires_at=None
    ),
    # What runs now and then
    "settle": lambda at: services.settle(message_id=at.answer.pk),
    "settle_stalled": lambda at: services.settle_stalled(),
    "settle_lost_files": lambda at: services.settle_lost_files(),
    "purge_unsent": lambda at: services.purge_unsent(),
    "delete_again": lambda at: services.delete_again(),
    "delete_file": lambda at: services.delete_file(attachment_id=at.sent.pk),
    "forget_deleted_file": lambda at: services.forget_deleted_file(attachment_id=at.sent.pk),
    "index_messages": lambda at: services.index_messages(),
    "keep_text": lambda at: services.keep_text(attachment_id=at.sent.pk, text="Words"),
    "conclude_idle": lambda at: services.conclude_idle(),
    "seal_conversation": lambda at: services.seal_conversation(conversation_id=at.id),
    "carry_files": lambda at: services.carry_files(copies={at.prompt.pk: another(at)}),
    "repair": lambda at: repair(difference=Difference(Kind.MISSING, at.sent.key, "is gone", at.sent.pk)),
}
# Names, and functions that only read or touch no conversation that there is.
OTHERS = {
    "AnswerPlan", "Answerer", "CallPlan", "CallProgress", "NotSettled", "PlannedFile", "Refusal", "Refused", "Said",
    "Standing",
    "claim_trial", "fail_trial", "finish_trial", "note_listing", "path_of", "plan_preview", "plan_test",
    "find_deleted_file", "find_pending_file", "find_unread_files", "find_unsealed", "standings_of",
    "find_place", "receive_file", "start_conversation", "start_from_history",
}  # fmt: skip


def another(at: Sealed) -> Message:
    copy = Conversation.objects.create(
        owner_id=at.conversation.owner_id, assistant_id=at.conversation.assistant_id, title="Another"
    )
    return Message.objects.create(conversation=copy, owner=at.prompt.owner, role="user", status="completed", text="x")


@pytest.mark.parametrize("deed", DEEDS)
def test_nothing_that_is_done_afterwards_changes_a_byte(sealed: Sealed, deed: str) -> None:
    with suppress(Refused, DatabaseError), transaction.atomic():
        DEEDS[deed](sealed)
    written = b"".join(canonical.document(sealed.id))
    document = SealedDocument.objects.get(pk=sealed.id)
    assert hashlib.sha256(written).hexdigest() == document.sha256
    assert stored(document)["format"] == 1


def test_every_service_is_tried() -> None:
    assert set(DEEDS) - {"repair"} | OTHERS == set(services.__all__)
