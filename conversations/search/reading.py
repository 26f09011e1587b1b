"""What a person typed, as a query of PostgreSQL."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from conversations.lexemes import parted_query
from conversations.text import REPLACEMENT, clean_text, is_blank

MAX_CHARACTERS = 300

_NO_WORD = (
    "There is no word in this to search for: only signs, or words that nearly every text holds, such as “the”. "
    "Type a word that matters."
)
_ONLY_WITHOUT = "This says only what is to be left out. Type a word that should be found as well."
_READ = """
SELECT query::text, querytree(query) FROM websearch_to_tsquery(%(language)s::regconfig, %(text)s) AS query
"""
# Of the text of a query: a lexeme in its quotes, or the sign that wants its neighbours at a distance.
_PART = re.compile(r"'(?:[^']|'')*'|<(?:-|\d+)>")


class Unsearchable(Exception):
    """What was typed cannot be searched for; the text says why, to the person."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query in PostgreSQL's own writing."""

    exact: str
    loose: str
    """The same without order and without what is left out: all that the index can tell."""

    @property
    def is_loose(self) -> bool:
        """Whether the index can tell everything that was asked."""
        return self.exact == self.loose

    @property
    def lexemes(self) -> list[str]:
        """The words as they stand in the index, without their endings."""
        return [part[1:-1].replace("''", "'") for part in _PART.findall(self.loose) if part.startswith("'")]


def read_query(text: str) -> Query:
    """Return the query for what a person typed. Raises Unsearchable."""
    text = clean_text(text).replace(REPLACEMENT, " ")
    if is_blank(text):
        raise Unsearchable("Type a word to search for.")
    if len(text) > MAX_CHARACTERS:
        raise Unsearchable(f"This has {len(text):,} characters; at most {MAX_CHARACTERS} can be searched for.")
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"language": settings.SEARCH_LANGUAGE, "text": parted_query(text)})
        exact, indexable = cursor.fetchone() or ("", "")
    if not exact:
        raise Unsearchable(_NO_WORD)
    if indexable == "T":
        raise Unsearchable(_ONLY_WITHOUT)
    return Query(exact, _PART.sub(lambda found: found[0] if found[0].startswith("'") else "&", indexable))
