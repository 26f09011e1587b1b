"""Exports of many conversations for compliance: asked for, cancelled, expired. `export_writing` writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from audit import services as audit
from conversations.services import Refusal, Refused
from records.exporting.filters import ExportFilters
from records.models import BulkExport, BulkExportPart
from records.services import jobs
from records.services.export_parts import remove_parts

if TYPE_CHECKING:
    from accounts.models import User

MOST_AT_ONCE = 3  # of one person
OBJECT_TYPE = "bulkexport"
ERASED = "The data of a person that it may have held were erased. Ask for it again."


def ask_export(*, person: User, reason: str, filters: ExportFilters) -> BulkExport:
    """Have a job write what the filters choose, for a reason; return the export that is now waited for.

    The same again while that is under way is the same export. Raises Refused (limit) where three of this person's are
    under way: the lock on the person makes parallel askings take turns.
    """
    with transaction.atomic():
        get_user_model().objects.select_for_update(no_key=True).get(pk=person.pk)
        under_way = list(BulkExport.objects.filter(requested_by=person, state__in=BulkExport.UNDER_WAY))
        chosen = filters.as_json()
        same = next((export for export in under_way if export.filters == chosen), None)
        if same is not None:
            return same
        if len(under_way) >= MOST_AT_ONCE:
            raise Refused(
                Refusal.LIMIT,
                f"{MOST_AT_ONCE} exports of yours are under way already. Wait until one has ended, or cancel it.",
            )
        export = BulkExport.objects.create(requested_by=person, reason=reason, filters=chosen)
        jobs.defer_export(export.pk)
        audit.record(
            kind="export.asked",
            actor=person,
            object_type=OBJECT_TYPE,
            object_id=export.pk,
            subject_id=filters.owner,
            reason=reason,
            details={"filters": chosen},
        )
    return export


def cancel_export(*, export: BulkExport, person: User) -> BulkExport:
    """End an export that is under way; what was written of it is removed. Raises Refused (not_running)."""
    with transaction.atomic():
        export = BulkExport.objects.select_for_update(no_key=True).get(pk=export.pk)
        if export.state not in BulkExport.UNDER_WAY:
            raise Refused(Refusal.NOT_RUNNING, f"This export is {export.get_state_display().lower()} already.")
        end_export(export, BulkExport.State.CANCELLED)
        audit.record(kind="export.cancelled", actor=person, object_type=OBJECT_TYPE, object_id=export.pk)
    return export


def end_export(export: BulkExport, state: BulkExport.State, problem: str = "") -> None:
    """End a locked export that did not come about, in the caller's transaction; a job removes what was written."""
    export.state, export.problem, export.finished_at = state, problem, timezone.now()
    export.save(update_fields=["state", "problem", "finished_at"])
    jobs.defer_remove_export(export.pk)


def remove_export(*, export_id: UUID) -> None:
    """Remove what an export that has ended keeps in storage; mark one as expired whose time is over. May be repeated.

    Each object goes before its row. Of one that was whole the manifest's row stays, whose hash stands for all. Raises
    StorageProblem, to be tried again.
    """
    ended = (BulkExport.State.CANCELLED, BulkExport.State.FAILED)
    if BulkExport.objects.filter(pk=export_id, state__in=ended).exists():
        remove_parts(export_id=export_id)
        return
    over = BulkExport.objects.filter(pk=export_id, state=BulkExport.State.DONE, expires_at__lte=timezone.now())
    if not over.exists():
        return
    remove_parts(export_id=export_id, but=BulkExportPart.Kind.MANIFEST)
    with transaction.atomic():
        if over.update(state=BulkExport.State.EXPIRED):
            audit.record(kind="export.expired", actor=None, object_type=OBJECT_TYPE, object_id=export_id)


def expire_exports_of(*, person_id: int) -> list[UUID]:
    """Let exports that hold conversations of a person expire now, cancel those under way that may; return them all.

    For the erasure of a person. Jobs remove their objects.
    """
    holding = BulkExportPart.objects.filter(owners__contains=person_id).values("export")
    found = []
    with transaction.atomic():
        locked = BulkExport.objects.select_for_update(no_key=True)
        for export in locked.filter(pk__in=holding, state=BulkExport.State.DONE):
            export.expires_at = timezone.now()
            export.save(update_fields=["expires_at"])
            jobs.defer_remove_export(export.pk)
            found.append(export.pk)
        for export in locked.filter(state__in=BulkExport.UNDER_WAY):
            if export.filters.get("owner", person_id) == person_id:
                end_export(export, BulkExport.State.CANCELLED, ERASED)
                found.append(export.pk)
    return found


def tend_exports() -> None:
    """Have exports written on whose writer is gone, and those removed whose time is over or that were given up."""
    for export_id in jobs.find_unwritten_exports():
        jobs.defer_export(export_id)
    for export_id in jobs.find_unremoved_exports():
        jobs.defer_remove_export(export_id)
