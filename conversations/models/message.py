"""What was said: messages, and the live text of answers that are being written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q, StringAgg, Value
from django.utils import timezone

from accounts.access import REVIEW
from conversations.ids import uuid7

if TYPE_CHECKING:
    from accounts.models import User


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, user: User) -> Self:
        """Return the messages that `user` may see on pages and over the API: those of their own conversations."""
        return self.filter(owner=user, conversation__owner=user, conversation__hidden_at__isnull=True)

    def listed_to(self, user: User) -> Self:
        """Return the same rows, for lists of all of them by id.

        A message's owner is its conversation's. Asked for both, PostgreSQL takes them for independent, expects next to
        nothing, and reads all that somebody ever said for each page.
        """
        return self.filter(owner=user, conversation__hidden_at__isnull=True)

    def reviewable_by(self, user: User) -> Self:
        """Return everybody's to who may review conversations at this moment, but for removed ones; none to others."""
        return self.filter(conversation__removal_begun_at__isnull=True) if user.has_perm(REVIEW) else self.none()

    def running(self) -> Self:
        """Return the answers that are waited for."""
        return self.filter(status__in=Message.RUNNING)


_Manager = models.Manager.from_queryset(MessageQuerySet)


class MessageManager(_Manager["Message"]):
    """Leaves the search vector in the database: only search and its job want it, by statements of their own."""

    def get_queryset(self) -> MessageQuerySet:
        """Return the messages as they are read everywhere."""
        return MessageQuerySet(self.model, using=self._db).defer("search_vector")


class Message(models.Model):
    """A prompt or an answer. Editing and retrying make siblings, so nothing that was said is overwritten."""

    class Role(models.TextChoices):
        USER = "user", "User"
        ASSISTANT = "assistant", "Assistant"

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        STREAMING = "streaming", "Streaming"
        COMPLETED = "completed", "Completed"
        INCOMPLETE = "incomplete", "Cut off"
        REFUSED = "refused", "Refused"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Failed"
        INTERRUPTED = "interrupted", "Interrupted"

    RUNNING = (Status.QUEUED, Status.STREAMING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False, db_comment="UUID version 7.")
    conversation = models.ForeignKey(
        "Conversation", on_delete=models.PROTECT, related_name="messages", db_comment="The conversation it belongs to."
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_comment="The owner of the conversation, stored here for search.",
    )
    parent = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="children",
        db_comment="The message before it; siblings are edits and retries.",
    )
    assistant = models.ForeignKey(
        "Assistant",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_comment="Who answers here; empty for prompts, and for answers of before this was noted: the conversation's.",
    )
    copy_of = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        db_comment="The message of a concluded conversation that it repeats, which may be removed by now; no model was"
        " called for it.",
    )
    is_supplied = models.BooleanField(
        default=False,
        db_default=False,
        db_comment="A client supplied it as what was said before; no model was called for it by us.",
    )
    options = models.JSONField(
        null=True,
        blank=True,
        db_comment="What a client gave with a prompt, for the calls that answer it: instructions, which follow the"
        " assistant's own, and parameters.",
    )
    role = models.CharField(max_length=10, choices=Role, db_comment="Who speaks: user or assistant.")
    status = models.CharField(max_length=12, choices=Status, db_comment="Where it stands; a prompt is completed.")
    text = models.TextField(blank=True, db_comment="The whole text; empty while an answer streams.")
    activity = models.CharField(max_length=200, blank=True, db_comment="What a running answer is doing, one line.")
    attempt = models.PositiveSmallIntegerField(
        default=0, db_comment="Counts the runs that claimed it; only the writer of the latest one may write."
    )
    client_token = models.UUIDField(
        null=True,
        blank=True,
        db_comment="Made by the client, once per prompt or retry: a double submit is one message.",
    )
    error_code = models.CharField(max_length=40, blank=True, db_comment="Why an answer failed, as a code.")
    error_text = models.CharField(max_length=500, blank=True, db_comment="Why an answer failed, as people are told.")
    search_vector = SearchVectorField(
        null=True, editable=False, db_comment="Its words for search, made by a job after it ended; empty until then."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_comment="When it was committed.")
    finished_at = models.DateTimeField(null=True, blank=True, db_comment="When an answer ended, however it did.")

    objects = MessageManager()

    class Meta:
        db_table_comment = "Prompts and answers."
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "queued",
                        "streaming",
                        "completed",
                        "incomplete",
                        "refused",
                        "stopped",
                        "failed",
                        "interrupted",
                    ]
                ),
                name="message_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(role="assistant") | Q(role="user", status="completed"), name="prompts_are_completed"
            ),
            models.CheckConstraint(
                condition=Q(role="user") | Q(parent__isnull=False) | Q(is_supplied=True), name="answers_have_a_parent"
            ),
            models.CheckConstraint(
                condition=Q(is_supplied=False) | Q(status="completed"), name="supplied_messages_are_completed"
            ),
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(status__in=["queued", "streaming"]),
                name="one_running_answer",
            ),
            models.UniqueConstraint(fields=["owner", "client_token"], name="one_message_per_token"),
        ]
        indexes = [
            models.Index(
                fields=["created_at"], condition=Q(status__in=["queued", "streaming"]), name="message_running"
            ),
            models.Index(fields=["created_at"], name="message_by_time"),
            models.Index(fields=["owner", "-id"], name="message_of_owner"),
            # Without fastupdate, or each search would read through what is not yet in its place in the index. The job
            # that writes vectors is in no hurry.
            GinIndex(fields=["search_vector"], name="message_search", fastupdate=False),
            models.Index(
                fields=["id"],
                condition=Q(search_vector__isnull=True) & ~Q(status__in=["queued", "streaming"]),
                name="message_unindexed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} {self.pk}"

    @property
    def is_running(self) -> bool:
        return self.status in self.RUNNING

    @property
    def is_cut_off(self) -> bool:
        """Whether it is an answer that ended early, with text that the model could go on from."""
        return bool(self.text) and self.status in (
            self.Status.INCOMPLETE,
            self.Status.STOPPED,
            self.Status.INTERRUPTED,
        )

    @property
    def has_begun(self) -> bool:
        """Whether a writer has ever claimed it; until then there is neither text nor usage."""
        return self.status != self.Status.QUEUED or self.attempt > 0

    def text_so_far(self) -> str:
        """Return the text, also of an answer that is still being written."""
        if not self.is_running:
            return self.text
        joined = self.chunks.aggregate(joined=StringAgg("text", delimiter=Value(""), order_by="start"))["joined"]
        return joined or ""


class MessageChunk(models.Model):
    """A piece of the text of an answer that is being written; gone when it ends.

    Appending to `Message.text` instead would copy the whole text at each flush.
    """

    pk = models.CompositePrimaryKey("message_id", "start")
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="chunks", db_index=False, db_comment="The running answer."
    )
    start = models.PositiveIntegerField(db_comment="How many code points of the answer come before it.")
    text = models.TextField(db_comment="The piece.")

    class Meta:
        db_table_comment = "Live text of running answers."
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.message_id} from {self.start}"
