"""How words are told apart for search, and the lexemes that say whose a message is and from when.

Text and query are put through the same: signs that make PostgreSQL's parser take several words for one (a host name, a
path, a tag, a number with its sign) become underscores, which part words. So “report” finds report.pdf and <report>,
and a query such as report.pdf is the phrase of its words.
"""

import re

# Each becomes `_`, one for one, so that what is found in the changed text is at the same place in the text itself.
JOINING = "<>/\\.@+-&"
PARTING = "_" * len(JOINING)

_TABLE = str.maketrans(JOINING, PARTING)
_INNER_SIGN = re.compile(r"(?<=[^\s\"])-")  # a minus before a word leaves that word out


def parted(text: str) -> str:
    """Return a text as the parser of full-text search is to read it; as long as it was."""
    return text.translate(_TABLE)


def parted_query(query: str) -> str:
    """Return what a person searches for, read in the same way; quotation marks and a minus before a word stay."""
    return _INNER_SIGN.sub("_", query).translate(str.maketrans(JOINING.replace("-", ""), "_" * (len(JOINING) - 1)))


def owner_lexeme(owner_id: int, period: str = "") -> str:
    """Return the lexeme of one person's messages: of all, of a year ("2026") or of a month ("2026-10"), in UTC.

    With it the one index on words answers for one person and some time alone. It begins with U+0001: the parser makes
    no such lexeme of any text, so no query can name another's.
    """
    return f"\x01{owner_id} {period}".rstrip()
