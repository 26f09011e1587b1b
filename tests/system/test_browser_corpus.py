"""The hostile corpus in Chromium: no script runs, nothing is asked of anybody, htmx does nothing (rows X1 to X14)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, expect

from conversations.ids import uuid7
from conversations.text import clean_text
from tests.fakes.process import FakeOpenAI
from tests.rendering import corpus
from tests.system.browser import ANSWER, Visitor
from tests.system.site import Site

ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
HOSTILE = [clean_text(text) for text in corpus.HOSTILE]
NAME = "<img src=x onerror=alert(1)><b hx-get=/accounts/logout/ hx-trigger=load>"
# Runs in every frame before anything else: whoever calls one of these is a script of a text's.
TRAP = """window.pwned = [];
for (const name of ["alert", "confirm", "prompt", "msgbox"]) window[name] = (...said) => pwned.push([name, ...said]);"""
# What an attacker would have brought into the places where texts are shown. The icons are ours and Django's.
FOREIGN = """() => [...document.querySelectorAll(
  ".thread, .topbar, .rail, .start, .transcript, #result_list, #content h1, .breadcrumbs"
)].flatMap((place) => [...place.querySelectorAll(`
  img:not([src^="/static/admin/img/icon-"]), picture, video, audio, source, iframe, frame, object, embed, base, math,
  template, meta, link, style, script, svg:not(.icon, .mark), [style], [srcdoc], [background], [onclick], [onload],
  [onerror], [ontoggle], [hx-trigger=load], a[href*="script:" i], a[href^="data:" i], a[href^="//"], form[action*="//"],
  .prompt :not(br, span), .blocks :is(form, input, textarea, select, button:not(.code-copy), hx-partial, [id], [hx-get],
  [hx-post], [hx-vals])
`)]).map((element) => element.outerHTML.slice(0, 200))"""
# Everything that a text drew is pointed at and clicked, but for what is a link or a button.
TOUCH = """() => {
  for (const element of document.querySelectorAll(".blocks *, .prompt, .prompt *, h1, .topbar-facts *, td, dd")) {
    if (element.closest("a, button, summary")) continue;
    for (const kind of ["mouseover", "click", "toggle", "load", "error"])
      element.dispatchEvent(new MouseEvent(kind, { bubbles: true, cancelable: true }));
  }
}"""


SEEN = r"POST /conversations/[0-9a-f-]{36}/seen/"  # a page tells that its end was shown
RAIL = r"GET /conversations/rail/\?open=[0-9a-f-]{36}&count=\d+"  # what has changed elsewhere


@dataclass
class Watch:
    """A page, and everything that it did which a text must not make it do."""

    page: Page
    visitor: Visitor
    dialogs: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("dialog", self._hear)
        self.page.on("request", self._see)
        self.page.on("popup", lambda page: self.asked.append(f"popup {page.url}"))

    def _hear(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _see(self, request: Request) -> None:
        self.asked.append(f"{request.method} {request.url.removeprefix(self.visitor.site.url)}")

    def check(self, *expected: str) -> None:
        """Touch what is drawn. Nothing may have happened since but requests that match `expected`, and our files'."""
        self.page.evaluate(TOUCH)
        self.page.wait_for_timeout(100)
        ours = [re.compile(pattern) for pattern in ("GET /static/.+", "GET /admin/jsi18n/", SEEN, RAIL, *expected)]
        assert [request for request in self.asked if not any(known.fullmatch(request) for known in ours)] == []
        assert self.visitor.requests_elsewhere == []
        assert self.visitor.complaints == []
        assert self.dialogs == []
        assert [frame.evaluate("pwned") for frame in self.page.frames] == [[]]
        assert self.page.evaluate(FOREIGN) == []
        self.asked.clear()

    def check_page(self, path: str) -> None:
        """Go to a page, look at it as `check` does, and once more after a reload."""
        self.page.goto(path)
        self.check(re.escape(f"GET {path}"))
        self.page.reload()
        self.check(re.escape(f"GET {path}"))


@pytest.fixture
def hostile(site: Site) -> Iterator[str]:
    """The slug of an assistant whose every word is hostile; afterwards nobody can choose it."""
    site.sql(
        "INSERT INTO conversations_assistant"
        " (slug, name, description, instructions, parameters, tools, suggested_prompts, is_enabled, position)"
        " VALUES ('hostile', %s, %s, '', '{}', '[]', to_jsonb(%s::text[]), true, 9)"
        " ON CONFLICT (slug) DO UPDATE SET is_enabled = true",
        NAME,
        NAME * 3,
        HOSTILE[:4],
    )
    yield "hostile"
    site.sql("UPDATE conversations_assistant SET is_enabled = false WHERE slug = 'hostile'")


def watch(browser: Browser, site: Site, name: str) -> Watch:
    """Return an empty page of somebody who is signed in, with the trap laid."""
    visitor = Visitor(browser, site, name)
    visitor.context.add_init_script(TRAP)
    return Watch(visitor.open("/accounts/logout/"), visitor)


def watch_reviewer(browser: Browser, site: Site) -> Watch:
    """The same for an administrator who has said why they read."""
    reviewer = watch(browser, site, "admin")
    reviewer.page.goto("/admin/reason/?next=/admin/")
    reviewer.page.get_by_label("Reason").fill(NAME)
    reviewer.page.get_by_role("button", name="Go on").click()
    reviewer.page.wait_for_url("**/admin/")
    reviewer.asked.clear()
    return reviewer


def add_turns(site: Site, conversation: str) -> None:
    """Add a turn for each text: a person says it, and the model answers, or an answer fails, in the same words."""
    ((leaf, owner),) = site.sql(
        "SELECT current_leaf_id, owner_id FROM conversations_conversation WHERE id = %s", conversation
    )
    ids = [uuid7() for _ in range(2 * len(HOSTILE))]
    answered = ["completed" if number % 2 else "failed" for number in range(len(HOSTILE))]
    site.sql(
        "INSERT INTO conversations_message (conversation_id, owner_id, activity, attempt, error_code, created_at,"
        " id, parent_id, role, status, text, error_text)"
        " SELECT %s, %s, '', 1, '', now(), * FROM unnest"
        "(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[])",
        conversation,
        owner,
        ids,
        [leaf, *ids[:-1]],
        ["user", "assistant"] * len(HOSTILE),
        [status for answer in answered for status in ("completed", answer)],
        [text for text in HOSTILE for _ in range(2)],
        [shown for text in HOSTILE for shown in ("", text[:500])],
    )
    site.sql("UPDATE conversations_conversation SET current_leaf_id = %s WHERE id = %s", ids[-1], conversation)


def test_x5_an_answer_that_streams_in_pieces_is_never_unsafe(
    browser: Browser, site: Site, openai: FakeOpenAI, hostile: str
) -> None:
    text = "\n\n".join(HOSTILE)
    pieces = [text[at : at + 7] for at in range(0, len(text), 7)]
    openai.script([{"match": "corpus", "texts": pieces, "delay_ms": 1}, {"match": "corpus", "text": NAME}])
    watched = watch(browser, site, "streamed")
    page = watched.page
    page.goto(f"/conversations/?assistant={hostile}")
    watched.check(rf"GET /conversations/\?assistant={hostile}")

    page.get_by_label("Message").fill("corpus\n\n" + text)
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(f"/conversations/{ID}/"))
    expect(page.locator(ANSWER)).to_have_attribute("data-status", "completed", timeout=30_000)
    expect(page.locator("#conversation-title-text")).to_have_text(NAME, timeout=15_000)
    answer = (page.locator(ANSWER).get_attribute("id") or "").removeprefix("message-")
    here = page.url.removeprefix(site.url).partition("#")[0]
    assert site.message(answer)["text"] == text
    watched.check(
        "POST /conversations/",
        rf"GET {here}(#latest|heading/\?tries=\d)?",
        rf"GET /messages/{answer}/(stream/\?after=\d+)?",  # as a whole where the stream is slow to come
    )
    watched.check_page(here)
    watched.visitor.context.close()


def test_x1_to_x12_each_text_as_prompt_answer_and_error_does_nothing(browser: Browser, site: Site) -> None:
    conversation, answer = site.sign_in("victim").begin("hello")
    site.wait_until_ended(answer)
    add_turns(site, conversation)
    owner = watch(browser, site, "victim")
    owner.check_page(f"/conversations/{conversation}/?show=999")
    assert owner.page.locator(ANSWER).count() == len(HOSTILE) + 1
    owner.visitor.context.close()
    reviewer = watch_reviewer(browser, site)
    shown = 0
    for number in (1, 2):
        reviewer.check_page(f"/admin/conversations/conversation/{conversation}/change/?page={number}")
        shown += reviewer.page.locator(ANSWER).count()
    assert shown == len(HOSTILE) + 1
    reviewer.visitor.context.close()


def test_x1_titles_and_names_do_nothing(browser: Browser, site: Site, hostile: str) -> None:
    person = site.sign_in("named")
    conversation, answer = person.begin("hello", hostile)
    site.wait_until_ended(answer)
    site.sql("UPDATE accounts_user SET first_name = %s, last_name = %s WHERE username = 'named'", NAME, NAME)
    site.sql(
        "INSERT INTO conversations_conversation"
        " (id, owner_id, assistant_id, title, is_title_provisional, state, concluded_by, created_at, last_activity_at)"
        " SELECT made.id, owner_id, assistant_id, made.title, false, 'open', '', now(), now()"
        " FROM conversations_conversation AS of, unnest(%s::uuid[], %s::text[]) AS made (id, title) WHERE of.id = %s",
        [uuid7() for _ in HOSTILE],
        [text[:200] for text in HOSTILE],
        conversation,
    )
    watched = watch(browser, site, "named")
    watched.check_page("/conversations/")
    older = watched.page.get_by_role("link", name="Older conversations").get_attribute("href") or ""
    watched.check_page(older)
    here = f"/conversations/{conversation}/"
    watched.page.goto(here)
    for title in [text for text in HOSTILE if "\n" not in text][::15]:
        watched.page.locator(".title summary").click()
        watched.page.locator("#new-title").fill(title)
        watched.page.keyboard.press("Enter")
        expect(watched.page.locator("h1")).to_have_text(title.strip())
        assert watched.page.title() == f"{' '.join(title.split())} · Verbatim"
    watched.check(rf"GET {here}(heading/\?tries=\d)?", f"POST {here}rename/")
    watched.check_page(here)
    watched.visitor.context.close()
    reviewer = watch_reviewer(browser, site)
    for path in (
        f"/admin/conversations/conversation/{conversation}/change/",
        "/admin/conversations/conversation/",
        "/admin/conversations/conversation/?p=2",
        "/admin/accounts/user/",
    ):
        reviewer.check_page(path)
    reviewer.visitor.context.close()
