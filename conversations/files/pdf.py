"""PDF, in the process of the inspector."""

import io
from typing import BinaryIO

from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from conversations.files.problems import Unfit
from conversations.files.sniffing import HEAD, is_also_zip, sniff

_LABEL = "a PDF"
_MAX_DEPTH = 50


def inspect(file: BinaryIO) -> None:
    """Raise Unfit unless it begins as a PDF, opens without a password, has a page, and is no archive as well."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(HEAD)
    found = sniff(head)
    if found != _LABEL:
        hidden = "a PDF with something before it" if b"%PDF-" in head else "something else"
        raise Unfit(f"is named like {_LABEL} but holds {found or hidden}. Save it anew as a PDF.")
    if is_also_zip(file, size):
        raise Unfit("is a PDF and an archive at once. Save it anew as a PDF.")
    file.seek(0)
    reader = PdfReader(file, strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unfit("is protected by a password. Save it without one and attach that.")
    if not _has_page(reader):
        raise Unfit("is a PDF without a page.")


def _has_page(reader: PdfReader) -> bool:
    """Whether the tree of pages has a leaf. The first branch is enough: a long document's pages are not all read."""
    node: object = reader.root_object["/Pages"].get_object()
    for _ in range(_MAX_DEPTH):
        if not isinstance(node, DictionaryObject):
            return False
        children = node.get("/Kids")
        if children is None:
            return bool(node.get("/Type", "/Page") == "/Page")
        listed = children.get_object()
        node = listed[0].get_object() if listed else None
    return False
