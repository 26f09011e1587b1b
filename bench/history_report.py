"""The figures of the history as a table, the plans behind them, and their place in docs/performance-history.md."""

import datetime
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

from django.db import connection

from bench.history import Case, median, p95

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance-history.md"
_BEGIN, _END = "<!-- figures: `--write` -->\n", "<!-- end of figures -->\n"
_WIDTH = 150
_SMALL_PRINT = re.compile(r"\s*(?:Index Searches|Storage|Planning|Buffers: shared hit=\d{1,2}$)")


def table(cases: Sequence[Case], *, goal: int) -> str:
    """Return the table with a line on the machine, the date and the data; `goal` is in milliseconds."""
    rows = [
        f"| {case.name} | {median(case.times):.0f} ms | {_judged(p95(case.times), goal)} "
        f"| {median(case.first_times):.0f} ms | {p95(case.first_times):.0f} ms |"
        for case in cases
    ]
    return "\n".join(
        [
            _about(cases),
            "",
            "| | median | p95 | first calls: median | p95 |",
            "| --- | ---: | ---: | ---: | ---: |",
            *rows,
            "",
        ]
    )


def plans(cases: Sequence[Case]) -> str:
    """Return, for each case, the plan of the statement that took longest when it was asked once more."""
    parts = []
    for case in cases:
        if case.shows_plan:
            seconds, statement, plan = _slowest(case)
            parts += [f"### {case.name}", "", f"`{statement}` … {seconds * 1000:.0f} ms", "", "```", plan, "```", ""]
    return "\n".join(parts)


def write(text: str, cases: Sequence[Case], *, page: Path) -> None:
    """Put table and plans into their place in a page of docs/."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise RuntimeError(f"{page.name} has no place for the figures.")
    page.write_text(f"{before}{begin}\n{text}\n## Plans\n\n{plans(cases)}\n{end}{after}", encoding="utf-8")


def _judged(milliseconds: float, goal: int) -> str:
    return f"{milliseconds:.0f} ms" + " **above the goal**" * (milliseconds > goal)


def _about(cases: Sequence[Case]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT reltuples FROM pg_class WHERE relname = 'conversations_message'),"
            " (SELECT reltuples FROM pg_class WHERE relname = 'conversations_conversation'),"
            " pg_size_pretty(pg_database_size(current_database())),"
            " pg_size_pretty(pg_relation_size('message_search')),"
            " current_setting('server_version'), current_setting('shared_buffers')"
        )
        messages, conversations, size, index, version, buffers = cursor.fetchall()[0]
    return (
        f"{datetime.datetime.now(datetime.UTC):%-d %B %Y}; {os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}, PostgreSQL {version.split()[0]} with {buffers} of buffers; {messages:,.0f} "
        f"messages in {conversations:,.0f} conversations, {size}, of which the index of words {index}. "
        f"{len(cases[0].times)} calls of each case, in turn, after a first one with each of its inputs (up to "
        f"{max(len(case.inputs) for case in cases)})."
    )


def _slowest(case: Case) -> tuple[float, str, str]:
    """Ask once more and return the slowest statement: its seconds, its beginning and its plan."""
    connection.force_debug_cursor = True
    connection.queries_log.clear()
    case.ask(case.inputs[0])
    asked = [(float(query["time"]), query["sql"].strip()) for query in connection.queries]
    statements = [(seconds, sql) for seconds, sql in asked if sql.startswith(("SELECT", "WITH", "("))]
    connection.force_debug_cursor = False
    seconds, sql = max(statements)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + sql)
        lines = [_short(row[0]) for row in cursor.fetchall() if not _SMALL_PRINT.match(row[0])]
    return seconds, " ".join(sql.split())[:100], "\n".join(lines)


def _short(line: str) -> str:
    line = re.sub(r"\x01|\\x01", "", line)
    return line if len(line) <= _WIDTH else f"{line[:_WIDTH]} …"
