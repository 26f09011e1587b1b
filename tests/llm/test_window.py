"""A long conversation is cut at its old end, by whole turns, and never inside a pair of prompt and answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.llm import Turn, choose_window, estimate_tokens


def conversation(*sizes: int) -> list[Turn]:
    return [Turn("assistant" if i % 2 else "user", "abc " * size) for i, size in enumerate(sizes)]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("", 0, 0),
        ("a", 1, 1),
        ("The quick brown fox jumps over the lazy dog. " * 10, 90, 130),  # 100 by OpenAI's own tokenizer
        ("これは日本語の文章です。" * 10, 80, 140),
        ("Быстрая коричневая лиса. " * 10, 60, 180),
        ("😀" * 10, 10, 40),
    ],
)
def test_estimate_is_near(text: str, low: int, high: int) -> None:
    assert low <= estimate_tokens(text) <= high


@given(st.text(), st.text())
def test_estimate_never_shrinks_with_more_text(one: str, two: str) -> None:
    assert estimate_tokens(one + two) >= max(estimate_tokens(one), estimate_tokens(two))


def test_what_fits_is_left_whole() -> None:
    assert choose_window(conversation(10, 10, 10), instructions="", context_window=1_000, reserve=100) == 0


def test_oldest_turns_are_left_out_in_pairs() -> None:
    turns = conversation(100, 100, 100, 100, 100)
    assert choose_window(turns, instructions="", context_window=500, reserve=100) == 2
    assert choose_window(turns, instructions="", context_window=620, reserve=100) == 2
    assert choose_window(turns, instructions="", context_window=700, reserve=100) == 0


def test_instructions_count() -> None:
    turns = conversation(100, 100, 100)
    assert choose_window(turns, instructions="", context_window=500, reserve=100) == 0
    assert choose_window(turns, instructions="abc " * 100, context_window=500, reserve=100) == 2


def test_the_last_prompt_is_kept_even_if_it_is_too_long_alone() -> None:
    assert choose_window(conversation(10, 10, 9_000), instructions="", context_window=500, reserve=100) == 2
    assert choose_window([], instructions="", context_window=500, reserve=100) == 0


@given(st.lists(st.integers(0, 60), max_size=12), st.integers(0, 600))
def test_the_rest_fits_and_starts_with_a_prompt(sizes: list[int], context_window: int) -> None:
    turns = conversation(*sizes)
    first = choose_window(turns, instructions="", context_window=context_window, reserve=50)
    kept = turns[first:]
    assert not turns or kept
    if len(kept) > 1:
        assert kept[0].role == "user"
        assert sum(estimate_tokens(turn.text) for turn in kept) <= context_window - 50
