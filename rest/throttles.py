"""How many requests may be made in a minute: counted by the database, so that all processes count alike."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.access import Access

if TYPE_CHECKING:
    from rest_framework.views import APIView

PERSON_SHARE = 2
"""A person's programs together may do so many times what one may, so that one gone wild leaves room for another."""
_COUNT = """
INSERT INTO rest_allowance (subject, kind, began_at, used)
SELECT subject, kind, now(), 1 FROM unnest(%s::text[], %s::text[]) AS asked (subject, kind)
ON CONFLICT (subject, kind) DO UPDATE SET
  used = CASE WHEN rest_allowance.began_at <= now() - interval '1 minute' THEN 1
              ELSE least(rest_allowance.used, 1000000000) + 1 END,
  began_at = CASE WHEN rest_allowance.began_at <= now() - interval '1 minute' THEN now()
                  ELSE rest_allowance.began_at END
RETURNING subject, kind, used, extract(epoch FROM began_at + interval '1 minute' - now())
"""


class MinuteThrottle(BaseThrottle):
    """Counts each request once for its token and once for its owner, and what starts answers by itself as well."""

    def __init__(self) -> None:
        self._wait: float | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request; False where it is one too many. One statement, exact however many ask at once."""
        user_id, access = request.user.pk, request.auth
        if user_id is None or not isinstance(access, Access):
            return True
        own = f"token:{access.token_id}" if access.token_id else f"{access.kind}:{user_id}"
        limits = {"requests": settings.API_REQUESTS_PER_MINUTE}
        if view.starts_answer(request.method):  # type: ignore[attr-defined]
            limits["answers"] = settings.API_ANSWERS_PER_MINUTE
        waits = [
            seconds
            for subject, kind, used, seconds in _count([own, f"user:{user_id}"], list(limits))
            if used > limits[kind] * (1 if subject == own else PERSON_SHARE)
        ]
        self._wait = max(waits, default=None)
        return not waits

    def wait(self) -> float | None:
        """Return after how many seconds a request may do."""
        return None if self._wait is None else math.ceil(max(self._wait, 1))


def _count(subjects: list[str], kinds: list[str]) -> list[tuple[str, str, int, float]]:
    rows = sorted((subject, kind) for subject in subjects for kind in kinds)  # one order of locks for all
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [list(column) for column in zip(*rows, strict=True)])
        return [(subject, kind, used, float(seconds)) for subject, kind, used, seconds in cursor.fetchall()]


def purge() -> None:
    """Forget those who have asked nothing for an hour."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM rest_allowance WHERE began_at < now() - interval '1 hour'")
