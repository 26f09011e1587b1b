"""The text in a file, for search, in the process of the inspector. Only what is needed is read: its beginning."""

import codecs
import re
import time
import zipfile
from collections.abc import Iterator
from typing import IO, BinaryIO

from conversations.files.kinds import KINDS
from conversations.files.office import new_parser
from conversations.files.problems import Unfit

MAX_CHARACTERS = 200_000
SECONDS = 8.0  # of work, after which what was read until then is all
_CHUNK = 65_536
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
_HIGHEST = 1_000_000  # slides and sheets are numbered; what is not comes last
# The parts of Office files that hold what people wrote, in the order in which they are read.
_PARTS = re.compile(
    r"word/(?:document|footnotes|endnotes|comments|header\d*|footer\d*)\.xml"
    r"|ppt/(?:slides/slide|notesSlides/notesSlide)(\d+)\.xml"
    r"|xl/(?:workbook|sharedStrings|worksheets/sheet(\d+)|comments/?\w*)\.xml"
)
_BREAKS = {"p": "\n", "si": "\n", "row": "\n", "is": " ", "c": " ", "tc": " ", "tab": " ", "br": "\n", "cr": "\n"}
_NO_NUMBER = ("s", "b", "e")  # types of cells: an index of a shared string, true or false, an error


def read_text(extension: str, file: BinaryIO) -> str:
    """Return the first 200,000 characters that a person could read in a file. Raises Unfit, or what a parser raises."""
    match KINDS[extension].category:
        case "text":
            return _plain(file, is_json=extension in (".json", ".jsonl", ".ipynb"))
        case "pdf":
            return _cut(_pages(file))
        case "office":
            return _cut(_parts(file))
    raise Unfit("holds no text.")


def _cut(pieces: Iterator[str]) -> str:
    """Join pieces until there are enough characters, or no time is left."""
    parts: list[str] = []
    length = 0
    for piece in pieces:
        parts.append(piece)
        length += len(piece)
        if length >= MAX_CHARACTERS or time.process_time() > SECONDS:
            break
    return "".join(parts)[:MAX_CHARACTERS]


def _plain(file: BinaryIO, *, is_json: bool) -> str:
    data = file.read(4 * MAX_CHARACTERS)
    encoding = "utf-16" if data.startswith(_UTF16) else "utf-8-sig"
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    if is_json:
        text = _ESCAPED.sub(_unescaped, text)
    return text[:MAX_CHARACTERS]


def _unescaped(found: re.Match[str]) -> str:
    data = b"".join(int(code, 16).to_bytes(2, "big") for code in found[0].split("\\u")[1:])
    return data.decode("utf-16-be", errors="replace")


def _pages(file: BinaryIO) -> Iterator[str]:
    from pypdf import PdfReader

    reader = PdfReader(file, strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unfit("is protected by a password.")
    for page in reader.pages:
        try:
            yield page.extract_text() + "\n"
        except Exception:  # noqa: BLE001  # whatever this page is, the others may be fine
            yield "\n"


def _parts(file: BinaryIO) -> Iterator[str]:
    with zipfile.ZipFile(file) as archive:
        names = [found for name in archive.namelist() if (found := _PARTS.fullmatch(name))]
        for found in sorted(names, key=_place):
            with archive.open(found[0]) as part:
                yield from _texts(part)
            yield "\n"


def _place(found: re.Match[str]) -> tuple[int, int, str]:
    """Sort the main part and the shared strings of a workbook first, and slides and sheets by number."""
    kind = next(
        (rank for rank, word in enumerate(("document", "workbook", "shared", "slides/")) if word in found[0]), 9
    )
    return kind, int(found[1] or found[2] or _HIGHEST), found[0]


def _texts(part: IO[bytes]) -> Iterator[str]:
    """Yield the text of a part's elements; words that a change of the type cuts in pieces come together again."""
    collected: list[str] = []
    is_wanted = False
    cell_type = ""

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal is_wanted, cell_type
        local = name.rpartition(" ")[2]
        if local == "c":
            cell_type = attributes.get("t", "")
        elif local == "sheet":
            collected.append(attributes.get("name", "") + "\n")
        is_wanted = local == "t" or (local == "v" and cell_type not in _NO_NUMBER)

    def end(name: str) -> None:
        nonlocal is_wanted
        is_wanted = False
        collected.append(_BREAKS.get(name.rpartition(" ")[2], ""))

    def take(text: str) -> None:
        if is_wanted:
            collected.append(text)

    parser = new_parser(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, take
    while chunk := part.read(_CHUNK):
        parser.Parse(chunk, False)
        yield "".join(collected)
        collected.clear()
    parser.Parse(b"", True)
    yield "".join(collected)
