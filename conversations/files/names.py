"""Names of files: data to show and to send in a header, never part of a path."""

import re
import unicodedata
from urllib.parse import quote

MAX_NAME = 255  # characters
_MAX_EXTENSION = 20  # what is longer is no extension
_SHOWN = 60  # characters of a name in a sentence
# Names that Windows keeps for devices, with any extension.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)", re.IGNORECASE)
_SEPARATORS = re.compile(r"[/\\]")
# RFC 8187, attr-char: what stands as it is in filename*; letters and digits do anyway.
_ATTR_CHAR = "!#$&+-.^_`|~"


def clean_name(raw: str) -> str:
    """Return the name to keep and to show: the last part of a path, on one line, at most 255 characters, never empty.

    Control characters, those that change the direction of writing, and unpaired surrogates are taken out, the extension
    is kept where the name is cut, and a name that Windows keeps for a device gets an underscore before it.
    """
    last = _SEPARATORS.split(raw)[-1]
    name = "".join(map(_kept, unicodedata.normalize("NFC", last)))
    name = " ".join(name.split()).rstrip(". ")
    if _DEVICE.match(name):
        name = f"_{name}"
    if len(name) > MAX_NAME:
        stem, extension = split_name(name)
        name = stem[: MAX_NAME - len(extension)].rstrip(". ") + extension
    return name if name.strip(". ") else "file"


def split_name(name: str) -> tuple[str, str]:
    """Return a cleaned name's stem, and its extension with the dot as it is written, or ""."""
    stem, dot, extension = name.rpartition(".")
    if not stem or not extension or len(extension) >= _MAX_EXTENSION or " " in extension:
        return name, ""
    return stem, dot + extension


def shown(name: str) -> str:
    """Return the name in quotation marks, cut in its middle where it is long, to stand in a sentence."""
    name = clean_name(name)
    return f"“{name}”" if len(name) <= _SHOWN else f"“{name[:40]}…{name[-19:]}”"


def content_disposition(name: str, *, inline: bool) -> str:
    """Return the Content-Disposition header for a download: RFC 6266, with RFC 8187's `filename*` where it is needed.

    The result is ASCII on one line, whatever the name holds.
    """
    name = clean_name(name)
    kind = "inline" if inline else "attachment"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r'["\\%;]', "_", plain).strip() or "file"
    header = f'{kind}; filename="{plain}"'
    if plain != name:
        header += f"; filename*=UTF-8''{quote(name, safe=_ATTR_CHAR)}"
    return header


def _kept(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Zs", "Zl", "Zp") or character in "\t\n\r":
        return " "
    return "" if category in ("Cc", "Cf", "Cs", "Cn", "Co") else character
