"""Saying something over the API: a first prompt, the next one, another wording, another answer, more of one; a stop."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.live import examples
from conversations.api.live.answering import HOW, PARAMETERS, RESPONSES, AnswerView, message_of
from conversations.api.serializers import MESSAGE_ROWS, MessageSerializer, show_message
from conversations.api.serializers.sending import (
    EditSerializer,
    RetrySerializer,
    SendSerializer,
    StartSerializer,
    answerer_of,
    assistant_of,
)
from conversations.api.views.conversations import ConversationsRead
from conversations.api.views.messages import ConversationMessagesRead
from conversations.models import Message
from conversations.services import (
    Refused,
    continue_answer,
    edit_prompt,
    retry_answer,
    send_message,
    start_conversation,
    stop_answer,
)
from rest.schema import documented
from rest.serializers import NothingSerializer
from rest.views import LiveView


class ConversationsView(ConversationsRead, AnswerView):
    """`conversations/`."""

    @documented(
        operation_id="start_conversation",
        summary="Begin a conversation",
        description=f"Sends its first prompt. {HOW}",
        request=StartSerializer,
        responses=RESPONSES,
        examples=[examples.START, *examples.ANSWERS],
        parameters=PARAMETERS,
    )
    async def post(self, request: Request) -> HttpResponseBase:
        """Begin a conversation with its first prompt."""
        return await self.answered(self._say)

    def _say(self) -> Message:
        asked = self.read(StartSerializer)
        assistant = assistant_of(self.user, asked.get("assistant"))
        return start_conversation(owner=self.user, assistant=assistant, **self.prompt(asked))


class ConversationMessagesView(ConversationMessagesRead, AnswerView):
    """`conversations/{id}/messages/`."""

    @documented(
        operation_id="send_message",
        summary="Send a message",
        description=f"Says something in a conversation that has begun. {HOW}",
        request=SendSerializer,
        responses=RESPONSES,
        examples=[examples.SEND, *examples.ANSWERS],
        parameters=PARAMETERS,
    )
    async def post(self, request: Request, pk: UUID) -> HttpResponseBase:
        """Say something in a conversation that has begun."""
        return await self.answered(partial(self._say, pk))

    def _say(self, pk: UUID) -> Message:
        asked = self.read(SendSerializer)
        parent_id = asked.get("parent")
        return send_message(owner=self.user, conversation_id=pk, parent_id=parent_id, **self.prompt(asked))


class RetryView(AnswerView):
    """`messages/{id}/retry/`."""

    @documented(
        operation_id="retry_answer",
        summary="Ask again for an answer",
        description="The new answer is a sibling of the old one, which stays; the path through it is the current one "
        f"from then on. Who answers may be chosen, here and for what follows. {HOW}",
        request=RetrySerializer,
        responses=RESPONSES,
        examples=[examples.RETRY, *examples.ANSWERS],
        parameters=PARAMETERS,
    )
    async def post(self, request: Request, pk: UUID) -> HttpResponseBase:
        """Ask again for an answer that has ended."""
        return await self.answered(partial(self._say, pk))

    def _say(self, pk: UUID) -> Message:
        asked, message = self.read(RetrySerializer), message_of(self.user, pk)
        answerer = answerer_of(self.user, message.conversation, asked)
        return retry_answer(message=message, client_token=self.token(asked), **answerer)


class EditView(AnswerView):
    """`messages/{id}/edit/`."""

    @documented(
        operation_id="edit_prompt",
        summary="Say something else in place of an earlier prompt",
        description="The new prompt is a sibling of the old one, which stays with all that followed it; the path "
        f"through the new one is the current one from then on. {HOW}",
        request=EditSerializer,
        responses=RESPONSES,
        examples=[examples.EDIT, *examples.ANSWERS],
        parameters=PARAMETERS,
    )
    async def post(self, request: Request, pk: UUID) -> HttpResponseBase:
        """Say something else in place of an earlier prompt."""
        return await self.answered(partial(self._say, pk))

    def _say(self, pk: UUID) -> Message:
        asked, message = self.read(EditSerializer), message_of(self.user, pk)
        answerer = answerer_of(self.user, message.conversation, asked)
        return edit_prompt(message=message, kept_files=asked["keep_files"], **self.prompt(asked), **answerer)


class ContinueView(AnswerView):
    """`messages/{id}/continue/`."""

    @documented(
        operation_id="continue_answer",
        summary="Have the model go on with an answer that was cut off",
        description=f"By a prompt that everybody can read. An answer is gone on with once. {HOW}",
        request=NothingSerializer,
        responses=RESPONSES,
        examples=[examples.NOTHING, *examples.ANSWERS],
        parameters=PARAMETERS,
    )
    async def post(self, request: Request, pk: UUID) -> HttpResponseBase:
        """Have the model go on with an answer that was cut off."""
        return await self.answered(partial(self._say, pk))

    def _say(self, pk: UUID) -> Message:
        self.read(NothingSerializer)
        return continue_answer(message=message_of(self.user, pk))


class StopView(LiveView):
    """`messages/{id}/stop/`."""

    @documented(
        operation_id="stop_answer",
        summary="Stop an answer",
        description="At once; what it has written is kept. One that was stopped before is answered again; one that "
        "ended otherwise is a conflict (409).",
        request=NothingSerializer,
        responses={200: MessageSerializer},
        examples=[examples.NOTHING, examples.STOPPED],
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Stop an answer."""
        self.read(NothingSerializer)
        try:
            stop_answer(message=message_of(self.user, pk))
        except Refused:
            if message_of(self.user, pk).status != Message.Status.STOPPED:
                raise
        visible = Message.objects.visible_to(self.user).select_related(*MESSAGE_ROWS)
        return Response(show_message(visible.get(pk=pk)))
