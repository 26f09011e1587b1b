"""F11, F12, F14: what is small and would be huge, and what would reach for other files, costs next to nothing."""

from __future__ import annotations

import io
import random
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.files.conftest import Put
from tests.files.measured import MAX_BYTES, judge
from tests.files.samples import (
    MAIN,
    archive,
    chunk,
    gif_header,
    gif_with_frames,
    office,
    pdf,
    picture,
    png_of,
    zeros,
)


def zip_bomb() -> bytes:
    """As 42.zip: archives in archives, each ten thousand times smaller than what it holds."""
    inner = archive([("0", bytes(20_000_000))])
    for _ in range(3):
        inner = archive([(str(number), inner) for number in range(16)])
    return inner


def many_members(count: int) -> bytes:
    return office("xlsx", more=((f"xl/{number}.xml", b"") for number in range(count)))


def overlapping() -> bytes:
    """Fifield, "A better zip bomb": many entries of the directory point at the same compressed bytes."""
    content = office("docx", more=[("word/big.xml", b"<x>" + bytes(900_000))])
    at = content.index(b"PK\x01\x02")
    last = content.rindex(b"PK\x01\x02")
    end = content.rindex(b"PK\x05\x06")
    entry = content[last:end]
    copies = b"".join(entry.replace(b"big.xml", b"%03d.xml" % number) for number in range(300))
    directory = content[at:last] + copies
    record = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 302, 302, len(directory), at, 0)
    return content[:at] + directory + record


def lying_about_its_size() -> bytes:
    """The directory says a kilobyte; the part unpacks to 200 MB."""
    content = bytearray(office("docx", more=[("word/a.xml", b"<x>" + bytes(200_000_000) + b"</x>")]))
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<L", 1_000)
    return bytes(content)


def symlink() -> bytes:
    link = zipfile.ZipInfo("word/theme.xml")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    return office("docx", more=[(link, b"/etc/passwd")])


def laughing(extension: str) -> bytes:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    main = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><x>&e9;</x>'
    return office(extension, main=main.encode())


def reaching(extension: str, address: str) -> bytes:
    return office(extension, main=f'<!DOCTYPE x [<!ENTITY e SYSTEM "{address}">]><x>&e;</x>'.encode())


def reaching_in_relations() -> bytes:
    return office("xlsx", more=[("_rels/.rels", b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>')])


def reaching_in_utf16() -> bytes:
    return office(
        "docx", main='<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY e "ha">]><x/>'.encode("utf-16")
    )


def nested_elements() -> bytes:
    """Nine million elements in one another, named so variously that they are packed no better than a table is."""
    chooser = random.Random(1)
    block = "".join("<" + "".join(chooser.choices("abcdefghij", k=5)) + ">" for _ in range(90_000))
    return office("docx", main=block.encode() * 100)


def many_attributes() -> bytes:
    return office("docx", main=b"<a " + b" ".join(b'a%d="1"' % number for number in range(1_000_000)) + b"/>")


ARCHIVES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "42.zip called docx": ("a.docx", zip_bomb),
    "document that unpacks to 500 MB": ("a.docx", lambda: office("docx", main=b"<x>" + bytes(500_000_000) + b"</x>")),
    "workbook of many parts that unpack to 400 MB": (
        "a.xlsx",
        lambda: office("xlsx", more=[(f"xl/{n}.xml", b"<x>" + b"ab c" * 225_000) for n in range(450)]),
    ),
    "100,000 members": ("a.xlsx", lambda: many_members(100_000)),
    "overlapping members": ("a.docx", overlapping),
    "a size that lies": ("a.docx", lying_about_its_size),
    "symlink": ("a.docx", symlink),
    "path upwards": ("a.docx", lambda: office("docx", more=[("../../etc/x.xml", b"<x/>")])),
    "absolute path": ("a.docx", lambda: office("docx", more=[("/etc/x.xml", b"<x/>")])),
    "one name twice": (
        "a.docx",
        lambda: office("docx", more=[("word/x.xml", b"<x/>"), ("Word/../word/x.xml", b"<x/>")]),
    ),
    "packed by LZMA": (
        "a.docx",
        lambda: archive([("[Content_Types].xml", b"<x/>"), (MAIN["docx"][0], b"")], method=14),
    ),
    "elements in one another": ("a.docx", nested_elements),
    "many small parts that unpack to 290 MB": (
        "a.xlsx",
        lambda: office("xlsx", more=[(f"xl/{n}.xml", b"<s>" + b"<a/>" * 245_000 + b"</s>") for n in range(290)]),
    ),
}
DECLARATIONS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "billion laughs docx": ("a.docx", lambda: laughing("docx")),
    "billion laughs xlsx": ("a.xlsx", lambda: laughing("xlsx")),
    "XXE of a file": ("a.docx", lambda: reaching("docx", "file:///etc/passwd")),
    "XXE of a file in xlsx": ("a.xlsx", lambda: reaching("xlsx", "file:///etc/passwd")),
    "XXE of the network": ("a.pptx", lambda: reaching("pptx", "http://127.0.0.1:9/x")),
    "external type of relations": ("a.xlsx", reaching_in_relations),
    "UTF-16": ("a.docx", reaching_in_utf16),
    "list of contents": ("a.docx", lambda: office("docx", types=b'<!DOCTYPE x [<!ENTITY e "ha">]><x/>')),
}


def huge_webp() -> bytes:
    """A real WEBP whose header then says 16,383 pixels a side."""
    content = bytearray(picture("WEBP", (64, 64), lossless=True))
    bits = int.from_bytes(content[21:25], "little")
    content[21:25] = (bits & ~0xFFFFFFF | 16382 | 16382 << 14).to_bytes(4, "little")
    return bytes(content)


def huge_jpeg() -> bytes:
    content = picture("JPEG")
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">2H", 65_000, 65_000) + content[at + 4 :]


def jpeg_of_many_scans() -> bytes:
    """Each of its 4,000 passes over 16 million pixels takes a few bytes, and some milliseconds on any machine."""
    buffer = io.BytesIO()
    Image.new("RGB", (8_000, 2_000)).save(buffer, "JPEG", progressive=True)
    content = buffer.getvalue()
    return content[:-2] + content[content.rindex(b"\xff\xda") : -2] * 4_000 + content[-2:]


def flat(form: str, side: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side)).save(buffer, form)
    return buffer.getvalue()


def text_bomb() -> bytes:
    """A PNG with compressed text, each piece of which unpacks to 50 MB."""
    text = chunk(b"zTXt", b"Comment\0\0" + zeros(50_000_000))
    content = png_of(8, 8)
    return content[:33] + text * 20 + content[33:]


def profile_bomb() -> bytes:
    content = png_of(8, 8)
    return content[:33] + chunk(b"iCCP", b"p\0\0" + zeros(400_000_000)) + content[33:]


FLOODS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "PNG header of 50,000 × 50,000": ("a.png", lambda: png_of(50_000, 50_000)),
    "PNG of 20,000 × 20,000 with all its pixels": ("a.png", lambda: png_of(20_000, 20_000, zeros(20_000 * 2_501))),
    "PNG header of 2 million × 1": ("a.png", lambda: png_of(2_000_000, 1)),
    "PNG with text that unpacks": ("a.png", text_bomb),
    "PNG with a profile that unpacks": ("a.png", profile_bomb),
    "PNG of a million chunks": ("a.png", lambda: png_of(8, 8)[:33] + chunk(b"tEXt", b"a\0b") * 1_000_000),
    "GIF header of 65,535 × 65,535": ("a.gif", lambda: gif_header(65_535, 65_535)),
    "GIF of 10,000 frames": ("a.gif", lambda: gif_with_frames(10_000)),
    "GIF of 10,000 frames cut off": ("a.gif", lambda: gif_with_frames(10_000)[:-1]),
    "WEBP header of 16,383 × 16,383": ("a.webp", huge_webp),
    "GIF of ten million pieces": (
        "a.gif",
        lambda: gif_with_frames(1)[:19] + b"\x21\xfe" + b"\x01a" * 10_000_000 + b"\0;",
    ),
    "JPEG header of 65,000 × 65,000": ("a.jpg", huge_jpeg),
}

# What is within the limits by all that it says, and must cost no more than they allow.
LARGE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "PNG that unpacks to more than its size": ("a.png", lambda: png_of(8, 8, zeros(500_000_000))),
    "PNG of one colour, 6,300 × 6,300": ("a.png", lambda: flat("PNG", 6_300)),
    "GIF of one colour, 6,300 × 6,300": ("a.gif", lambda: flat("GIF", 6_300)),
    "JPEG of 10,000 × 10,000": ("a.jpg", lambda: flat("JPEG", 10_000)),
    "element of a million attributes": ("a.docx", many_attributes),
    "text of 45 MB": ("a.txt", lambda: b"a line of text\n" * 3_000_000),
    "JSON of 45 MB": ("a.json", lambda: b"[" + b'{"a": 1, "b": "text"},' * 1_000_000 + b"1]"),
    "PDF of 3,000 pages": ("a.pdf", lambda: pdf(pages=3_000)),
}


def refuse(case: str, cases: dict[str, tuple[str, Callable[[], bytes]]], put: Put, tmp_path: Path) -> str:
    name, content = cases[case]
    path = put("upload", content())
    assert path.stat().st_size <= MAX_BYTES
    verdict = judge(path, name)
    assert verdict.problem.startswith("“a."), verdict
    assert verdict.is_contained, verdict
    assert list(tmp_path.iterdir()) == [path]
    return verdict.problem


@pytest.mark.slow
@pytest.mark.parametrize("case", ARCHIVES)
def test_F11_an_archive_that_is_a_bomb_is_refused_at_little_cost(case: str, put: Put, tmp_path: Path) -> None:
    refuse(case, ARCHIVES, put, tmp_path)


@pytest.mark.parametrize("case", FLOODS)
def test_F12_an_image_of_too_much_is_refused_at_little_cost(case: str, put: Put, tmp_path: Path) -> None:
    refuse(case, FLOODS, put, tmp_path)


@pytest.mark.slow
def test_F12_a_jpeg_of_many_passes_costs_no_more_than_the_limit(put: Put) -> None:
    verdict = judge(put("a.jpg", jpeg_of_many_scans()))
    assert "within the time and memory" in verdict.problem
    assert verdict.cpu_seconds < 4  # the limit is 3 whole seconds


@pytest.mark.parametrize("case", DECLARATIONS)
def test_F14_xml_with_entities_is_refused_unread(case: str, put: Put, tmp_path: Path) -> None:
    assert "could reach for other files" in refuse(case, DECLARATIONS, put, tmp_path)


@pytest.mark.parametrize("case", LARGE)
def test_F12_what_is_large_but_allowed_is_taken_within_the_same_bounds(case: str, put: Put) -> None:
    name, content = LARGE[case]
    verdict = judge(put("upload", content()), name)
    assert verdict.problem == ""
    assert verdict.is_contained, verdict
