"""The kinds of files that are taken: by extension, with the type that a file of it is kept under.

HTML, SVG and XML are source code here: text/plain, never an image and never a page.
"""

from dataclasses import dataclass
from typing import Literal

from conversations.files.names import split_name

Category = Literal["image", "pdf", "office", "text"]


@dataclass(frozen=True)
class Kind:
    """What an extension promises."""

    content_type: str
    category: Category
    label: str  # with its article, to stand in a sentence


_OFFICE = "application/vnd.openxmlformats-officedocument"
_JPEG = Kind("image/jpeg", "image", "a JPEG image")
_MARKDOWN = Kind("text/markdown", "text", "a Markdown text")
_TEXT = Kind("text/plain", "text", "a text")
_SOURCE = Kind("text/plain", "text", "source code")
_SOURCE_EXTENSIONS = (  # noqa: SIM905  # as a list it would take eighty lines
    ".astro .bash .bat .c .cc .cfg .cjs .clj .cmake .conf .cpp .cs .css .cxx .dart .diff .erl .ex .exs .f90 .fs .go "
    ".gradle .graphql .groovy .h .hcl .hpp .hs .htm .html .ini .ipynb .java .jl .js .jsx .kt .kts .less .lua .m .mjs "
    ".mm .nix .patch .php .pl .po .properties .proto .ps1 .py .pyi .r .rb .rs .sass .scala .scss .sh .sol .sql .svelte "
    ".svg .swift .tex .tf .toml .ts .tsx .vb .vue .xml .xsd .xsl .yaml .yml .zig .zsh"
).split()

KINDS: dict[str, Kind] = {
    ".png": Kind("image/png", "image", "a PNG image"),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": Kind("image/webp", "image", "a WEBP image"),
    ".gif": Kind("image/gif", "image", "a GIF image"),
    ".pdf": Kind("application/pdf", "pdf", "a PDF"),
    ".docx": Kind(f"{_OFFICE}.wordprocessingml.document", "office", "a Word document"),
    ".xlsx": Kind(f"{_OFFICE}.spreadsheetml.sheet", "office", "an Excel workbook"),
    ".pptx": Kind(f"{_OFFICE}.presentationml.presentation", "office", "a PowerPoint presentation"),
    ".csv": Kind("text/csv", "text", "a CSV table"),
    ".tsv": Kind("text/tab-separated-values", "text", "a table"),
    ".json": Kind("application/json", "text", "JSON"),
    ".md": _MARKDOWN,
    ".markdown": _MARKDOWN,
    ".txt": _TEXT,
    ".text": _TEXT,
    ".log": _TEXT,
    ".rst": _TEXT,
    ".jsonl": _TEXT,
    ".eml": _TEXT,
    ".ics": _TEXT,
    ".srt": _TEXT,
    ".vtt": _TEXT,
    **dict.fromkeys(_SOURCE_EXTENSIONS, _SOURCE),
}
# Files of source code that have no extension.
_BARE_NAMES = frozenset({"changelog", "dockerfile", "license", "makefile", "readme"})

# For <input accept>: some phones offer their photos only where a type is named.
ACCEPT = ",".join([*KINDS, "image/png", "image/jpeg", "image/webp", "image/gif"])
TAKEN = "images (PNG, JPEG, WEBP, GIF), PDF, Word, Excel, PowerPoint, CSV, text, Markdown, JSON and source code"


def extension_of(name: str) -> str:
    """Return the extension of a cleaned name in lower case, with its dot; ".txt" for the likes of Makefile; or ""."""
    if name.lower() in _BARE_NAMES:
        return ".txt"
    return split_name(name)[1].lower()


def kind_of(name: str) -> Kind | None:
    """Return the kind that a cleaned name promises, or None where it is not taken."""
    return KINDS.get(extension_of(name))
