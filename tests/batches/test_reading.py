"""Which files of prompts are taken, and what is said of the others."""

from __future__ import annotations

import io

import pytest
from pytest_django import Settings

from batches import reading
from batches.reading import Line, Unreadable, read_lines


def read(data: str | bytes, name: str = "prompts.jsonl") -> list[Line]:
    raw = data.encode() if isinstance(data, str) else data
    return read_lines(io.BytesIO(raw), name=name, size=len(raw))


def problems(data: str | bytes, name: str = "prompts.jsonl") -> list[str]:
    with pytest.raises(Unreadable) as found:
        read(data, name)
    return list(found.value.problems)


def test_json_lines_are_read() -> None:
    data = (
        '\ufeff{"custom_id": "a", "prompt": " Grüße\\r\\nund \\ud83d\\ude00 "}\r\n\n{"prompt": "2"}\n \n{"prompt":"3"}'
    )
    assert read(data) == [Line(1, "a", "Grüße\nund 😀"), Line(3, "3", "2"), Line(5, "5", "3")]


def test_tables_are_read() -> None:
    data = '\ufeffcustom_id,prompt\r\na,"One, and\r\nmore"\r\n\r\nb,"He said ""no"""\r\n'
    assert read(data, "Prompts.CSV") == [Line(2, "a", "One, and\nmore"), Line(5, "b", 'He said "no"')]
    assert read("prompt\nOne\nTwo\n", "p.csv") == [Line(2, "2", "One"), Line(3, "3", "Two")]
    assert read("prompt;custom_id\nOne, two;x\n", "p.csv") == [Line(2, "x", "One, two")]
    assert read("prompt\n" + "x" * 99_000, "p.csv")[0].prompt == "x" * 99_000


def test_fields_of_a_table_may_be_longer_than_pythons_own_limit(settings: Settings) -> None:
    settings.MAX_PROMPT_CHARS = 1_000_000
    assert len(read("prompt\n" + "y" * 900_000, "p.csv")[0].prompt) == 900_000


def test_f3_what_no_text_can_hold_is_replaced_as_in_messages() -> None:
    assert read('{"prompt": "a\\u0000b\\ud800c"}')[0].prompt == "a\ufffdb\ufffdc"


DEEP = "[" * 100_000
LINES = {
    "not json": ("hello", "This is no JSON: Expecting value, at column 1."),
    "cut": ('{"prompt": "a"', "This is no JSON: Expecting ',' delimiter, at column 15."),
    "two values": ('{"prompt": "a"} {}', "This is no JSON: Extra data, at column 17."),
    "a list": ('["prompt"]', "A line must be a JSON object, such as {“prompt”: “…”}."),
    "null": ("null", "A line must be a JSON object, such as {“prompt”: “…”}."),
    "nan": ('{"prompt": NaN}', "NaN is no JSON."),
    "infinity": ('{"prompt": -Infinity}', "-Infinity is no JSON."),
    "twice": ('{"prompt": "a", "prompt": "b"}', "“prompt” stands there twice."),
    "unknown": (
        '{"prompt": "a", "model": "gpt"}',
        "“model” is not known; a line has “prompt” and may have “custom_id”.",
    ),
    "missing": ('{"custom_id": "a"}', "“prompt” is missing."),
    "number": ('{"prompt": 7}', "“prompt” must be text."),
    "object": ('{"prompt": {"a": "b"}}', "“prompt” must be text."),
    "empty": ('{"prompt": " \\u200b "}', "“prompt” is empty."),
    "too long": ('{"prompt": "%s"}' % ("x" * 101), "“prompt” has 101 characters; at most 100 can be sent."),
    "id is null": ('{"prompt": "a", "custom_id": null}', "“custom_id” must be text."),
    "id is empty": ('{"prompt": "a", "custom_id": " "}', "“custom_id” is empty."),
    "id is long": (
        '{"prompt": "a", "custom_id": "%s"}' % ("x" * 101),
        "“custom_id” has 101 characters; at most 100 are kept.",
    ),
    "id with a break": ('{"prompt": "a", "custom_id": "a\\nb"}', "“custom_id” has characters that are no text."),
    "id with half a pair": ('{"prompt": "a", "custom_id": "\\ud800"}', "“custom_id” has characters that are no text."),
    "deep": (DEEP, "This JSON is nested too deep."),
    "deep inside": ('{"prompt": ' + DEEP, "This JSON is nested too deep."),
    "long number": ('{"prompt": 1%s}' % ("0" * 5_000), "This JSON has a number that is too long."),
}


@pytest.mark.parametrize("case", LINES)
def test_f1_f6_f8_a_bad_line_is_named_by_its_number(settings: Settings, case: str) -> None:
    settings.MAX_PROMPT_CHARS = 100
    line, told = LINES[case]
    assert problems(f'{{"prompt": "fine"}}\n\n{line}\n{{"prompt": "fine too"}}') == [f"Line 3: {told}"]


def test_f3_bytes_that_are_no_text_are_named() -> None:
    assert problems(b'{"prompt": "a"}\n{"prompt": "\xff"}') == ["Line 2: This is not UTF-8. Save the file as UTF-8."]
    assert problems('{"prompt": "a"}'.encode("utf-16")) != []
    assert problems(b"prompt\na\n\xe4\n", "p.csv") == ["Line 3: This is not UTF-8. Save the file as UTF-8."]
    assert problems(b"pr\xe4mpt\na\n", "p.csv") == ["Line 1: This is not UTF-8. Save the file as UTF-8."]


def test_two_lines_with_one_id_are_named() -> None:
    data = '{"prompt": "a", "custom_id": "x"}\n{"prompt": "b", "custom_id": "x"}\n{"prompt": "c", "custom_id": "4"}\n'
    assert problems(data + '{"prompt": "d"}') == [
        "Line 2: “custom_id” is “x”, as in line 1.",
        "Line 4: “custom_id” is “4”, as in line 3.",
    ]


TABLES = {
    "no heading": ("One\nTwo", "Line 1: there is no column “One”; the columns are “custom_id” and “prompt”."),
    "no prompt": ("custom_id\na", "Line 1: the column “prompt” is missing. The first line names the columns."),
    "twice": ("prompt,prompt\na,b", "Line 1: a column stands there twice."),
    "nothing": ("", "Line 1: the column “prompt” is missing. The first line names the columns."),
    "heading alone": ("prompt\n", "The file has no prompts."),
    "too many": ("prompt\na\nb,c\n", "Line 3: The first line names 1; here there are 2."),
    "too few": ("prompt,custom_id\na\n", "Line 2: The first line names 2; here there are 1."),
    "open quote": ('prompt\na\n"b\nc\n', "Line 3: This is no CSV: unexpected end of data."),
    "carriage returns alone": (
        'prompt\r"a"\rb\r',
        "Line 1: This is no CSV: its lines must end in line feeds, with carriage returns before them or without.",
    ),
    "after a quote": ('prompt\n"a" b\n', "Line 2: This is no CSV: ',' expected after '\"'."),
}


@pytest.mark.parametrize("case", TABLES)
def test_f1_a_bad_table_is_told_where(case: str) -> None:
    data, told = TABLES[case]
    assert problems(data, "p.csv") == [told]


@pytest.mark.parametrize("name", ["prompts", "prompts.json.exe", "../../etc/passwd", ".jsonl.", ""])
def test_f9_the_name_tells_the_form(name: str) -> None:
    assert problems('{"prompt": "a"}', name) == ["The file's name must end in .jsonl (JSON lines) or .csv (a table)."]


def test_f15_empty_files_and_too_large_ones_are_refused() -> None:
    assert problems("") == problems("\n \n") == ["The file has no prompts."]
    with pytest.raises(Unreadable, match=r"The file has 20\.0 MB; a batch may have 20 MB"):
        read_lines(io.BytesIO(b""), name="p.jsonl", size=20_000_001)


def test_f15_one_prompt_too_many_is_refused() -> None:
    data = '{"prompt": "a"}\n' * 50_000
    assert len(read(data)) == 50_000
    assert problems(data + '{"prompt": "a"}') == [
        "The file has more than 50,000 prompts; a batch may have so many. Divide it."
    ]


def test_of_many_bad_lines_the_first_are_named() -> None:
    told = problems("x\n" * 30)
    assert len(told) == reading.MOST_TOLD + 1
    assert told[-1] == "10 more lines cannot be taken either."


def test_x1_what_stands_in_a_file_is_quoted_short_and_without_what_cannot_be_seen() -> None:
    told = problems('{"prompt": "a", "\\u202e\\u0007%s": 1}' % ("k" * 90))
    assert told == [f"Line 1: “\ufffd\ufffd{'k' * 37}…” is not known; a line has “prompt” and may have “custom_id”."]
