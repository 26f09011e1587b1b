"""Files of a conversation: what people attach and what the model sends back. The bytes are in storage, never here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.access import REVIEW
from conversations.ids import uuid7
from conversations.models.message import Message

if TYPE_CHECKING:
    from accounts.models import User


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def visible_to(self, user: User) -> Self:
        """Return the files that `user` may open: their own, unless deleted or in a conversation they have hidden."""
        return self.exclude(state=Attachment.State.DELETED).filter(
            Q(message__isnull=True) | Q(message__conversation__hidden_at__isnull=True), owner=user
        )

    def reviewable_by(self, user: User) -> Self:
        """Return everybody's sent files to who may review conversations at this moment; none to others."""
        if not user.has_perm(REVIEW):
            return self.none()
        sent = self.filter(message__isnull=False, message__conversation__removal_begun_at__isnull=True)
        return sent.exclude(state=Attachment.State.DELETED)

    def unsent(self) -> Self:
        """Those that were uploaded and belong to no message yet."""
        return self.filter(message__isnull=True)


class Attachment(models.Model):
    """A file. `ready` means that storage holds it with this size and hash."""

    class Origin(models.TextChoices):
        USER = "user", "User"
        MODEL = "model", "Model"

    class State(models.TextChoices):
        PENDING = "pending", "Pending"  # on its way into storage
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"
        DELETED = "deleted", "Deleted"  # the object goes first, then the row

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False, db_comment="UUID version 7.")
    message = models.ForeignKey(
        Message,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="attachments",
        db_comment="The message that carries it; empty until it is sent.",
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="attachments", db_comment="Whose it is."
    )
    origin = models.CharField(max_length=5, choices=Origin, db_comment="Who made it: user or model.")
    state = models.CharField(max_length=7, choices=State, default=State.PENDING, db_comment="Where it stands.")
    bucket = models.CharField(max_length=63, blank=True, db_comment="The bucket; empty for files in VAR_DIR.")
    key = models.CharField(
        max_length=100,
        db_index=True,
        db_comment="The object's key: generated, without any name. Rows of an edited or continued message share it.",
    )
    name = models.CharField(
        max_length=255, db_comment="The file's name as given, cleaned; shown, never used as a path."
    )
    content_type = models.CharField(max_length=100, db_comment="The type that the bytes were found to have.")
    size = models.PositiveBigIntegerField(null=True, db_comment="Bytes; empty until it is ready.")
    sha256 = models.CharField(
        max_length=64, blank=True, db_comment="Hash of the bytes in hex; empty until it is ready."
    )
    width = models.PositiveIntegerField(null=True, db_comment="Pixels, of an image.")
    height = models.PositiveIntegerField(null=True, db_comment="Pixels, of an image.")
    is_read = models.BooleanField(default=False, db_comment="A job has looked for text in it, for search.")
    failure = models.CharField(max_length=500, blank=True, db_comment="Why it failed, as people are told.")
    container_id = models.CharField(
        max_length=200, blank=True, db_comment="The provider's container that a file of its code interpreter came from."
    )
    container_file_id = models.CharField(max_length=200, blank=True, db_comment="The file's id in that container.")
    source_id = models.CharField(
        max_length=200, blank=True, db_comment="The provider's id of the picture or call that brought it."
    )
    provider_file_id = models.CharField(
        max_length=200, blank=True, db_comment="Its id at the provider's Files API, where a copy was sent there."
    )
    provider_file_expires_at = models.DateTimeField(null=True, db_comment="When the provider deletes that copy.")
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_comment="When it came.")
    ready_at = models.DateTimeField(null=True, db_comment="When it was verified in storage.")

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        db_table_comment = "Files that people attach and that the model sends back."
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(origin__in=["user", "model"]), name="attachment_origin_is_known"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "ready", "failed", "deleted"]), name="attachment_state_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="ready") | Q(size__isnull=False, ready_at__isnull=False) & ~Q(sha256=""),
                name="ready_attachment_is_verified",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(failure=""), name="failed_attachment_has_its_reason"
            ),
            models.UniqueConstraint(
                fields=["message", "container_file_id"],
                condition=~Q(container_file_id=""),
                name="one_attachment_per_container_file",
            ),
            models.UniqueConstraint(
                fields=["message", "source_id"], condition=~Q(source_id=""), name="one_attachment_per_source"
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "state"], name="attachment_by_owner"),
            models.Index(fields=["created_at"], condition=Q(message__isnull=True), name="attachment_unsent"),
            models.Index(
                fields=["created_at"], condition=Q(state__in=["pending", "deleted"]), name="attachment_unsettled"
            ),
            models.Index(
                fields=["id"],
                condition=Q(is_read=False, state="ready", message__isnull=False),
                name="attachment_unread",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        """Where the object is, as s3://bucket/key, or its path below the files folder."""
        return f"s3://{self.bucket}/{self.key}" if self.bucket else self.key

    @property
    def is_image(self) -> bool:
        """Whether it is a raster image that pages may show."""
        return self.content_type in ("image/png", "image/jpeg", "image/webp", "image/gif")

    @property
    def can_retry(self) -> bool:
        """Whether it can be had once more: a file of the code interpreter, as long as its container is kept."""
        return self.state == self.State.FAILED and bool(self.container_file_id)


class AttachmentText(models.Model):
    """What can be read in a file, for search. Apart from the file's row, so that pages do not load it."""

    attachment = models.OneToOneField(
        Attachment, on_delete=models.CASCADE, primary_key=True, related_name="content", db_comment="The file."
    )
    text = models.TextField(db_comment="Its text, the first 200,000 characters.")

    class Meta:
        db_table_comment = "Text of files, for search."
        default_permissions = ()

    def __str__(self) -> str:
        return f"Text of {self.attachment_id}"
