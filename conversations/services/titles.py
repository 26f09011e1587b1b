"""Titles of conversations."""

from __future__ import annotations

import re
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from conversations.llm import Finished, ModelError, ModelRequest, Turn, estimate_tokens
from conversations.models import Conversation, Generation, Message
from conversations.services.calls import CallProgress
from conversations.services.indexing import index_title_again
from conversations.services.privacy import safety_identifier
from conversations.services.refusals import Refusal, Refused
from conversations.services.single_calls import CallPlan, end_call, fail_call
from conversations.text import clean_text, is_blank

INSTRUCTIONS = (
    "You name conversations. Reply with a title for the conversation below: at most six words, in its own language, "
    "no quotation marks, no full stop, nothing else."
)
_AROUND = " \"'“”„«».#*_`"
_LABEL = re.compile(r"^(title|person|assistant)\s*:", re.IGNORECASE)  # small models repeat what stands before texts
EXCERPT_CHARS = 2_000
TITLE_CHARS = 80


def rename_conversation(*, conversation: Conversation, title: str, shown: str | None = None) -> Conversation:
    """Give a conversation the title that its owner wants. Raises Refused (empty, too_long, renamed, concluded).

    `shown` is the title that the page showed when it was asked for another one. Where another tab has renamed the
    conversation since, nothing is overwritten unseen: the refusal names the title that it has now.
    """
    title = " ".join(clean_text(title).split())
    if is_blank(title):
        raise Refused(Refusal.EMPTY, "The title is empty. Type one first.")
    if len(title) > 200:
        raise Refused(Refusal.TOO_LONG, f"The title has {len(title)} characters; at most 200 can be kept.")
    with transaction.atomic():
        conversation.refresh_from_db(
            fields=["title", "state"], from_queryset=Conversation.objects.select_for_update(of=("self",), no_key=True)
        )
        if not conversation.is_open:
            raise Refused(Refusal.CONCLUDED, "This conversation is concluded and keeps the title that it has.")
        if shown is not None and conversation.title not in (" ".join(shown.split()), title):
            raise Refused(
                Refusal.RENAMED,
                f"It was given the title “{conversation.title}” meanwhile. Save again to replace that with yours.",
            )
        conversation.title, conversation.is_title_provisional = title, False
        conversation.save(update_fields=["title", "is_title_provisional"])
        index_title_again(conversation_id=conversation.pk)
    return conversation


def claim_title(*, generation_id: UUID) -> CallPlan | None:
    """Take a planned title call and return what to ask, or None where it was taken or is not wanted any more."""
    with transaction.atomic():
        claimed = Generation.objects.filter(pk=generation_id, status=Generation.Status.PENDING).update(
            status=Generation.Status.RUNNING, started_at=timezone.now()
        )
        if not claimed:
            return None
        generation = Generation.objects.select_related("conversation").get(pk=generation_id)
        conversation = generation.conversation
        if conversation is None or not conversation.is_title_provisional or not conversation.is_open:
            generation.status, generation.started_at = Generation.Status.STOPPED, None
            generation.save()
            return None
        path = conversation.tree().path_to(conversation.current_leaf_id)
        first = [message for message in conversation.messages_of(path[:4]) if message.text][:2]
        request = ModelRequest(
            model=generation.model_asked,
            instructions=INSTRUCTIONS,
            turns=(Turn("user", "\n\n".join(_excerpt(message) for message in first)),),
            parameters={"max_output_tokens": 40},
            safety_identifier=safety_identifier(conversation.owner_id),
        )
        generation.instructions, generation.parameters = INSTRUCTIONS, request.as_sent()
        generation.input_tokens = estimate_tokens(INSTRUCTIONS) + estimate_tokens(request.turns[0].text)
        generation.usage_source = Generation.UsageSource.ESTIMATED
        generation.save()
    return CallPlan(generation_id, request)


def finish_title(*, plan: CallPlan, finished: Finished, text: str, progress: CallProgress) -> None:
    """Record the call and set the title, unless the owner has named or concluded the conversation meanwhile."""
    with transaction.atomic():
        ended = end_call(plan, finished, text, progress)
        if ended is None:
            return
        generation, answered = ended
        title = _tidy(answered)
        if title and generation.conversation_id and finished.outcome != "refused":
            named = Conversation.objects.filter(
                pk=generation.conversation_id, is_title_provisional=True, state=Conversation.State.OPEN
            )
            if named.update(title=title, is_title_provisional=False):
                index_title_again(conversation_id=generation.conversation_id)


def fail_title(*, plan: CallPlan, error: ModelError, text: str, progress: CallProgress) -> None:
    """Record that there was no title to be had; the beginning of the first prompt stays."""
    with transaction.atomic():
        fail_call(plan, error, text, progress)


def _excerpt(message: Message) -> str:
    speaker = "Person" if message.role == Message.Role.USER else "Assistant"
    return f"{speaker}: {message.text[:EXCERPT_CHARS]}"


def _tidy(text: str) -> str:
    lines = clean_text(text).strip().splitlines()
    line = " ".join(lines[0].replace("**", "").split()) if lines else ""
    title = _LABEL.sub("", line.strip(_AROUND)).strip(_AROUND)
    return "" if is_blank(title) else title[:TITLE_CHARS]
