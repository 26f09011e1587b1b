"""Conversations with their transcripts."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from conversations.models import Conversation, Message
from records.admin.record import RecordAdmin
from records.admin.transcript import read_transcript


class HiddenFilter(admin.SimpleListFilter):
    """Whether the owner put it out of their sight; reviewers see it all the same."""

    title = "whether its owner sees it"
    parameter_name = "hidden"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("no", "Seen"), ("yes", "Hidden")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return what is asked for; everything where nothing is."""
        if self.value() in ("no", "yes"):
            return queryset.filter(hidden_at__isnull=self.value() == "no")
        return queryset


@admin.register(Conversation)
class ConversationAdmin(RecordAdmin):
    """The list of all conversations, and one page for each: its facts, its transcript, its model calls."""

    list_display = ("title", "owner", "assistant", "state", "last_activity", "message_count")
    list_filter = ("state", "assistant", "last_activity_at", HiddenFilter)
    list_select_related = ("owner", "assistant")
    search_fields = ("title", "owner__username", "owner__email", "owner__first_name", "owner__last_name")
    search_help_text = "Title, or name or e-mail address of the owner"
    ordering = ("-last_activity_at",)
    fields = (
        ("owner", "assistant", "model"),
        ("state", "concluded_at", "concluded_by", "continued_from"),
        ("created_at", "last_activity_at", "hidden_at", "pinned_at", "seen_at"),
        "id",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count messages by a subquery, which PostgreSQL reckons for the rows of the page alone."""
        counts = (
            Message.objects.filter(conversation=OuterRef("pk"))
            .order_by()
            .values("conversation")
            .annotate(number=Count("pk"))
            .values("number")
        )
        conversations: QuerySet[Any] = super().get_queryset(request)
        listed: QuerySet[Any] = conversations.annotate(message_number=Coalesce(Subquery(counts), 0))
        return listed

    @admin.display(description="last activity", ordering="last_activity_at")
    def last_activity(self, conversation: Conversation) -> str:
        """Return when something was last said, to the minute."""
        return f"{timezone.localtime(conversation.last_activity_at):%-d %b %Y, %H:%M}"

    @admin.display(description="messages")
    def message_count(self, conversation: Any) -> int:
        """Return how many prompts and answers there are, on all branches."""
        return int(conversation.message_number)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Add the transcript; Django has checked the right to read by now."""
        context |= {
            "title": obj.title,
            "subtitle": None,
            "entries": read_transcript(obj),
            "generations": obj.generations.order_by("id").defer("instructions", "parameters", "error_detail"),
        }
        return super().render_change_form(request, context, add, change, form_url, obj)
