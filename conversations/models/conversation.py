"""A conversation of one person with one assistant."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.access import REVIEW
from conversations.ids import uuid7
from conversations.models.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from accounts.models import User
    from conversations.models.catalogue import LanguageModel
    from conversations.models.message import Message

MOST_PINNED = 50
"""How many their owner can keep on top."""
RESTORABLE = datetime.timedelta(days=30)
"""How long its owner can have back what they deleted; the record keeps it, and later retention decides."""

IN_RAIL = Q(is_batched=False) | Q(seen_at__isnull=False)
"""Thousands that a batch began would leave no room for what people said themselves."""


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def visible_to(self, user: User) -> Self:
        """Return the conversations that `user` may see on pages and over the API: their own, unless hidden."""
        return self.filter(owner=user, hidden_at__isnull=True)

    def kept_by(self, user: User) -> Self:
        """Return those that `user` sees or can have back: for deleting and restoring, which may come twice."""
        return self.filter(Q(hidden_at__isnull=True) | Q(hidden_at__gt=timezone.now() - RESTORABLE), owner=user)

    def restorable_by(self, user: User) -> Self:
        """Return those that `user` deleted not so long ago that they cannot be had back."""
        return self.filter(owner=user, hidden_at__gt=timezone.now() - RESTORABLE)

    def reviewable_by(self, user: User) -> Self:
        """Return everybody's, hidden or not, to who may review conversations at this moment; none to others."""
        return self if user.has_perm(REVIEW) else self.none()

    def recent(self) -> Self:
        """Order by last activity, newest first."""
        return self.order_by("-last_activity_at", "-id")


_Manager = models.Manager.from_queryset(ConversationQuerySet)


class ConversationManager(_Manager["Conversation"]):
    """Leaves out the conversations whose removal has begun: their rows may be there for a while, for nobody to see."""

    def get_queryset(self) -> ConversationQuerySet:
        """Return the conversations of the record."""
        return ConversationQuerySet(self.model, using=self._db).filter(removal_begun_at__isnull=True)


class Conversation(models.Model):
    """A conversation. Its messages are a tree; `current_leaf` ends the path that is shown."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        CONCLUDED = "concluded", "Concluded"

    class ConcludedBy(models.TextChoices):
        OWNER = "owner", "Its owner"
        POLICY = "policy", "The policy on idle conversations"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False, db_comment="UUID version 7.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="conversations",
        db_comment="The person whose conversation it is.",
    )
    assistant = models.ForeignKey(
        "Assistant", on_delete=models.PROTECT, related_name="conversations", db_comment="Who answers."
    )
    model = models.ForeignKey(
        "LanguageModel",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_comment="The model that its owner chose for it; empty: the assistant's.",
    )
    continued_from = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="continuations",
        db_comment="The concluded conversation that it goes on from, which may be removed by now; its first messages"
        " repeat that one's.",
    )
    title = models.CharField(max_length=200, db_comment="Made from the first prompt, then by the model or the owner.")
    is_title_provisional = models.BooleanField(
        default=True, db_comment="The title is still the beginning of the first prompt."
    )
    state = models.CharField(
        max_length=12, choices=State, default=State.OPEN, db_comment="A concluded conversation takes no more messages."
    )
    current_leaf = models.ForeignKey(
        "Message",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_comment="The last message of the path that is shown.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_comment="When it began.")
    last_activity_at = models.DateTimeField(default=timezone.now, db_comment="When something was last said in it.")
    concluded_at = models.DateTimeField(null=True, blank=True, db_comment="When it was concluded.")
    concluded_by = models.CharField(
        max_length=6, choices=ConcludedBy, blank=True, db_comment="Who concluded it: owner or policy."
    )
    is_batched = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        db_comment="A batch began it: it stays out of its owner's rail until they look at it or say more in it.",
    )
    hidden_at = models.DateTimeField(null=True, blank=True, db_comment="When its owner put it out of sight.")
    pinned_at = models.DateTimeField(null=True, blank=True, db_comment="When its owner pinned it to the top.")
    seen_at = models.DateTimeField(
        null=True, blank=True, db_comment="When its owner last had its end before their eyes."
    )
    removal_begun_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        db_comment="When its removal for good began: from then on nobody sees it, and nothing brings it back.",
    )

    objects = ConversationManager()
    every = ConversationQuerySet.as_manager()
    """Those as well whose removal has begun: for what removes them, and for what compares the record with storage."""

    class Meta:
        db_table_comment = "Conversations of people with assistants."
        default_permissions = ()  # people write through the app alone, and read others' text by the one right below
        permissions = [("review_conversation", "Can read the conversations of others")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["open", "concluded"]), name="conversation_state_is_known"),
            models.CheckConstraint(
                condition=Q(state="open", concluded_at__isnull=True) | Q(state="concluded", concluded_at__isnull=False),
                name="concluded_conversation_has_its_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["owner", "-last_activity_at", "-id"],
                condition=Q(hidden_at__isnull=True),
                name="conversation_history",
            ),
            models.Index(
                fields=["owner", "-last_activity_at", "-id"],
                condition=Q(hidden_at__isnull=True, pinned_at__isnull=True) & IN_RAIL,
                name="conversation_rail",
            ),
            models.Index(fields=["-last_activity_at"], name="conversation_by_activity"),
            models.Index(fields=["owner", "created_at"], name="conversation_begun"),
            models.Index(fields=["created_at"], name="conversation_by_start"),
            models.Index(
                fields=["owner", "-pinned_at"], condition=Q(pinned_at__isnull=False), name="conversation_pinned"
            ),
            models.Index(
                fields=["owner", "-hidden_at"], condition=Q(hidden_at__isnull=False), name="conversation_hidden"
            ),
            models.Index(fields=["last_activity_at"], condition=Q(state="open"), name="conversation_open"),
            models.Index(fields=["id"], condition=Q(state="concluded"), name="conversation_concluded"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def restorable_until(self) -> datetime.datetime | None:
        """When a deleted one leaves its owner's list of those."""
        return self.hidden_at and self.hidden_at + RESTORABLE

    def language_model(self) -> LanguageModel | None:
        """Return the model that answers next: the one that was chosen while it is in service, else the assistant's."""
        chosen = self.model.in_service() if self.model is not None else None
        return chosen or self.assistant.language_model()

    def tree(self) -> Tree:
        """Return who follows whom, in one query that reads no text."""
        return Tree(self.messages.order_by("id").values_list("id", "parent_id"))

    def path(self, at: UUID | None = None) -> list[Message]:
        """Return the messages of the path that is shown, oldest first, in one query.

        With `at` it is the path through that message: the current one where it lies on it, else the newest through it.
        """
        by_id = {message.pk: message for message in self.messages.order_by("id")}
        tree = Tree((message.pk, message.parent_id) for message in by_id.values())
        return [by_id[message_id] for message_id in tree.path_through(at, current_leaf=self.current_leaf_id)]

    def messages_of(self, ids: Sequence[UUID]) -> list[Message]:
        """Return these of its messages, in this order, in one query."""
        by_id = {message.pk: message for message in self.messages.filter(pk__in=ids)}
        return [by_id[message_id] for message_id in ids if message_id in by_id]
