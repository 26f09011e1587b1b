"""A running answer as HTML: finished blocks once, the open last block anew each time."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from conversations.rendering import split_blocks


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of a running answer from a block's beginning on, drawn."""

    finished: SafeString  # the blocks that nothing can change any more
    open: SafeString  # the last one
    end: int  # code points of the whole text up to where the open block starts


def draw(text: str, *, after: int = 0) -> Draft:
    """Draw the part of `text` that follows its first `after` code points, where a block starts."""
    blocks = split_blocks(text[after:])
    if not blocks:
        return Draft(mark_safe(""), mark_safe(""), after)
    finished = mark_safe("".join(block.html for block in blocks[:-1]))  # noqa: S308 (blocks are sanitised)
    return Draft(finished, blocks[-1].html, after + blocks[-1].start)


def progress_event(message_id: UUID, draft: Draft, activity: str | None) -> bytes:
    """Return the server-sent event that brings a page up to `draft`; its id is where a reconnect resumes.

    `activity` is the line that says what is being done, or None where it has not changed.
    """
    parts = []
    if draft.finished:
        parts.append(_partial(f"#message-{message_id}-blocks", "beforeend", draft.finished))
    parts.append(_partial(f"#message-{message_id}-open", "innerHTML", draft.open))
    if activity is not None:
        parts.append(_partial(f"#message-{message_id}-activity", "innerHTML", escape(activity)))
    return event("".join(parts), event_id=draft.end)


def final_event(message_id: UUID, html: str, around: str) -> bytes:
    """Return the event that swaps in the ended answer as a page load draws it, and the one that closes the stream.

    `around` holds the partials of what changes around the thread with it.
    """
    answer = _partial(f"#message-{message_id}", "outerHTML", mark_safe(html))  # noqa: S308 (a template's)
    return event(answer + around) + event("", name="done")


def event(data: str, *, name: str = "", event_id: int | None = None) -> bytes:
    """Return one server-sent event (HTML Living Standard, section 9.2)."""
    lines = [f"event: {name}"] if name else []
    if event_id is not None:
        lines.append(f"id: {event_id}")
    # A bare CR would end a line for the browser's parser as well.
    lines += [f"data: {line}" for line in data.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return ("\n".join(lines) + "\n\n").encode()


def _partial(target: str, swap: str, content: SafeString) -> str:
    # Not format_html, which would look for markup in what has just been drawn, ten times a second for each page.
    return f'<hx-partial hx-target="{target}" hx-swap="{swap}">{content}</hx-partial>'
