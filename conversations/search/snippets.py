"""The hits of a page: what each is, and a piece of it with the words marked."""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils.safestring import SafeString

from conversations.lexemes import parted
from conversations.models import Attachment, Message
from conversations.rendering import render_snippet
from conversations.search.matching import Ranked
from conversations.search.reading import Query

if TYPE_CHECKING:
    from django.db.models import QuerySet

Source = Literal["title", "message", "file"]
WINDOW = 3_000  # characters in which words are marked; the whole of a long text would take too long
SHOWN = 240
MOST_STEMS = 12  # that texts are looked through for; the longest say the most
_BEFORE = 60  # characters that are shown before the first mark, where there are some

# Noncharacters: they stand in no text that is searched, because they are taken out of it first.
_BEGIN, _END = "\ufdd0", "\ufdd1"
_OPTIONS = f"HighlightAll=true, StartSel={_BEGIN}, StopSel={_END}"
_MARK = """
SELECT ts_headline(%(language)s::regconfig, piece, %(exact)s::tsquery, %(options)s)
FROM unnest(%(pieces)s::text[]) WITH ORDINALITY AS given (piece, place) ORDER BY place
"""

type Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found, and where in it."""

    message_id: UUID
    conversation_id: UUID
    title: str
    assistant_name: str
    role: str
    created_at: datetime.datetime
    snippet: SafeString
    excerpt: str
    """The same piece as it was written, without marks."""
    source: Source
    file_name: str = ""


@dataclass(slots=True)
class _Piece:
    """A stretch of a text in which words are marked."""

    source: Source
    text: str
    file_name: str = ""
    marks: Sequence[Span] = ()
    is_cut_before: bool = False
    is_cut_after: bool = False

    @property
    def variety(self) -> int:
        return len({self.text[start:end].casefold() for start, end in self.marks})


def draw_hits(
    ranked: Sequence[Ranked], query: Query, *, messages: QuerySet[Message], files: QuerySet[Attachment]
) -> list[Hit]:
    """Return the hits for some messages, in their order.

    `messages` and `files` are what the reader may see: one that has been hidden from them meanwhile is left out.
    """
    by_id = messages.select_related("conversation__assistant", "assistant").in_bulk([one.id for one in ranked])
    found = [(one, by_id[one.id]) for one in ranked if one.id in by_id]
    stems = _stems(query)
    in_files = _pieces_of_files(files, [one.id for one, _ in found if not (one.is_in_text or one.is_in_title)], stems)
    pieces = [_pieces(one, message, stems) + in_files[one.id] for one, message in found]
    _mark([piece for of_one in pieces for piece in of_one], query)
    return [_hit(message, of_one) for (_, message), of_one in zip(found, pieces, strict=True)]


def _hit(message: Message, pieces: Sequence[_Piece]) -> Hit:
    best = max(pieces, key=lambda piece: piece.variety)  # of equals the first
    start, end = _shown(best)
    marks = [(max(begin, start) - start, min(stop, end) - start) for begin, stop in best.marks]
    snippet = render_snippet(
        best.text[start:end],
        [(begin, stop) for begin, stop in marks if begin < stop],
        is_cut_before=best.is_cut_before or start > 0,
        is_cut_after=best.is_cut_after or end < len(best.text),
    )
    return Hit(
        message_id=message.pk,
        conversation_id=message.conversation_id,
        title=message.conversation.title,
        assistant_name=(message.assistant or message.conversation.assistant).name,
        role=message.role,
        created_at=message.created_at,
        snippet=snippet,
        excerpt=best.text[start:end],
        source=best.source,
        file_name=best.file_name,
    )


def _pieces(one: Ranked, message: Message, stems: re.Pattern[str]) -> list[_Piece]:
    """Return what to show of a message or its title: what matched alone, otherwise both."""
    text, title = _window("message", message.text, stems), _Piece("title", message.conversation.title)
    if one.is_in_text:
        return [text]
    if one.is_in_title:
        return [title]
    return [text, title] if message.parent_id is None else [text]


def _pieces_of_files(
    files: QuerySet[Attachment], ids: Sequence[UUID], stems: re.Pattern[str]
) -> defaultdict[UUID, list[_Piece]]:
    """Return what to show of the files of some messages: of each its text and its name, where a word may be in it."""
    pieces: defaultdict[UUID, list[_Piece]] = defaultdict(list)
    ready = files.filter(message__in=ids, state=Attachment.State.READY).order_by("id")
    rows = ready.values_list("message_id", "name", "content__text")
    for message_id, name, text in rows.iterator(chunk_size=10) if ids else ():  # each may be long
        if message_id and text and stems.search(text):
            pieces[message_id].append(_window("file", text, stems, name))
        if message_id and stems.search(name):
            pieces[message_id].append(_Piece("file", name, name))
    return pieces


def _stems(query: Query) -> re.Pattern[str]:
    """What the words of a query begin with. An ending may change the last letter of a stem: happi, happy."""
    beginnings = {lexeme[: max(3, len(lexeme) - 1)] for lexeme in query.lexemes}
    longest = sorted(beginnings, key=len)[-MOST_STEMS:]
    return re.compile("|".join(map(re.escape, sorted(longest))), re.IGNORECASE)


def _window(source: Source, text: str, stems: re.Pattern[str], file_name: str = "") -> _Piece:
    """Return a stretch of a text, from a little before the first of the places that hold the most words on."""
    if len(text) <= WINDOW:
        return _Piece(source, text, file_name)
    places = [(found.start(), found[0].casefold()) for found in islice(stems.finditer(text), 2_000)]
    best, most = 0, 0
    for number, (start, _) in enumerate(places):
        within = {word for place, word in places[number : number + 50] if place < start + SHOWN}
        if len(within) > most:
            best, most = start, len(within)
    start = max(0, best - WINDOW // 2)
    end = start + WINDOW
    return _Piece(source, text[start:end], file_name, is_cut_before=start > 0, is_cut_after=end < len(text))


def _mark(pieces: Sequence[_Piece], query: Query) -> None:
    """Have PostgreSQL mark the words, so that what is marked is what matched."""
    for piece in pieces:
        piece.text = piece.text.replace(_BEGIN, " ").replace(_END, " ")
    with connection.cursor() as cursor:
        cursor.execute(
            _MARK,
            {
                "language": settings.SEARCH_LANGUAGE,
                "exact": query.exact,
                "options": _OPTIONS,
                "pieces": [parted(piece.text) for piece in pieces],
            },
        )
        for piece, (marked,) in zip(pieces, cursor.fetchall(), strict=True):
            piece.marks = _spans(marked, len(piece.text))


def _spans(marked: str, length: int) -> list[Span]:
    """Return where the marks are in the text without them."""
    spans, at = [], 0
    for number, part in enumerate(re.split(f"[{_BEGIN}{_END}]", marked)):
        if number % 2:
            spans.append((at, at + len(part)))
        at += len(part)
    return spans if at == length else []


def _shown(piece: _Piece) -> Span:
    """Choose what is shown: the stretch with the most different words marked, from a little before them on."""
    text = piece.text
    best, most = 0, 0
    for number, (start, _) in enumerate(piece.marks):
        words = {text[begin:end].casefold() for begin, end in piece.marks[number:] if end <= start + SHOWN - _BEFORE}
        if len(words) > most:
            best, most = start, len(words)
    start = max(0, best - _BEFORE)
    if start:
        start = text.find(" ", start, best) + 1 or start
    end = min(len(text), start + SHOWN)
    if end < len(text):
        end = max(text.rfind(" ", start + SHOWN // 2, end), start) if " " in text[start + SHOWN // 2 : end] else end
    return start, end
