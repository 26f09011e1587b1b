"""Messages one by one, for finding what went wrong; conversations are read on their own pages."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest
from django.utils.text import Truncator

from conversations.models import Message
from records.admin.read import ReadAdmin


@admin.register(Message)
class MessageAdmin(ReadAdmin):
    """Every prompt and answer, newest first."""

    noun = "message"
    to_conversation = "conversation"
    list_display = ("created_at", "role", "status", "beginning", "owner", "thread")
    list_filter = ("role", "status")
    list_select_related = ("owner", "conversation")
    ordering = ("-id",)
    fields = (
        ("conversation", "owner", "parent"),
        ("assistant", "copy_of", "is_supplied"),
        ("role", "status", "attempt", "activity"),
        ("created_at", "finished_at"),
        "text",
        "options",
        ("error_code", "error_text"),
        ("id", "client_token"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the texts out: a page of 50 could be 50 books."""
        messages: QuerySet[Any] = super().get_queryset(request)
        listed: QuerySet[Any] = messages.defer("text").annotate(first_characters=Left("text", 80))
        return listed

    def conversation_of(self, row: Message) -> str:
        return str(row.conversation_id)

    @admin.display(description="conversation")
    def thread(self, message: Message) -> str:
        """Return the beginning of the conversation's title."""
        return Truncator(message.conversation.title).chars(40)

    @admin.display(description="text")
    def beginning(self, message: Any) -> str:
        """Return the first 80 characters."""
        return str(message.first_characters)
