"""Comparing the record with storage: which files are on one side alone, and what can be done about them."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from conversations.files import storage
from conversations.models import Attachment, Conversation, SealedDocument
from conversations.models.attachment import AttachmentQuerySet
from conversations.services.attachments import delete_file, find_undeleted
from conversations.services.sending import lock_conversation


class Kind(enum.StrEnum):
    MISSING = "missing"  # ready on record, and there is no object
    DAMAGED = "damaged"  # ready on record, and the object has another size
    UNDELETED = "undeleted"  # marked as deleted, and no job will delete it
    ELSEWHERE = "elsewhere"  # ready in another bucket than the one in use: nothing can be said
    ORPHAN = "orphan"  # an object that no row names


_FAILURES = {
    Kind.MISSING: "Storage has lost this file. What it held cannot be shown any more.",
    Kind.DAMAGED: "Storage holds this file with another size than it had. It is damaged and not given out.",
}


@dataclass(frozen=True)
class Difference:
    """One file on which record and storage do not agree; an orphan has no row, a sealed document no attachment."""

    kind: Kind
    key: str
    detail: str
    attachment_id: UUID | None = None


def find_differences(*, hours: int = 24) -> Iterator[Difference]:
    """Yield what differs, each looked at once more after the comparison, so that what is just happening is no finding.

    Objects younger than `hours` are left out: their row may be on its way. Raises StorageProblem when storage cannot
    be asked; nothing is then known to be missing.
    """
    started_at, bucket = timezone.now(), storage.bucket()
    before = started_at - datetime.timedelta(hours=hours)
    sizes: dict[str, int] = {}
    old: set[str] = set()
    for found in storage.list_keys():
        sizes[found.key] = found.size
        if found.modified_at < before:
            old.add(found.key)
    ready = _kept(Attachment.objects.filter(state=Attachment.State.READY, ready_at__lt=started_at))
    for attachment in ready.only("bucket", "key", "size", "state").iterator(chunk_size=2000):
        if attachment.bucket != bucket:
            yield _about(attachment, Kind.ELSEWHERE, "is in another bucket than the one in use")
        elif sizes.get(attachment.key) != attachment.size:
            yield from _look_again(attachment)
    yield from _undeleted(bucket)
    named: set[str] = set()
    for table in _naming_tables():
        named.update(table._default_manager.values_list("key", flat=True).iterator(chunk_size=2000))
    for sealed in _kept_documents().filter(sealed_at__lt=started_at).iterator(chunk_size=2000):
        if sealed.bucket != bucket:
            yield _about_sealed(sealed, Kind.ELSEWHERE, "is in another bucket than the one in use")
        elif sizes.get(sealed.key) != sealed.size:
            yield from _look_again_at_sealed(sealed)
    for key in sorted(old - named):
        if storage.size_of(key) is not None and not _is_named(key):
            yield Difference(Kind.ORPHAN, key, f"has {sizes[key]} bytes and no row")


def repair(*, difference: Difference) -> bool:
    """Settle one difference and return whether it is settled. Raises StorageProblem, to be tried again.

    A row whose file is missing or damaged becomes failed, which the person sees; one of a concluded conversation stays
    as it was sealed, so its file has to come back from a backup. An orphan is deleted, unless a row names it by now. A
    file that is marked as deleted loses its object first and its row second.
    """
    if difference.kind is Kind.ORPHAN:
        if not _is_named(difference.key):
            storage.delete(difference.key)
        return True
    if difference.attachment_id is None:
        return False
    if difference.kind is Kind.UNDELETED:
        delete_file(attachment_id=difference.attachment_id)
        return True
    return difference.kind in _FAILURES and _fail(difference.attachment_id, _FAILURES[difference.kind])


def _kept(attachments: AttachmentQuerySet) -> AttachmentQuerySet:
    """Leave out the files of conversations whose removal has begun: their objects go before their rows."""
    return attachments.filter(message__conversation__removal_begun_at__isnull=True)


def _kept_documents() -> QuerySet[SealedDocument]:
    return SealedDocument.objects.filter(conversation__removal_begun_at__isnull=True)


def seems_lost() -> bool:
    """Tell whether storage holds nothing although the record does: rather the wrong bucket than all files gone."""
    has_ready = _kept(Attachment.objects.filter(state=Attachment.State.READY, bucket=storage.bucket())).exists()
    return has_ready and next(storage.list_keys(), None) is None


def _is_named(key: str) -> bool:
    return any(table._default_manager.filter(key=key).exists() for table in _naming_tables())


def _naming_tables() -> list[type[Model]]:
    """Return the tables whose rows name objects, of whatever app: those with columns `bucket` and `key`."""
    return [
        table
        for table in apps.get_models()
        if {"bucket", "key"} <= {field.name for field in table._meta.local_concrete_fields}
    ]


def _fail(attachment_id: UUID, failure: str) -> bool:
    """Mark a file as failed that still counts as ready; False where its conversation is concluded."""
    with transaction.atomic():
        ready = Attachment.objects.filter(pk=attachment_id, state=Attachment.State.READY)
        attachment = ready.select_related("message__conversation").first()
        message = attachment.message if attachment else None
        # The lock keeps it from being concluded, and sealed as ready, meanwhile.
        try:
            if message is not None and not lock_conversation(message.conversation).is_open:
                return False
        except Conversation.DoesNotExist:  # its removal has begun
            return True
        ready.update(state=Attachment.State.FAILED, failure=failure)
    return True


def _look_again(attachment: Attachment) -> Iterator[Difference]:
    """Yield what is wrong with a file, if it still is: it may have been deleted since."""
    size = storage.size_of(attachment.key)
    if (
        size == attachment.size
        or not _kept(Attachment.objects.filter(pk=attachment.pk, state=Attachment.State.READY)).exists()
    ):
        return
    if size is None:
        yield _about(attachment, Kind.MISSING, f"has {attachment.size} bytes on record and no object")
    else:
        yield _about(attachment, Kind.DAMAGED, f"has {attachment.size} bytes on record and {size} in storage")


def _undeleted(bucket: str) -> Iterator[Difference]:
    for attachment in Attachment.objects.filter(pk__in=find_undeleted(), bucket=bucket).iterator():
        yield _about(attachment, Kind.UNDELETED, "is marked as deleted, and no job is left to delete it")


def _about(attachment: Attachment, kind: Kind, detail: str) -> Difference:
    return Difference(kind, attachment.key, detail, attachment.pk)


def _look_again_at_sealed(sealed: SealedDocument) -> Iterator[Difference]:
    size = storage.size_of(sealed.key)
    if not _kept_documents().filter(pk=sealed.pk).exists():  # its removal has begun since
        return
    if size is None:
        yield _about_sealed(sealed, Kind.MISSING, f"has {sealed.size} bytes on record and no object")
    elif size != sealed.size:
        yield _about_sealed(sealed, Kind.DAMAGED, f"has {sealed.size} bytes on record and {size} in storage")


def _about_sealed(sealed: SealedDocument, kind: Kind, detail: str) -> Difference:
    return Difference(kind, sealed.key, f"the sealed document of {sealed.pk} {detail}")
