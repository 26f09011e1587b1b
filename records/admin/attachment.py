"""Files of the record: what each is, where it lies and how it came there. The bytes are opened on the owner's pages."""

from django.contrib import admin

from conversations.models import Attachment
from records.admin.read import ReadAdmin


@admin.register(Attachment)
class AttachmentAdmin(ReadAdmin):
    """Every file that people attached or the model made, newest first."""

    noun = "attachment"
    to_conversation = "message__conversation"
    list_display = ("created_at", "name", "content_type", "size", "origin", "state", "owner")
    list_filter = ("state", "origin")
    list_select_related = ("owner",)
    ordering = ("-id",)
    fields = (
        ("name", "content_type", "size"),
        ("origin", "state", "failure"),
        ("message", "owner"),
        ("address", "sha256"),
        ("width", "height"),
        ("created_at", "ready_at"),
        ("container_id", "container_file_id"),
        ("provider_file_id", "provider_file_expires_at"),
        "id",
    )

    def conversation_of(self, row: Attachment) -> str | None:
        return str(row.message.conversation_id) if row.message else None
