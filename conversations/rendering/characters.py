"""Characters that would change how the text around them is seen: shown, not obeyed."""

import re
from typing import Final

# The controls that embed, override or isolate (Unicode Bidirectional Algorithm, UAX #9): with them, code and file
# names read otherwise than they run. The marks U+200E, U+200F and U+061C turn nothing round; they are left to those
# who write from right to left.
_BIDI: Final = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_C0: Final = tuple(code for code in range(0x20) if chr(code) not in "\t\n\r")
_HIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SHOWN: Final[dict[int, str]] = {
    **{code: chr(0x2400 + code) for code in _C0},
    0x7F: "\u2421",
    **dict.fromkeys(range(0x80, 0xA0), "\ufffd"),
    **{code: f"[U+{code:04X}]" for code in _BIDI},
}
# One for one, so that offsets hold. cmark drops U+FEFF at the start of what it is given and nowhere else, turns U+0000
# into U+FFFD, and takes U+000B and U+000C for white space: each would read otherwise where a stream resumes.
_BEFORE_PARSING: Final = {0x00: 0xFFFD, 0x0B: 0x240B, 0x0C: 0x240C, 0xFEFF: 0xFFFD}
_UNSTEADY: Final = re.compile("[\x00\x0b\x0c\ufeff]")


def show_controls(markup: str) -> str:
    """Return `markup` with control characters as visible signs (`␛`, `[U+202E]`); tabs and line ends stay."""
    return markup.translate(_SHOWN) if _HIDDEN.search(markup) else markup


def steady(text: str) -> str:
    """Return `text`, equally long, without the characters that cmark reads otherwise at its start than later on."""
    return text.translate(_BEFORE_PARSING) if _UNSTEADY.search(text) else text
