"""Somebody else, at the same time."""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, connection

from conversations.services import Refused


class Other:
    """Something that is done in a thread with a connection of its own; what came of it, or what it raised."""

    def __init__(self, deed: Callable[[], Any]) -> None:
        self.came: Any = None
        self._deed = deed
        self._pid: list[int] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                self._pid.append(cursor.fetchone()[0])
            self.came = self._deed()
        except (Refused, DatabaseError) as error:
            self.came = error
        finally:
            connection.close()

    def wait_until_it_waits(self) -> None:
        """Return once its statement waits for a lock that somebody else holds."""
        give_up_at = time.monotonic() + 30
        while not self._waits():
            if time.monotonic() > give_up_at:
                raise AssertionError("It never waited for anybody.")
            time.sleep(0.02)

    def wait_until_it_waits_or_is_done(self) -> None:
        """Return once it goes on no further without us."""
        while self._thread.is_alive() and not self._waits():
            time.sleep(0.02)

    def _waits(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [self._pid[0] if self._pid else 0])
            waits: bool = cursor.fetchone()[0]
        return waits

    def end(self) -> Any:
        self._thread.join(30)
        return self.came
