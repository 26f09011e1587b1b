"""Conversations as they leave: for spreadsheets, for programs, for people, and all of it with the files.

Reads alone. Each format is an iterator of bytes that reads a batch when it is asked for more, on whatever thread that
happens; between two pieces it needs no database connection.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from conversations.exporting.archive import zip_pieces
from conversations.exporting.csv import csv_pieces
from conversations.exporting.jsonl import jsonl_pieces
from conversations.exporting.markdown import markdown_pieces
from conversations.exporting.names import safe_stem
from conversations.exporting.rows import Chosen, choose

__all__ = ["FORMATS", "Chosen", "Format", "choose", "safe_stem"]


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write conversations."""

    label: str
    purpose: str
    """What it holds, and for whom."""
    suffix: str
    content_type: str
    pieces: Callable[[Chosen], Generator[bytes, None, None]]
    """Yields the bytes. An empty piece means that something was done and more will come."""


FORMATS = {
    "md": Format(
        "Markdown", "The messages that are shown, to read", ".md", "text/markdown; charset=utf-8", markdown_pieces
    ),
    "csv": Format(
        "CSV",
        "Every message with its facts, for spreadsheets",
        ".csv",
        "text/csv; charset=utf-8; header=present",
        csv_pieces,
    ),
    "jsonl": Format(
        "JSONL",
        "Every message with all that is on record, for programs",
        ".jsonl",
        "application/x-ndjson; charset=utf-8",
        jsonl_pieces,
    ),
    "zip": Format("ZIP with files", "All of these with the files", ".zip", "application/zip", zip_pieces),
}
"""By the name that an address gives them, in the order in which pages offer them."""
