"""Text is cleaned one code point for one, and a prompt nobody can see is blank."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.text import clean_text, is_blank


def test_null_and_unpaired_surrogates_become_replacement_characters() -> None:
    assert clean_text("a\x00b\ud800c\udfffd") == "a\ufffdb\ufffdc\ufffdd"


def test_text_that_can_be_stored_is_left_as_it_is() -> None:
    text = "Grüße 😀\r\n\t\x1b[31m \u202eabc \ufeff"
    assert clean_text(text) is text or clean_text(text) == text


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S", "Z", "C"))))
def test_cleaning_keeps_every_offset_and_is_storable(text: str) -> None:
    clean = clean_text(text)
    assert len(clean) == len(text)
    assert "\x00" not in clean
    clean.encode()
    assert clean_text(clean) == clean


@pytest.mark.parametrize(
    "text", ["", " ", "\n\t\r", "\u200b", "\u200b \u2060\ufeff", "\u00a0\u3000", "\u2800\u3164", "\ufe0f"]
)
def test_what_nobody_can_see_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", " . ", "😀", "\u200ba", "👨\u200d👩", "\ufffd", "0"])
def test_what_can_be_seen_is_not_blank(text: str) -> None:
    assert not is_blank(text)
