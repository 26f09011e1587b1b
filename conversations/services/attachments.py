"""Files that people attach: received, taken back, sent with a message; and what becomes of files in storage."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import Max, Sum
from django.utils import timezone

from conversations.files import FileFacts, FileProblem, inspect_file, storage
from conversations.models import Attachment, LanguageModel, Message
from conversations.services import jobs
from conversations.services.refusals import Refusal, Refused

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

MEGABYTE = 1_000_000
MAX_UNSENT = 50  # uploads of one person that belong to no message yet
UNSENT_HOURS = 24
MAX_REQUEST_BYTES = 48 * MEGABYTE  # OpenAI takes 50 MB of files in one request
IMAGE_BYTES = 1_500_000  # about what an image has at most once it is made smaller for the model
_DELETED = "SELECT id FROM conversations_attachment AS file WHERE state = 'deleted' AND NOT"
_UNDELETED = _DELETED + jobs.LIVING_JOB
STORAGE_AWAY = "The file could not be stored just now. Nothing of it was kept. Try again in a moment."


def receive_file(*, owner: User, path: Path, name: str) -> Attachment:
    """Check an uploaded file, put it into storage, verify it there and return it, ready to be sent with a message.

    Raises Refused (file) with what is wrong with it, or where storage is away; nothing is left behind then.
    """
    _give_connection_back()
    try:
        facts = inspect_file(path, name=name, max_bytes=settings.MAX_FILE_MEGABYTES * MEGABYTE)
    except FileProblem as problem:
        raise Refused(Refusal.FILE, problem.message) from problem
    attachment = _reserve(owner, facts)
    _give_connection_back()
    try:
        with path.open("rb") as file:
            storage.put(
                attachment.key, file, size=facts.size, sha256=facts.sha256, content_type=attachment.content_type
            )
    except storage.StorageProblem as problem:
        logger.warning("File %s could not be stored: %s", attachment.pk, problem)
        with transaction.atomic():
            _delete_later(attachment)  # half of it may be there, or still arrive
        raise Refused(Refusal.FILE, STORAGE_AWAY) from problem
    attachment.state, attachment.ready_at = Attachment.State.READY, timezone.now()
    attachment.save(update_fields=["state", "ready_at"])
    return attachment


def remove_attachment(*, attachment: Attachment) -> None:
    """Take back a file that was not sent yet. The object goes first, then the row, in a job. Raises Refused (file)."""
    with transaction.atomic():
        unsent = Attachment.objects.unsent().select_for_update(no_key=True).filter(pk=attachment.pk)
        found = unsent.first()
        if found is None:
            raise Refused(Refusal.FILE, "This file was sent with a message. It stays with it.")
        _delete_later(found)


@dataclass(frozen=True, slots=True)
class KeptFiles:
    """Those files of an edited prompt that the new one is to carry as well."""

    message: Message
    ids: Sequence[UUID]


def attach(
    *, message: Message, attachment_ids: Sequence[UUID], model: LanguageModel, kept: KeptFiles | None = None
) -> None:
    """Put uploaded files of its owner, and kept ones, with the message that is being sent. Raises Refused (file)."""
    new = list(dict.fromkeys(attachment_ids))
    old = list(dict.fromkeys(kept.ids)) if kept else []
    count = len(new) + len(old)
    if not count:
        return
    if count > settings.MAX_FILES_PER_MESSAGE:
        raise Refused(
            Refusal.FILE,
            f"You attached {count} files; one message can carry {settings.MAX_FILES_PER_MESSAGE}. Remove some.",
        )
    unsent = Attachment.objects.unsent().visible_to(message.owner).filter(state=Attachment.State.READY)
    files = list(unsent.select_for_update(of=("self",), no_key=True).filter(pk__in=new)) if new else []
    carried = carry_files(copies={kept.message.pk: message}, only=old) if kept and old else []
    if len(files) + len(carried) < count:
        raise Refused(Refusal.FILE, "A file that you attached is not there any more. Attach it again.")
    _require_accepted([*carried, *files], model)
    Attachment.objects.filter(pk__in=new).update(message=message)


def carry_files(*, copies: Mapping[UUID, Message], only: Collection[UUID] | None = None) -> list[Attachment]:
    """Let messages carry the files of others, inside the caller's transaction, and return the new rows.

    `copies` names the message that is to carry the files of each old one; `only` restricts it to these files. Old and
    new rows name the same object, which goes with the last of them. What could not be kept is told of again. The locks
    keep files from being deleted meanwhile.
    """
    files = Attachment.objects.filter(
        message_id__in=list(copies), state__in=[Attachment.State.READY, Attachment.State.FAILED]
    )
    if only is not None:
        files = files.filter(pk__in=only)
    old = files.select_for_update(of=("self",), no_key=True).order_by("id")
    return Attachment.objects.bulk_create([_copy(file, copies[file.message_id]) for file in old if file.message_id])


def find_deleted_file(*, attachment_id: UUID) -> Attachment | None:
    """Return a file that is marked deleted and whose object is to go; None where nothing is left to do.

    An object goes with the last row that names it: of the others the row alone goes, here. The locks make removals of
    one object take turns. Raises StorageProblem where it is in another bucket.
    """
    with transaction.atomic():
        deleted = Attachment.objects.filter(pk=attachment_id, state=Attachment.State.DELETED)
        attachment = deleted.first()
        if attachment is None:
            return None
        sharing = Attachment.objects.filter(bucket=attachment.bucket, key=attachment.key).order_by("id")
        rows = list(sharing.select_for_update(no_key=True).values_list("pk", flat=True))
        if rows != [attachment_id]:
            deleted.delete()
            return None
    if attachment.bucket != storage.bucket():
        raise storage.StorageProblem(f"deleting {attachment.address}: that bucket is not the one that is set")
    return attachment


def forget_deleted_file(*, attachment_id: UUID) -> None:
    """Remove the row of a file whose object is gone."""
    Attachment.objects.filter(pk=attachment_id, state=Attachment.State.DELETED).delete()


def delete_file(*, attachment_id: UUID) -> None:
    """Remove a file that is marked deleted: the object, then the row. Raises StorageProblem, to be tried again."""
    attachment = find_deleted_file(attachment_id=attachment_id)
    if attachment is not None:
        storage.delete(attachment.key)
        forget_deleted_file(attachment_id=attachment_id)


def purge_unsent() -> int:
    """Have uploads removed that no message took within a day; return how many."""
    before = timezone.now() - datetime.timedelta(hours=UNSENT_HOURS)
    with transaction.atomic():
        forgotten = (
            Attachment.objects.unsent()
            .exclude(state=Attachment.State.DELETED)
            .select_for_update(no_key=True, skip_locked=True)
            .filter(created_at__lt=before)[:1000]
        )
        for attachment in forgotten:
            _delete_later(attachment)
    return len(forgotten)


def delete_again() -> int:
    """Have files removed whose removal nobody does any more, since the worker died; return how many."""
    lost = find_undeleted()
    for attachment_id in lost:
        jobs.defer_delete_file(attachment_id)
    return len(lost)


def find_undeleted() -> list[UUID]:
    """Return the files that are marked deleted and for which no job will come."""
    with connection.cursor() as cursor:
        cursor.execute(_UNDELETED, {"task": jobs.DELETE_FILE_TASK, "heartbeat": jobs.HEARTBEAT_SECONDS})
        return [row[0] for row in cursor.fetchall()]


def note_sent_to_provider(*, attachment_id: UUID, file_id: str, expires_at: datetime.datetime | None) -> None:
    """Note the copy of a file that the provider's Files API now holds."""
    Attachment.objects.filter(pk=attachment_id).update(provider_file_id=file_id, provider_file_expires_at=expires_at)


def require_room(*, owner_id: int, size: int) -> None:
    """Raise FileProblem unless a person may have so many bytes more. The lock makes parallel files take turns."""
    get_user_model().objects.select_for_update(no_key=True).get(pk=owner_id)
    objects = Attachment.objects.filter(owner_id=owner_id).order_by().values("key").annotate(bytes=Max("size"))
    stored = objects.aggregate(total=Sum("bytes"))["total"] or 0  # rows that share an object take its room once
    if stored + size > settings.MAX_STORED_MEGABYTES * MEGABYTE:
        raise FileProblem(
            f"All your files together may take {settings.MAX_STORED_MEGABYTES:,} MB, and this one would exceed that. "
            "Ask an administrator."
        )


def cost_in_request(*, size: int, is_image: bool) -> int:
    """Return about how many bytes of a request a file takes: an image is made smaller before it goes."""
    return min(size, IMAGE_BYTES) if is_image else size


def _give_connection_back() -> None:
    """Looking into a file and storing it may take long, and a few slow uploads would leave no connection for pages."""
    if not connection.in_atomic_block:
        connection.close()


def _copy(file: Attachment, message: Message) -> Attachment:
    """Return a new row for an object. What leads to the provider's copies stays with the old row."""
    return Attachment(
        message=message,
        owner_id=message.owner_id,
        origin=file.origin,
        state=file.state,
        bucket=file.bucket,
        key=file.key,
        name=file.name,
        content_type=file.content_type,
        size=file.size,
        sha256=file.sha256,
        width=file.width,
        height=file.height,
        failure=file.failure,
        ready_at=file.ready_at,
    )


def _delete_later(attachment: Attachment) -> None:
    attachment.state = Attachment.State.DELETED
    attachment.save(update_fields=["state"])
    jobs.defer_delete_file(attachment.pk)
    if attachment.provider_file_id:
        jobs.defer_forget_file(attachment.provider_file_id)


def _reserve(owner: User, facts: FileFacts) -> Attachment:
    """Make the row of a file on its way into storage. The lock on the person makes parallel uploads take turns."""
    with transaction.atomic():
        try:
            require_room(owner_id=owner.pk, size=facts.size)
        except FileProblem as problem:
            raise Refused(Refusal.FILE, problem.message) from problem
        kept = Attachment.objects.filter(owner=owner)
        if kept.unsent().exclude(state=Attachment.State.DELETED).count() >= MAX_UNSENT:
            raise Refused(Refusal.FILE, f"{MAX_UNSENT} files wait to be sent already. Send or remove some first.")
        return Attachment.objects.create(
            owner=owner,
            origin=Attachment.Origin.USER,
            bucket=storage.bucket(),
            key=storage.new_key(),
            name=facts.name,
            content_type=facts.content_type,
            size=facts.size,
            sha256=facts.sha256,
            width=facts.width,
            height=facts.height,
        )


def _require_accepted(files: Sequence[Attachment], model: LanguageModel) -> None:
    """Raise Refused (file) where the model cannot be given these files: said before anything is sent."""
    for file in files:
        if not (model.accepts_images if file.is_image else model.accepts_files):
            what = "be shown images" if file.is_image else "read files"
            raise Refused(
                Refusal.FILE, f"{model.label} cannot {what}. Remove “{file.name}” or choose another assistant."
            )
    total = sum(cost_in_request(size=file.size or 0, is_image=file.is_image) for file in files)
    if total > MAX_REQUEST_BYTES:
        raise Refused(
            Refusal.FILE,
            f"The files have {total / MEGABYTE:.0f} MB together; the model can be given "
            f"{MAX_REQUEST_BYTES // MEGABYTE} MB at once. Remove some.",
        )
