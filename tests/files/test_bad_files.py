"""F10, F15: what a file is called, what its bytes are and what reads it must agree; and it has a size."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from conversations.files import FileProblem, inspect_file
from tests.files.conftest import Put
from tests.files.samples import GOOD, animation, archive, office, pdf, picture

JAR = archive([("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\n"), ("A.class", b"\xca\xfe\xba\xbe")])
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!doctype html><script>alert(1)</script>"

# Name, bytes, and what the sentence must hold.
WRONG: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "html called png": ("a.png", lambda: HTML, "holds something else"),
    "svg called png": ("a.png", lambda: SVG, "holds something else"),
    "svg called webp": ("a.webp", lambda: SVG, "holds something else"),
    "pdf called png": ("a.png", pdf, "holds a PDF"),
    "png called jpg": ("a.jpg", lambda: picture("PNG"), "holds a PNG image"),
    "jpeg called gif": ("a.gif", lambda: picture("JPEG"), "holds a JPEG image"),
    "png called pdf": ("a.pdf", lambda: picture("PNG"), "holds a PNG image"),
    "png called txt": ("a.txt", lambda: picture("PNG"), "holds a PNG image"),
    "pdf called md": ("a.md", pdf, "holds a PDF"),
    "program called py": ("a.py", lambda: b"MZ\x90\0\3\0", "holds a program"),
    "noise called csv": ("a.csv", lambda: bytes(range(256)), "is none"),
    "half a surrogate in UTF-16": ("a.txt", lambda: b"\xff\xfe\x00\xd8", "is none"),
    "zip called docx": ("a.docx", lambda: JAR, "holds a ZIP archive"),
    "xlsx called docx": ("a.docx", lambda: office("xlsx"), "holds an Excel workbook"),
    "docx called pptx": ("a.pptx", lambda: office("docx"), "holds a Word document"),
    "old doc called docx": (
        "a.docx",
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "password or in an old",
    ),
    "text called docx": ("a.docx", lambda: b"Dear all", "holds something else"),
    "html called json": ("a.json", lambda: HTML, "not valid JSON: see line 1"),
    "json cut off": ("a.json", lambda: b'{"a": [1,', "not valid JSON"),
    "unknown type": ("a.exe", lambda: b"MZ", "cannot be attached. What can: images"),
    "no extension": ("a", lambda: b"x", "cannot be attached"),
    "zip": ("a.zip", lambda: JAR, "cannot be attached"),
    "extension hidden by a mark": ("a.png\u202egnp.exe", lambda: picture("PNG"), "cannot be attached"),
    "GIFAR": ("a.gif", lambda: picture("GIF", mode="P") + JAR, "holds more than an image"),
    "PNG and ZIP": ("a.png", lambda: picture("PNG") + JAR, "holds more than an image"),
    "WEBP and ZIP": ("a.webp", lambda: picture("WEBP") + JAR, "holds more than an image"),
    "JPEG and ZIP": ("a.jpg", lambda: picture("JPEG") + JAR, "holds more than an image"),
    "PNG and HTML": ("a.png", lambda: picture("PNG") + HTML * 3, "holds more than an image"),
    "JPEG and PDF": ("a.jpg", lambda: picture("JPEG", comment=b"%PDF-1.7"), "holds more than an image"),
    "PDF and ZIP": ("a.pdf", lambda: pdf() + JAR, "an archive at once"),
    "PDF after HTML": ("a.pdf", lambda: HTML + pdf(), "with something before it"),
    "document after JAR": ("a.docx", lambda: JAR + office("docx"), "not packed as Office"),
    "document and more": ("a.docx", lambda: office("docx") + b"x", "could not be read"),
    "animated GIF": ("a.gif", lambda: animation("GIF", 3), "is animated"),
    "animated WEBP": ("a.webp", lambda: animation("WEBP", 3), "is animated"),
    "animated PNG": ("a.png", lambda: animation("PNG", 3), "is animated"),
    "PDF with a password": ("a.pdf", lambda: pdf(password="secret"), "protected by a password"),
    "PDF of noise": ("a.pdf", lambda: b"%PDF-1.7\n" + bytes(range(256)) * 20, "could not be read"),
    "PDF cut off": ("a.pdf", lambda: pdf(pages=20)[:300], "could not be read"),
    "PDF without a page": ("a.pdf", lambda: pdf(pages=0), "without a page"),
    "document with macros": (
        "a.docx",
        lambda: office("docx", types=b'<T><Default ContentType="application/vnd.ms-word.macroEnabled.12"/></T>'),
        "holds macros",
    ),
    "document without its main part": (
        "a.docx",
        lambda: archive([("[Content_Types].xml", b"<Types/>"), ("x.xml", b"<x/>")]),
        "could not be read",
    ),
    "broken XML in a document": ("a.xlsx", lambda: office("xlsx", main=b"<a><b></a>"), "could not be read"),
}


@pytest.mark.parametrize("case", WRONG)
def test_F10_what_disagrees_is_refused_with_a_sentence(case: str, put: Put) -> None:
    name, content, words = WRONG[case]
    with pytest.raises(FileProblem) as refusal:
        inspect_file(put("upload", content()), name=name, max_bytes=45_000_000)
    assert words in refusal.value.message
    assert refusal.value.message.startswith("“a")
    assert refusal.value.message.endswith(".")


@pytest.mark.parametrize(
    "name", [name for name in GOOD if not name.endswith(("csv", "txt", "md", "py", "html", "svg", "e"))]
)
def test_F10_a_file_that_is_cut_off_is_refused(name: str, put: Put) -> None:
    content = GOOD[name]()
    with pytest.raises(FileProblem):
        inspect_file(put("upload", content[: len(content) * 2 // 3]), name=name, max_bytes=45_000_000)


@pytest.mark.parametrize(
    "name", ["photo.png", "photo.jpg", "report.pdf", "letter.docx", "data.json", "notes.md", "x.bin"]
)
def test_F15_an_empty_file_is_refused(name: str, put: Put) -> None:
    with pytest.raises(FileProblem, match=rf"“{re.escape(name)}” is empty\."):
        inspect_file(put("upload", b""), name=name, max_bytes=100)


def test_F15_the_limit_is_taken_and_one_byte_more_is_not(put: Put) -> None:
    assert inspect_file(put("full", b"x" * 1_000_000), name="a.txt", max_bytes=1_000_000).size == 1_000_000
    with pytest.raises(FileProblem, match=r"“a\.txt” is larger than 1 MB, the most"):
        inspect_file(put("over", b"x" * 1_000_001), name="a.txt", max_bytes=1_000_000)


def test_F15_a_file_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    with path.open("wb") as file:
        file.truncate(10**12)  # a hole: reading it would take minutes
    with pytest.raises(FileProblem, match="larger than 45 MB"):
        inspect_file(path, name="a.png", max_bytes=45_000_000, lenient=True)


def test_a_long_name_is_cut_in_the_sentence(put: Put) -> None:
    with pytest.raises(FileProblem) as refusal:
        inspect_file(put("upload", b""), name="x" * 5_000 + ".png", max_bytes=100)
    assert len(refusal.value.message) < 90
    assert "….png" not in refusal.value.message
    assert ".png” is empty." in refusal.value.message
