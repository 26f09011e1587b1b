"""Carrying out a run of retention, whichever it is, as far as it goes."""

from __future__ import annotations

import logging
from uuid import UUID

from records.models import RetentionRun
from records.services.erasing import carry_out_erasure
from records.services.retention import Interrupted, Stop, apply_policies, count_due

logger = logging.getLogger(__name__)


def carry_out(*, run_id: UUID, is_stopping: Stop = lambda: False) -> bool:
    """Carry out a run, or go on with it where it was cut off; return whether it has ended. Call it in no transaction.

    Several who carry out the same run do each thing once. What keeps it from going on is noted with it.
    """
    run = RetentionRun.objects.select_related("requested_by").filter(pk=run_id).first()
    if run is None or run.state != RetentionRun.State.RUNNING:
        return True
    carry = carry_out_erasure if run.kind == RetentionRun.Kind.ERASURE else count_due if run.is_dry else apply_policies
    try:
        carry(run=run, is_stopping=is_stopping)
    except Interrupted as why:
        if str(why):
            logger.warning("Run %s goes on later: %s", run_id, why)
            RetentionRun.objects.filter(pk=run_id, state=RetentionRun.State.RUNNING).update(problem=str(why))
        return False
    return True
