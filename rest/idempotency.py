"""The same request with the same Idempotency-Key is carried out once and answered alike."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import uuid
from typing import TYPE_CHECKING, Any, TypedDict

from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.utils import timezone
from rest_framework.request import Request

from rest.models import IdempotentRequest
from rest.problems import Problem

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.models import User

HEADER = "Idempotency-Key"
KEPT = datetime.timedelta(hours=24)
SILENCE = datetime.timedelta(seconds=60)
"""After so long without a sign of life, whoever carried a request out is taken for dead."""
PATIENCE_FOR_FILES = datetime.timedelta(minutes=5)
"""The same where files are stored, without a sign of life, and storage may be slow."""
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("Content-Type", "Location", "ETag", "X-Conversation-Id")
_NAMES = uuid.UUID("6f0d8e4a-54b5-4a0c-9c4f-5f2b8d3f3c11")


class Asked(TypedDict):
    """What the row of a key holds of its request; of none while `fingerprint` is empty."""

    method: str
    path: str
    fingerprint: str


def key_of(request: Request) -> str | None:
    """Return the key of a request; None where it has none. Raises Problem (400) for one that cannot be used."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise Problem(
            400, "idempotency_key_invalid", "Idempotency-Key takes 1 to 255 visible ASCII characters without blanks."
        )
    return key


def token_for(row: IdempotentRequest) -> uuid.UUID:
    """Return a UUID that stands for this key of this person while its row is kept.

    What is made under it can be made once only; the same key a day later makes something else.
    """
    return uuid.uuid5(_NAMES, f"{row.user_id}:{row.pk}")


def fingerprint_of(request: Request) -> str:
    """Return a hash of what the request says: its query and its body, files included, whatever their boundaries."""
    digest = hashlib.sha256(request.META.get("QUERY_STRING", "").encode())
    for name, value in _parts(request.data):
        digest.update(json.dumps([name, value], sort_keys=True).encode())
    return digest.hexdigest()


def _parts(data: Any) -> list[tuple[str, Any]]:
    if not hasattr(data, "lists"):
        return [("", data)]
    parts: list[tuple[str, Any]] = []
    for name, values in sorted(data.lists()):
        parts.extend((name, _hash_of(value) if isinstance(value, UploadedFile) else value) for value in values)
    return parts


def _hash_of(file: UploadedFile[Any]) -> list[str]:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return [str(file.name), str(file.content_type), digest.hexdigest()]


def begin(
    *,
    user: User,
    key: str,
    method: str,
    path: str,
    fingerprint: str,
    patience: datetime.timedelta = SILENCE,
) -> IdempotentRequest:
    """Claim the key for this request, or return the row of the one that was answered (`state` tells).

    The row is committed before anything is done, so of two at once one is refused. Where whoever carried it out has
    been silent for longer than `patience`, its process died in the middle, and the request takes its place. A key that
    an error gave back takes any request, and its day begins anew.

    Raises Problem (409): the key was used for something else, or the same request is being carried out.
    """
    asked: Asked = {"method": method, "path": path, "fingerprint": fingerprint}
    row, is_new = IdempotentRequest.objects.get_or_create(user=user, key=key, defaults=asked)
    if is_new:
        return row
    if row.created_at < timezone.now() - KEPT:  # the job that purges them has not come by yet
        IdempotentRequest.objects.filter(pk=row.pk, attempt=row.attempt).delete()
        return begin(user=user, key=key, patience=patience, **asked)
    if row.fingerprint and any(getattr(row, name) != value for name, value in asked.items()):
        raise Problem(
            409, "idempotency_key_reused", "This Idempotency-Key was used for another request. Nothing was done."
        )
    if row.state == IdempotentRequest.State.ANSWERED:
        return row
    return _take_over(row, asked, patience)


def _take_over(row: IdempotentRequest, asked: Asked, patience: datetime.timedelta) -> IdempotentRequest:
    """Carry the request out in the place of whoever had the row, or return the row where its answer has come since."""
    states, attempt, now = IdempotentRequest.State, uuid.uuid4(), timezone.now()
    is_free = Q(state=states.OPEN) | Q(state=states.RUNNING, seen_at__lt=now - patience)
    mine = IdempotentRequest.objects.filter(is_free, pk=row.pk, attempt=row.attempt).update(
        attempt=attempt,
        seen_at=now,
        state=states.RUNNING,
        created_at=row.created_at if row.fingerprint else now,
        **asked,
    )
    if mine:
        row.attempt, row.seen_at, row.state = attempt, now, states.RUNNING
        return row
    answered = IdempotentRequest.objects.filter(pk=row.pk, state=states.ANSWERED, **asked).first()
    if answered is None:
        raise Problem(
            409, "idempotency_in_progress", "The same request is being carried out. Ask again for its answer.",
            retry_after=2,
        )  # fmt: skip
    return answered


def show_life(row: IdempotentRequest) -> None:
    """Say that the request is still being carried out: for those that wait for minutes."""
    _own(row).update(seen_at=timezone.now())


def settle(row: IdempotentRequest, response: HttpResponse) -> None:
    """Keep the answer where it is one of success; give the key back where it is an error."""
    if not 200 <= response.status_code < 300:
        give_back(row)
        return
    _own(row).update(
        state=IdempotentRequest.State.ANSWERED,
        status=response.status_code,
        headers={name: response[name] for name in _KEPT_HEADERS if response.has_header(name)},
        body=response.content,
    )


def leave_open(row: IdempotentRequest) -> None:
    """Let the same request be carried out again at once: of a stream, or of a client that went away while it waited."""
    _own(row).update(state=IdempotentRequest.State.OPEN)


def give_back(row: IdempotentRequest) -> None:
    """Let the key be used for any request: nothing came of this one, as far as is known.

    The row stays, and with it what `token_for` says: the same request again does not double what was done all the same.
    """
    _own(row).update(state=IdempotentRequest.State.OPEN, fingerprint="")


def forget(row: IdempotentRequest) -> None:
    """Let the key be as one that was never used: what was made under its token has failed, and is not to come again."""
    _own(row).delete()


def kept_headers(row: IdempotentRequest) -> dict[str, str]:
    """Return the headers of a kept answer, and the one that says that it is kept."""
    headers: dict[str, str] = row.headers
    return headers | {"Idempotency-Replayed": "true"}


def purge() -> int:
    """Remove what is older than a day. Return how many there were."""
    return IdempotentRequest.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]


def forget_person(user: User) -> int:
    """Remove all answers that are kept for somebody, as when they are erased."""
    return IdempotentRequest.objects.filter(user=user).delete()[0]


def _own(row: IdempotentRequest) -> Any:
    return IdempotentRequest.objects.filter(pk=row.pk, attempt=row.attempt, state=IdempotentRequest.State.RUNNING)
