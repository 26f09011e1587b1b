"""Writes to accounts that are not made in the admin."""

import secrets
from dataclasses import dataclass

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without the characters that are taken for one another


@dataclass(frozen=True, slots=True)
class SignIn:
    """How somebody new signs in."""

    username: str
    password: str


@transaction.atomic
def make_first_administrator(*, username: str, email: str, password: str) -> SignIn | None:
    """Make the first superuser and return how they sign in; None where there is a superuser already.

    An empty `password` is replaced by a generated one of about 79 bits. Two callers at once must be kept apart by
    the caller (`manage.py setup` holds an advisory lock).

    Raises ValidationError with the keys "username", "email" or "password" for what cannot be used.
    """
    if User.objects.filter(is_superuser=True).exists():
        return None
    user = User(username=username, email=User.objects.normalize_email(email), is_staff=True, is_superuser=True)
    sign_in = SignIn(username, password or _generate_password())
    user.set_password(sign_in.password)
    user.full_clean()
    try:
        validate_password(sign_in.password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error
    user.save()
    return sign_in


def _generate_password() -> str:
    """Return four groups of four characters that are easy to read aloud."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
