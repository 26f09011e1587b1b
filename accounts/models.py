"""Who you are."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models.functions import Lower


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
