"""Conversations with their transcripts: the reading room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from conversations.amounts import money
from conversations.models import Conversation
from records import sitting
from records.admin.conversation_list import ConversationList, FilterPanel, IdPaginator
from records.admin.record import RecordAdmin
from records.admin.review_panel import review_panel
from records.admin.searching import search_view
from records.admin.transcript import read_transcript
from records.models import ConversationFact
from records.seen_transcripts import note_read


def _sum(name: str, ordering: str | None = None) -> Callable[[Any, Conversation], str]:
    """Return a column of the sums, with a dash where there are none yet."""

    @admin.display(description=name.replace("_", " "), ordering=ordering)
    def column(_: Any, conversation: Conversation) -> str:
        fact = _fact(conversation)
        return "–" if fact is None else f"{getattr(fact, name):,}"

    return column


@admin.register(Conversation)
class ConversationAdmin(RecordAdmin):
    """The list of all conversations, and one page for each: its facts and its transcript.

    The list asks for no reason; whoever opens a conversation says why first, and each page that is read of it is
    written down.
    """

    list_display = (
        "title",
        "owner",
        "assistant",
        "last_activity",
        "messages",
        "files",
        "signs",
        "tokens",
        "cost",
    )
    list_filter = (FilterPanel,)
    paginator = IdPaginator
    sortable_by = ("last_activity", "tokens", "cost")
    ordering = ("-last_activity_at",)
    change_list_template = "admin/records/conversations.html"
    fields = (
        ("owner", "assistant", "model"),
        ("state", "concluded_at", "concluded_by", "continues"),
        ("created_at", "last_activity_at", "hidden_at", "pinned_at", "seen_at"),
        "id",
    )

    readonly_fields = ("continues",)

    messages = _sum("messages")
    files = _sum("files")
    tokens = _sum("tokens", ordering="fact__tokens")

    def get_urls(self) -> list[URLPattern]:
        """Put the search over all before the addresses of conversations."""
        own = path("search/", self.admin_site.admin_view(search_view), name="conversations_conversation_search")
        return [own, *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ConversationList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Nothing but the filters: a search in titles by the address would ask for no reason."""
        return lookup in FilterPanel.names

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Answer with 422 where a filter makes no sense."""
        response = super().changelist_view(request, {"title": "Conversations"} | (extra_context or {}))
        changelist = getattr(response, "context_data", {}).get("cl")
        if changelist is not None and not changelist.panel.is_valid:
            response.status_code = 422
        return response

    @admin.display(description="continued from")
    def continues(self, conversation: Conversation) -> SafeString | str:
        """Return the conversation that it goes on from, unless that is removed."""
        if conversation.continued_from_id is None:
            return "–"
        before = Conversation.objects.filter(pk=conversation.continued_from_id).first()
        if before is None:
            return f"{conversation.continued_from_id}, which was removed"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:conversations_conversation_change", args=[before.pk]), before.title
        )

    @admin.display(description="last activity", ordering="last_activity_at")
    def last_activity(self, conversation: Conversation) -> str:
        """Return when something was last said, to the minute."""
        return f"{timezone.localtime(conversation.last_activity_at):%-d %b %Y, %H:%M}"

    @admin.display(description="signs")
    def signs(self, conversation: Conversation) -> str:
        """Return what stands out: that it is over, endings that were no good ones, ratings."""
        fact = _fact(conversation)
        counted = () if fact is None else _signs(fact)
        said = [] if conversation.is_open else ["concluded"]
        said += [f"{count:,} {words}" for count, words in counted if count]
        return ", ".join([*said, "deleted by its owner"] if conversation.hidden_at else said) or "–"

    @admin.display(description="cost", ordering="fact__cost")
    def cost(self, conversation: Conversation) -> str:
        """Return the cost, with what is not known of it."""
        fact = _fact(conversation)
        if fact is None:
            return "–"
        if fact.unpriced_calls and not fact.cost:
            return "unknown"
        return f"{money(fact.cost)} + unknown" if fact.unpriced_calls else money(fact.cost)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Ask who has the right to read for a reason first."""
        if object_id is not None and self.has_view_permission(request) and sitting.reason(request) is None:
            return sitting.ask(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("owner", "assistant", "fact")

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Add a page of the transcript and write down that it was read; Django has checked the right to by now."""
        transcript = read_transcript(obj, page=request.GET.get("page", ""), at=request.GET.get("at", ""))
        details = {"page": transcript.page, "messages": len(transcript.entries), "pictures": transcript.pictures}
        sitting.note(request, "conversation.read", "conversation", obj.pk, obj.owner_id, details)
        note_read(request, obj.pk)
        context |= {
            "title": obj.title,
            "subtitle": None,
            "transcript": transcript,
            "fact": _fact(obj),
            "review_panel": review_panel(request, obj),
        }
        return super().render_change_form(request, context, add, change, form_url, obj)


def _fact(conversation: Conversation) -> ConversationFact | None:
    fact: ConversationFact | None = getattr(conversation, "fact", None)
    return fact


def _signs(fact: ConversationFact) -> tuple[tuple[int, str], ...]:
    return (
        (fact.failed, "failed"),
        (fact.refused, "refused"),
        (fact.stopped, "stopped"),
        (fact.cut_off, "cut off"),
        (fact.thumbs_down, "rated bad"),
        (fact.thumbs_up, "rated good"),
    )
