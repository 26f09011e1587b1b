"""What a reviewer has read in the sitting that goes on: its pictures need not be told of one by one."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest

from records import sitting

_KEY = "conversations"
_MOST = 200  # kept in the session, the latest ones


def note_read(request: HttpRequest, conversation_id: UUID) -> None:
    """Remember that the transcript was shown, and written down, in this sitting."""
    kept = request.session[sitting.SESSION_KEY]
    read = [one for one in kept.get(_KEY, []) if one != str(conversation_id)]
    request.session[sitting.SESSION_KEY] = kept | {_KEY: [*read, str(conversation_id)][-_MOST:]}


def has_been_read(request: HttpRequest, conversation_id: UUID) -> bool:
    """Tell whether the transcript was shown in this sitting."""
    return str(conversation_id) in request.session[sitting.SESSION_KEY].get(_KEY, [])
