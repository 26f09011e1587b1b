"""Transcripts for people: the path that is shown, with a head of facts.

Whatever somebody said stands in quotation, each line behind its `>`; every other line is ours. So no text that was
said can pass for a heading or a turn of somebody else, and a code block that is never closed ends with its quotation.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Generator, Iterator
from itertools import groupby

from conversations.exporting.rows import Chosen, Outline, Turn, read_turns
from conversations.models import Attachment, Message

PIECE = 128 * 1024  # characters
# What Markdown takes for a line break, and nothing else.
_BREAK = re.compile(r"\r\n|\r|\n")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&$:@])")
# Words that look the same with and without Markdown. Anything else in a prompt is kept as it is in a block of text.
_PLAIN_LINE = re.compile(r"(?![ \t]|[-+=]|\d{1,9}[.)])[^\\`*_\[\]<>&~|#$\t]*")

type Address = Callable[[Attachment], str]


def markdown_pieces(chosen: Chosen) -> Generator[bytes, None, None]:
    """Yield the transcripts of all conversations, one after the other."""
    for outline, turns in groupby(read_turns(chosen, shown_only=True), key=lambda turn: turn.outline):
        yield from transcript(chosen, outline, turns)


def transcript(
    chosen: Chosen, outline: Outline, turns: Iterator[Turn], *, address: Address | None = None
) -> Iterator[bytes]:
    """Yield the transcript of one conversation. With `address`, files are links to where it says."""
    parts = [_head(chosen, outline)]
    size = 0
    for turn in turns:
        parts.append(_turn(turn, chosen, address))
        size += len(parts[-1])
        if size > PIECE:
            yield "".join(parts).encode()
            parts, size = [], 0
    if parts:
        yield "".join(parts).encode()


def inline(text: str) -> str:
    """Return a name or title so that Markdown shows it as it is, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def quoted(text: str) -> str:
    """Return text in quotation: what Markdown it holds stays Markdown, within."""
    return "".join(f"> {line}".rstrip(" ") + "\n" if not line.strip() else f"> {line}\n" for line in _BREAK.split(text))


def quoted_as_text(text: str) -> str:
    """Return text in quotation so that it is read as it was typed: plain words as such, anything else in a block."""
    lines = _BREAK.split(text)
    if all(_PLAIN_LINE.fullmatch(line) for line in lines):
        return quoted("\n".join(f"{line}  " if line.strip() else "" for line in lines[:-1]) + _last(lines))
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return quoted(f"{fence}text\n{text}\n{fence}")


def _last(lines: list[str]) -> str:
    return lines[-1] if len(lines) == 1 else f"\n{lines[-1]}"


def _head(chosen: Chosen, outline: Outline) -> str:
    conversation, others = outline.conversation, outline.other_versions
    state = conversation.get_state_display()
    if conversation.concluded_at:
        by = f" by {conversation.get_concluded_by_display().lower()}" if conversation.concluded_by else ""
        state += f", {_moment(conversation.concluded_at)}{by}"
    facts = {
        "Conversation": f"`{conversation.pk}`",
        "Owner": inline(str(chosen.person)),
        "Assistant": inline(conversation.assistant.name),
        "Begun": _moment(conversation.created_at),
        "Last activity": _moment(conversation.last_activity_at),
        "State": state,
        "Messages": f"{len(outline.path)} on the path that is shown here"
        + (f"; {others} in other versions, which the CSV and JSONL hold" if others else ""),
        "Exported": _moment(chosen.chosen_at),
    }
    rows = "".join(f"- {name}: {fact}\n" for name, fact in facts.items())
    return f"# {inline(conversation.title)}\n\n{rows}\nWhat was said stands in quotation; the rest is the record's.\n\n"


def _turn(turn: Turn, chosen: Chosen, address: Address | None) -> str:
    place = turn.place
    speaker = str(chosen.person) if turn.is_prompt else turn.answerer
    version = f" (version {place.version} of {place.versions})" if place.versions > 1 else ""
    parts = [f"## {turn.number}. {inline(speaker)}, {_moment(turn.message.created_at)}{version}\n"]
    if turn.text.strip():
        parts.append(quoted_as_text(turn.text) if turn.is_prompt else quoted(turn.text))
    if turn.files:
        parts.append("".join(f"- File: {_file(file, address)}\n" for file in turn.files))
    if note := " · ".join(_notes(turn)):
        parts.append(f"{note}\n")
    return "\n".join(parts) + "\n"


def _file(file: Attachment, address: Address | None) -> str:
    name = inline(file.name)
    if file.state != Attachment.State.READY:
        return f"{name} ({inline(file.failure) or file.get_state_display().lower()})"
    shown = f"[{name}](<{address(file)}>)" if address else name
    return f"{shown}, {file.size:,} bytes, SHA-256 `{file.sha256}`"


def _notes(turn: Turn) -> Iterator[str]:
    """What the record adds: who told it; of an answer how it ended where it is not whole, which model, what it used."""
    message = turn.message
    if message.is_supplied:
        yield "Supplied by a client"
    if turn.is_prompt:
        return
    if message.copy_of_id:
        yield "Repeated from the conversation that this one goes on from"
    if message.status != Message.Status.COMPLETED:
        why = inline(message.error_text)
        yield f"{message.get_status_display()}: {why}" if why else message.get_status_display()
    if turn.calls:
        yield inline(turn.calls[-1].model_answered or turn.calls[-1].model_asked)
    if turn.usage and turn.usage.has_usage:
        yield turn.usage.tokens_label
        yield turn.usage.cost_label
    if turn.rating:
        yield f"Rated {turn.rating.get_rating_display().lower()}" + (
            f": {inline(turn.rating.reason)}" if turn.rating.reason else ""
        )


def _moment(moment: datetime.datetime) -> str:
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"
