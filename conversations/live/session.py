"""Who is behind a session, asked anew: what is open for minutes checks now and then whether it may go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import get_user, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

if TYPE_CHECKING:
    from accounts.models import User


def person_of(session_key: str) -> User | None:
    """Return the person who is signed in with a session now; None where it ended or they were deactivated."""
    request = HttpRequest()
    request.session = SessionStore(session_key)
    user = get_user(request)
    return user if isinstance(user, get_user_model()) else None
