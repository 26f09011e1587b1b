"""Names of exports, and of what is in an archive: safe on every system, whatever a title or a file was called."""

from __future__ import annotations

import re

from conversations.files import clean_name
from conversations.files.names import split_name
from conversations.models import Attachment

MAX_STEM = 80  # characters: a folder of some depth still stays below the 260 that Windows allows
_UNSAFE = re.compile(r'[/\\<>:"|?*\x00-\x1f]')


def safe_stem(text: str) -> str:
    """Return a title as a name without extension: one line, no character that any file system refuses."""
    return clean_name(_UNSAFE.sub("_", text)[:MAX_STEM].lstrip(". "))


def path_of_file(file: Attachment) -> str:
    """Return where a file is in an archive. Rows that share an object share its path; no two objects do."""
    stem, suffix = split_name(clean_name(file.name))
    return f"files/{safe_stem(stem)}-{file.key.rpartition('/')[2]}{_UNSAFE.sub('_', suffix)}"
