"""Word documents, written from Markdown: headings, lists, tables, quotations, code; bold, italic, code and links."""

import io
import re

import docx
from docx.shared import Pt
from docx.styles.style import BaseStyle
from docx.text.paragraph import Paragraph

from conversations.files.problems import FileProblem

MAX_PARTS = 20_000  # paragraphs, cells, and pieces of a line; python-docx takes about a tenth of a millisecond for each
_MAX_COLUMNS = 60  # Word takes 63
_MAX_RULE = 1_000  # characters of the line below a table's header
_CODE_FONT = "Courier New"
# None of these patterns tries a text from two sides, so that no text makes them slow.
_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_BULLET = re.compile(r"(\s*)[-*+]\s+(.*)")
_NUMBER = re.compile(r"(\s*)\d{1,9}[.)]\s+(.*)")
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_RULE = re.compile(r"\s{0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$")
_TABLE_RULE = re.compile(r"\|?[ ]?:?-+:?[ ]?(?:\|[ ]?:?-+:?[ ]?)*\|?")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
_INLINE = re.compile(
    r"(?P<code>`[^`\n]+`)|(?P<bold>\*\*[^*\n]+\*\*|__[^_\n]+__)|(?P<italic>(?<![\w*])\*[^*\s][^*\n]*\*|\b_[^_\n]+_\b)"
    r"|(?P<link>!?\[[^\[\]\n]{0,500}\]\([^()\s]{1,2000}\))"
)
# What XML 1.0 cannot hold.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def write_word(content: str) -> bytes:
    """Return a .docx with the Markdown's blocks in Word's own styles. What is no Markdown known here stays as text.

    A link becomes its text with the address behind it: nothing in the document is fetched when it is opened. Raises
    FileProblem where it would have too many parts.
    """
    return _Writer(_NOT_XML.sub("", content).splitlines()).write()


class _Writer:
    """Takes one line after the other."""

    def __init__(self, lines: list[str]) -> None:
        self.document = docx.Document()
        self.lines = lines
        self.at = 0
        self.parts = 0
        self.styles: dict[str, BaseStyle] = {}

    def write(self) -> bytes:
        while self.at < len(self.lines):
            self._write_block(self._line())
        self.document.core_properties.author = ""
        buffer = io.BytesIO()
        self.document.save(buffer)
        return buffer.getvalue()

    def _line(self) -> str:
        """Return the next line without taking it; "" at the end."""
        return self.lines[self.at] if self.at < len(self.lines) else ""

    def _take(self) -> str:
        self.at += 1
        return self.lines[self.at - 1]

    def _write_block(self, line: str) -> None:
        if not line.strip() or _RULE.match(line):
            self._take()
        elif heading := _HEADING.match(line):
            self._take()
            self._write_line(f"Heading {len(heading[1])}", heading[2].rstrip().rstrip("#").rstrip())
        elif fence := _FENCE.match(line):
            self._write_code(fence[1])
        elif "|" in line and self._is_table():
            self._write_table()
        elif item := _BULLET.match(line):
            self._write_item("List Bullet", item)
        elif item := _NUMBER.match(line):
            self._write_item("List Number", item)
        elif line.lstrip().startswith(">"):
            self._write_line("Quote", self._take().lstrip().lstrip(">").strip())
        else:
            self._write_paragraph()

    def _write_paragraph(self) -> None:
        """Lines without a blank one between them are one paragraph."""
        parts = [self._take().strip()]
        while (line := self._line()).strip() and not _begins_block(line):
            parts.append(self._take().strip())
        self._write_line("Normal", " ".join(parts))

    def _write_item(self, style: str, item: re.Match[str]) -> None:
        """Word's own template has three levels of each list."""
        self._take()
        level = min(len(item[1].expandtabs(4)) // 2, 2)
        self._write_line(f"{style} {level + 1}" if level else style, item[2])

    def _write_code(self, fence: str) -> None:
        self._count(5)
        self._take()
        code: list[str] = []
        while self.at < len(self.lines) and not (line := self._take()).strip().startswith(fence):
            code.append(line)
        run = self._add_paragraph("No Spacing").add_run("\n".join(code))
        run.font.name, run.font.size = _CODE_FONT, Pt(9)

    def _is_table(self) -> bool:
        rule = self.lines[self.at + 1].strip() if self.at + 1 < len(self.lines) else ""
        return "-" in rule and len(rule) <= _MAX_RULE and bool(_TABLE_RULE.fullmatch(rule))

    def _write_table(self) -> None:
        rows = [_cells(self._take())]
        self._take()
        columns = min(len(rows[0]), _MAX_COLUMNS)
        while "|" in self._line():
            rows.append(_cells(self._take()))
            self._count(columns)
        table = self.document.add_table(rows=0, cols=columns, style="Table Grid")
        for number, row in enumerate(rows):
            for cell, text in zip(table.add_row().cells, row, strict=False):
                self._write_inline(cell.paragraphs[0], text, bold=number == 0)
        self._add_paragraph("Normal")

    def _write_line(self, style: str, text: str) -> None:
        self._write_inline(self._add_paragraph(style), text)

    def _add_paragraph(self, style: str) -> Paragraph:
        self._count(1)
        if style not in self.styles:  # looking one up by its name takes a millisecond
            self.styles[style] = self.document.styles[style]
        paragraph = self.document.add_paragraph()
        if style != "Normal":
            paragraph._p.style = self.styles[style].style_id
        return paragraph

    def _write_inline(self, paragraph: Paragraph, text: str, *, bold: bool = False) -> None:
        at = 0
        for found in _INLINE.finditer(text):
            self._run(paragraph, text[at : found.start()], bold=bold)
            at = found.end()
            match found.lastgroup:
                case "code":
                    self._run(paragraph, found[0][1:-1], bold=bold, code=True)
                case "bold":
                    self._run(paragraph, found[0][2:-2], bold=True)
                case "italic":
                    self._run(paragraph, found[0][1:-1], bold=bold, italic=True)
                case _:
                    label, address = found[0].lstrip("!")[1:-1].split("](", 1)
                    self._run(paragraph, f"{label} ({address})" if label not in ("", address) else address, bold=bold)
        self._run(paragraph, text[at:], bold=bold)

    def _run(
        self, paragraph: Paragraph, text: str, *, bold: bool = False, italic: bool = False, code: bool = False
    ) -> None:
        if not text:
            return
        self._count(1)
        run = paragraph.add_run(text)
        if bold:
            run.bold = True
        if italic:
            run.italic = True
        if code:
            run.font.name = _CODE_FONT

    def _count(self, parts: int) -> None:
        self.parts += parts
        if self.parts > MAX_PARTS:
            raise FileProblem(
                f"The document is too long: a .docx can be written with {MAX_PARTS:,} paragraphs, table cells "
                "and changes of type. Write it as .md, or as several."
            )


def _begins_block(line: str) -> bool:
    patterns = (_HEADING, _FENCE, _BULLET, _NUMBER, _RULE)
    return line.lstrip().startswith((">", "|")) or any(pattern.match(line) for pattern in patterns)


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [cell.replace("\\|", "|").strip() for cell in _CELL_BORDER.split(inner)]
