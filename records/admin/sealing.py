"""What was sealed, and the events that other systems follow."""

from django.contrib import admin

from conversations.models import Event, SealedDocument
from records.admin.record import RecordAdmin


@admin.register(SealedDocument)
class SealedDocumentAdmin(RecordAdmin):
    """Sealed documents, newest first: where each lies and what its bytes are."""

    to_conversation = "conversation"
    list_display = ("sealed_at", "conversation", "address", "size", "sha256")
    list_select_related = ("conversation",)
    search_fields = ("sha256", "conversation__title")
    search_help_text = "SHA-256, or title of the conversation"
    ordering = ("-sealed_at",)
    fields = ("conversation", "address", ("size", "format"), "sha256", "sealed_at")


@admin.register(Event)
class EventAdmin(RecordAdmin):
    """Every event, newest first."""

    list_display = ("seq", "kind", "about", "created_at")
    list_filter = ("kind",)
    ordering = ("-seq",)
    fields = (("seq", "kind"), "about", "data", "created_at")
    readonly_fields = ("about",)

    @admin.display(description="conversation", ordering="conversation")
    def about(self, event: Event) -> str:
        """Return the id of the conversation, which may be removed."""
        return str(event.conversation_id)
