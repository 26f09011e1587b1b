"""F9: names are text to show: whatever they hold, they are one clean line, and a header that says one thing."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conversations.files import clean_name, content_disposition, kind_of

CLEANED = {
    "report.pdf": "report.pdf",
    "../../etc/passwd": "passwd",
    "..": "file",
    ".": "file",
    "": "file",
    "   ": "file",
    "\u200b": "file",
    "/etc/": "file",
    r"C:\Users\me\plan.docx": "plan.docx",
    r"\\server\share\plan.docx": "plan.docx",
    "C:plan.docx": "C:plan.docx",
    "a\x00.png": "a.png",
    "a.png\x00.exe": "a.png.exe",
    "a\r\nSet-Cookie: x=1.png": "a Set-Cookie: x=1.png",
    "annexe\u202efdp.exe": "annexefdp.exe",
    "\u2066a\u2069\ufeff.txt": "a.txt",
    "a\ud800.txt": "a.txt",
    "CON": "_CON",
    "con.txt": "_con.txt",
    "Lpt1.tar.gz": "_Lpt1.tar.gz",
    "console.txt": "console.txt",
    "plan.docx. . .": "plan.docx",
    "a  b\tc\u00a0d.txt": "a b c d.txt",
    "\"quoted\" 'name'.txt": "\"quoted\" 'name'.txt",
    "=cmd()|' /C calc'!A0.csv": "C calc'!A0.csv",
    "=cmd().csv": "=cmd().csv",
    "u\u0308ber.txt": "über.txt",
    "دفتر.pdf": "دفتر.pdf",
    ".env": ".env",
    "<img src=x onerror=alert(1)>.png": "<img src=x onerror=alert(1)>.png",
}


@pytest.mark.parametrize("raw", CLEANED, ids=ascii)
def test_F9_a_name_is_cleaned(raw: str) -> None:
    assert clean_name(raw) == CLEANED[raw]


def test_F9_a_long_name_is_cut_and_keeps_its_extension() -> None:
    name = clean_name("x" * 5_000 + ".docx")
    assert len(name) == 255
    assert name.endswith("x.docx")
    assert len(clean_name("x." + "y" * 5_000)) == 255
    assert len(clean_name("x." * 5_000 + "a")) == 255


def test_F9_the_extension_is_read_from_the_cleaned_name() -> None:
    assert kind_of(clean_name("photo.PNG ")) is kind_of("a.png")
    assert kind_of(clean_name("photo.png\u202egpj.exe")) is None
    assert kind_of(clean_name("a.png/b")) is None
    assert kind_of("png") is None
    assert kind_of(".png") is None


@given(st.text(st.characters(), max_size=400))
@example("\u202e" * 300)
@example("con" + "x" * 400)
@example("aux" + "." * 400 + "b")
def test_F9_any_name_becomes_one_clean_line_that_cleaning_leaves_alone(raw: str) -> None:
    name = clean_name(raw)
    assert 0 < len(name) <= 255
    assert not {unicodedata.category(character) for character in name} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert "/" not in name
    assert "\\" not in name
    assert name == name.strip()
    assert clean_name(name) == name


@given(st.text(st.characters(), max_size=300), st.booleans())
@example('a"; filename="evil.exe', False)
@example("a.txt\r\nX: y", True)
@example("%41.txt", False)
@example("€ rates.csv", False)
@example("<>", False)
def test_F9_the_header_is_ascii_on_one_line_and_gives_the_name_back(raw: str, inline: bool) -> None:
    header = content_disposition(raw, inline=inline)
    assert header.isascii()
    assert header.isprintable()
    form = r"""(inline|attachment); filename="([^"\\%;]+)"(?:; filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]+))?"""
    parsed = re.fullmatch(form, header)
    assert parsed
    disposition, plain, extended = parsed.groups()
    assert disposition == ("inline" if inline else "attachment")
    assert (unquote(extended) if extended else plain) == clean_name(raw)
