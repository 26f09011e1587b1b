"""Saying something: a prompt and the answer that is waited for are committed together, before any model is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from conversations.models import Assistant, Conversation, Generation, LanguageModel, Message
from conversations.models.conversation import ConversationQuerySet
from conversations.services import jobs
from conversations.services.attachments import attach
from conversations.services.limits import reserve
from conversations.services.refusals import Refusal, Refused
from conversations.text import clean_text, is_blank

if TYPE_CHECKING:
    from accounts.models import User

PROVISIONAL_TITLE_CHARS = 80


def start_conversation(
    *, owner: User, assistant: Assistant, prompt: str, client_token: UUID, attachment_ids: Sequence[UUID] = ()
) -> Message:
    """Begin a conversation with its first prompt and return the answer that is now waited for.

    The same `client_token` and prompt again return the answer that was made the first time, so that a double submit
    is one conversation. Raises Refused (empty, too_long, assistant_unavailable, no_model, file, token_reused, limit).
    """
    prompt = _accepted(prompt)
    try:
        with transaction.atomic():
            model = _model_for(owner, assistant.pk)
            conversation = Conversation.objects.create(
                owner=owner, assistant=assistant, title=_provisional_title(prompt)
            )
            return _commit_turn(conversation, None, prompt, client_token, model, attachment_ids)
    except (Refused, IntegrityError):
        earlier = _earlier(owner.pk, client_token, prompt)
        if earlier is None:
            raise
        return earlier


def send_message(
    *, owner: User, conversation_id: UUID, prompt: str, client_token: UUID, attachment_ids: Sequence[UUID] = ()
) -> Message:
    """Add a prompt to a conversation of `owner` and return the answer that is now waited for.

    The same `client_token` and prompt again return the answer that was made the first time. The lock on the
    conversation makes parallel sends take turns. Raises Refused (empty, too_long, busy, concluded,
    assistant_unavailable, no_model, file, token_reused, limit), and Conversation.DoesNotExist where it is not theirs.
    """
    prompt = _accepted(prompt)
    try:
        with transaction.atomic():
            conversation = _locked(Conversation.objects.visible_to(owner)).get(pk=conversation_id)
            _require_unconcluded(conversation)
            model = _model_for(owner, conversation.assistant_id)
            # Whether an answer runs or the token was used is told by the constraints, which spares looking first.
            leaf_id = conversation.current_leaf_id
            return _commit_turn(conversation, leaf_id, prompt, client_token, model, attachment_ids)
    except (Refused, IntegrityError) as error:
        earlier = _earlier(owner.pk, client_token, prompt)
        if earlier is not None:
            return earlier
        if isinstance(error, IntegrityError) and _constraint_of(error) == "one_running_answer":
            raise _busy() from error
        raise


def retry_answer(*, message: Message) -> Message:
    """Ask the model again for an answer; the new one is a sibling and the old one stays. Return the new one.

    Raises Refused (not_retryable, busy, concluded, assistant_unavailable, no_model, limit).
    """
    if message.role != Message.Role.ASSISTANT:
        raise Refused(Refusal.NOT_RETRYABLE, "Only an answer can be asked for again.")
    with transaction.atomic():
        conversation = lock_conversation(message.conversation)
        require_open(conversation)
        if conversation.current_leaf_id != message.pk:
            raise Refused(Refusal.NOT_RETRYABLE, "The conversation has gone on since. Reload the page to see it.")
        model = _model_for(conversation.owner, conversation.assistant_id)
        answer = _new_answer(conversation, message.parent_id)
        answer.save(force_insert=True)
        _plan_generation(answer, model, message.parent.text if message.parent else "")
        _touch(conversation, answer)
    return answer


def lock_conversation(conversation: Conversation) -> Conversation:
    """Return the conversation as it now stands, locked until the surrounding transaction ends."""
    return _locked(Conversation.objects.select_related("owner")).get(pk=conversation.pk)


def _locked(conversations: ConversationQuerySet) -> ConversationQuerySet:
    return conversations.select_for_update(of=("self",), no_key=True)


def require_open(conversation: Conversation) -> None:
    """Raise Refused (concluded, busy) unless something may be said now."""
    _require_unconcluded(conversation)
    if conversation.messages.running().exists():
        raise _busy()


def _require_unconcluded(conversation: Conversation) -> None:
    if not conversation.is_open:
        raise Refused(
            Refusal.CONCLUDED, "This conversation is concluded and takes no more messages. Start a new one to go on."
        )


def _busy() -> Refused:
    return Refused(
        Refusal.BUSY, "An answer is still being written. Wait for it or stop it, then send again; your text is kept."
    )


def _accepted(prompt: str) -> str:
    prompt = clean_text(prompt.replace("\r\n", "\n")).strip()
    if is_blank(prompt):
        raise Refused(Refusal.EMPTY, "The message is empty. Type something first.")
    if len(prompt) > settings.MAX_PROMPT_CHARS:
        raise Refused(
            Refusal.TOO_LONG,
            f"The message has {len(prompt):,} characters; "
            f"at most {settings.MAX_PROMPT_CHARS:,} can be sent. Shorten it.",
        )
    return prompt


def _model_for(user: User, assistant_id: int) -> LanguageModel:
    assistant = Assistant.objects.visible_to(user).select_related("model").filter(pk=assistant_id).first()
    if assistant is None:
        raise Refused(Refusal.ASSISTANT_UNAVAILABLE, "This assistant is not available any more. Choose another one.")
    model = assistant.language_model()
    if model is None:
        raise Refused(Refusal.NO_MODEL, "The model of this assistant is not available. Ask an administrator.")
    return model


def _earlier(owner_id: int, client_token: UUID, prompt: str) -> Message | None:
    """Return the answer to what was sent before with the same token; Refused where that was something else."""
    sent = Message.objects.filter(owner_id=owner_id, client_token=client_token).first()
    if sent is None:
        return None
    if sent.text != prompt:
        raise _reused()
    return sent.children.select_related("conversation").order_by("id").first()


def _constraint_of(error: IntegrityError) -> str:
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or ""


def _reused() -> Refused:
    return Refused(
        Refusal.TOKEN_REUSED, "This form was already sent with another text. Your text is kept: send it again."
    )


def _commit_turn(
    conversation: Conversation,
    leaf_id: UUID | None,
    prompt: str,
    client_token: UUID,
    model: LanguageModel,
    attachment_ids: Sequence[UUID],
) -> Message:
    said = Message(
        conversation=conversation,
        owner_id=conversation.owner_id,
        parent_id=leaf_id,
        role=Message.Role.USER,
        status=Message.Status.COMPLETED,
        text=prompt,
        client_token=client_token,
    )
    answer = _new_answer(conversation, said.pk)
    Message.objects.bulk_create([said, answer])
    answer.parent = said
    attach(message=said, attachment_ids=attachment_ids, model=model)
    _plan_generation(answer, model, prompt)
    _touch(conversation, answer)
    return answer


def _new_answer(conversation: Conversation, parent_id: UUID | None) -> Message:
    return Message(
        conversation=conversation,
        owner_id=conversation.owner_id,
        parent_id=parent_id,
        role=Message.Role.ASSISTANT,
        status=Message.Status.QUEUED,
    )


def _plan_generation(answer: Message, model: LanguageModel, prompt: str) -> None:
    """Plan the call for an answer that was just inserted. Raises Refused (limit, no_model)."""
    reservation = reserve(owner_id=answer.owner_id, model=model, prompt=prompt)
    Generation.objects.create(
        purpose=Generation.Purpose.ANSWER,
        conversation_id=answer.conversation_id,
        message=answer,
        model=model,
        model_asked=model.name,
        reserved_tokens=reservation.tokens,
        reserved_cost=reservation.cost,
        job_id=jobs.defer_answer(answer.pk),
    )


def _touch(conversation: Conversation, leaf: Message) -> None:
    conversation.current_leaf = leaf
    conversation.last_activity_at = timezone.now()
    conversation.save(update_fields=["current_leaf", "last_activity_at"])


def _provisional_title(prompt: str) -> str:
    line = " ".join(prompt.split())
    return line if len(line) <= PROVISIONAL_TITLE_CHARS else line[: PROVISIONAL_TITLE_CHARS - 1].rstrip() + "…"
