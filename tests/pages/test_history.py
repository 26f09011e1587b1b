"""The rail: what stands in it, how it goes on, and what owners do to it."""

from __future__ import annotations

import datetime
import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from conversations.history import read_rail
from conversations.history.cursors import Cursor
from conversations.models import Assistant, Conversation, Message
from tests.factories import make_user
from tests.pages.record import HTMX, text_of

LIST, RAIL = "/conversations/", "/conversations/rail/"
HOUR = datetime.timedelta(hours=1)
MARKUP = "<b>Bold</b> & \"quoted\" 'title' {{ 7|add:7 }}"


def add(owner: User, assistant: Assistant, count: int, *, hours: int = 0, **fields: Any) -> list[Conversation]:
    """Conversations, newest first, an hour between them."""
    now = timezone.now() - hours * HOUR
    return Conversation.objects.bulk_create(
        Conversation(
            owner=owner,
            assistant=assistant,
            **{"title": f"Number {number} ", "last_activity_at": now - number * HOUR} | fields,
        )
        for number in range(count)
    )


def ended(conversation: Conversation, *, ago: datetime.timedelta, **fields: Any) -> None:
    """Let the conversation end with an answer that ended some time ago."""
    said = Message.objects.create(conversation=conversation, owner=conversation.owner, role="user", status="completed")
    fields = {"status": "completed", "text": "So.", "finished_at": timezone.now() - ago} | fields
    conversation.current_leaf = Message.objects.create(
        conversation=conversation, owner=conversation.owner, role="assistant", parent=said, **fields
    )
    conversation.save()


def titles(html: str) -> list[str]:
    return re.findall(r'<span class="rail-title" id="rail-[0-9a-f-]{36}">(.*?) ?</span>', html)


def shown(response: Any) -> list[str]:
    return titles(response.content.decode())


def numbers(*span: int) -> list[str]:
    return [f"Number {number}" for number in range(*span)]


def queries(page: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert page.get(address).status_code == 200
    return len(captured)


# -- what stands in it ---------------------------------------------------------------------------------------------


def test_pinned_ones_stand_on_top_and_nowhere_else(page: Client, owner: User, assistant: Assistant) -> None:
    rows = add(owner, assistant, 4)
    for minutes, row in ((5, rows[3]), (1, rows[1])):
        Conversation.objects.filter(pk=row.pk).update(pinned_at=timezone.now() - datetime.timedelta(minutes=minutes))
    response = page.get(LIST)
    assert shown(response) == ["Number 1", "Number 3", "Number 0", "Number 2"]
    assert "Pinned Number 1 Number 3" in text_of(response)


def test_days_are_named_as_people_name_them(page: Client, owner: User, assistant: Assistant) -> None:
    today = timezone.localdate()
    for days in (0, 1, 3, 40, 800):
        at = timezone.now() - datetime.timedelta(days=days)
        Conversation.objects.create(owner=owner, assistant=assistant, title=f"{days} days ago", last_activity_at=at)
    words = text_of(page.get(LIST))
    before = {days: today - datetime.timedelta(days=days) for days in (3, 40, 800)}
    month = f"{before[40]:%B}" if before[40].year == today.year else f"{before[40]:%B %Y}"
    for expected in (
        "Today 0 days ago Yesterday 1 days ago",
        f"{before[3]:%A} 3 days ago",
        f"{month} 40 days ago",
        f"{before[800]:%B %Y} 800 days ago",
    ):
        assert expected in words


def test_an_answer_that_ended_since_its_owner_looked_is_marked(page: Client, owner: User, assistant: Assistant) -> None:
    never_seen, seen, unseen, ran = add(owner, assistant, 4)
    now = timezone.now()
    for row, seen_at in ((never_seen, None), (seen, now), (unseen, now - 2 * HOUR), (ran, now - 2 * HOUR)):
        row.seen_at = seen_at
        ended(row, ago=HOUR)
    Message.objects.filter(conversation=ran, role="assistant").update(status="streaming", finished_at=None)
    marks = {entry.title: entry.mark for day in page.get(LIST).context["history"].days for entry in day.entries}
    assert list(marks.values()) == ["", "", "unread", "running"]

    words = text_of(page.get(LIST))
    assert words.count("there is a new answer") == 1
    assert words.count("an answer is being written") == 1


def test_the_conversation_that_is_looked_at_is_not_unread(page: Client, owner: User, assistant: Assistant) -> None:
    (row,) = add(owner, assistant, 1, seen_at=timezone.now() - 2 * HOUR)
    ended(row, ago=HOUR)
    for address in (f"{LIST}{row.pk}/", f"{RAIL}?open={row.pk}"):
        words = text_of(page.get(address))
        assert "Number 0" in words
        assert "there is a new answer" not in words
        assert 'aria-current="page"><span class="rail-title"' in page.get(address).content.decode()


def test_markup_in_a_title_is_only_text(page: Client, owner: User, assistant: Assistant) -> None:
    (row,) = add(owner, assistant, 1, title=MARKUP, pinned_at=timezone.now())
    for address in (LIST, RAIL, f"{LIST}{row.pk}/", f"{LIST}{row.pk}/hide/"):
        html = page.get(address).content.decode()
        assert "<b>Bold" not in html
        assert "&lt;b&gt;Bold&lt;/b&gt; &amp; &quot;quoted&quot;" in html


# -- what it costs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [LIST, RAIL], ids=["page", "fragment"])
def test_the_rail_takes_one_query_for_20_rows_as_for_10(
    page: Client, owner: User, assistant: Assistant, address: str
) -> None:
    def add_ten() -> None:
        for row in add(owner, assistant, 10, seen_at=timezone.now() - 2 * HOUR):
            ended(row, ago=HOUR)
        Conversation.objects.filter(pk__in=[row.pk for row in add(owner, assistant, 3)]).update(
            pinned_at=timezone.now()
        )

    add_ten()
    before = queries(page, address)
    add_ten()
    assert queries(page, address) == before
    with CaptureQueriesContext(connection) as captured:
        assert len(read_rail(owner).pinned) == 6
    assert len(captured) == 1


# -- how it goes on ------------------------------------------------------------------------------------------------


def walk(page: Client, html: str) -> list[str]:
    """Unroll the rail as htmx does; return the titles of each piece."""
    pieces = []
    while found := re.search(r'hx-get="(.+?)"', html[html.index("rail-") :]):
        html = page.get(found[1].replace("&amp;", "&"), headers=HTMX).content.decode()
        pieces.append(titles(html))
        if "That is where it began" in html:
            break
    return [title for piece in pieces for title in piece]


def test_the_rail_unrolls_to_the_very_beginning_each_line_once(page: Client, owner: User, assistant: Assistant) -> None:
    add(owner, assistant, 135)
    first = page.get(LIST)
    assert shown(first) == numbers(50)
    assert walk(page, first.content.decode()) == numbers(50, 135)


def test_rows_of_the_same_moment_are_neither_lost_nor_doubled(page: Client, owner: User, assistant: Assistant) -> None:
    add(owner, assistant, 120, last_activity_at=timezone.now())
    first = page.get(LIST)
    met = shown(first) + walk(page, first.content.decode())
    assert sorted(met) == sorted(numbers(120))


def test_what_goes_on_in_a_day_is_added_to_that_day(page: Client, owner: User, assistant: Assistant) -> None:
    rows = add(owner, assistant, 60, last_activity_at=timezone.now())
    rail = read_rail(owner)
    today = f"{timezone.localdate()}"
    html = page.get(RAIL, {"before": rail.older, "day": today}).content.decode()
    assert f'<hx-partial hx-target="#rail-day-{today}" hx-swap="beforeend">' in html
    assert "<h2>" not in html
    assert len(titles(html)) == len(rows) - 50
    for other in ("", "2001-01", MARKUP):
        html = page.get(RAIL, {"before": rail.older, "day": other}).content.decode()
        assert "<h2>Today</h2>" in html
        assert "<hx-partial" not in html


def test_what_is_said_meanwhile_shifts_nothing(page: Client, owner: User, assistant: Assistant) -> None:
    rows = add(owner, assistant, 70)
    first = page.get(LIST).content.decode()
    Conversation.objects.filter(pk=rows[49].pk).update(last_activity_at=timezone.now() + HOUR)
    add(owner, assistant, 5, title="New", hours=-2)
    assert walk(page, first) == numbers(50, 70)


def test_c10_older_conversations_are_a_page_away_without_scripts(
    page: Client, owner: User, assistant: Assistant
) -> None:
    add(owner, assistant, 60)
    first = page.get(LIST)
    address = re.search(r'<a href="(/conversations/\?before=.+?)"', first.content.decode())
    assert address
    second = page.get(address[1])
    assert shown(second) == numbers(50, 60)
    assert "Back to the newest" in text_of(second)
    assert "data-news" not in second.content.decode()


@pytest.mark.parametrize(
    ("count", "lines"), [("", 50), ("50", 50), ("70", 70), ("3", 50), ("-1", 50), ("9" * 30, 50), ("²", 50), ("x", 50)]
)
def test_the_rail_is_drawn_anew_as_far_as_it_was_unrolled(
    page: Client, owner: User, assistant: Assistant, count: str, lines: int
) -> None:
    add(owner, assistant, 90)
    assert len(shown(page.get(RAIL, {"count": count}))) == lines


def test_the_rail_is_drawn_anew_up_to_500_lines(page: Client, owner: User, assistant: Assistant) -> None:
    add(owner, assistant, 510)
    assert len(shown(page.get(RAIL, {"count": "99999"}))) == 500


def cursors(owner: User, other: User, row: Conversation) -> dict[str, str]:
    good = Cursor(row.last_activity_at, row.pk).write(owner, "rail")
    return {
        "nonsense": "nonsense",
        "an id": str(row.pk),
        "cut": good[:-1],
        "one letter changed": good.replace(good[3], "0" if good[3] != "0" else "1", 1),
        "another time": "0" + good[1:] if good[0] != "0" else "1" + good[1:],
        "of another list": Cursor(row.last_activity_at, row.pk).write(owner, "hidden_at"),
        "of another person": Cursor(row.last_activity_at, row.pk).write(other, "rail"),
        "very long": "a" * 3_000,
        "not ASCII": "½☃\u202e",
        "SQL": "' OR 1=1 --",
        "a null": "\x00",
    }


@pytest.mark.parametrize("address", [LIST, RAIL], ids=["page", "fragment"])
def test_a_cursor_that_was_tampered_with_is_refused(
    page: Client, conversation: Conversation, owner: User, address: str
) -> None:
    for kind, cursor in cursors(owner, make_user(), conversation).items():
        response = page.get(address, {"before": cursor})
        assert response.status_code == 400, kind
        assert "could not be read" in text_of(response), kind
        assert conversation.title not in text_of(response), kind


def test_a_cursor_at_the_end_of_time_is_no_fault(page: Client, owner: User, conversation: Conversation) -> None:
    for year in (1970, 2026, 9999):
        at = datetime.datetime(year, 12, 31, 23, 59, 59, 999999, tzinfo=datetime.UTC)
        assert page.get(RAIL, {"before": Cursor(at, uuid4()).write(owner, "rail")}).status_code == 200


def test_a7_nobody_meets_the_rows_of_others(stranger: Client, conversation: Conversation) -> None:
    for address in (LIST, RAIL, f"{RAIL}?count=500", f"{RAIL}?open={conversation.pk}", "/conversations/find/"):
        response = stranger.get(address)
        assert shown(response) == []
        assert f"{conversation.pk}/" not in response.content.decode()


@pytest.mark.parametrize("is_open", ["", "nonsense", "00000000-0000-0000-0000-00000000000g", "²" * 32])
def test_nonsense_about_the_open_conversation_marks_nothing(
    page: Client, conversation: Conversation, is_open: str
) -> None:
    html = page.get(RAIL, {"open": is_open}).content.decode()
    assert conversation.title in html
    assert "aria-current" not in html


# -- pin, delete, restore ------------------------------------------------------------------------------------------


def test_a_form_pins_and_leads_back(page: Client, conversation: Conversation) -> None:
    for pinned, is_pinned in (("yes", True), ("yes", True), ("no", False), ("no", False)):
        response = page.post(f"{LIST}{conversation.pk}/pin/", {"pinned": pinned})
        assert (response.status_code, response.headers["Location"]) == (303, f"{LIST}{conversation.pk}/")
        assert (Conversation.objects.get().pinned_at is not None) == is_pinned


def test_htmx_gets_the_other_button_and_has_the_rail_drawn_anew(page: Client, conversation: Conversation) -> None:
    response = page.post(f"{LIST}{conversation.pk}/pin/", {"pinned": "yes"}, headers=HTMX)
    assert response.status_code == 200
    assert response.headers["HX-Trigger"] == "history:changed"
    assert "Unpin" in text_of(response)
    assert 'name="pinned" value="no"' in " ".join(response.content.decode().split())


def test_a_pin_too_many_is_refused_with_the_reason(
    page: Client, owner: User, assistant: Assistant, conversation: Conversation
) -> None:
    add(owner, assistant, 50, pinned_at=timezone.now())
    address = f"{LIST}{conversation.pk}/pin/"
    fragment = page.post(address, {"pinned": "yes"}, headers=HTMX)
    assert fragment.status_code == 409
    assert "You have pinned 50 conversations" in text_of(fragment)
    assert page.post(address, {"pinned": "yes"}).status_code == 303
    assert "You have pinned 50 conversations" in text_of(page.get(f"{LIST}{conversation.pk}/"))
    assert Conversation.objects.get(pk=conversation.pk).pinned_at is None


def test_deleting_asks_first_and_says_that_it_can_be_undone(page: Client, conversation: Conversation) -> None:
    menu = page.get(f"{LIST}{conversation.pk}/").content.decode()
    assert f'href="/conversations/{conversation.pk}/hide/"' in menu
    question = page.get(f"{LIST}{conversation.pk}/hide/")
    assert "For 30 days you can restore it" in text_of(question)
    assert Conversation.objects.get().hidden_at is None

    done = page.post(f"{LIST}{conversation.pk}/hide/", follow=True)
    assert done.redirect_chain == [(LIST, 303)]
    assert "You can restore it for 30 days" in text_of(done)
    assert conversation.title not in shown(done)
    assert page.get(f"{LIST}{conversation.pk}/").status_code == 404


def test_c4_a_double_click_deletes_and_restores_once(page: Client, conversation: Conversation) -> None:
    for verb in ("hide", "hide", "restore", "restore"):
        assert page.post(f"{LIST}{conversation.pk}/{verb}/").status_code == 303
    assert Conversation.objects.get().hidden_at is None


def test_deleting_stops_the_answer_that_is_being_written(page: Client, running: Message) -> None:
    assert page.post(f"{LIST}{running.conversation_id}/hide/").status_code == 303
    assert Message.objects.get(pk=running.pk).status == "stopped"


def test_what_was_deleted_is_listed_and_can_be_had_back(page: Client, conversation: Conversation) -> None:
    page.post(f"{LIST}{conversation.pk}/hide/")
    listed = page.get("/conversations/deleted/")
    assert conversation.title in text_of(listed)
    assert f'action="/conversations/{conversation.pk}/restore/"' in listed.content.decode()

    back = page.post(f"{LIST}{conversation.pk}/restore/", follow=True)
    assert back.redirect_chain == [(f"{LIST}{conversation.pk}/", 303)]
    assert "The conversation is restored" in text_of(back)
    assert conversation.title not in text_of(page.get("/conversations/deleted/")).split("Deleted", 3)[-1]


def test_after_30_days_it_is_listed_no_longer_and_the_record_keeps_it(page: Client, conversation: Conversation) -> None:
    Conversation.objects.update(hidden_at=timezone.now() - datetime.timedelta(days=30, minutes=1))
    assert conversation.title not in text_of(page.get("/conversations/deleted/"))
    for verb in ("restore", "hide"):
        assert page.post(f"{LIST}{conversation.pk}/{verb}/").status_code == 404
    assert Conversation.objects.get().hidden_at is not None
    assert Message.objects.count() == 2


def test_deleted_ones_are_paged_by_cursor_in_as_many_queries(page: Client, owner: User, assistant: Assistant) -> None:
    now = timezone.now()
    for number in range(60):
        add(owner, assistant, 1, title=f"Gone {number:02}", hidden_at=now - number * HOUR)
    first = page.get("/conversations/deleted/")
    assert re.findall(r"Gone \d\d", text_of(first)) == [f"Gone {number:02}" for number in range(50)]
    address = re.search(r'hx-get="(/conversations/deleted/\?.+?)"', first.content.decode())
    assert address
    second = page.get(address[1], headers=HTMX)
    assert re.findall(r"Gone \d\d", text_of(second)) == [f"Gone {number:02}" for number in range(50, 60)]
    assert "Back to the first page" in text_of(page.get(address[1]))
    before = queries(page, address[1])
    Conversation.objects.filter(title__lt="Gone 30").update(hidden_at=now - 700 * HOUR)
    assert queries(page, "/conversations/deleted/") == queries(page, address[1]) == before
    for cursor in ("nonsense", read_rail(owner).older or "x"):
        assert page.get("/conversations/deleted/", {"after": cursor}).status_code == 400


@pytest.mark.parametrize("verb", ["pin", "hide", "restore"])
def test_i7_a_stranger_changes_nothing(stranger: Client, conversation: Conversation, verb: str) -> None:
    before = Conversation.objects.values().get()
    for hidden_at in (None, timezone.now()):
        Conversation.objects.update(hidden_at=hidden_at)
        response = stranger.post(f"{LIST}{conversation.pk}/{verb}/", {"pinned": "yes"})
        assert response.status_code == 404
        assert Conversation.objects.values().get() == before | {"hidden_at": hidden_at}


# -- two tabs that rename ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_of_two_tabs_that_rename_the_second_is_told_and_may_insist(
    page: Client, conversation: Conversation, headers: dict[str, str]
) -> None:
    address, shown = f"{LIST}{conversation.pk}/rename/", conversation.title
    page.post(address, {"title": "Of the first tab", "shown": shown})
    second = page.post(address, {"title": "Of the second tab", "shown": shown}, headers=headers)
    html = " ".join(second.content.decode().split())
    assert second.status_code == 409
    assert "It was given the title “Of the first tab” meanwhile" in text_of(second)
    assert 'name="title" value="Of the second tab"' in html
    assert 'name="shown" value="Of the first tab"' in html
    assert Conversation.objects.get().title == "Of the first tab"

    page.post(address, {"title": "Of the second tab", "shown": "Of the first tab"})
    assert Conversation.objects.get().title == "Of the second tab"


def test_a_refused_title_does_not_make_another_tab_s_title_one_that_was_seen(
    page: Client, conversation: Conversation
) -> None:
    address, shown = f"{LIST}{conversation.pk}/rename/", conversation.title
    page.post(address, {"title": "Of the first tab", "shown": shown})
    refused = page.post(address, {"title": " ", "shown": shown}, headers=HTMX)
    assert refused.status_code == 422
    assert f'name="shown" value="{shown}"' in " ".join(refused.content.decode().split())


def test_the_title_that_the_model_gave_is_one_that_was_seen(page: Client, conversation: Conversation) -> None:
    Conversation.objects.update(title="Of the model", is_title_provisional=False)
    html = " ".join(page.get(f"{LIST}{conversation.pk}/heading/").content.decode().split())
    assert '<hx-partial hx-target="#title-shown" hx-swap="outerHTML">' in html
    assert 'name="shown" value="Of the model"' in html
