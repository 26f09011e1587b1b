"""The page of use: for who may see it, with what was asked for, and a word on what makes no sense."""

import datetime
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from audit.models import AuditEvent
from records.models import UsageFact
from records.services.usage_facts import keep_usage, mark_all_days
from tests.factories import make_assistant, make_model, make_user
from tests.reporting.used import make_conversation_at, make_turn, rate

PAGE = "/admin/records/usagefact/"
pytestmark = pytest.mark.django_db


def use(days_ago: int = 1, **fields: Any) -> User:
    """Somebody's conversation of one turn, some days ago."""
    turn = {name: fields.pop(name) for name in ("model", "status", "waited_ms", "call") if name in fields}
    at = timezone.now() - datetime.timedelta(days=days_ago)
    conversation = make_conversation_at(at, **fields)
    make_turn(conversation, at, **turn)
    return conversation.owner


def reckon() -> None:
    mark_all_days()
    keep_usage()


def table(html: str) -> dict[str, list[str]]:
    """Return the rows of the table by their heads."""
    body = html.partition('<table class="usage-table"')[2].partition("</table>")[0]
    rows = {}
    for row in re.findall(r"<tr>(.*?)</tr>", body, flags=re.DOTALL):
        cells = [" ".join(re.sub(r"<title>.*?</title>|<[^>]*>", " ", cell).split()) for cell in
                 re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL)]  # fmt: skip
        rows[cells[0]] = cells[1:]
    return rows


@pytest.fixture
def ask(client: Client, analyst: User) -> Callable[..., Any]:
    client.force_login(analyst)

    def ask(query: str = "", status: int = 200) -> str:
        response = client.get(f"{PAGE}?{query}")
        assert response.status_code == status, query
        return response.content.decode()

    return ask


def test_usage_is_for_those_with_its_right_alone_and_asks_for_no_reason(client: Client, analyst: User) -> None:
    for person in (make_user(), make_user(is_staff=True)):
        client.force_login(person)
        assert client.get(PAGE).status_code in (302, 403)
        assert client.get(f"{PAGE}csv/").status_code in (302, 403)
    reviewer = make_user(is_staff=True)
    client.force_login(analyst)
    before = AuditEvent.objects.count()
    assert client.get(PAGE).status_code == 200
    assert AuditEvent.objects.count() == before
    assert reviewer.has_perm("records.view_usagefact") is False
    assert "/admin/records/usagefact/" in client.get("/admin/").content.decode()


def test_the_page_tells_people_conversations_answers_tokens_cost_errors_waits_and_ratings(ask: Any) -> None:
    use(waited_ms=700)
    use(status="failed", waited_ms=3_000, call={"cost": None})
    rate(make_turn(make_conversation_at(timezone.now()), timezone.now()), "down")
    reckon()
    html = ask()
    cards = dict(re.findall(r"<dt>(.*?)</dt>\s*<dd[^>]*>(.*?)</dd>", html, flags=re.DOTALL))
    assert {name: value.strip() for name, value in cards.items()} == {
        "People": "3", "Prompts": "3", "Tokens": "360", "Cost": "$0.00090 + unknown", "Errors": "33 %",
        "Time to first text": "0.88 s", "Ratings": "0 good",
    }  # fmt: skip
    assert "1 call of unknown cost" in html
    assert table(html)["Together"][:6] == ["3", "3", "3", "3", "1", "0"]


def test_charts_are_drawn_by_the_server_with_words_for_those_who_do_not_see_them(ask: Any) -> None:
    use()
    reckon()
    html = ask()
    assert html.count('<svg class="chart-bars"') == 8
    assert len(re.findall(r'<title id="chart-\w+-title">', html)) == 8
    yesterday = timezone.localdate() - datetime.timedelta(days=1)
    assert f"<title>{yesterday:%-d %B %Y}: 120 tokens</title>" in html
    assert len(table(html)) == 32  # the head, 30 days, and all together


@pytest.mark.parametrize("by", ["group", "assistant", "model", "person"])
def test_sums_are_told_apart_by_what_is_asked_for(ask: Any, by: str) -> None:
    group = Group.objects.create(name="Legal")
    lawyer, other = make_user(username="lawyer", first_name="Ann", last_name="Law"), make_user(username="other")
    lawyer.groups.add(group)
    legal, plain = make_assistant(name="Contracts"), make_assistant(name="Plain")
    use(owner=lawyer, assistant=legal, model=make_model("gpt-next", label="Next"))
    for _ in range(2):
        use(owner=other, assistant=plain, model=make_model(label="Four"))
    reckon()
    rows = table(ask(f"by={by}"))
    names = {"group": ("Legal", "In no group"), "assistant": ("Contracts", "Plain"), "model": ("Next", "Four"),
             "person": ("Ann Law", "other")}  # fmt: skip
    first, second = names[by]
    assert list(rows)[1:] == [second, first, "Together"]
    assert [rows[first][2], rows[second][2], rows["Together"][2]] == ["1", "2", "3"]
    assert [rows[first][0], rows[second][0], rows["Together"][0]] == ["1", "1", "2"]


def test_a_person_of_two_groups_counts_in_both_and_once_together(ask: Any) -> None:
    person = use()
    person.groups.add(Group.objects.create(name="One"), Group.objects.create(name="Two"))
    reckon()
    rows = table(ask("by=group"))
    assert [rows[name][0:3] for name in ("One", "Two", "Together")] == [["1", "1", "1"]] * 3


@pytest.mark.parametrize("by", ["day", "group", "assistant", "model", "person"])
def test_filters_leave_the_rest_out(ask: Any, by: str) -> None:
    group = Group.objects.create(name="Legal")
    wanted = use(owner=make_user(username="ann", email="ann@example.org"), assistant=make_assistant(slug="plain"))
    wanted.groups.add(group)
    use(assistant=make_assistant(slug="other"), model=make_model("gpt-next"))
    reckon()
    for query in (
        f"group={group.pk}", "assistant=plain", "model=gpt-4o", "person=ann", "person=ANN@example.org",
        f"group={group.pk}&assistant=plain&model=gpt-4o&person=ann",
    ):  # fmt: skip
        assert table(ask(f"{query}&by={by}"))["Together"][:3] == ["1", "1", "1"], query
    assert "Nothing was used" in ask("person=ann&assistant=other")
    assert table(ask(f"group=none&by={by}"))["Together"][2] == "1"


def test_days_months_and_years_add_up_to_the_same(ask: Any) -> None:
    for days_ago in (0, 5, 40, 200, 400, 1200, 2000):
        use(days_ago)
    reckon()
    today = timezone.localdate()
    for years, prompts in ((1, "4"), (3, "5"), (4, "6"), (10, "7")):
        first = today - datetime.timedelta(days=365 * years)
        for by in ("day", "assistant", "person"):
            assert table(ask(f"from={first}&by={by}"))["Together"][2] == prompts
    assert table(ask("span=all"))["Together"][2] == "7"


@pytest.mark.parametrize("span", ["7d", "30d", "90d", "month", "last-month", "12m", "year", "all"])
def test_every_named_span_is_shown_and_marked(ask: Any, span: str) -> None:
    html = ask(f"span={span}")
    assert re.search(rf'href="\?span={span}"\s+aria-current="true"', html)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("from=yesterday", "That is no day to look from or to."),
        ("to=2026-02-30", "That is no day to look from or to."),
        ("from=1066-01-01", "That is no day to look from or to."),
        ("from=2026-03-02&to=2026-03-01", "The first day is after the last one."),
        ("from=2999-01-01", "The first day has not come yet."),
        ("span=fortnight", "There are no such days."),
        ("by=mood", "Sums can be told apart by day, group, assistant, model or person."),
        ("group=99999", "There is no such group."),
        ("group=x", "There is no such group."),
        ("assistant=nobody", "There is no such assistant."),
        ("model=gpt-9", "There is no such model."),
        ("person=nobody", "Nobody is called “nobody”."),
        (f"person={'x' * 300}", "Nobody has so long a name."),
        ("person=%3Cscript%3Ealert(1)%3C/script%3E", "Nobody is called “&lt;script&gt;alert(1)&lt;/script&gt;”."),
    ],
)
def test_f5_what_makes_no_sense_is_told(ask: Any, query: str, told: str) -> None:
    html = ask(f"{query}&group=none" if "group" not in query else query, status=422)
    assert told in html
    assert html.count("selected") == int("group" not in query)  # what made sense is still there


@pytest.mark.parametrize(
    "query",
    ["from=2026-03-01", "to=2026-03-01", "to=2999-12-31", "from=&to=", "from=1970-01-01&to=1970-01-01", "to=1970-01-01",
     "person=%20", "person=%E2%80%8B", "span=", "unknown=1", "by=&group="],
    ids=str,
)  # fmt: skip
def test_what_is_left_open_or_says_nothing_is_passed_over(ask: Any, query: str) -> None:
    ask(query)


def test_a_person_who_is_gone_is_named_by_number(ask: Any) -> None:
    UsageFact.objects.create(day=timezone.localdate(), owner_id=4_000_000, assistant_id=5, model_id=6, prompts=1)
    rows = {by: list(table(ask(f"by={by}")))[1] for by in ("person", "assistant", "model")}
    assert rows == {
        "person": "Person 4000000, removed",
        "assistant": "Assistant 5, removed",
        "model": "Model 6, removed",
    }


def test_a_hundred_people_are_shown_and_the_rest_is_counted(
    ask: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    people = [make_user() for _ in range(105)]
    UsageFact.objects.bulk_create(
        UsageFact(day=timezone.localdate(), owner_id=person.pk, assistant_id=1, model_id=1, prompts=1)
        for person in people
    )
    html = ask("by=person")
    assert len(table(html)) == 102
    assert "5 more are in the CSV" in html


def test_the_number_of_queries_is_the_same_however_much_there_is(
    client: Client, analyst: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(analyst)
    for number in range(12):
        use(number).groups.add(Group.objects.create(name=f"Group {number}"))
    reckon()
    for by in ("day", "group", "assistant", "model", "person"):
        with django_assert_max_num_queries(14):
            client.get(f"{PAGE}?by={by}&span=12m")
