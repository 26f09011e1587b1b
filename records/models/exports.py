"""Exports of many conversations for compliance, as objects in storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from conversations.ids import uuid7

if TYPE_CHECKING:
    from accounts.models import User

EXPORT_RIGHT = "records.export_record"


class BulkExportQuerySet(models.QuerySet["BulkExport"]):
    def visible_to(self, user: User) -> Self:
        """Return the exports that `user` may have: all, with the right to export; else none."""
        return self if user.is_staff and user.has_perm(EXPORT_RIGHT) else self.none()


class BulkExport(models.Model):
    """An export that a job writes: JSONL, files, and a manifest of their hashes. It expires."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"
        EXPIRED = "expired", "Expired"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False, db_comment="UUID version 7.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_comment="Who asked for it."
    )
    reason = models.CharField(max_length=500, db_comment="Why.")
    filters = models.JSONField(default=dict, db_comment="Which conversations: ids and days.")
    state = models.CharField(max_length=9, choices=State, default=State.WAITING, db_comment="Where it stands.")
    total = models.PositiveIntegerField(
        null=True, db_comment="How many conversations it takes; empty: not counted yet."
    )
    done = models.PositiveIntegerField(default=0, db_comment="How many of these are written.")
    cursor = models.UUIDField(null=True, db_comment="The last conversation that is written; a job goes on behind it.")
    parts_written = models.PositiveIntegerField(default=0, db_comment="How many parts of conversations are whole.")
    attempt = models.PositiveIntegerField(
        default=0, db_comment="Which writer holds it; an earlier one changes nothing."
    )
    tries = models.PositiveIntegerField(default=0, db_comment="How many writers began since it last got on.")
    problem = models.CharField(max_length=500, blank=True, db_comment="What went wrong, as people are told.")
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_comment="When it was asked for.")
    finished_at = models.DateTimeField(null=True, db_comment="When it ended.")
    expires_at = models.DateTimeField(null=True, db_comment="When its objects are removed.")

    UNDER_WAY = (State.WAITING, State.RUNNING)

    objects = BulkExportQuerySet.as_manager()

    class Meta:
        db_table_comment = "Exports of many conversations."
        default_permissions = ()
        permissions = [("export_record", "Can export the conversations of others")]
        indexes = [models.Index(fields=["expires_at"], condition=Q(state="done"), name="bulk_export_expiring")]

    def __str__(self) -> str:
        return f"Export of {timezone.localtime(self.created_at):%Y-%m-%d %H:%M}"

    @property
    def is_under_way(self) -> bool:
        return self.state in self.UNDER_WAY

    @property
    def is_there(self) -> bool:
        """Whether it is whole and can be had."""
        return self.state == self.State.DONE and self.expires_at is not None and self.expires_at > timezone.now()


class BulkExportPart(models.Model):
    """One object of an export."""

    is_image = False  # none is shown in a page

    class Kind(models.TextChoices):
        CONVERSATIONS = "conversations", "Conversations"
        REVIEWS = "reviews", "Reviews"
        FILE = "file", "File"
        PROBLEMS = "problems", "Problems"
        TOMBSTONES = "tombstones", "Removed conversations"
        MANIFEST = "manifest", "Manifest"

    export = models.ForeignKey(
        BulkExport, on_delete=models.PROTECT, related_name="parts", db_comment="The export that it belongs to."
    )
    kind = models.CharField(max_length=13, choices=Kind, db_comment="What it holds.")
    name = models.CharField(max_length=255, db_comment="Its name in the manifest.")
    bucket = models.CharField(max_length=63, blank=True, db_comment="The bucket; empty for files in VAR_DIR.")
    key = models.CharField(max_length=100, unique=True, db_comment="The object's key: generated.")
    size = models.PositiveBigIntegerField(db_comment="Bytes.")
    sha256 = models.CharField(max_length=64, db_comment="Hash of the bytes in hex.")
    owners = models.JSONField(
        default=list, db_comment="Of conversations and their reviews: ids of the people whose these are."
    )
    written_at = models.DateTimeField(
        null=True, db_comment="When it was verified in storage; empty: on its way there, or left by a writer that died."
    )

    class Meta:
        db_table_comment = "Objects of exports."
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["export", "name"], name="one_part_per_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def content_type(self) -> str:
        """What a browser is told that it is; files of people are mere bytes."""
        if self.kind == self.Kind.FILE:
            return "application/octet-stream"
        return "application/json" if self.kind == self.Kind.MANIFEST else "application/x-ndjson"
