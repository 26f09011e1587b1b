"""The text of files for search: which files are to be read, and keeping what a job read in them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from conversations.files import storage
from conversations.models import Attachment, AttachmentText, Message


def find_unread_files(
    *, count: int = 20, without: Collection[UUID] = (), among: Collection[UUID] | None = None
) -> list[Attachment]:
    """Return files of messages that no job has looked into yet, the newest first, without those of another bucket.

    `without` leaves files out, `among` asks for these alone. One whose object is another's as well (of an edited or
    continued message) gets that one's text at once.
    """
    unread = Attachment.objects.filter(
        is_read=False, state=Attachment.State.READY, message__isnull=False, bucket=storage.bucket()
    )
    if without:
        unread = unread.exclude(pk__in=without)
    if among is not None:
        unread = unread.filter(pk__in=among)
    return [file for file in unread.order_by("-id")[:count] if not _has_read_twin(file)]


def keep_text(*, attachment_id: UUID, text: str) -> None:
    """Note that a file has been read, keep its text where it has some, and have its message indexed anew.

    Two workers may have read the same file: the second one changes nothing.
    """
    with transaction.atomic():
        file = Attachment.objects.select_for_update(no_key=True).filter(pk=attachment_id, is_read=False).first()
        if file is None or file.message_id is None:
            return
        file.is_read = True
        file.save(update_fields=["is_read"])
        if text:
            AttachmentText.objects.create(attachment=file, text=text)
            Message.objects.filter(pk=file.message_id).update(search_vector=None)


def _has_read_twin(file: Attachment) -> bool:
    twin = Attachment.objects.select_related("content").filter(key=file.key, name=file.name, is_read=True).first()
    if twin is None:
        return False
    keep_text(attachment_id=file.pk, text=twin.content.text if hasattr(twin, "content") else "")
    return True
