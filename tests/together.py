"""Several deeds at the same moment, each in a thread and on a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections


def at_once(*deeds: Callable[[], Any], refusals: tuple[type[Exception], ...] = (), seconds: float = 30) -> list[Any]:
    """Begin all deeds at the same moment; return what came of each, in their order.

    An exception of `refusals` is what came of a deed; any other is raised once all have ended. Each deed has `seconds`.
    """
    begin = threading.Barrier(len(deeds))

    def do(deed: Callable[[], Any]) -> Any:
        try:
            begin.wait(seconds)
            return deed()
        except refusals as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(deeds)) as pool:
        begun = [pool.submit(do, deed) for deed in deeds]
        errors = [error for one in begun if (error := one.exception(seconds)) is not None]
        if errors:
            raise errors[0]
        return [one.result() for one in begun]
