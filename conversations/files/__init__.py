"""Files: which kinds are taken, what a name may be, what the bytes are, and how documents are written.

A leaf that knows no table. The parsers run in a process of their own (see sandbox.py), which imports this package too:
so it needs no settings when it is imported, and nothing heavy. Storage is a module of its own, `files.storage`.
"""

from conversations.files.contents import text_of
from conversations.files.documents import write_document
from conversations.files.images import image_for_model, thumbnail
from conversations.files.inspection import FileFacts, inspect_file
from conversations.files.kinds import ACCEPT, KINDS, Category, Kind, kind_of
from conversations.files.names import clean_name, content_disposition
from conversations.files.problems import FileProblem

__all__ = [
    "ACCEPT",
    "KINDS",
    "Category",
    "FileFacts",
    "FileProblem",
    "Kind",
    "clean_name",
    "content_disposition",
    "image_for_model",
    "inspect_file",
    "kind_of",
    "text_of",
    "thumbnail",
    "write_document",
]
