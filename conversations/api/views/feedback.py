"""What people think of answers."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api import examples
from conversations.api.serializers.attachments import FEEDBACK_ROWS, FeedbackSerializer, show_feedback
from conversations.api.serializers.bodies import FeedbackChangeSerializer
from conversations.api.serializers.lists import FeedbackPage
from conversations.api.serializers.queries import FeedbackQuery, RecordQuery
from conversations.api.views.asking import Asking
from conversations.models import Feedback, Message
from conversations.services import rate_answer
from rest.schema import documented


class FeedbackListView(Asking):
    """`feedback/`."""

    @documented(
        operation_id="list_feedback",
        summary="List ratings",
        description="Those that were changed last come first.",
        parameters=[FeedbackQuery],
        responses={200: FeedbackPage},
        examples=[examples.FEEDBACK_LIST],
    )
    def get(self, request: Request) -> Response:
        """Answer a page of ratings."""
        asked = self.asked(FeedbackQuery, FeedbackSerializer)
        rows = self.rows(Feedback.objects, asked).filter(
            **asked.given(
                conversation="message__conversation_id",
                rating="rating",
                updated_after="updated_at__gt",
                updated_before="updated_at__lt",
            )
        )
        return self.page(
            rows.select_related(*FEEDBACK_ROWS).defer("message__text"),
            ("-updated_at", "-id"),
            lambda found: show_feedback(found, only=asked.only),
            kind="feedback.listed",
            owner="user_id",
        )


class FeedbackView(Asking):
    """`messages/{id}/feedback/`."""

    @documented(
        operation_id="get_feedback",
        summary="Read the rating of an answer",
        description="404 where there is none.",
        parameters=[RecordQuery],
        responses={200: FeedbackSerializer},
        examples=[examples.FEEDBACK],
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Answer what is thought of an answer."""
        asked = self.asked(RecordQuery, FeedbackSerializer)
        rating = self.rows(Feedback.objects, asked).select_related(*FEEDBACK_ROWS).filter(message_id=pk).first()
        if rating is None:
            raise Http404
        self.note_read("feedback.read", rating, owner_id=rating.user_id, conversation_id=rating.message.conversation_id)
        return Response(show_feedback([rating], only=asked.only)[0])

    @documented(
        operation_id="rate_answer",
        summary="Rate an answer",
        description="A rating can be changed as often as wanted, also in a concluded conversation.",
        request=FeedbackChangeSerializer,
        responses={200: FeedbackSerializer},
        examples=[examples.FEEDBACK_CHANGE, examples.FEEDBACK],
    )
    def put(self, request: Request, pk: UUID) -> Response:
        """Keep what is thought of an answer."""
        message = self.one(Message.objects.visible_to(self.user), pk)
        body = self.read(FeedbackChangeSerializer)
        rating = rate_answer(
            message=message,
            user=self.user,
            rating=body["rating"],
            reason=body.get("reason"),
        )
        return Response(show_feedback([rating] if rating else [])[0])

    @documented(
        operation_id="delete_feedback",
        summary="Take a rating back",
        description="Twice is once.",
        responses={204: None},
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        """Take back what was thought of an answer."""
        rate_answer(message=self.one(Message.objects.visible_to(self.user), pk), user=self.user, rating="")
        return Response(status=204)
