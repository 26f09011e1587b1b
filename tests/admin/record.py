"""Rows of the record for tests of the back office."""

from typing import Any

from accounts.models import User
from conversations.models import Conversation, Generation, Message
from tests.factories import make_assistant, make_model, make_user


def make_conversation(*, owner: User | None = None, title: str = "Contracts", **fields: Any) -> Conversation:
    fields = {"owner": owner or make_user(), "assistant": make_assistant(), "title": title} | fields
    return Conversation.objects.create(**fields)


def make_prompt(conversation: Conversation, text: str = "Why?", parent: Message | None = None) -> Message:
    return Message.objects.create(
        conversation=conversation,
        owner=conversation.owner,
        parent=parent,
        role=Message.Role.USER,
        status=Message.Status.COMPLETED,
        text=text,
    )


def make_answer(parent: Message, text: str = "Because.", **fields: Any) -> Message:
    """An answer with its model call; it becomes the end of the path that is shown."""
    conversation = parent.conversation
    answer = Message.objects.create(
        conversation=conversation,
        owner=conversation.owner,
        parent=parent,
        role=Message.Role.ASSISTANT,
        text=text,
        **({"status": Message.Status.COMPLETED} | fields),
    )
    model = make_model()
    Generation.objects.create(
        purpose=Generation.Purpose.ANSWER,
        status=Generation.Status.COMPLETED,
        conversation=conversation,
        message=answer,
        model=model,
        model_asked=model.name,
        price=model.prices.first(),
        input_tokens=10,
        output_tokens=5,
        cost="0.00007500",
        usage_source=Generation.UsageSource.EXACT,
    )
    Conversation.objects.filter(pk=conversation.pk).update(current_leaf=answer)
    return answer


def make_thread(turns: int = 1, **fields: Any) -> Conversation:
    """A conversation of some prompts, each with its answer."""
    conversation, parent = make_conversation(**fields), None
    for number in range(turns):
        parent = make_answer(make_prompt(conversation, f"Question {number}", parent), f"Answer {number}")
    conversation.refresh_from_db()
    return conversation
