"""Failed sign-ins. Anybody can cause them by the thousand, and the audit is never shortened: so they are summed up."""

from __future__ import annotations

import datetime

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from audit.models import RefusedSignIns
from audit.services import record, take_turn

TELL_AGAIN_AFTER = datetime.timedelta(hours=1)
_COUNT = """
INSERT INTO audit_refusedsignins (person_id, attempts, first_at, last_at) VALUES (%(person)s, 1, %(now)s, %(now)s)
ON CONFLICT (person_id) DO UPDATE SET
    attempts = audit_refusedsignins.attempts + 1, last_at = excluded.last_at,
    first_at = CASE WHEN audit_refusedsignins.attempts = 0 THEN excluded.first_at ELSE audit_refusedsignins.first_at END
"""


def count_refused(*, login: str) -> None:
    """Count an attempt with a name or e-mail address; of all that nobody has, one count is kept together.

    What was typed is not kept: it may be a password in the wrong field. Known and unknown names cost the same.
    """
    people = get_user_model().objects.filter(Q(username__iexact=login) | Q(email=login.lower()))
    person = people.order_by("pk").values_list("pk", flat=True).first()
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"person": person, "now": timezone.now()})


def tell_refused() -> None:
    """Write what was counted into the audit: the first attempts at an account at once, further ones every hour."""
    now = timezone.now()
    due = Q(attempts__gt=0) & (Q(told_at=None) | Q(told_at__lte=now - TELL_AGAIN_AFTER))
    for person_id in list(RefusedSignIns.objects.filter(due).values_list("person_id", flat=True)):
        _tell(person_id, now)
    RefusedSignIns.objects.filter(attempts=0, told_at__lte=now - TELL_AGAIN_AFTER).delete()


@transaction.atomic
def _tell(person_id: int | None, now: datetime.datetime) -> None:
    take_turn()  # first: who fails to sign in waits for the row, and must not wait for the audit
    found = RefusedSignIns.objects.select_for_update().filter(person_id=person_id, attempts__gt=0).first()
    if found is None:
        return
    RefusedSignIns.objects.filter(pk=found.pk).update(attempts=0, told_at=now)
    record(
        kind="account.refused",
        actor=None,
        object_type="user",
        object_id=person_id or "",
        subject_id=person_id,
        details={"attempts": found.attempts, "from": found.first_at.isoformat(), "to": found.last_at.isoformat()},
    )
