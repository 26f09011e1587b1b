"""What somebody said and was answered, finished as a worker leaves it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from accounts.models import User
from conversations.models import Assistant, Conversation, Message
from conversations.services import CallProgress, finish_answer, index_messages, send_message, start_conversation
from tests.factories import make_assistant, make_model, make_user, token
from tests.services.calls import FINISHED, claim

MARK = "the umbrella is petrol blue"


@dataclass(frozen=True)
class Said:
    """A conversation of one prompt and one answer."""

    prompt: Message
    answer: Message

    @property
    def owner(self) -> User:
        return self.answer.owner

    @property
    def conversation(self) -> Conversation:
        return self.answer.conversation

    @property
    def address(self) -> str:
        return f"conversations/{self.conversation.pk}/"


def say(text: str = MARK, *, owner: User | None = None, assistant: Assistant | None = None) -> Said:
    """A conversation that has come to its first answer."""
    make_model()
    owner = owner or make_user(username="anna")
    answer = start_conversation(
        owner=owner,
        assistant=assistant or make_assistant(),
        prompt=text,
        client_token=token(),
        title=text[:80],  # so that no model is asked for one
    )
    return ended(answer)


def more(said: Said, text: str = "And then?") -> Said:
    """The next prompt of the same conversation, and its answer."""
    answer = send_message(owner=said.owner, conversation_id=said.conversation.pk, prompt=text, client_token=token())
    return ended(answer)


def ended(answer: Message, text: str = "Hello there.") -> Said:
    """Finish an answer."""
    assert finish_answer(plan=claim(answer), finished=replace(FINISHED, text=text), text=text, progress=CallProgress())
    answer.refresh_from_db()
    assert answer.parent is not None
    return Said(answer.parent, answer)


def index() -> None:
    """Let the search know all of it."""
    while index_messages():
        pass
