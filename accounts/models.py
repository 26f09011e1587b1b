"""Who you are."""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A member of staff. Groups give roles; people are made by administrators, never by themselves."""

    email = models.EmailField("e-mail address", unique=True, db_comment="Unique; may be used to sign in.")

    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta:
        db_table_comment = "People who may sign in."

    def __str__(self) -> str:
        return self.get_full_name() or self.username
