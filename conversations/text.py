"""What text the record can hold: nothing PostgreSQL or UTF-8 refuses, and no prompt that only looks like one."""

import re
import unicodedata

REPLACEMENT = "\ufffd"

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# Categories that draw nothing: control, format, line, paragraph and space separators.
_EMPTY_CATEGORIES = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
# Characters of other categories that draw nothing either: Hangul fillers, Braille blank, joiners, variation selectors.
_EMPTY_CHARACTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
)


def clean_text(value: str) -> str:
    """Return the text with U+0000 (refused by PostgreSQL) and every surrogate (refused by UTF-8) as U+FFFD.

    One code point stands for one, so an offset into the text means the same before and after. A pair of surrogates that
    meant one character must have been joined before; the seam to the model does so for pairs cut between two deltas.
    """
    if value.isascii() and "\x00" not in value:
        return value
    return _UNSTORABLE.sub(REPLACEMENT, value)


def is_blank(value: str) -> bool:
    """Whether a reader would see nothing: empty, white space, or invisible characters alone (U+200B and its like)."""
    return all(
        character in _EMPTY_CHARACTERS or unicodedata.category(character) in _EMPTY_CATEGORIES for character in value
    )
