"""Messages: of one conversation, and all that somebody said and was answered."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api import examples
from conversations.api.pages import page_of_ids
from conversations.api.serializers import MESSAGE_ROWS, MessageSerializer, show_message, show_messages
from conversations.api.serializers.lists import MessagePage
from conversations.api.serializers.queries import MessageQuery, PathQuery, RecordQuery
from conversations.api.views.asking import Asked, Asking
from conversations.models import Conversation, Message
from conversations.models.message import MessageQuerySet
from conversations.services import settle_stalled
from rest.schema import documented


class ConversationMessagesRead(Asking):
    """What `conversations/{id}/messages/` answers to GET."""

    @documented(
        operation_id="list_messages_of_conversation",
        summary="Read the messages of a conversation",
        description="The oldest first. `path=current`, which is what is meant without it, is what the page shows; "
        "`path=all` are all versions.",
        parameters=[PathQuery],
        responses={200: MessagePage},
        examples=[examples.MESSAGES],
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Answer a page of what was said in a conversation."""
        asked = self.asked(PathQuery, MessageSerializer)
        conversation = self.one(self.rows(Conversation.objects, asked), pk)
        if asked.get("path") == "all":
            response = self.page(
                of(self.rows(Message.objects, asked).filter(conversation=conversation), asked),
                ("id",),
                lambda found: show_messages(settled(found), only=asked.only),
            )
            self.note_read(
                "conversation.read",
                conversation,
                owner_id=conversation.owner_id,
                count=len(response.data["results"]),
            )
            return response
        path = conversation.tree().path_to(conversation.current_leaf_id)
        page = page_of_ids(request, path, limit=asked.limit, cursor=asked.cursor)
        rows = of(self.rows(Message.objects, asked), asked).in_bulk(page.items)
        found = settled([rows[message_id] for message_id in page.items if message_id in rows])
        self.note_read("conversation.read", conversation, owner_id=conversation.owner_id, count=len(found))
        return Response(page.answer(show_messages(found, only=asked.only)))


class MessagesView(Asking):
    """`messages/`."""

    @documented(
        operation_id="list_messages",
        summary="List messages of all conversations",
        description="The newest first, answers and prompts, all versions.",
        parameters=[MessageQuery],
        responses={200: MessagePage},
        examples=[examples.MESSAGES],
    )
    def get(self, request: Request) -> Response:
        """Answer a page of messages."""
        asked = self.asked(MessageQuery, MessageSerializer)
        is_of_all = not asked.everyone and "conversation" not in asked
        all_rows = Message.objects.listed_to(self.user) if is_of_all else self.rows(Message.objects, asked)
        rows = all_rows.filter(
            **asked.given(
                conversation="conversation_id",
                role="role",
                status="status",
                created_after="created_at__gt",
                created_before="created_at__lt",
            )
        )
        return self.page(
            of(rows, asked),
            ("-id",),
            lambda found: show_messages(settled(found), only=asked.only),
            kind="message.listed",
        )


class MessageView(Asking):
    """`messages/{id}/`."""

    @documented(
        operation_id="get_message",
        summary="Read a message",
        description="Of an answer that is being written the text so far. To follow it read its stream.",
        parameters=[RecordQuery],
        responses={200: MessageSerializer},
        examples=[examples.MESSAGE],
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Answer one message."""
        asked = self.asked(RecordQuery, MessageSerializer)
        (message,) = settled([self.one(of(self.rows(Message.objects, asked), asked), pk)])
        self.note_read("message.read", message, owner_id=message.owner_id, conversation_id=message.conversation_id)
        return Response(show_message(message, only=asked.only))


def of(rows: MessageQuerySet, asked: Asked) -> MessageQuerySet:
    """Return messages with what is shown of them, their texts only where they are wanted."""
    rows = rows.select_related(*MESSAGE_ROWS)
    return rows.defer("text") if asked.only is not None and "text" not in asked.only else rows


def settled(messages: Sequence[Message]) -> list[Message]:
    """Return messages as they are once answers whose worker is dead have been settled; it is asked once for all."""
    running = {message.pk: message for message in messages if message.is_running}
    if running:
        for message_id in settle_stalled(message_id=next(iter(running)) if len(running) == 1 else None):
            if message_id in running:
                running[message_id].refresh_from_db()
    return list(messages)
