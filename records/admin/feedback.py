"""Ratings of answers, for finding what assistants do well and badly."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator

from conversations.models import Feedback
from records.admin.read import ReadAdmin


@admin.register(Feedback)
class FeedbackAdmin(ReadAdmin):
    """Every rating that stands, the latest first."""

    noun = "feedback"
    to_conversation = "message__conversation"
    list_display = ("updated_at", "rating", "beginning", "assistant", "user", "thread")
    list_filter = ("rating", "updated_at", "message__conversation__assistant")
    list_select_related = ("user", "message__assistant", "message__conversation__assistant")
    ordering = ("-updated_at",)
    fields = (("rating", "user"), "reason", "message", "thread", "assistant", ("created_at", "updated_at"))
    readonly_fields = ("thread", "assistant")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the texts of the answers out."""
        return super().get_queryset(request).defer("message__text")

    def owner_of(self, row: Feedback) -> int:
        return int(row.user_id)

    def conversation_of(self, row: Feedback) -> str:
        return str(row.message.conversation_id)

    @admin.display(description="reason")
    def beginning(self, feedback: Feedback) -> str:
        """Return the beginning of the reason."""
        return Truncator(feedback.reason).chars(80)

    @admin.display(description="conversation")
    def thread(self, feedback: Feedback) -> str:
        """Return the beginning of the conversation's title."""
        return Truncator(feedback.message.conversation.title).chars(40)

    @admin.display(description="assistant")
    def assistant(self, feedback: Feedback) -> str:
        """Return who answered."""
        return str(feedback.message.assistant or feedback.message.conversation.assistant)
