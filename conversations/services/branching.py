"""Other versions of what was said: an edited prompt, another answer. They are siblings; nothing is overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction

from conversations.models import Assistant, Conversation, LanguageModel, Message
from conversations.services.attachments import KeptFiles
from conversations.services.refusals import Refusal, Refused
from conversations.services.sending import (
    accepted,
    begin_answer,
    commit_turn,
    lock_conversation,
    model_for,
    new_answer,
    require_open,
    require_unconcluded,
    send_message,
    sent_before,
    told_beside,
)

CONTINUE_PROMPT = "Your answer was cut off. Continue exactly where it ended."


def edit_prompt(
    *,
    message: Message,
    prompt: str,
    client_token: UUID,
    attachment_ids: Sequence[UUID] = (),
    kept_files: Sequence[UUID] = (),
    assistant: Assistant | None = None,
    model: LanguageModel | None = None,
) -> Message:
    """Say something else in place of an earlier prompt and return the answer that is now waited for.

    The new prompt is a sibling of the old one and carries those of its files that `kept_files` names, and new ones. The
    path through it is the current one from then on. Who answers may be chosen as in `retry_answer`. The same
    `client_token` and prompt again return the answer that was made the first time. Raises Refused (not_editable, empty,
    too_long, busy, concluded, assistant_unavailable, no_model, file, token_reused, limit), and
    Conversation.DoesNotExist where the conversation was hidden meanwhile.
    """
    if message.role != Message.Role.USER:
        raise Refused(Refusal.NOT_EDITABLE, "Only what you said yourself can be edited.")
    prompt = accepted(prompt)
    try:
        with transaction.atomic():
            conversation = _locked(message)
            require_open(conversation)
            chosen = _choose(conversation, assistant, model)
            kept = KeptFiles(message, kept_files)
            return commit_turn(conversation, message.parent_id, prompt, client_token, chosen, attachment_ids, kept)
    except (Refused, IntegrityError) as error:
        return sent_before(message.owner_id, client_token, prompt, error)


def retry_answer(
    *,
    message: Message,
    assistant: Assistant | None = None,
    model: LanguageModel | None = None,
    client_token: UUID | None = None,
    priority: int = 0,
) -> Message:
    """Ask again for an answer that has ended, wherever it stands; the new one is a sibling. Return the new one.

    The path through it is the current one from then on. `assistant` and `model` choose who answers, here and in what
    follows: an assistant without a model answers with its own; without both, whoever answers next does. The same
    `client_token`, where there is one, returns the answer that was made the first time. Raises Refused (not_retryable,
    busy, concluded, assistant_unavailable, no_model, token_reused, limit), and Conversation.DoesNotExist where the
    conversation was hidden meanwhile.
    """
    if message.role != Message.Role.ASSISTANT:
        raise Refused(Refusal.NOT_RETRYABLE, "Only an answer can be asked for again.")
    if message.parent_id is None:
        raise Refused(Refusal.NOT_RETRYABLE, "Nothing was asked before this, so there is nothing to answer again.")
    try:
        with transaction.atomic():
            conversation = _locked(message)
            require_open(conversation)
            chosen = _choose(conversation, assistant, model)
            answer = new_answer(conversation, message.parent_id)
            answer.client_token = client_token
            prompt, beside = (message.parent.text, told_beside(message.parent)) if message.parent else ("", "")
            begin_answer(conversation, None, answer, chosen, prompt, beside=beside, priority=priority)
    except (Refused, IntegrityError) as error:
        return _retried_before(message, client_token, error)
    return answer


def choose_answerer(*, conversation: Conversation, assistant: Assistant, model: LanguageModel | None) -> Conversation:
    """Let an assistant answer from the next prompt on, with a model in place of its own or (None) with its own.

    What was said stays whoever's it was. Raises Refused (concluded, assistant_unavailable, no_model), and
    Conversation.DoesNotExist where the conversation was hidden meanwhile.
    """
    with transaction.atomic():
        conversation = lock_conversation(conversation)
        if conversation.hidden_at is not None:
            raise Conversation.DoesNotExist
        require_unconcluded(conversation)
        _choose(conversation, assistant, model)
    return conversation


def continue_answer(*, message: Message) -> Message:
    """Ask the model to go on with an answer that was cut off, by a prompt that everybody can read; return the new one.

    However often it is pressed, an answer is gone on with once. Raises Refused (not_continuable, busy, concluded,
    assistant_unavailable, no_model, limit).
    """
    if message.role == Message.Role.ASSISTANT and message.is_running:
        require_open(message.conversation)
    if message.role != Message.Role.ASSISTANT or not message.is_cut_off:
        raise Refused(Refusal.NOT_CONTINUABLE, "This answer was not cut off. There is nothing to go on with.")
    return send_message(
        owner=message.owner,
        conversation_id=message.conversation_id,
        prompt=CONTINUE_PROMPT,
        client_token=uuid5(message.pk, "continue"),
        parent_id=message.pk,
        options=message.parent.options if message.parent else None,
    )


def _retried_before(message: Message, client_token: UUID | None, error: Refused | IntegrityError) -> Message:
    """Return the answer that the same token brought before. Raises `error`, or Refused (token_reused)."""
    sent = (
        Message.objects.filter(owner_id=message.owner_id, client_token=client_token).first() if client_token else None
    )
    if sent is None:
        raise error
    if (sent.role, sent.parent_id) != (message.role, message.parent_id):
        raise Refused(
            Refusal.TOKEN_REUSED, "This token was used for something else already. Make a new one for each request."
        ) from error
    return sent


def _locked(message: Message) -> Conversation:
    """Return the conversation of a message, locked: nothing begins in one that its owner has hidden meanwhile."""
    conversation = lock_conversation(message.conversation)
    if conversation.hidden_at is not None:
        raise Conversation.DoesNotExist
    return conversation


def _choose(conversation: Conversation, assistant: Assistant | None, model: LanguageModel | None) -> LanguageModel:
    """Let a locked conversation be answered as its owner chose, and return the model. Raises Refused."""
    if assistant is None and model is None:
        return model_for(conversation)
    if model is not None and model.pk != conversation.model_id:
        require_offered(model)
    if assistant is not None and assistant.pk != conversation.assistant_id:
        # Answers of before it was noted who gave them.
        unnamed = conversation.messages.filter(role=Message.Role.ASSISTANT, assistant__isnull=True)
        unnamed.update(assistant=conversation.assistant_id)
        conversation.assistant = assistant
    if assistant is not None or model is not None:
        conversation.model = model
    chosen = model_for(conversation)
    conversation.save(update_fields=["assistant", "model"])
    return chosen


def require_offered(model: LanguageModel) -> None:
    """Raise Refused (no_model) unless people may choose this model."""
    if not LanguageModel.objects.offered().filter(pk=model.pk).exists():
        raise Refused(Refusal.NO_MODEL, f"{model.label} cannot be chosen. Choose another model.")
