"""Writing an export part by part, so that whoever writes on begins behind the last whole part."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import services as audit
from audit.models import AuditEvent
from conversations.exporting.jsonl import line
from conversations.exporting.rows import NotWhole
from conversations.files import storage
from conversations.models import Attachment
from records.exporting.filters import ExportFilters
from records.exporting.lines import choose, conversation_lines, path_of_file, tombstone_line
from records.exporting.manifest import NAME, manifest_pieces
from records.models import BulkExport, BulkExportPart
from records.models.exports import EXPORT_RIGHT
from records.services.bulk_exporting import OBJECT_TYPE, end_export
from records.services.export_parts import (
    Claim,
    Draft,
    Superseded,
    give_connection_back,
    mark_written,
    new_draft,
    put_part,
    remove_unwritten,
)
from records.services.reviewing import reviews_of

logger = logging.getLogger(__name__)

KEPT = datetime.timedelta(days=7)
FILES_AT_ONCE = 300
MOST_TRIES = 24 * 60  # writers that begin and do not get on, about one a minute
MOST_CHANGES = 5

GIVEN_UP = "It did not get on for a day. Look into the log of the worker, then ask for it again."
NOT_ALLOWED = "Whoever asked for it may not export any more."
OTHER_BYTES = "Storage holds other bytes than were put there."

Kind = BulkExportPart.Kind


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a part of conversations may become; a conversation that is larger is one of its own."""

    conversations: int = 1_000
    octets: int = 64 * 1024 * 1024


OF_PARTS = Sizes()


class Stopping(Exception):
    """The process is about to end; another one writes on."""


def claim_export(*, export_id: UUID) -> Claim | None:
    """Take an export, and remove what an earlier writer left half written; None where nothing is to be written.

    From here on no earlier writer changes anything. Raises StorageProblem, to be tried again.
    """
    with transaction.atomic():
        rows = BulkExport.objects.select_for_update(of=("self",), no_key=True).select_related("requested_by")
        export = rows.filter(pk=export_id, state__in=BulkExport.UNDER_WAY).first()
        if export is None:
            return None
        problem = _reason_to_end(export)
        if problem:
            end_export(export, BulkExport.State.FAILED, problem)
            return None
        export.state, export.attempt, export.tries = BulkExport.State.RUNNING, export.attempt + 1, export.tries + 1
        export.save(update_fields=["state", "attempt", "tries"])
    claim = Claim(export_id, export.attempt)
    remove_unwritten(claim=claim)
    if export.total is None:
        claim.rows().update(total=_chosen(export).conversations(asked_at=export.created_at).count())
    return claim


def write_next(*, claim: Claim, is_stopping: Callable[[], bool] = lambda: False, sizes: Sizes = OF_PARTS) -> bool:
    """Write the next part, with the files that belong to it, or the end of the export. Tell whether more is to come.

    What is removed from the record meanwhile is left out. Raises StorageProblem, to be tried again with another claim;
    Superseded; and Stopping, where what is half written is left to the next writer.
    """
    for _ in range(MOST_CHANGES):
        export = claim.rows().select_related("requested_by").first()
        if export is None:
            raise Superseded(f"Export {claim.export_id} was cancelled or taken by another writer.")
        rows = _chosen(export).conversations(asked_at=export.created_at)
        if export.cursor is not None:
            rows = rows.filter(pk__gt=export.cursor)
        ids = list(rows.values_list("pk", flat=True)[: sizes.conversations])
        try:
            if ids:
                _Batch(claim, export, ids, sizes.octets, is_stopping).write()
            else:
                _finish(claim, export)
        except NotWhole:
            remove_unwritten(claim=claim)
        else:
            return bool(ids)
    raise NotWhole("The record changes faster than it is read.")


def note_trouble(*, claim: Claim, problem: str) -> None:
    """Tell those who wait why it does not get on; nothing where another writer has it."""
    claim.rows().update(problem=problem)


def fail_export(*, claim: Claim, problem: str) -> None:
    """End an export that cannot be written, and have its parts removed; nothing where another writer has it."""
    with transaction.atomic():
        export = claim.rows().select_for_update(no_key=True).first()
        if export is not None:
            end_export(export, BulkExport.State.FAILED, problem)


def _reason_to_end(export: BulkExport) -> str:
    person = export.requested_by
    if not (person.is_active and person.is_staff and person.has_perm(EXPORT_RIGHT)):
        return NOT_ALLOWED
    return GIVEN_UP if export.tries >= MOST_TRIES else ""


def _chosen(export: BulkExport) -> ExportFilters:
    return ExportFilters.from_json(export.filters)


class _Batch:
    """A part of conversations, with their reviews and files."""

    def __init__(
        self, claim: Claim, export: BulkExport, ids: list[UUID], octets: int, is_stopping: Callable[[], bool]
    ) -> None:
        self._claim, self._export, self._ids = claim, export, ids
        self._octets, self._is_stopping = octets, is_stopping
        self._number = export.parts_written + 1
        self._taken: list[UUID] = []
        self._owners: set[int] = set()

    def write(self) -> None:
        """Put all of it into storage, then count it as written: files one by one, the rest at once."""
        with ExitStack() as stack:
            said, reviews, problems = (stack.enter_context(new_draft()) for _ in range(3))
            self._say(said)
            for found in reviews_of(self._taken).values():
                for review in found:
                    reviews.add(line({"type": "review"} | review).encode())
            self._copy_files(problems)
            parts = [
                put_part(
                    claim=self._claim,
                    kind=kind,
                    name=f"{kind}-{self._number:05}.jsonl",
                    draft=draft,
                    owners=self._owners,
                )
                for kind, draft in ((Kind.REVIEWS, reviews), (Kind.PROBLEMS, problems), (Kind.CONVERSATIONS, said))
                if draft.size
            ]
        mark_written(
            claim=self._claim,
            parts=parts,
            cursor=self._taken[-1] if self._taken else self._ids[-1],
            done=self._export.done + len(self._taken),
            parts_written=self._number if parts else self._number - 1,
        )

    def _say(self, draft: Draft) -> None:
        """Write as many conversations as fit. One that is larger than a part is a part of its own."""
        for conversation, lines in conversation_lines(choose(self._ids, self._export.requested_by)):
            if self._is_stopping():
                raise Stopping
            draft.mark()
            for one in lines:
                draft.add(one)
                if self._taken and draft.size > self._octets:
                    draft.cut()
                    return
            self._taken.append(conversation.pk)
            self._owners.add(conversation.owner_id)

    def _copy_files(self, problems: Draft) -> None:
        for file in self._files():
            if self._is_stopping():
                raise Stopping
            path = path_of_file(file)
            if BulkExportPart.objects.filter(export=self._export, name=path, written_at__isnull=False).exists():
                continue
            problem = self._copy(file, path)
            if problem:
                logger.error("File %s could not go into export %s: %s", file.pk, self._export.pk, problem)
                facts = {"type": "problem", "attachment_id": file.pk, "path": path, "problem": problem}
                problems.add(line(facts).encode())

    def _files(self) -> Iterator[Attachment]:
        rows = Attachment.objects.filter(message__conversation__in=self._taken, state=Attachment.State.READY)
        rows = rows.order_by("pk")
        last: UUID | None = None
        while batch := list(rows.filter(pk__gt=last)[:FILES_AT_ONCE] if last else rows[:FILES_AT_ONCE]):
            yield from batch
            last = batch[-1].pk

    def _copy(self, file: Attachment, path: str) -> str:
        """Copy a file by way of this machine, proving its hash; return what is wrong with it, if anything."""
        give_connection_back()
        with new_draft() as draft:
            try:
                draft.fetch(file.key)
            except storage.ObjectMissing:
                return "It is missing in storage."
            if (draft.size, draft.sha256) != (file.size, file.sha256):
                return OTHER_BYTES
            part = put_part(
                claim=self._claim,
                kind=Kind.FILE,
                name=path,
                draft=draft,
                owners=[file.owner_id],
                content_type=file.content_type,
            )
        mark_written(claim=self._claim, parts=[part])
        return ""


def _finish(claim: Claim, export: BulkExport) -> None:
    """Write what is left of removed conversations, then the manifest; from then on it can be had."""
    parts = []
    with new_draft() as draft:
        for tombstone in _chosen(export).tombstones().iterator(chunk_size=1000):
            draft.add(tombstone_line(tombstone))
        if draft.size:
            parts.append(put_part(claim=claim, kind=Kind.TOMBSTONES, name="tombstones.jsonl", draft=draft))
    asked = AuditEvent.objects.filter(object_type=OBJECT_TYPE, object_id=str(export.pk), kind="export.asked").first()
    with new_draft() as draft:
        for piece in manifest_pieces(export, audit_event=asked.seq if asked else None):
            draft.add(piece)
        manifest = put_part(claim=claim, kind=Kind.MANIFEST, name=NAME, draft=draft)
    now = timezone.now()
    with transaction.atomic():
        mark_written(
            claim=claim, parts=[*parts, manifest], state=BulkExport.State.DONE, finished_at=now, expires_at=now + KEPT
        )
        audit.record(
            kind="export.written",
            actor=export.requested_by,
            object_type=OBJECT_TYPE,
            object_id=export.pk,
            reason=export.reason,
            details={
                "conversations": export.done,
                "manifest_sha256": manifest.sha256,
                "owners": [*_owners(export)],
            },
        )


def _owners(export: BulkExport) -> list[int]:
    """Return the ids of all people of whom something is in it."""
    found: set[int] = set()
    for owners in export.parts.filter(kind=Kind.CONVERSATIONS).values_list("owners", flat=True).iterator():
        found.update(owners)
    return sorted(found)
