"""What somebody owns whom others want to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.models import User
from conversations.models import (
    Assistant,
    Attachment,
    Conversation,
    Feedback,
    Message,
    SealedDocument,
)
from conversations.services import (
    conclude_conversation,
    hide_conversation,
    seal_conversation,
    start_conversation,
    stop_answer,
)
from tests.factories import make_file, token

SECRET = "the colour of that umbrella"


@dataclass(frozen=True)
class Belongings:
    """A conversation that waits for its owner, and one whose answer is being written."""

    ended: Message
    running: Message
    picture: Attachment
    """Sent with the prompt."""
    unsent: Attachment
    lost: Attachment
    """A file of the answer that could not be kept."""
    rating: Feedback
    deleted: Conversation
    sealed: SealedDocument

    @classmethod
    def of(cls, owner: User, assistant: Assistant, prompt: str = SECRET) -> Belongings:
        ended, running = (
            start_conversation(owner=owner, assistant=assistant, prompt=prompt, client_token=token()) for _ in range(2)
        )
        ended = stop_answer(message=ended)
        ended.text = "It begins with"
        ended.save(update_fields=["text"])
        unwanted = start_conversation(owner=owner, assistant=assistant, prompt=prompt, client_token=token())
        return cls(
            ended,
            running,
            picture=make_file(owner, message=ended.parent),
            unsent=make_file(owner),
            lost=make_file(owner, message=ended, data=None, container_file_id="cfile_1"),
            rating=Feedback.objects.create(message=ended, user=owner, rating="up", reason=prompt),
            deleted=hide_conversation(conversation=unwanted.conversation),
            sealed=_seal(start_conversation(owner=owner, assistant=assistant, prompt=prompt, client_token=token())),
        )

    @property
    def conversation(self) -> Conversation:
        return self.ended.conversation

    @property
    def prompt(self) -> Message:
        """What the owner said first."""
        return self.conversation.messages.get(role=Message.Role.USER)

    def values(self) -> dict[str, Mapping[str, object]]:
        """Return what to put into the patterns of conversations/urls.py."""
        of_message = {"pk": self.ended.pk}
        of_running = {"pk": self.running.pk, "message_id": self.running.pk}
        of_conversation = {"pk": self.conversation.pk}
        return {
            "detail": of_conversation,
            "heading": of_conversation,
            "export": of_conversation,
            "send": of_conversation,
            "rename": of_conversation,
            "pin": of_conversation,
            "hide": of_conversation,
            "restore": {"pk": self.deleted.pk},
            "message": of_message,
            "retry": of_message,
            "continue": of_message,
            "edit": {"pk": self.ended.parent_id},
            "feedback": of_message,
            "seen": of_conversation,
            "conclude": of_conversation,
            "seal": {"pk": self.sealed.pk},
            "sealed_document": {"pk": self.sealed.pk},
            "continue_as_new": {"pk": self.sealed.pk},
            "stop": of_running,
            "stream": of_running,
            "attachment": {"pk": self.picture.pk},
            "thumbnail": {"pk": self.picture.pk},
            "attachment_remove": {"pk": self.unsent.pk},
            "attachment_retry": {"pk": self.lost.pk},
        }


def _seal(answer: Message) -> SealedDocument:
    conversation = conclude_conversation(conversation=stop_answer(message=answer).conversation)
    seal_conversation(conversation_id=conversation.pk)
    return SealedDocument.objects.get(pk=conversation.pk)
