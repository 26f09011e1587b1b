"""Saying something: a prompt and the answer that is waited for are committed together, before any model is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from conversations.models import Assistant, Conversation, Generation, LanguageModel, Message
from conversations.models.conversation import ConversationQuerySet
from conversations.services import jobs
from conversations.services.attachments import KeptFiles, attach
from conversations.services.client_options import ClientOptions
from conversations.services.limits import reserve
from conversations.services.refusals import Refusal, Refused
from conversations.services.turns import find_open, write_turn
from conversations.text import clean_text, is_blank

if TYPE_CHECKING:
    from accounts.models import User

PROVISIONAL_TITLE_CHARS = 80


def start_conversation(
    *,
    owner: User,
    assistant: Assistant,
    prompt: str,
    client_token: UUID,
    attachment_ids: Sequence[UUID] = (),
    title: str = "",
    priority: int = 0,
    is_batched: bool = False,
) -> Message:
    """Begin a conversation with its first prompt and return the answer that is now waited for.

    The same `client_token` and prompt again return the answer that was made the first time, so that a double submit
    is one conversation. A `title` that is given stays, and no model is asked for one. Answers of a higher `priority` go
    first. One that a batch begins, `is_batched`, stays out of the rail until its owner looks at it or says more in it.
    Raises Refused (empty, too_long, assistant_unavailable, no_model, file, token_reused, limit).
    """
    prompt = accepted(prompt)
    try:
        with transaction.atomic():
            conversation = Conversation(
                owner=owner,
                assistant=assistant,
                title=title or provisional_title(prompt),
                is_title_provisional=not title,
                is_batched=is_batched,
            )
            model = model_for(conversation)
            conversation.save(force_insert=True)
            return commit_turn(conversation, None, prompt, client_token, model, attachment_ids, priority=priority)
    except (Refused, IntegrityError) as error:
        return sent_before(owner.pk, client_token, prompt, error)


def send_message(
    *,
    owner: User,
    conversation_id: UUID,
    prompt: str,
    client_token: UUID,
    attachment_ids: Sequence[UUID] = (),
    parent_id: UUID | None = None,
    options: dict[str, Any] | None = None,
) -> Message:
    """Add a prompt to a conversation of `owner` and return the answer that is now waited for.

    It follows the end of the current path, or the answer `parent_id`, whose path is the current one from then on.
    `options` are what a program gave with it (`ClientOptions.stored`). The same `client_token` and prompt again return
    the answer that was made the first time. The lock on the conversation makes parallel sends take turns. Raises
    Refused (empty, too_long, busy, concluded, no_parent, assistant_unavailable, no_model, file, token_reused, limit),
    and Conversation.DoesNotExist where it is not theirs.
    """
    prompt = accepted(prompt)
    try:
        with transaction.atomic():
            conversation, model = _answered_by(owner, conversation_id)
            # Whether an answer runs or the token was used is told by the constraints, which spares looking first.
            end = end_of_path(conversation, parent_id)
            return commit_turn(conversation, end, prompt, client_token, model, attachment_ids, options=options)
    except (Refused, IntegrityError) as error:
        return sent_before(owner.pk, client_token, prompt, error)


def _answered_by(owner: User, conversation_id: UUID) -> tuple[Conversation, LanguageModel]:
    """Return a conversation of `owner`, locked, and the model that answers next. Raises as `send_message` does."""
    found = find_open(owner=owner, conversation_id=conversation_id)
    model = found.language_model() if found is not None and found.is_open else None
    if found is not None and model is not None:
        return found, model
    conversation = _locked(Conversation.objects.visible_to(owner)).get(pk=conversation_id)
    conversation.owner = owner
    require_unconcluded(conversation)
    return conversation, model_for(conversation)


def lock_conversation(conversation: Conversation) -> Conversation:
    """Return the conversation as it now stands, locked until the surrounding transaction ends.

    Its model is not read along: what is joined to a row that was waited for is what it was joined to before.
    """
    return _locked(Conversation.objects.select_related("owner")).get(pk=conversation.pk)


def _locked(conversations: ConversationQuerySet) -> ConversationQuerySet:
    return conversations.select_for_update(of=("self",), no_key=True)


def require_open(conversation: Conversation) -> None:
    """Raise Refused (concluded, busy) unless something may be said now."""
    require_unconcluded(conversation)
    if conversation.messages.running().exists():
        raise _busy()


def require_unconcluded(conversation: Conversation) -> None:
    """Raise Refused (concluded) unless the conversation is open."""
    if not conversation.is_open:
        raise Refused(
            Refusal.CONCLUDED, "This conversation is concluded and takes no more messages. Start a new one to go on."
        )


def _busy() -> Refused:
    return Refused(
        Refusal.BUSY, "An answer is still being written. Wait for it or stop it, then send again; your text is kept."
    )


def accepted(prompt: str) -> str:
    """Return a prompt as it is stored. Raises Refused (empty, too_long)."""
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


def model_for(conversation: Conversation) -> LanguageModel:
    """Return the model that answers next in a conversation, and let its assistant be loaded with it.

    Raises Refused (assistant_unavailable, no_model).
    """
    visible = Assistant.objects.visible_to(conversation.owner).select_related("model")
    assistant = visible.filter(pk=conversation.assistant_id).first()
    if assistant is None:
        raise Refused(Refusal.ASSISTANT_UNAVAILABLE, "This assistant is not available any more. Choose another one.")
    conversation.assistant = assistant
    model = conversation.language_model()
    if model is None:
        raise Refused(Refusal.NO_MODEL, "The model of this assistant is not available. Ask an administrator.")
    return model


def sent_before(owner_id: int, client_token: UUID, prompt: str, error: Refused | IntegrityError) -> Message:
    """Return the answer to what was sent before with the same token, rather than tell why it cannot be sent (again).

    Raises Refused (token_reused) where that was something else, and what `error` means where nothing was sent.
    """
    sent = Message.objects.filter(owner_id=owner_id, client_token=client_token).first()
    answer = sent.children.select_related("conversation").order_by("id").first() if sent else None
    if sent is not None and sent.text != prompt:
        raise _reused() from error
    if answer is not None:
        return answer
    if isinstance(error, IntegrityError) and _constraint_of(error) == "one_running_answer":
        raise _busy() from error
    raise error


def end_of_path(conversation: Conversation, parent_id: UUID | None) -> UUID | None:
    """Return the message that the next prompt follows. Raises Refused (no_parent)."""
    if parent_id is None or parent_id == conversation.current_leaf_id:
        return conversation.current_leaf_id
    if not conversation.messages.filter(pk=parent_id, role=Message.Role.ASSISTANT).exists():
        raise Refused(
            Refusal.NO_PARENT, "What this goes on from is not in this conversation. Reload the page; your text is kept."
        )
    return parent_id


def _constraint_of(error: IntegrityError) -> str:
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or ""


def _reused() -> Refused:
    return Refused(
        Refusal.TOKEN_REUSED, "This form was already sent with another text. Your text is kept: send it again."
    )


def commit_turn(
    conversation: Conversation,
    parent_id: UUID | None,
    prompt: str,
    client_token: UUID,
    model: LanguageModel,
    attachment_ids: Sequence[UUID],
    kept: KeptFiles | None = None,
    *,
    options: dict[str, Any] | None = None,
    beside: str = "",
    priority: int = 0,
) -> Message:
    """Write a prompt and the answer that is waited for, in the caller's transaction; return the answer.

    `beside` is the history that a client supplied with it, which counts for limits like the instructions in `options`.
    """
    said = Message(
        conversation=conversation,
        owner_id=conversation.owner_id,
        parent_id=parent_id,
        role=Message.Role.USER,
        status=Message.Status.COMPLETED,
        text=prompt,
        client_token=client_token,
        options=options,
    )
    answer = new_answer(conversation, said.pk)
    answer.parent = said
    begin_answer(conversation, said, answer, model, prompt, beside=beside + told_beside(said), priority=priority)
    attach(message=said, attachment_ids=attachment_ids, model=model, kept=kept)
    return answer


def new_answer(conversation: Conversation, parent_id: UUID | None) -> Message:
    """Return an answer that waits for its writer, by the conversation's assistant; not saved."""
    return Message(
        conversation=conversation,
        owner_id=conversation.owner_id,
        parent_id=parent_id,
        assistant_id=conversation.assistant_id,
        role=Message.Role.ASSISTANT,
        status=Message.Status.QUEUED,
    )


def told_beside(prompt: Message) -> str:
    """Return the instructions that a client gave with a prompt."""
    return ClientOptions.of(prompt.options).instructions


def begin_answer(
    conversation: Conversation,
    said: Message | None,
    answer: Message,
    model: LanguageModel,
    prompt: str,
    *,
    beside: str = "",
    priority: int = 0,
) -> None:
    """Write what is said now, if anything is, and the answer that is waited for, and plan its call.

    Raises Refused (limit, no_model), and IntegrityError where an answer is running or a token was used. `prompt`
    is what is answered, `beside` what a client supplied with it, which is reserved along.
    """
    call = Generation(
        purpose=Generation.Purpose.ANSWER,
        conversation_id=answer.conversation_id,
        message=answer,
        model=model,
        model_asked=model.name,
        job_id=jobs.defer_answer(answer.pk, priority=priority),
    )
    turn = write_turn(conversation=conversation, said=said, answer=answer, call=call)
    reservation = reserve(owner_id=answer.owner_id, model=model, prompt=prompt, beside=beside, turn=turn)
    if reservation.is_kept:
        call.reserved_tokens, call.reserved_cost = reservation.tokens, reservation.cost
        call.save(update_fields=["reserved_tokens", "reserved_cost"])


def provisional_title(prompt: str) -> str:
    """Return the beginning of a prompt, on one line, as a title."""
    line = " ".join(prompt.split())
    return line if len(line) <= PROVISIONAL_TITLE_CHARS else line[: PROVISIONAL_TITLE_CHARS - 1].rstrip() + "…"
