"""What the first bytes of a file say it is."""

from typing import BinaryIO

HEAD = 1024
_LABELS = (
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or protected Office document"),
    (b"{\\rtf", "an RTF document"),
    (b"\x1f\x8b", "a compressed file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"BM", "a BMP image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
)
_TEXTUAL = (b"MZ", b"BM")  # letters with which an ordinary text may begin as well
ZIP = "a ZIP archive"
OLD_OFFICE = "an old or protected Office document"


def sniff(head: bytes) -> str:
    """Return what a file that begins so is, with its article; "" where the bytes tell nothing (as of text)."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "a WEBP image"
    if head[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif"):
        return "a HEIC or AVIF image"
    for magic, label in _LABELS:
        if head.startswith(magic) and not (magic in _TEXTUAL and b"\x00" not in head):
            return label
    return ""


def is_also_zip(file: BinaryIO, size: int) -> bool:
    """Whether programs that open ZIP archives would open this file: its end record points at a directory within it."""
    start = max(0, size - 65_557)  # the record has 22 bytes and a comment of at most 65,535
    file.seek(start)
    tail = file.read(size - start)
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        record = tail[at : at + 22]
        length, offset = int.from_bytes(record[12:16], "little"), int.from_bytes(record[16:20], "little")
        if len(record) == 22 and length + offset <= start + at:
            file.seek(start + at - length)
            if length == 0 or file.read(4) == b"PK\x01\x02":
                return True
        at = tail.rfind(b"PK\x05\x06", 0, at)
    return False
