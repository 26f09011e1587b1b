"""Whether the other processes are there."""

from __future__ import annotations

import datetime

from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateWorker

HEARTBEAT_LIMIT = datetime.timedelta(seconds=30)


def worker_is_alive() -> bool:
    """Tell whether any worker gave a sign of life within the last 30 s. Without one, prompts wait."""
    return ProcrastinateWorker.objects.filter(last_heartbeat__gt=timezone.now() - HEARTBEAT_LIMIT).exists()
