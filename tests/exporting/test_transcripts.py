"""The Markdown export: the path that is shown, which nothing that was said can break."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from cmarkgfm import github_flavored_markdown_to_html

from accounts.models import User
from conversations.exporting.markdown import quoted_as_text
from conversations.models import Feedback
from tests.exporting.said import BEGAN, add_many, answer, branched, exported, make_conversation, say
from tests.factories import make_assistant, make_file


class Outline(HTMLParser):
    """The elements of the first level, with their text."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[tuple[str, str]] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if not self._depth:
            self.parts.append((tag, ""))
        self._depth += 1

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        if not self._depth:
            self.parts.append((tag, ""))

    def handle_endtag(self, tag: str) -> None:
        self._depth -= 1

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.parts[-1] = (self.parts[-1][0], self.parts[-1][1] + data)


def outline(markdown: str) -> list[tuple[str, str]]:
    parser = Outline()
    parser.feed(github_flavored_markdown_to_html(markdown))
    return [(tag, text.strip("\n")) for tag, text in parser.parts]


def test_a_transcript_has_a_head_of_facts_and_the_shown_path(owner: User) -> None:
    conversation = branched(owner)
    text = exported(owner, "md", conversation).decode()
    shown = text.splitlines()
    assert shown[:9] == [
        "# Two ways to say it",
        "",
        f"- Conversation: `{conversation.pk}`",
        "- Owner: Olive Owner",
        "- Assistant: Archivist",
        "- Begun: 2026-03-01 10:00:00 UTC",
        "- Last activity: 2026-03-01 10:00:00 UTC",
        "- State: Open",
        "- Messages: 4 on the path that is shown here; 3 in other versions, which the CSV and JSONL hold",
    ]
    assert [line for line in shown if line.startswith("## ")] == [
        "## 1. Olive Owner, 2026-03-01 10:00:00 UTC",
        "## 2. Archivist, 2026-03-01 10:00:00 UTC (version 2 of 2)",
        "## 3. Olive Owner, 2026-03-01 10:00:00 UTC (version 2 of 2)",
        "## 4. Archivist, 2026-03-01 10:00:00 UTC",
    ]
    assert "> What is on record?\n" in text
    assert "> Everything that was **said**.\n" in text
    assert "Nothing." not in text
    assert "- File: sums\\.csv, 8 bytes, SHA-256 `" in text
    assert "1,234 tokens · $0.0033 · Rated good: It is right" in text
    assert "Cut off · gpt\\-4o\\-2024\\-11\\-20" in text


def test_a_concluded_conversation_says_when_and_by_whom(owner: User) -> None:
    conversation = make_conversation(owner, state="concluded", concluded_at=BEGAN, concluded_by="policy")
    say(conversation, "Hello")
    text = exported(owner, "md", conversation).decode()
    assert "- State: Concluded, 2026-03-01 10:00:00 UTC by the policy on idle conversations\n" in text


BREAKERS = {
    "heading": "# A heading\n\n## 7. Somebody else, 2026-01-01\n\n> words in their mouth",
    "underlined heading": "Title\n=====\n\nOther\n---",
    "open fence": "```python\nprint(1)",
    "open fence of many": "Before\n~~~~~~~~\nnever closed",
    "fences inside": "```\n````\n`````\n``````",
    "rule": "---\n***\n___",
    "open comment": "<!-- and all that follows",
    "open script": "<script>\nalert(1)",
    "open element": "<div><table><tr><td>",
    "front matter": "---\ntitle: x\n---",
    "list": "- one\n  - two\n1. three\n100) four",
    "table": "| a | b |\n| - | - |\n| 1 | 2 |",
    "references": "[a]: http://evil.example\n\n[a] ![b](http://evil.example/b.png) <http://evil.example>",
    "lone return": "one\r# two\r\r## three",
    "indented": "    code\n\n\tcode",
    "blank lines": "\n\n\n\nafter\n\n\n",
    "quotation": "> > > deep\nlazy",
    "backslash": "ends with \\",
    "other breaks": "a\u2028# b\u2029# c\x0b# d\x0c# e\x85# f",
    "entities": "&lt;b&gt; &amp; &#35;",
}


@pytest.mark.parametrize("name", BREAKERS)
@pytest.mark.parametrize("role", ["user", "assistant"])
def test_f7_nothing_that_was_said_leaves_its_quotation(owner: User, name: str, role: str) -> None:
    conversation = make_conversation(owner)
    said = BREAKERS[name]
    prompt = say(conversation, said if role == "user" else "Plain")
    say(conversation, "Plain" if role == "user" else said, parent=prompt, role="assistant")
    say(conversation, "After", parent=conversation.current_leaf)
    parts = outline(exported(owner, "md", conversation).decode())
    assert [tag for tag, _ in parts] == ["h1", "ul", "p", "h2", "blockquote", "h2", "blockquote", "h2", "blockquote"]
    assert parts[-1] == ("blockquote", "After")
    assert parts[-2][1] == "3. Olive Owner, 2026-03-01 10:00:00 UTC"


@pytest.mark.parametrize("name", BREAKERS)
def test_a_prompt_reads_as_it_was_typed(name: str) -> None:
    ((tag, text),) = outline(quoted_as_text(BREAKERS[name]))
    typed = BREAKERS[name].replace("\r\n", "\n").replace("\r", "\n")
    assert (tag, text.strip("\n")) == ("blockquote", typed.strip("\n"))


def test_plain_words_stand_as_words_with_their_lines(owner: User) -> None:
    assert quoted_as_text("One, two: three?\nFour (five) 6.\n\nSeven") == (
        "> One, two: three?  \n> Four (five) 6.  \n>\n> Seven\n"
    )
    assert quoted_as_text("use *this*") == "> ```text\n> use *this*\n> ```\n"


@pytest.mark.parametrize(
    "name",
    [
        "# Heading",
        "http://evil.example and www.evil.example",
        "a@evil.example",
        "</title><script>",
        "a\nb",
        "[x](http://evil.example)",
        "`code`",
        "![](x)",
        "_so_",
        "1. One",
    ],
)
def test_names_of_all_kinds_stay_what_they_are(owner: User, name: str) -> None:
    conversation = make_conversation(owner, title=name, assistant=make_assistant(name=name))
    prompt = say(conversation, "Plain")
    make_file(owner, message=prompt, name=name)
    said = answer(prompt, "Plain", status="failed", error_text=name, call={"model_answered": name})
    Feedback.objects.create(message=said, user=owner, rating="down", reason=name)
    parts = outline(exported(owner, "md", conversation).decode())
    plain = " ".join(name.split())
    assert [tag for tag, _ in parts] == ["h1", "ul", "p", "h2", "blockquote", "ul", "h2", "blockquote", "p"]
    assert parts[0] == ("h1", plain)
    assert parts[5][1].startswith(f"File: {plain}, 70 bytes")
    assert parts[8][1].startswith(f"Failed: {plain} · {plain} · 1,234 tokens")
    assert parts[8][1].endswith(f"Rated bad: {plain}")


def test_all_transcripts_follow_one_another(owner: User) -> None:
    for title in ("First", "Second"):
        say(make_conversation(owner, title), "```never closed")
    assert [text for tag, text in outline(exported(owner, "md").decode()) if tag == "h1"] == ["First", "Second"]


def test_a_long_path_is_numbered_to_its_end(owner: User) -> None:
    conversation = make_conversation(owner)
    add_many(conversation, 1000)
    text = exported(owner, "md", conversation).decode()
    assert text.count("\n## ") == 1000
    assert "\n## 1000. Olive Owner, " in text
