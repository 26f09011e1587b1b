"""Files of every kind, good ones and hostile ones, made as bytes."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable

from PIL import Image
from pypdf import PdfWriter

from conversations.files import write_document

OOXML = "application/vnd.openxmlformats-officedocument"
MAIN = {
    "docx": ("word/document.xml", f"{OOXML}.wordprocessingml.document.main+xml"),
    "xlsx": ("xl/workbook.xml", f"{OOXML}.spreadsheetml.sheet.main+xml"),
    "pptx": ("ppt/presentation.xml", f"{OOXML}.presentationml.presentation.main+xml"),
}


def picture(form: str, size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(buffer, form, **options)
    return buffer.getvalue()


def animation(form: str, frames: int) -> bytes:
    buffer = io.BytesIO()
    pages = [Image.new("L", (8, 8), number * 80 % 256) for number in range(frames)]
    pages[0].save(buffer, form, save_all=True, append_images=pages[1:], duration=50)
    return buffer.getvalue()


def pdf(*, password: str = "", owner_password: str = "", pages: int = 1) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(100, 100)
    if password or owner_password:
        writer.encrypt(password, owner_password or None, algorithm="AES-256")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def archive(parts: Iterable[tuple[str | zipfile.ZipInfo, bytes]], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target:
        for name, content in parts:
            target.writestr(name, content)
    return buffer.getvalue()


def office(
    extension: str,
    *,
    main: bytes = b"<x/>",
    more: Iterable[tuple[str | zipfile.ZipInfo, bytes]] = (),
    types: bytes | None = None,
) -> bytes:
    """The least that is a document of this kind, with parts of the caller's."""
    name, content_type = MAIN[extension]
    listed = f'<Types><Override PartName="/{name}" ContentType="{content_type}"/></Types>'.encode()
    return archive([("[Content_Types].xml", types or listed), (name, main), *more])


GOOD: dict[str, Callable[[], bytes]] = {
    "photo.png": lambda: picture("PNG"),
    "photo.jpg": lambda: picture("JPEG"),
    "photo.JPEG": lambda: picture("JPEG"),
    "photo.webp": lambda: picture("WEBP"),
    "photo.gif": lambda: picture("GIF", mode="P"),
    "grey.png": lambda: picture("PNG", mode="I;16"),
    "palette.png": lambda: picture("PNG", mode="P"),
    "print.jpg": lambda: picture("JPEG", mode="CMYK"),
    "report.pdf": pdf,
    "letter.docx": lambda: write_document("letter.docx", "# Dear all\n\nHello."),
    "table.xlsx": lambda: write_document("table.xlsx", "a,b\n1,2\n"),
    "slides.pptx": lambda: office("pptx"),
    "table.csv": lambda: b"a;b\n1;2\n",
    "windows.csv": lambda: "Größe;Straße\n".encode("cp1252"),
    "wide.txt": lambda: "Grüße".encode("utf-16"),
    "notes.md": lambda: b"# Notes\n",
    "data.json": lambda: b'{"a": [1, 2, null]}',
    "code.py": lambda: b"print('hello')\n",
    "page.html": lambda: b"<script>alert(1)</script>",
    "drawing.svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "Dockerfile": lambda: b"FROM scratch\n",
}


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_of(width: int, height: int, rows: bytes | None = None) -> bytes:
    """A PNG with one bit a pixel, whose header says this size; `rows` are the compressed ones, few by default."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    content = chunk(b"IDAT", zlib.compress(b"\0" * 1000) if rows is None else rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + content + chunk(b"IEND", b"")


def zeros(length: int) -> bytes:
    """Compressed zeros, a thousandth of their length."""
    compressor = zlib.compressobj(9)
    block = bytes(1_000_000)
    parts = [compressor.compress(block) for _ in range(length // len(block))]
    return b"".join([*parts, compressor.compress(bytes(length % len(block))), compressor.flush()])


def gif_with_frames(frames: int) -> bytes:
    frame = b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + struct.pack("<2HBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + frame * frames + b"\x3b"


def gif_header(width: int, height: int) -> bytes:
    return gif_with_frames(1)[:6] + struct.pack("<2H", width, height) + gif_with_frames(1)[10:]
