"""For load balancers, and for the banner that says when nobody answers."""

from __future__ import annotations

import datetime

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from procrastinate.contrib.django.models import ProcrastinateWorker

HEARTBEAT_LIMIT = datetime.timedelta(seconds=30)


@require_safe
async def healthz(request: HttpRequest) -> HttpResponse:
    """Say that this process is alive. Touches nothing else."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether requests can be served: 503 when the database is away or not migrated.

    A missing worker is told in the body only: history, search and admin work without it.
    """
    body = {"database": "away", "migrations": "unknown", "worker": "unknown"}
    try:
        executor = MigrationExecutor(connection)
        is_missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        body = {"database": "ok", "migrations": "missing" if is_missing else "ok"}
        body["worker"] = "ok" if worker_is_alive() else "missing"
    except Error:
        pass  # the body says it
    return JsonResponse(body, status=200 if body["migrations"] == "ok" else 503)


def worker_is_alive() -> bool:
    """Tell whether any worker gave a sign of life within the last 30 s. Without one, prompts wait."""
    return ProcrastinateWorker.objects.filter(last_heartbeat__gt=timezone.now() - HEARTBEAT_LIMIT).exists()
