"""Documents that the model writes by the tool `create_file`."""

from conversations.files.kinds import KINDS, extension_of, kind_of
from conversations.files.names import clean_name, shown
from conversations.files.problems import FileProblem
from conversations.text import clean_text

MAX_CHARACTERS = 1_000_000
_WRITTEN = "text, Markdown, CSV, JSON, source code, .xlsx (from CSV or JSON rows) and .docx (from Markdown)"


def write_document(name: str, content: str) -> bytes:
    """Return the bytes of a document with this name: its extension says which kind.

    Text of all kinds is UTF-8, and cells of a CSV that a spreadsheet would take for a formula get an apostrophe. An
    .xlsx is made of CSV or of JSON rows, and each string in it stays a string. A .docx is made of Markdown. Raises
    FileProblem, worded for the model as well as for a person, for other kinds and for content that is none.
    """
    name = clean_name(name)
    content = clean_text(content)
    extension, kind = extension_of(name), kind_of(name)
    if not extension:
        raise FileProblem(f"{shown(name)} has no extension, which says what to write. What can be written: {_WRITTEN}.")
    if not content.strip():
        raise FileProblem(f"{shown(name)} would be empty.")
    if len(content) > MAX_CHARACTERS:
        raise FileProblem(f"{shown(name)} is too long: at most {MAX_CHARACTERS:,} characters can be written.")
    # Libraries for Office files take half a second to import, and most processes never write one.
    if extension == ".xlsx":
        from conversations.files.spreadsheets import write_workbook

        return write_workbook(content)
    if extension == ".docx":
        from conversations.files.word import write_word

        return write_word(content)
    if kind is None or kind.category != "text":
        raise FileProblem(f"{shown(name)} cannot be written. What can: {_WRITTEN}.")
    if kind in (KINDS[".csv"], KINDS[".tsv"]):
        from conversations.files.tables import defuse

        content = defuse(content)
    return content.encode()
