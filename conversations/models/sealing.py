"""What leaves a conversation that is concluded: its sealed document, and the events that other systems follow."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.access import REVIEW

if TYPE_CHECKING:
    from accounts.models import User


class SealedDocumentQuerySet(models.QuerySet["SealedDocument"]):
    def visible_to(self, user: User) -> Self:
        """Return the sealed documents that `user` may have: of their own conversations, unless hidden."""
        return self.filter(conversation__owner=user, conversation__hidden_at__isnull=True)

    def reviewable_by(self, user: User) -> Self:
        """Return everybody's to who may review conversations at this moment; none to others."""
        if not user.has_perm(REVIEW):
            return self.none()
        return self.filter(conversation__removal_begun_at__isnull=True)


class SealedDocument(models.Model):
    """The canonical JSON of a concluded conversation, in storage. Its hash tells whether anything changed."""

    conversation = models.OneToOneField(
        "Conversation",
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="sealed_document",
        db_comment="The concluded conversation.",
    )
    bucket = models.CharField(max_length=63, blank=True, db_comment="The bucket; empty for files in VAR_DIR.")
    key = models.CharField(max_length=100, unique=True, db_comment="The object's key: generated.")
    size = models.PositiveBigIntegerField(db_comment="Bytes.")
    sha256 = models.CharField(max_length=64, db_comment="Hash of the bytes in hex.")
    format = models.PositiveSmallIntegerField(db_comment="The version of the document's format.")
    sealed_at = models.DateTimeField(default=timezone.now, editable=False, db_comment="When it was verified there.")

    objects = SealedDocumentQuerySet.as_manager()

    content_type = "application/json"
    is_image = False

    class Meta:
        db_table_comment = "Sealed documents of concluded conversations."
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=~Q(sha256=""), name="sealed_document_has_its_hash")]

    def __str__(self) -> str:
        return self.address

    @property
    def address(self) -> str:
        """Where the object is, as s3://bucket/key, or its path below the files folder."""
        return f"s3://{self.bucket}/{self.key}" if self.bucket else self.key

    @property
    def name(self) -> str:
        """What it is called when it is downloaded."""
        return f"conversation-{self.pk}.json"


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, user: User) -> Self:
        """Return the events that `user` may follow: of their own conversations, also of those that are gone by now."""
        return self.filter(owner=user)

    def reviewable_by(self, user: User) -> Self:
        """Return everybody's to who may review conversations at this moment; none to others."""
        return self if user.has_perm(REVIEW) else self.none()


class Event(models.Model):
    """Something that other systems may follow. Written in the transaction that it tells of (a transactional outbox)."""

    class Kind(models.TextChoices):
        CONVERSATION_CONCLUDED = "conversation.concluded", "Conversation concluded"
        CONVERSATION_REMOVED = "conversation.removed", "Conversation removed"

    seq = models.BigIntegerField(
        primary_key=True, db_comment="Its place: given under a lock, so that none appears before an earlier one."
    )
    kind = models.CharField(max_length=40, choices=Kind, db_comment="What happened, such as conversation.concluded.")
    conversation = models.ForeignKey(
        "Conversation",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="events",
        db_comment="The conversation it is about, which may be removed by now.",
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        db_comment="Whose conversation it is.",
    )
    data = models.JSONField(default=dict, db_comment="What it tells: ids, times, hashes and addresses, never text.")
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_comment="When it was written.")

    objects = EventQuerySet.as_manager()

    class Meta:
        db_table_comment = "Events for other systems, in order."
        default_permissions = ()
        ordering = ["seq"]
        indexes = [
            models.Index(fields=["owner", "seq"], name="event_owner_seq"),
            models.Index(fields=["kind", "seq"], name="event_kind_seq"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(kind="conversation.concluded"),
                name="one_concluded_event",
            ),
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(kind="conversation.removed"),
                name="one_removed_event",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"

    @property
    def uid(self) -> uuid.UUID:
        """Its id for other systems: the same whenever and however it is told, and another one for any other event.

        Numbers alone would not do: after a database was restored from a backup they are given once more.
        """
        return uuid.uuid5(self.conversation_id, f"{self.seq} {self.kind}")
