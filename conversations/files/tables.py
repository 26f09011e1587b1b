"""Tables as text: CSV read, and made harmless for spreadsheets."""

import csv
import io
import re

from conversations.files.problems import FileProblem

_DELIMITERS = ",;\t|"
# A whole number of up to 15 digits or a decimal one, as a spreadsheet keeps it; "007" and "+49 30" are text.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?")
# Signed numbers and numbers of telephones: digits and what stands between them compute nothing that could harm.
_SIGNED = r"[+-][0-9][0-9 ()/.,-]{0,40}%?"
# OWASP, "CSV Injection": white space or quotation marks, then what begins a formula; also after another delimiter.
_FORMULA = re.compile(rf'(?:^|(?<=[,;\t|\r\n]))(?:[^\S\t\r\n]|")*+(?=[=@]|(?!{_SIGNED}(?:[;,\t|\r\n]|$))[+-]\S)')


def read_rows(content: str) -> list[list[str]]:
    """Return the cells of a CSV, whose delimiter is the one that its first line holds most. Raises csv.Error."""
    return list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter_of(content)))


def delimiter_of(content: str) -> str:
    """Return comma, semicolon, tab or bar: the most frequent in the first line, comma where there is none."""
    first = content.lstrip().partition("\n")[0]
    return max(_DELIMITERS, key=first.count)


def number_in(cell: str) -> int | float | None:
    """Return the number that a cell is, or None: numbers that would lose a digit or a leading zero are text."""
    if not _NUMBER.fullmatch(cell) or len(cell) > 16:
        return None
    return float(cell) if "." in cell else int(cell)


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet that opens this as CSV might compute it. A signed number is none."""
    return bool(_FORMULA.search(cell))


def defuse(content: str) -> str:
    """Return a CSV in which every cell stays text that could be a formula; as it is where there is none such.

    Such a cell gets an apostrophe before what would begin the formula. Raises FileProblem where it is no CSV.
    """
    try:
        rows = read_rows(content)
    except csv.Error as problem:
        raise FileProblem(f"The content cannot be read as CSV: {problem}.") from problem
    if not any(is_formula(cell) for row in rows for cell in row):
        return content
    output = io.StringIO(newline="")
    writer = csv.writer(output, delimiter=delimiter_of(content), lineterminator="\n")
    writer.writerows([_defused(cell) for cell in row] for row in rows)
    return output.getvalue()


def _defused(cell: str) -> str:
    return _FORMULA.sub(lambda found: f"{found[0]}'", cell)
