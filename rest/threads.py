"""Django's blocking code, called from async code: it runs in a thread and keeps no connection afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection


async def in_thread[Result](function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """Run a function in the request's own thread, and give its connection back to the pool."""
    return await sync_to_async(_run)(function, *args, **kwargs)


def _run[Result](function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    try:
        return function(*args, **kwargs)
    finally:
        if not connection.in_atomic_block:
            connection.close()
