"""What becomes of a conversation: restored, concluded, gone on with, handed out as its sealed document."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from conversations.api import examples
from conversations.api.serializers import (
    CONVERSATION_ROWS,
    ConversationDetailSerializer,
    show_conversation_detail,
)
from conversations.api.views.asking import Asking
from conversations.models import Conversation
from conversations.services import conclude_conversation, continue_conversation, restore_conversation
from rest.schema import documented
from rest.serializers import NothingSerializer


class Deed(Asking):
    """Something that is done to a conversation by a POST without a body."""

    def shown(self, conversation: Conversation) -> dict[str, object]:
        """Return a conversation as it now is."""
        rows = Conversation.objects.visible_to(self.user).select_related(*CONVERSATION_ROWS)
        return show_conversation_detail(self.one(rows, conversation.pk))


class RestoreView(Deed):
    """`conversations/{id}/restore/`."""

    @documented(
        operation_id="restore_conversation",
        summary="Restore a deleted conversation",
        description="Within 30 days. Twice is once.",
        request=NothingSerializer,
        responses={200: ConversationDetailSerializer},
        examples=[examples.NOTHING, examples.CONVERSATION],
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Give a deleted conversation back to its owner."""
        self.read(NothingSerializer)
        conversation = self.one(Conversation.objects.kept_by(self.user), pk)
        return Response(self.shown(restore_conversation(conversation=conversation)))


class ConcludeView(Deed):
    """`conversations/{id}/conclude/`."""

    @documented(
        operation_id="conclude_conversation",
        summary="Conclude a conversation",
        description="It takes no more messages. Its document is sealed soon after, and the event "
        "`conversation.concluded` tells that.",
        request=NothingSerializer,
        responses={200: ConversationDetailSerializer},
        examples=[examples.NOTHING, examples.CONVERSATION],
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Conclude a conversation."""
        self.read(NothingSerializer)
        conversation = self.one(Conversation.objects.visible_to(self.user), pk)
        return Response(self.shown(conclude_conversation(conversation=conversation)))


class ContinueView(Deed):
    """`conversations/{id}/continue/`."""

    @documented(
        operation_id="continue_conversation",
        summary="Go on from a concluded conversation in a new one",
        description="The new one repeats its path; no model is called. One in which nothing was said yet is "
        "answered again.",
        request=NothingSerializer,
        responses={201: ConversationDetailSerializer},
        examples=[examples.NOTHING, examples.CONVERSATION],
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Begin a conversation that goes on from a concluded one."""
        self.read(NothingSerializer)
        rows = Conversation.objects.visible_to(self.user).select_related("assistant__model", "model")
        continued = continue_conversation(conversation=self.one(rows, pk))
        address = reverse("api:conversation", args=[continued.pk], request=request)
        return Response(self.shown(continued), status=201, headers={"Location": address})
