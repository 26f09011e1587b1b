"""The live stream's rule: a finished block never changes, and the blocks cover the text."""

import itertools
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.rendering import Block, render, split_blocks

# Pieces that make, continue or end blocks, also by halves. Without `]:`, since references between blocks are excepted.
PIECES = (
    *(
        "a",
        "b c",
        "é",
        "😀",
        "\n",
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        " ",
        "  ",
        "    ",
        "\t",
        "\u2028",
        "\ufeff",
        "\x0b",
        "\x0c",
    ),
    *(
        "**b",
        "- x",
        "3. y",
        "#",
        "# h",
        "-",
        "- ",
        "+ ",
        "1",
        "1. ",
        "2. ",
        "- [ ] ",
        ">",
        "> ",
        "===",
        "---",
        "* * *",
        "*",
        "**",
        "_",
        "~~",
    ),
    *("`", "``", "```", "```py", "~~~", "|", "|a|b|", "|-|-|", "a|b", "-|-", ":-", "<b>", "<div>", "</div>", "<!--"),
    *(
        "-->",
        "<script>",
        "</script>",
        "<?",
        "?>",
        "<br>",
        "\\",
        "&amp;",
        "\0",
        "https://a.example",
        "[a](b)",
        "![i](c)",
    ),
)
texts = st.lists(st.sampled_from(PIECES), max_size=16).map("".join)
exactly = settings(max_examples=300, derandomize=True, deadline=None, database=None)


def shifted(blocks: list[Block], by: int) -> list[Block]:
    return [Block(block.start + by, block.end + by, block.html) for block in blocks]


def streamed(text: str, ends: list[int]) -> list[Block]:
    """What a stream shows after the prefixes of `text` up to `ends`: it keeps finished blocks and splits the rest."""
    finished: list[Block] = []
    last: list[Block] = []
    for end in ends:
        start = finished[-1].end if finished else 0
        blocks = shifted(split_blocks(text[start:end]), start)
        finished, last = finished + blocks[:-1], blocks[-1:]
    return finished + last


@exactly
@given(texts)
def test_blocks_cover_the_text_without_gaps(text: str) -> None:
    blocks = split_blocks(text)

    assert [block.start for block in blocks[:1]] == [0] * bool(text)
    assert all(one.end == other.start < other.end for one, other in itertools.pairwise(blocks))
    assert not text or blocks[-1].end == len(text)


@exactly
@given(texts)
def test_a_stream_of_single_characters_shows_what_one_split_shows(text: str) -> None:
    assert streamed(text, list(range(1, len(text) + 1))) == split_blocks(text)


@exactly
@given(texts, st.data())
def test_a_stream_shows_the_same_wherever_it_is_cut(text: str, data: st.DataObject) -> None:
    cuts = data.draw(st.sets(st.integers(0, len(text))))

    assert streamed(text, [*sorted(cuts), len(text)]) == split_blocks(text)


@exactly
@given(texts)
def test_the_blocks_together_are_the_page(text: str) -> None:
    complete = text + "\n\n.\n"  # ends the code that would be plain while it grows
    if "```" in text or "~~~" in text:
        complete = text.replace("```py", "```") + "\n"
    assert "".join(block.html for block in split_blocks(complete)) == render(complete)


@pytest.mark.parametrize(
    "text",
    [
        "- a\n\n- b\n\n  still b\n\n      code in b\n",
        "1. a\n\n   ```\n   x\n\n   y\n   ```\n\n2. b\n",
        "```python\na\n\n\nb\n```\n",
        "```\na\n\n# no heading\n\n- no list",
        "> a\nlazy\n> b\n",
        "Heading\nof two lines\n===\n",
        "a\n| x | y |\n|---|---|\n| 1 | 2 |\n",
        "<!-- a\n\nb -->\n",
        "    code\n\n    more code\n",
    ],
)
def test_one_block_of_markdown_is_one_block(text: str) -> None:
    assert [(block.start, block.end) for block in split_blocks(text)] == [(0, len(text))]
    assert [(block.start, block.end) for block in split_blocks("p\n\n" + text)] == [(0, 3), (3, 3 + len(text))]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_offsets_count_code_points_at_every_kind_of_line_end(line_end: str) -> None:
    pieces = [f"é\u2028😀{line_end}{line_end}", f"# \ufffd\t{line_end}", f"{'long ' * 5000}{line_end}{line_end}", "end"]

    blocks = split_blocks("".join(pieces))

    assert [block.end - block.start for block in blocks] == [len(piece) for piece in pieces]


@pytest.mark.parametrize(
    ("half", "whole"),
    [("a\n#", "a\n#b"), ("a\n-", "a\n-b"), ("1. a\n\n2", "1. a\n\n2. b"), ("a\n|x|\n|-", "a\n|x|\n|-y")],
)
def test_half_a_line_finishes_nothing(half: str, whole: str) -> None:
    assert len(split_blocks(half)) == 1
    assert len(split_blocks(whole)) == 1


def test_nothing_has_no_blocks() -> None:
    assert split_blocks("") == []
    assert render("") == ""


def test_a_definition_alone_is_a_block_that_shows_nothing() -> None:
    assert split_blocks("[a]: https://example.org\n") == [Block(0, 25, render(""))]


def test_a_reference_is_found_in_the_whole_text() -> None:
    text = "[a]\n\nb\n\n[a]: https://example.org/x\n"

    assert 'href="https://example.org/x"' in render(text)
    assert 'href="https://example.org/x"' in split_blocks(text)[0].html


def test_code_is_coloured_once_it_is_complete() -> None:
    assert "hl-k" not in split_blocks("```python\nimport os\n")[-1].html
    assert "hl-k" in split_blocks("```python\nimport os\n```\n")[-1].html
    assert "hl-k" in split_blocks("```python\nimport os\n```\n\nNow")[0].html
    assert "hl-k" in split_blocks("- a\n  ```python\n  import os\n  ```\n- more\n")[-1].html
    assert "hl-k" in render("```python\nimport os\n")


def test_threads_do_not_disturb_each_other() -> None:
    text = "~~gone~~ www.example.org\n\n" * 200
    expected = render(text)
    seen: set[str] = set()
    threads = [threading.Thread(target=lambda: seen.update(render(text) for _ in range(20))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == {expected}


@pytest.mark.parametrize("line", ["Next", "**Next", "é", "次", "- x", "2. x", "## ", "> "])
def test_a_line_whose_start_is_telling_finishes_what_stands_above(line: str) -> None:
    assert [block.start for block in split_blocks("```\na\n```\n\nb\n\n" + line)] == [0, 11, 14]
