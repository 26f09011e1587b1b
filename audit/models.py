"""Who did what: one row for each deed, in a chain that shows when any of them was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from accounts.models import User


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def about(self, user: User) -> Self:
        """Return what others did with what belongs to `user`, be it theirs alone or among that of others."""
        among_others = Q(details__has_key="owners", details__contains={"owners": [user.pk]})
        return self.filter(Q(subject_id=user.pk) | among_others).exclude(actor_id=user.pk)


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
            models.Index(fields=["kind", "-seq"], name="audit_by_kind"),
            models.Index(fields=["created_at"], name="audit_by_time"),
            GinIndex(
                fields=["details"],
                opclasses=["jsonb_path_ops"],
                condition=Q(details__has_key="owners"),
                name="audit_by_owners",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"


class RefusedSignIns(models.Model):
    """Attempts to sign in that failed and are not in the audit yet: counted here, told there at most once an hour."""

    person_id = models.BigIntegerField(null=True, db_comment="Whose account; empty: names that nobody has.")
    attempts = models.PositiveIntegerField(default=0, db_comment="How many failed since they were last told of.")
    first_at = models.DateTimeField(db_comment="When the first of these failed.")
    last_at = models.DateTimeField(db_comment="When the last of these failed.")
    told_at = models.DateTimeField(null=True, db_comment="When the audit was last told; empty: never.")

    class Meta:
        db_table_comment = "Failed sign-ins on their way into the audit."
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["person_id"], nulls_distinct=False, name="refused_are_counted_together")
        ]

    def __str__(self) -> str:
        return f"{self.attempts} refused"


class KnownSetting(models.Model):
    """A variable of the environment as it was at the last start, told by a keyed hash and never by its value."""

    name = models.CharField(max_length=100, primary_key=True, db_comment="The variable.")
    digest = models.CharField(max_length=64, db_comment="HMAC of its value under SECRET_KEY, in hex.")

    class Meta:
        db_table_comment = "What the environment was at the last start, to tell what has changed."
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
