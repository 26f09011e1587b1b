"""What a model or a person wrote is drawn and never obeyed: rows X1 to X12 of the corpus, on the parsed markup."""

import time

import pytest

from conversations.rendering import render, render_prompt, split_blocks
from tests.rendering import corpus
from tests.rendering.dom import Dom


def drawn(text: str) -> Dom:
    """Every way in which `text` is drawn, checked; the page load's is returned."""
    dom = Dom(render(text))
    for markup in [block.html for block in split_blocks(text)] + [render_prompt(text)]:
        dom.problems += Dom(markup).problems
    return dom


@pytest.mark.parametrize("text", corpus.HOSTILE)
def test_x1_to_x12_only_our_own_elements_and_attributes_are_drawn(text: str) -> None:
    assert drawn(text).problems == []


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a <b onclick=x>b</b>", "<svg onload=alert(1)>"])
def test_x1_raw_html_is_seen_as_it_was_written(text: str) -> None:
    assert drawn(text).text.strip() == text


@pytest.mark.parametrize("text", corpus.X2_ADDRESSES)
def test_x2_addresses_of_other_kinds_are_no_links(text: str) -> None:
    assert drawn(text).all("a") == []


@pytest.mark.parametrize("text", corpus.X3_IMAGES)
def test_x3_images_are_text(text: str) -> None:
    dom = drawn(text)

    assert not {"img", "image", "picture", "source"} & {element.tag for element in dom.elements}
    assert not any({"src", "srcset", "style", "background"} & set(element.attributes) for element in dom.elements)


def test_x3_an_image_leaves_its_description_and_its_host() -> None:
    assert drawn('![A *chart*](https://evil.example/p.gif?q=1 "t")').text.strip() == (
        "A chart [image not shown: evil.example]"
    )


@pytest.mark.parametrize("text", corpus.X4_HTMX)
def test_x4_no_attribute_for_htmx_survives(text: str) -> None:
    names = {name for element in drawn(text).elements for name in element.attributes}

    assert not any("hx-" in name or name.startswith("on") for name in names)


@pytest.mark.parametrize("text", corpus.HOSTILE)
def test_x5_no_state_of_a_growing_text_is_unsafe(text: str) -> None:
    for end in range(len(text)):
        for block in split_blocks(text[:end]):
            assert Dom(block.html).problems == [], text[:end]


@pytest.mark.parametrize("text", corpus.X7_CODE)
def test_x7_code_is_text_whatever_its_fence_says(text: str) -> None:
    dom = drawn(text)

    assert dom.problems == []
    assert not {"img", "svg", "script", "math"} & {element.tag for element in dom.elements}


def test_x7_the_language_is_a_label_only_where_it_is_a_word() -> None:
    assert Dom(render('```"><img\nx\n```')).all("span")[0].text == ""
    assert Dom(render("```mermaid\nx\n```")).all("span")[0].text == "mermaid"
    assert Dom(render("```mermaid\nx\n```")).all("code")[0].attributes == {}
    assert Dom(render("```Python\nx\n```")).all("code")[0].attributes == {"class": "language-python"}


@pytest.mark.parametrize("name", corpus.X9_SLOW)
def test_x9_a_text_made_to_be_slow_is_drawn_or_shown_plain(name: str) -> None:
    text = corpus.X9_SLOW[name]
    started = time.process_time()
    markup = render(text)
    blocks = split_blocks(text)

    assert Dom(markup).problems == []
    assert blocks[-1].end == len(text)
    # A net with wide meshes, no measurement: each takes about 0.1 s, and what is quadratic takes minutes.
    assert time.process_time() - started < 10


@pytest.mark.parametrize("name", ["quotes", "lists in lists in one line", "a wide table", "too much"])
def test_x9_beyond_the_limits_the_text_is_shown_as_it_stands(name: str) -> None:
    dom = Dom(render(corpus.X9_SLOW[name]))

    assert [element.attributes.get("class") for element in dom.elements] == ["plain"]
    assert dom.text == corpus.X9_SLOW[name]


@pytest.mark.parametrize("rule", ["- " * 60, "* " * 60, "-" * 200, "|" + "---|" * 12, "=" * 200, "> > > a"])
def test_rules_and_shallow_quotes_are_within_the_limits(rule: str) -> None:
    assert 'class="plain"' not in render(f"a\n\n{rule}\n\nb")


@pytest.mark.parametrize(
    ("text", "href", "host"),
    [
        ("[Open](https://evil.example/?q=1)", "https://evil.example/?q=1", "(evil.example)"),
        ("[https://good.example/](https://evil.example/)", "https://evil.example/", "(evil.example)"),
        ("[good.example](https://good.example@evil.example/)", "https://evil.example/", "(evil.example)"),
        ("[good.example.evil](https://good.example/)", "https://good.example/", "(good.example)"),
        ("[gооd.example](https://gооd.example/)", "https://xn--gd-fmca.example/", "(xn--gd-fmca.example)"),
        ("[mail](mailto:a@example.org)", "mailto:a@example.org", "(a@example.org)"),
        ("[x](http://example.org:8000/a)", "http://example.org:8000/a", "(example.org)"),
    ],
)
def test_x12_a_link_says_where_it_goes(text: str, href: str, host: str) -> None:
    dom = drawn(text)

    assert [link.attributes["href"] for link in dom.all("a")] == [href]
    assert [span.text for span in dom.all("span")] == [host]


@pytest.mark.parametrize(
    "text", ["https://example.org/a", "www.example.org", "[example.org](https://example.org/a)", "a@example.org"]
)
def test_a_link_that_already_says_where_it_goes_says_it_once(text: str) -> None:
    dom = drawn(text)

    assert len(dom.all("a")) == 1
    assert dom.all("span") == []


@pytest.mark.parametrize("text", ["a\u202eb", "a&#x202e;b", "`a\u202eb`", "```\na\u202eb\n```", "> a\u202eb"])
def test_u21_override_characters_are_seen(text: str) -> None:
    dom = drawn(text)

    assert "a[U+202E]b" in dom.text
    assert "\u202e" not in dom.text


def test_u21_terminal_escapes_and_controls_are_seen() -> None:
    assert drawn("a\x1b[31mb\x00c\x85d &#27;[0m").text.strip() == "a␛[31mb\ufffdc\ufffdd ␛[0m"
    assert Dom(render_prompt("a\x1b[31m\u2066b")).text == "a␛[31m[U+2066]b"


def test_a_prompt_is_shown_as_it_was_typed() -> None:
    assert render_prompt("# a\r\n<b> & *c* https://example.org\n\n d") == (
        "# a<br>&lt;b&gt; &amp; *c* https://example.org<br><br> d"
    )


@pytest.mark.parametrize("code", [" " * 8_000, "\n " * 4_000, "\t" * 8_000, "1" * 8_000, '"' * 8_000])
@pytest.mark.parametrize("language", ["c++", "objective-c", "ini", "ocaml", "console"])
def test_x9_code_made_to_slow_its_lexer_is_not_coloured(language: str, code: str) -> None:
    assert "hl-" not in render(f"```{language}\nx{code}x\n```\n")
