"""Word documents, written from Markdown: headings, lists, tables, quotations, code; bold, italic, code and links."""

import io
import re
from dataclasses import dataclass

import docx
from docx.document import Document
from docx.shared import Pt
from docx.text.paragraph import Paragraph

_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*$")
_BULLET = re.compile(r"(\s*)[-*+]\s+(.*)")
_NUMBER = re.compile(r"(\s*)\d{1,9}[.)]\s+(.*)")
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_RULE = re.compile(r"\s{0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$")
_TABLE_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
_INLINE = re.compile(
    r"(?P<code>`[^`\n]+`)|(?P<bold>\*\*[^*\n]+\*\*|__[^_\n]+__)|(?P<italic>(?<![\w*])\*[^*\s][^*\n]*\*|\b_[^_\n]+_\b)"
    r"|(?P<link>!?\[[^\]\n]*\]\([^()\s]+\))"
)
# What XML 1.0 cannot hold.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_MAX_COLUMNS = 60  # Word takes 63
_MAX_TABLE_CELLS = 20_000  # python-docx takes seconds beyond; what is more stays lines of text
_CODE_FONT = "Courier New"


@dataclass
class _Lines:
    """The lines of a text, taken one after the other."""

    lines: list[str]
    at: int = 0

    def peek(self, ahead: int = 0) -> str | None:
        return self.lines[self.at + ahead] if self.at + ahead < len(self.lines) else None

    def take(self) -> str:
        self.at += 1
        return self.lines[self.at - 1]


def write_word(content: str) -> bytes:
    """Return a .docx with the Markdown's blocks in Word's own styles. What is no Markdown known here stays as text."""
    document = docx.Document()
    lines = _Lines(_NOT_XML.sub("", content).splitlines())
    while (line := lines.peek()) is not None:
        _write_block(document, lines, line)
    document.core_properties.author = ""
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _write_block(document: Document, lines: _Lines, line: str) -> None:
    if not line.strip() or _RULE.match(line):
        lines.take()
    elif heading := _HEADING.match(line):
        lines.take()
        _write_inline(document.add_heading(level=len(heading[1])), heading[2])
    elif fence := _FENCE.match(line):
        _write_code(document, lines, fence[1])
    elif "|" in line and _TABLE_RULE.match(lines.peek(1) or "") and "-" in (lines.peek(1) or ""):
        _write_table(document, lines)
    elif item := _BULLET.match(line):
        _write_item(document, lines, "List Bullet", item)
    elif item := _NUMBER.match(line):
        _write_item(document, lines, "List Number", item)
    elif line.lstrip().startswith(">"):
        lines.take()
        _write_inline(document.add_paragraph(style="Quote"), line.lstrip().lstrip(">").strip())
    else:
        _write_paragraph(document, lines)


def _write_paragraph(document: Document, lines: _Lines) -> None:
    """Lines without a blank one between them are one paragraph."""
    parts = [lines.take().strip()]
    while (line := lines.peek()) is not None and line.strip() and not _begins_block(line):
        parts.append(lines.take().strip())
    _write_inline(document.add_paragraph(), " ".join(parts))


def _begins_block(line: str) -> bool:
    return bool(
        _HEADING.match(line)
        or _FENCE.match(line)
        or _BULLET.match(line)
        or _NUMBER.match(line)
        or _RULE.match(line)
        or line.lstrip().startswith((">", "|"))
    )


def _write_item(document: Document, lines: _Lines, style: str, item: re.Match[str]) -> None:
    """Word's template has three levels of each list."""
    lines.take()
    level = min(len(item[1].expandtabs(4)) // 2, 2)
    _write_inline(document.add_paragraph(style=f"{style} {level + 1}" if level else style), item[2])


def _write_code(document: Document, lines: _Lines, fence: str) -> None:
    lines.take()
    code: list[str] = []
    while (line := lines.peek()) is not None:
        lines.take()
        if line.strip().startswith(fence):
            break
        code.append(line)
    run = document.add_paragraph(style="No Spacing").add_run("\n".join(code))
    run.font.name, run.font.size = _CODE_FONT, Pt(9)


def _write_table(document: Document, lines: _Lines) -> None:
    rows = [_cells(lines.take())]
    lines.take()
    columns = min(len(rows[0]), _MAX_COLUMNS)
    while (line := lines.peek()) is not None and "|" in line and len(rows) * columns < _MAX_TABLE_CELLS:
        rows.append(_cells(lines.take()))
    table = document.add_table(rows=0, cols=columns, style="Table Grid")
    for number, row in enumerate(rows):
        for cell, text in zip(table.add_row().cells, row, strict=False):
            _write_inline(cell.paragraphs[0], text, bold=number == 0)
    document.add_paragraph()


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [cell.replace("\\|", "|").strip() for cell in _CELL_BORDER.split(inner)]


def _write_inline(paragraph: Paragraph, text: str, *, bold: bool = False) -> None:
    """Write a line's runs. A link becomes its text with the address behind it: nothing in the document is fetched."""
    at = 0
    for found in _INLINE.finditer(text):
        _run(paragraph, text[at : found.start()], bold=bold)
        at = found.end()
        match found.lastgroup:
            case "code":
                _run(paragraph, found[0][1:-1], bold=bold, code=True)
            case "bold":
                _run(paragraph, found[0][2:-2], bold=True)
            case "italic":
                _run(paragraph, found[0][1:-1], bold=bold, italic=True)
            case _:
                label, address = found[0].lstrip("!")[1:-1].split("](", 1)
                _run(paragraph, label if label == address or not label else f"{label} ({address})", bold=bold)
    _run(paragraph, text[at:], bold=bold)


def _run(paragraph: Paragraph, text: str, *, bold: bool = False, italic: bool = False, code: bool = False) -> None:
    if text:
        run = paragraph.add_run(text)
        run.bold, run.italic = bold or None, italic or None
        if code:
            run.font.name = _CODE_FONT
