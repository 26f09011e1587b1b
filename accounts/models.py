"""Who you are."""

from __future__ import annotations

import uuid
from typing import ClassVar, Self

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.access import Scope


class PeopleManager(UserManager["User"]):
    """Keeps e-mail addresses in small letters: sign-in looks them up so."""

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Return the address as it is stored; also called by `User.clean`."""
        return super().normalize_email(email).lower()


class User(AbstractUser):
    """A member of staff. Groups give roles; people are made by administrators, never by themselves."""

    email = models.EmailField("e-mail address", unique=True, db_comment="Unique; may be used to sign in.")

    objects: ClassVar[PeopleManager] = PeopleManager()

    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta(AbstractUser.Meta):
        db_table_comment = "People who may sign in."
        constraints = [
            # Sign-in ignores case, and refuses a name that two people share.
            models.UniqueConstraint(
                Lower("username"),
                name="one_person_per_username",
                violation_error_message="Somebody has this username already, perhaps in other letter case.",
            ),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class TokenQuerySet(models.QuerySet["Token"]):
    def visible_to(self, user: User) -> Self:
        """Return the tokens that act for this person."""
        return self.filter(owner=user)

    def usable(self) -> Self:
        """Return what lets a program in at this moment: neither revoked nor expired, of somebody who may sign in."""
        now = timezone.now()
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None, owner__is_active=True)

    def ended(self) -> Self:
        """Return what lets nobody in any more, whoever its owner is."""
        return self.filter(Q(expires_at__lte=timezone.now()) | ~Q(revoked_at=None))


class Token(models.Model):
    """A password for a program. The secret itself is shown once and kept nowhere; `digest` knows it again."""

    class Kind(models.TextChoices):
        PERSONAL = "personal", "personal"
        SERVICE = "service", "service"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False, db_comment="Id, in answers and audit.")
    owner = models.ForeignKey(
        User, models.CASCADE, related_name="tokens", db_comment="For whom it acts, and whose rights are its limit."
    )
    kind = models.CharField(
        max_length=10,
        choices=Kind,
        default=Kind.PERSONAL,
        db_comment="personal: made by its owner; service: made by an administrator for a system.",
    )
    name = models.CharField(max_length=100, db_comment="What it is for, in the words of who made it.")
    scopes = ArrayField(
        models.CharField(max_length=10, choices=[(scope.value, scope.label) for scope in Scope]),
        db_comment="What it may be used for: read, write, read_all, events.",
    )
    prefix = models.CharField(max_length=12, db_comment="How the secret begins, to tell tokens apart by.")
    digest = models.CharField(max_length=64, unique=True, db_comment="SHA-256 of the secret, in hex.")
    created_at = models.DateTimeField(default=timezone.now, db_comment="When it was made.")
    created_by = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_comment="Who made it; empty: a command, or somebody who is gone.",
    )
    expires_at = models.DateTimeField(null=True, blank=True, db_comment="Until when it holds; empty: until revoked.")
    revoked_at = models.DateTimeField(null=True, blank=True, db_comment="When it was revoked; empty: it was not.")
    last_used_at = models.DateTimeField(
        null=True, blank=True, db_comment="The minute in which it was last used; empty: never."
    )

    objects = TokenQuerySet.as_manager()

    class Meta:
        db_table_comment = "Passwords of programs, as hashes."
        default_permissions = ()
        permissions = [("manage_tokens", "Can see and revoke everybody's tokens")]
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["owner", "-created_at"], name="tokens_of_owner"),
            models.Index(fields=["-created_at", "-id"], name="tokens_by_time"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(scopes__contained_by=[scope.value for scope in Scope]) & Q(scopes__len__gt=0),
                name="token_scopes_are_known",
            ),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("created_at")), name="token_ends_after_it_began"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """In a word, why it lets nobody in; "active" where it does."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return "expired"
        return "active" if self.owner.is_active else "without its owner"
