"""Checking the record against what was sealed, and files against their hashes. Nothing is written."""

from __future__ import annotations

import datetime
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from conversations.files import storage
from conversations.files.objects import is_key
from conversations.models import Attachment, Conversation, Event, SealedDocument
from conversations.services.canonical import FORMAT, SECTIONS, Part, document, parts, read_parts

SEALING_MINUTES = 60  # that a conversation may take to be sealed before that is worth a line
_ONE = {"messages": "message", "generations": "model call", "attachments": "file", "conversation": "conversation"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was sealed or stored. `about` is the conversation, or the file."""

    about: UUID
    detail: str

    def __str__(self) -> str:
        return f"{self.about} {self.detail}"


@dataclass(slots=True)
class Tally:
    """How much was looked at."""

    documents: int = 0
    files: int = 0
    waiting: int = 0
    """Conversations concluded within the last hour that are not sealed yet."""


class Scope(NamedTuple):
    """What to look at: everything, one conversation, or what was concluded and came since a day."""

    conversation_id: UUID | None = None
    since: datetime.datetime | None = None


def verify(scope: Scope, tally: Tally) -> Iterator[Finding]:
    """Yield what is wrong, and count what was looked at, in bounded memory.

    Raises StorageProblem where storage cannot be asked; nothing is then known to be wrong with files.
    """
    sealed = _kept_documents().order_by("pk")
    if scope.conversation_id:
        sealed = sealed.filter(pk=scope.conversation_id)
    if scope.since:
        sealed = sealed.filter(sealed_at__gte=scope.since)
    for found in sealed.iterator(chunk_size=100):
        tally.documents += 1
        try:
            findings = list(_check_document(found))
        except Conversation.DoesNotExist:
            continue
        if findings and _kept_documents().filter(pk=found.pk).exists():  # it may have been removed since
            yield from findings
    yield from _check_files(scope, tally)
    yield from _find_unsealed(scope, tally)


def _kept_documents() -> QuerySet[SealedDocument]:
    """Leave out conversations whose removal has begun: of these the tombstone tells."""
    return SealedDocument.objects.filter(conversation__removal_begun_at__isnull=True)


def _check_document(sealed: SealedDocument) -> Iterator[Finding]:
    """Compare the rows, and the object, with the hash that was noted when both were the same."""
    if sealed.format != FORMAT:
        yield Finding(sealed.pk, f"was sealed in format {sealed.format}, which is not known here")
        return
    yield from _check_event(sealed)
    rows_agree = _sha256_of_rows(sealed.pk) == sealed.sha256
    with tempfile.TemporaryFile(prefix="verify-") as stored:
        problem = _fetch(sealed.bucket, sealed.key, sealed.size, sealed.sha256, stored)
        if problem:
            yield Finding(sealed.pk, f"{sealed.address}: the sealed document {problem}")
        if rows_agree:
            return
        if problem:
            yield Finding(
                sealed.pk, "the rows are not what was sealed; what differs cannot be told without its document"
            )
        else:
            stored.seek(0)
            yield from _compare(sealed.pk, stored)


def _check_event(sealed: SealedDocument) -> Iterator[Finding]:
    concluded = Event.objects.filter(conversation_id=sealed.pk, kind=Event.Kind.CONVERSATION_CONCLUDED).first()
    if concluded is None:
        yield Finding(sealed.pk, "is sealed and has no event of that")
    elif concluded.data.get("document", {}).get("sha256") != sealed.sha256:
        yield Finding(sealed.pk, f"has another hash on record than its event {concluded.seq} told")


def _sha256_of_rows(conversation_id: UUID) -> str:
    found = hashlib.sha256()
    with transaction.atomic():
        for piece in document(conversation_id):
            found.update(piece)
    return found.hexdigest()


def _fetch(bucket: str, key: str, size: int | None, sha256: str, target: IO[bytes]) -> str:
    """Read an object to its end and return what is wrong with it, in words that follow its name."""
    if bucket != storage.bucket():
        return "is in another bucket than the one in use and was not looked at"
    if not is_key(key):
        return "is under no key of storage"
    try:
        found = storage.fetch(key, target)
    except storage.ObjectMissing:
        return "is missing in storage"
    if found != (size, sha256):
        return f"has {found[0]} bytes with SHA-256 {found[1]}, not {size} with {sha256}"
    return ""


def _compare(conversation_id: UUID, stored: IO[bytes]) -> Iterator[Finding]:
    """Name each part in which rows and stored document differ. Both are read once, side by side, in their order."""
    count = 0
    with transaction.atomic():
        for before, now in _side_by_side(read_parts(stored), parts(conversation_id)):
            if before == now:
                continue
            count += 1
            section, row = before or now or ("", {})
            what = f"{_ONE[section]} {row['id']}"
            if now is None:
                yield Finding(conversation_id, f"{what} was sealed and is missing")
            elif before is None:
                yield Finding(conversation_id, f"{what} was not sealed and is there")
            else:
                names = sorted(name for name in before[1] | now[1] if before[1].get(name) != now[1].get(name))
                yield Finding(conversation_id, f"{what} differs in {', '.join(names)}")
    if not count:
        yield Finding(conversation_id, "the rows give another document than the sealed one, in how it is written")


def _side_by_side(before: Iterator[Part], now: Iterator[Part]) -> Iterator[tuple[Part | None, Part | None]]:
    old, new = next(before, None), next(now, None)
    while old is not None or new is not None:
        if new is None or (old is not None and _place(old) < _place(new)):
            yield old, None
            old = next(before, None)
        elif old is None or _place(new) < _place(old):
            yield None, new
            new = next(now, None)
        else:
            yield old, new
            old, new = next(before, None), next(now, None)


def _place(part: Part) -> tuple[int, str]:
    section, row = part
    # There is one conversation, whatever its id says by now.
    return SECTIONS.index(section), "" if section == "conversation" else str(row["id"])


def _check_files(scope: Scope, tally: Tally) -> Iterator[Finding]:
    """Read every file that counts as ready to its end. Rows that share an object have it read once."""
    kept = Attachment.objects.filter(state=Attachment.State.READY, message__conversation__removal_begun_at__isnull=True)
    ready = kept.all()
    if scope.conversation_id:
        ready = ready.filter(message__conversation_id=scope.conversation_id)
    if scope.since:
        ready = ready.filter(ready_at__gte=scope.since)
    columns = ready.order_by("key", "bucket", "size", "sha256", "id").values_list(
        "bucket", "key", "size", "sha256", "id"
    )
    with Path(os.devnull).open("wb") as nowhere:
        for (bucket, key, size, sha256), rows in groupby(columns.iterator(chunk_size=500), key=lambda row: row[:4]):
            problem = _fetch(bucket, key, size, sha256, nowhere)
            for *_, attachment_id in rows:
                tally.files += 1
                # It may have been deleted since.
                if problem and kept.filter(pk=attachment_id).exists():
                    yield Finding(attachment_id, f"{f's3://{bucket}/' if bucket else ''}{key}: the file {problem}")


def _find_unsealed(scope: Scope, tally: Tally) -> Iterator[Finding]:
    told = Event.objects.filter(conversation=OuterRef("pk"), kind=Event.Kind.CONVERSATION_CONCLUDED)
    unsealed = Conversation.objects.filter(state=Conversation.State.CONCLUDED, sealed_document__isnull=True).annotate(
        was_told=Exists(told)
    )
    if scope.conversation_id:
        unsealed = unsealed.filter(pk=scope.conversation_id)
    if scope.since:
        unsealed = unsealed.filter(concluded_at__gte=scope.since)
    long_ago = timezone.now() - datetime.timedelta(minutes=SEALING_MINUTES)
    for conversation_id, concluded_at, was_told in (
        unsealed.order_by("pk").values_list("pk", "concluded_at", "was_told").iterator(chunk_size=500)
    ):
        if was_told:
            yield Finding(conversation_id, "has an event of being sealed and no sealed document")
        elif concluded_at is None or concluded_at < long_ago:
            yield Finding(conversation_id, f"was concluded on {concluded_at:%Y-%m-%d %H:%M} UTC and is not sealed")
        else:
            tally.waiting += 1
