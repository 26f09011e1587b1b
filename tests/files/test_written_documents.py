"""F14: documents that the model writes are what their names say, and none of their cells is a formula."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import zipfile
from pathlib import Path

import docx
import openpyxl  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.files import FileProblem, inspect_file, write_document
from conversations.files.tables import is_formula

FORMULAS = [
    "=cmd()",
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd()",
    "@SUM(A1)",
    "\t=1",
    " =1",
    '=HYPERLINK("http://x")',
    "a;=1",
    "#N/A",
]


def sheet(content: str) -> list[list[object]]:
    workbook = openpyxl.load_workbook(io.BytesIO(write_document("a.xlsx", content)))
    assert {cell.data_type for row in workbook.active for cell in row} <= {"s", "n", "b"}
    return [[cell.value for cell in row] for row in workbook.active]


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.py", "a.html", "a.json", "a.svg", "Makefile"])
def test_text_of_all_kinds_is_utf8_as_it_is(name: str) -> None:
    assert write_document(name, '{"a": "Grüße =1+1 😀"}') == '{"a": "Grüße =1+1 😀"}'.encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.xlsx", "a,b\n1,2"), ("a.docx", "# Hello\n\n| a |\n|---|\n| 1 |"), ("a.csv", "a;b\n1;2"), ("a.json", "{}")],
)
def test_what_is_written_is_what_an_upload_of_it_would_have_to_be(name: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / "made"
    path.write_bytes(write_document(name, content))
    assert inspect_file(path, name=name, max_bytes=1_000_000).name == name


@pytest.mark.parametrize("name", ["a.pdf", "a.png", "a.pptx", "a.exe", "a", "../..", "a.xlsm"])
def test_other_kinds_are_a_problem_that_says_what_can_be_written(name: str) -> None:
    with pytest.raises(FileProblem, match=r"What can(?: be written)?: text"):
        write_document(name, "x")


@pytest.mark.parametrize(
    ("content", "words"), [("", "would be empty"), (" \n", "would be empty"), ("x" * 1_000_001, "too long")]
)
def test_nothing_and_too_much_are_problems(content: str, words: str) -> None:
    with pytest.raises(FileProblem, match=words):
        write_document("a.txt", content)


def test_what_utf8_cannot_hold_is_replaced() -> None:
    assert write_document("a.txt", "a\ud800b\x00c") == "a\ufffdb\ufffdc".encode()


# Workbooks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("formula", FORMULAS)
def test_F14_a_workbook_keeps_a_formula_as_text(formula: str) -> None:
    assert sheet(json.dumps([["name"], [formula]]))[1] == [formula]
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["name", "x"], [formula, "1"]])
    assert sheet(buffer.getvalue())[1] == [formula, 1]


def test_F14_no_part_of_a_workbook_holds_a_formula() -> None:
    archive = zipfile.ZipFile(io.BytesIO(write_document("a.xlsx", json.dumps([FORMULAS, [{"=1": "=2"}]]))))
    for name in archive.namelist():
        assert b"<f" not in archive.read(name).replace(b"<font", b"").replace(b"<fill", b"").replace(b"<family", b""), (
            name
        )


def test_numbers_of_a_csv_are_numbers_and_what_would_lose_digits_is_text() -> None:
    row = sheet("a,b,c,d,e,f,g\n1,-2.5,007,+49 30,1234567890123456,1e5,\n")[1]
    assert row == [1, -2.5, "007", "+49 30", "1234567890123456", "1e5", None]


def test_json_rows_keep_their_types() -> None:
    content = json.dumps([{"a": 1, "b": "2"}, {"b": True, "c": [1]}, {"c": 1.5}])
    assert sheet(content) == [["a", "b", "c"], [1, "2", None], [None, True, "[1]"], [None, None, 1.5]]


def test_a_json_object_names_its_sheets() -> None:
    content = json.dumps({"Q1/2026": [["a"]], "x" * 40: [["b"]], "X" * 40: [["c"]], "": [[1]]})
    workbook = openpyxl.load_workbook(io.BytesIO(write_document("a.xlsx", content)))
    assert workbook.sheetnames == ["Q1 2026", "x" * 31, "X" * 29 + " 2", "Sheet"]


@pytest.mark.parametrize("content", ["[1, 2]", "{}", '{"a": 1}', "[1,", "[[1], {}]", "[" * 100_000])
def test_json_that_is_no_table_is_a_problem_that_says_what_one_is(content: str) -> None:
    with pytest.raises(FileProblem, match="must be CSV, or JSON"):
        write_document("a.xlsx", content)


def test_a_table_of_too_many_cells_is_a_problem() -> None:
    with pytest.raises(FileProblem, match="at most 200,000 cells"):
        write_document("a.xlsx", "1,1,1\n" * 70_000)


def test_odd_characters_and_numbers_do_not_break_a_workbook() -> None:
    assert sheet('[["a\\u0001b", 1e999, 123456789012345678, "%s"]]' % ("x" * 40_000))[0] == [
        "ab",
        "inf",
        "123456789012345678",
        "x" * 32_767,
    ]


# CSV ------------------------------------------------------------------------------------------------------------------


def test_F14_a_csv_without_formulas_stays_as_it_is() -> None:
    content = 'name;"value"\r\nx;-5\r\ny;"+3,5%"\r\n"a, - b";1\r\n'
    assert write_document("a.csv", content) == content.encode()


@pytest.mark.parametrize("formula", [formula for formula in FORMULAS if formula != "#N/A"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_F14_a_cell_of_a_csv_that_could_be_a_formula_gets_an_apostrophe(formula: str, delimiter: str) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows([["a", "b", "c"], [formula, "1", "-2"]])
    written = write_document("a.csv", buffer.getvalue()).decode()
    rows = list(csv.reader(io.StringIO(written), delimiter=delimiter))
    assert rows[1][1:] == ["1", "-2"]
    assert rows[1][0] != formula
    assert rows[1][0].replace("'", "") == formula.replace("'", "")
    assert not is_formula(rows[1][0])


@given(st.text(alphabet=st.sampled_from("=+-@ab1 ,;\t\n\"'|")))
def test_F14_no_cell_of_any_csv_can_be_a_formula(content: str) -> None:
    if not content.strip():
        return
    written = write_document("a.csv", content).decode()
    for delimiter in ",;\t|":
        for row in csv.reader(io.StringIO(written, newline=""), delimiter=delimiter):
            assert not [cell for cell in row if cell.strip()[:1] in ("=", "@") and cell.strip()], written


# Word -----------------------------------------------------------------------------------------------------------------

MARKDOWN = """# Title

A **bold** and *slanted* word, `code`, snake_case_name, 2 * 3 * 4 and [a link](https://example.com).
Second line.

- one
  - two
1. first

> quoted

| a | b |
|---|:-:|
| 1 | x \\| y |

```python
if x:
    pass
```
---
Last
"""


def test_markdown_becomes_words_own_blocks() -> None:
    document = docx.Document(io.BytesIO(write_document("a.docx", MARKDOWN)))
    assert [(part.style.name if part.style else "", part.text) for part in document.paragraphs] == [
        ("Heading 1", "Title"),
        (
            "Normal",
            "A bold and slanted word, code, snake_case_name, 2 * 3 * 4 and a link (https://example.com). Second line.",
        ),
        ("List Bullet", "one"),
        ("List Bullet 2", "two"),
        ("List Number", "first"),
        ("Quote", "quoted"),
        ("Normal", ""),
        ("No Spacing", "if x:\n    pass"),
        ("Normal", "Last"),
    ]
    assert [[cell.text for cell in row.cells] for row in document.tables[0].rows] == [["a", "b"], ["1", "x | y"]]
    runs = {run.text: (bool(run.bold), bool(run.italic)) for run in document.paragraphs[1].runs}
    assert runs["bold"] == (True, False)
    assert runs["slanted"] == (False, True)


def test_a_document_fetches_nothing() -> None:
    content = write_document("a.docx", "![x](https://evil.example/x.png) [y](file:///etc/passwd) <img src=http://z>")
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert not [name for name in archive.namelist() if b'TargetMode="External"' in archive.read(name)]


@given(st.text(alphabet=st.sampled_from("#*_`|->[](!) \n\\~1.ab\x0b\x1f\ufffe")))
def test_any_markdown_becomes_a_document(content: str) -> None:
    if content.strip():
        assert docx.Document(io.BytesIO(write_document("a.docx", content)))


@pytest.mark.parametrize(
    "part", ["*", "[", "`a", "| a ", "**a", "- ", "_a ", "\\|", "|-", "# a ", "~~~\n", "a\n\n", "[]( ", " "]
)
def test_markdown_meant_to_take_long_is_written_or_refused(part: str) -> None:
    """A pattern that tried such a text from two sides would run into the time limit of the tests."""
    with contextlib.suppress(FileProblem):
        assert write_document("a.docx", part * (900_000 // len(part)) + "x")
