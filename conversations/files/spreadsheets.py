"""Excel workbooks, written from CSV or JSON rows."""

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence

from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # type: ignore[import-untyped]
from openpyxl.styles import Font  # type: ignore[import-untyped]
from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]
from openpyxl.worksheet._write_only import WriteOnlyWorksheet  # type: ignore[import-untyped]

from conversations.files.problems import FileProblem
from conversations.files.tables import is_formula, number_in, read_rows

MAX_CELLS = 200_000  # of a sheet: about two seconds
MAX_COLUMNS = 16_384  # Excel specifications and limits
MAX_CELL = 32_767  # characters
_MAX_WIDTH = 60
_BOLD = Font(bold=True)
_NOT_IN_TITLE = re.compile(r"[\[\]:*?/\\'\x00-\x1f]")
_SHAPE = "The content of an .xlsx must be CSV, or JSON: a list of rows, or an object of such lists, one for each sheet."

type Value = str | int | float | bool | None
type Rows = list[list[Value]]


def write_workbook(content: str) -> bytes:
    """Return a workbook: one sheet of CSV or of a JSON list of rows, or the sheets that a JSON object names.

    A row is a list, or an object whose keys become the header. Strings are written as strings, so that none is ever
    computed; only in CSV are numbers told by how they look. Raises FileProblem.
    """
    sheets = _sheets_of(content)
    workbook = Workbook(write_only=True)
    for title, rows in sheets.items():
        _check_size(rows)
        _fill(workbook.create_sheet(title), rows)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def _sheets_of(content: str) -> dict[str, Rows]:
    if content.lstrip()[:1] in ("[", "{"):
        return _from_json(content)
    try:
        rows = read_rows(content)
    except csv.Error as problem:
        raise FileProblem(f"{_SHAPE} As CSV it cannot be read: {problem}.") from problem
    return {"Sheet1": [[_typed(cell) for cell in row] for row in rows]}


def _typed(cell: str) -> Value:
    number = number_in(cell)
    return cell if number is None else number


def _from_json(content: str) -> dict[str, Rows]:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise FileProblem(f"{_SHAPE} As JSON it cannot be read: {problem}.") from problem
    if isinstance(data, list):
        return {"Sheet1": _rows_of(data)}
    if not data or not all(isinstance(rows, list) for rows in data.values()):
        raise FileProblem(_SHAPE)
    sheets: dict[str, Rows] = {}
    for name, rows in data.items():
        sheets[_free_title(name, sheets)] = _rows_of(rows)
    return sheets


def _rows_of(data: Sequence[object]) -> Rows:
    """Return rows of values; those of objects follow a header of all their keys."""
    if data and all(isinstance(row, dict) for row in data):
        records = [row for row in data if isinstance(row, dict)]
        header = list(dict.fromkeys(key for row in records for key in row))
        return [list(header), *([_value(row.get(key)) for key in header] for row in records)]
    if not all(isinstance(row, list) for row in data):
        raise FileProblem(_SHAPE)
    return [[_value(cell) for cell in row] for row in data if isinstance(row, list)]


def _value(value: object) -> Value:
    if isinstance(value, float) and value - value != 0:  # infinite, or not a number
        return str(value)
    if isinstance(value, int) and abs(value) >= 10**15:  # Excel keeps 15 digits
        return str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    return json.dumps(value, ensure_ascii=False)


def _free_title(name: str, taken: Iterable[str]) -> str:
    """Return a name for a sheet that Excel takes: 31 characters, none of a few signs, unlike the others."""
    title = _NOT_IN_TITLE.sub(" ", name).strip()[:31] or "Sheet"
    others = {other.lower() for other in taken}
    number = 1
    free = title
    while free.lower() in others:
        number += 1
        free = f"{title[: 31 - len(str(number)) - 1]} {number}"
    return free


def _check_size(rows: Rows) -> None:
    columns = max(map(len, rows), default=0)
    if columns > MAX_COLUMNS or max(len(rows), sum(map(len, rows))) > MAX_CELLS:
        raise FileProblem(f"The table is too large: an .xlsx can be written with at most {MAX_CELLS:,} cells.")


def _fill(sheet: WriteOnlyWorksheet, rows: Rows) -> None:
    """Write the rows, the first as a header that stays in sight, and columns as wide as their first hundred values."""
    widths: dict[int, int] = {}
    for row in rows[:100]:
        for index, value in enumerate(row, start=1):
            widths[index] = max(widths.get(index, 8), min(len(str(value)), _MAX_WIDTH))
    for index, width in widths.items():
        sheet.column_dimensions[get_column_letter(index)].width = width + 2
    if len(rows) > 1:
        sheet.freeze_panes = "A2"
    for number, row in enumerate(rows):
        cells = [_cell(sheet, value) for value in row]
        if number == 0 and len(rows) > 1:
            for cell in cells:
                cell.font = _BOLD
        sheet.append(cells)


def _cell(sheet: WriteOnlyWorksheet, value: Value) -> WriteOnlyCell:
    if not isinstance(value, str):
        return WriteOnlyCell(sheet, value)
    if not value:
        return WriteOnlyCell(sheet, None)
    text = ILLEGAL_CHARACTERS_RE.sub("", value)[:MAX_CELL]
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"  # openpyxl takes a string that begins with = for a formula, and #N/A for an error
    if is_formula(text):
        cell.quotePrefix = True  # Excel leaves it text also when somebody edits the cell
    return cell
