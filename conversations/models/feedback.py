"""What people think of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.access import REVIEW

if TYPE_CHECKING:
    from accounts.models import User


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    def visible_to(self, user: User) -> Self:
        """Return the ratings that `user` may see: their own, in conversations that they have not hidden."""
        return self.filter(user=user, message__conversation__hidden_at__isnull=True)

    def reviewable_by(self, user: User) -> Self:
        """Return everybody's to who may review conversations at this moment; none to others."""
        if not user.has_perm(REVIEW):
            return self.none()
        return self.filter(message__conversation__removal_begun_at__isnull=True)


class Feedback(models.Model):
    """A person's rating of an answer. It can be changed; one that was taken back is gone."""

    class Rating(models.TextChoices):
        UP = "up", "Good"
        DOWN = "down", "Bad"

    message = models.ForeignKey(
        "Message", on_delete=models.PROTECT, related_name="feedback", db_comment="The answer that is rated."
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="feedback", db_comment="Who rates it."
    )
    rating = models.CharField(max_length=4, choices=Rating, db_comment="Thumbs up or down.")
    reason = models.CharField(max_length=1000, blank=True, db_comment="Why, in the person's words.")
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_comment="When it was first rated.")
    updated_at = models.DateTimeField(default=timezone.now, db_comment="When the rating was last changed.")

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        verbose_name = "rating"
        verbose_name_plural = "ratings"
        db_table_comment = "Ratings of answers."
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["message", "user"], name="one_rating_per_person"),
            models.CheckConstraint(condition=Q(rating__in=["up", "down"]), name="rating_is_known"),
        ]
        indexes = [models.Index(fields=["-updated_at"], name="feedback_by_time")]

    def __str__(self) -> str:
        return f"{self.get_rating_display()} for {self.message_id}"
