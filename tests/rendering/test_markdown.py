"""What people see of an answer: GitHub's Markdown, code with its language, tables in frames."""

import gc
import resource

from conversations.rendering import render
from tests.rendering.dom import Dom


def test_common_markdown_is_drawn() -> None:
    dom = Dom(render("# T\n\n*a* **b** ~~c~~ `d`\n\n3. x\n4. y\n\n> q\n\n---\n"))

    assert {"h1", "em", "strong", "del", "code", "ol", "li", "blockquote", "hr"} <= {e.tag for e in dom.elements}
    assert dom.all("ol")[0].attributes == {"start": "3"}
    assert dom.problems == []


def test_a_table_can_be_scrolled_and_keeps_its_alignment() -> None:
    dom = Dom(render("| a | b |\n|:-:|--:|\n| 1<br>2 | `x` |\n"))

    assert [element.tag for element in dom.elements[:2]] == ["div", "table"]
    assert [cell.attributes for cell in dom.all("td")] == [{"align": "center"}, {"align": "right"}]
    assert len(dom.all("br")) == 1


def test_tasks_are_signs_and_no_controls() -> None:
    dom = Dom(render("- [x] done\n- [ ] open\n"))

    assert [item.text for item in dom.all("li")] == ["☑ done", "☐ open"]
    assert dom.all("input") == []


def test_code_keeps_its_text_and_gets_a_place_for_copying() -> None:
    code = "def f(a):\n\n    return \"<b>\" + '&amp;' + a\u00a0# é\n"
    dom = Dom(render(f"```python\n{code}```\n"))

    assert dom.all("code")[0].text == code
    assert dom.all("span")[0].text == "python"
    assert dom.all("button")[0].attributes == {"type": "button", "class": "code-copy", "data-copy": ""}
    assert dom.problems == []


def test_long_code_is_not_coloured() -> None:
    assert "hl-" in render("```python\n" + "# a comment\n" * 3_000 + "```\n")
    assert "hl-" not in render("```python\n" + "# a comment\n" * 4_000 + "```\n")


def test_mathematics_stays_text() -> None:
    assert Dom(render("`\\(a^2\\)` and $a_1 + b_2$")).text.strip() == "\\(a^2\\) and $a_1 + b_2$"


def test_drawing_keeps_no_memory() -> None:
    text = (
        "# T\n\nSome *text* with <b>, `code`, [a link](https://example.org/).\n\n- one\n- two\n\n|a|\n|-|\n|1|\n\n" * 50
    )
    render(text)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(100):
        render(text)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB; cmarkgfm's own functions: 40,000


def test_a_link_into_the_sandbox_leads_to_our_copy_of_the_file_or_nowhere() -> None:
    text = "[the data](sandbox:/mnt/data/count%202.csv) and [another](sandbox:/mnt/data/other.csv)"
    link = '<a href="/attachments/1/" download="">the data</a>'

    assert link in render(text, {"count 2.csv": "/attachments/1/"})
    assert "another</a>" not in render(text, {"count 2.csv": "/attachments/1/"})
    assert "<a" not in render(text)
    assert "<a" not in render("[x](SANDBOX:alert) <sandbox:/mnt/data/a.csv> [y](sandbox:javascript:alert(1))")
