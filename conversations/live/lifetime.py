"""Whether this web process is still meant to serve: gunicorn waits for open streams when it is told to stop."""

from typing import Protocol


class Worker(Protocol):
    """What we use of a gunicorn worker."""

    alive: bool


_worker: Worker | None = None


def set_worker(worker: Worker) -> None:
    """Remember the gunicorn worker of this process (called from gunicorn.conf.py, post_worker_init)."""
    global _worker
    _worker = worker


def is_stopping() -> bool:
    """Whether gunicorn has told this process to stop; streams then end, and browsers come back to another process."""
    return _worker is not None and not _worker.alive
