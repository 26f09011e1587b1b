"""Every write about batches: keyword-only functions, one transaction each, no request object."""

from batches.services.advancing import advance
from batches.services.making import make_batch
from batches.services.steering import cancel_batch, delete_batch, expire_batches, forget_batches_of, resume_batch

__all__ = [
    "advance",
    "cancel_batch",
    "delete_batch",
    "expire_batches",
    "forget_batches_of",
    "make_batch",
    "resume_batch",
]
