"""Who did what: one row for each deed, in a chain that shows when any of them was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from accounts.models import User


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def about(self, user: User) -> Self:
        """Return what others did with what belongs to `user`."""
        return self.filter(subject_id=user.pk).exclude(actor_id=user.pk)


class AuditEvent(models.Model):
    """A deed: who, what, when, why. Ids, never names or text of the record, so that erasing a person leaves it whole.

    Only ever added to, by `audit.services.record`; triggers of the database refuse everything else.
    """

    seq = models.BigIntegerField(primary_key=True, db_comment="Its number: 1, 2, 3 … without a gap.")
    kind = models.CharField(max_length=60, db_comment="What was done, such as conversation.read.")
    actor_id = models.BigIntegerField(null=True, db_comment="Id of the person who did it; empty: the system itself.")
    object_type = models.CharField(max_length=40, blank=True, db_comment="What it was done to, such as conversation.")
    object_id = models.CharField(max_length=64, blank=True, db_comment="The id of that.")
    subject_id = models.BigIntegerField(null=True, db_comment="Id of the person whom what it was done to belongs to.")
    reason = models.CharField(max_length=500, blank=True, db_comment="Why, in the words of who did it.")
    details = models.JSONField(default=dict, db_comment="Ids, counts, names of fields; never what people wrote.")
    created_at = models.DateTimeField(default=timezone.now, db_comment="When it was done.")
    previous_hash = models.CharField(max_length=64, db_comment="The hash of the event before; zeros in the first one.")
    hash = models.CharField(max_length=64, db_comment="SHA-256 of this event with the hash of the one before, in hex.")

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        db_table_comment = "Who did, read, searched or exported what, and why. Rows are only ever added."
        default_permissions = ()
        permissions = [("read_audit", "Can read who did what")]
        ordering = ["seq"]
        indexes = [
            models.Index(fields=["subject_id", "-seq"], name="audit_by_subject"),
            models.Index(fields=["actor_id", "-seq"], name="audit_by_actor"),
            models.Index(fields=["object_type", "object_id", "-seq"], name="audit_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"
