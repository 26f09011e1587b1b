"""A reason to read, as a test gives it to somebody who has signed in."""

import time

from django.contrib.auth import SESSION_KEY
from django.test import Client

from accounts.models import User
from records import sitting

REASON = "Case 2026-17"


def sit(client: Client, *, reason: str = REASON, seconds_ago: int = 0) -> None:
    """Let the person of this browser have begun a sitting some seconds ago."""
    session = client.session
    began = int(time.time()) - seconds_ago
    session[sitting.SESSION_KEY] = {"person": int(session[SESSION_KEY]), "reason": reason, "began": began}
    session.save()


class SittingClient(Client):
    """A browser whose person begins a sitting whenever they sign in."""

    def force_login(self, user: User, backend: str | None = None) -> None:
        super().force_login(user, backend)
        sit(self)
