"""Files whose bytes stand in a request: they become uploads like any other, and go again where nothing is sent."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from conversations.api.openai.errors import wrong
from conversations.api.openai.parts import Data, Turn
from conversations.files import storage
from conversations.models import Attachment
from conversations.services import Refused, Said, receive_file, remove_attachment
from rest.problems import Problem

if TYPE_CHECKING:
    from accounts.models import User

RETRY_AFTER_SECONDS = 10


@contextlib.contextmanager
def uploaded(user: User, turns: Sequence[Turn], *, first: int = 0) -> Iterator[list[Said]]:
    """Yield the history with its files received; those before the turn `first` are on record already.

    What no message took in the end is taken back. Raises Problem that names the file which cannot be used.
    """
    received: list[UUID] = []
    try:
        history: list[Said] = []
        for number, turn in enumerate(turns):
            kept = [_receive(user, file, received) for file in (turn.files if number >= first else ())]
            history.append(replace(turn.said, attachment_ids=tuple(kept)))
        yield history
    finally:
        for attachment in Attachment.objects.visible_to(user).unsent().filter(pk__in=received) if received else ():
            with contextlib.suppress(Refused):  # it was sent after all
                remove_attachment(attachment=attachment)


def _receive(user: User, file: Data, received: list[UUID]) -> UUID:
    with tempfile.NamedTemporaryFile(prefix="verbatim-door-") as copy:
        copy.write(file.bytes)
        copy.flush()
        try:
            attachment = receive_file(owner=user, path=Path(copy.name), name=file.name)
        except Refused as refused:
            if isinstance(refused.__cause__, storage.StorageProblem):
                raise Problem(503, "storage_away", refused.message, retry_after=RETRY_AFTER_SECONDS) from refused
            raise wrong(file.param, refused.message, str(refused.code)) from refused
    received.append(attachment.pk)
    return attachment.pk
