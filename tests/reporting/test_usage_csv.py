"""The table for spreadsheets: what the page shows, with every measure, and nothing that a spreadsheet would run."""

import csv
import datetime
import io
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from records.models import MEASURES, UsageFact
from tests.factories import make_assistant, make_model, make_user
from tests.reporting.test_usage_page import reckon, use
from tests.sitting import sit

CSV = "/admin/records/usagefact/csv/"
pytestmark = pytest.mark.django_db
FORMULAS = ['=HYPERLINK("http://evil")', "+1+1", "-2", "@SUM(A1)", "\t=1", "＝1", " =1+1", "\u2212" + "1"]


def read(client: Client, query: str = "") -> list[dict[str, str]]:
    response = client.get(f"{CSV}?{query}")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


@pytest.fixture
def browser(client: Client, analyst: User) -> Client:
    client.force_login(analyst)
    return client


def test_the_table_has_a_line_for_each_day_with_every_measure(browser: Client) -> None:
    use(3, waited_ms=700)
    use(3, call={"cost": None})
    reckon()
    lines = read(browser, "span=7d")
    day = timezone.localdate() - datetime.timedelta(days=3)
    assert [line["from"] for line in lines] == [
        str(timezone.localdate() - datetime.timedelta(days=age)) for age in range(6, -1, -1)
    ]
    (line,) = [line for line in lines if line["from"] == str(day)]
    assert set(MEASURES) - {"cost"} < set(line)
    assert (line["people"], line["conversations"], line["calls"], line["unpriced_calls"]) == ("2", "2", "2", "1")
    assert (line["cost_usd"], line["input_tokens"], line["first_text_1s"]) == ("0.00045000", "200", "2")
    assert (line["first_text_median_s"], line["first_text_p95_s"]) == ("0.750", "0.975")


def test_an_unknown_cost_is_empty_and_not_0(browser: Client) -> None:
    use(0, call={"cost": None}, waited_ms=40_000)
    reckon()
    line = read(browser, "span=7d")[-1]
    assert (line["cost_usd"], line["unpriced_calls"], line["first_text_p95_s"]) == ("", "1", "more than 32")


@pytest.mark.parametrize(
    ("by", "columns"),
    [
        ("group", ["group_id", "group", "group_key"]),
        ("assistant", ["assistant_id", "assistant", "assistant_key"]),
        ("model", ["model_id", "model", "model_key"]),
        ("person", ["person_id", "person", "username"]),
    ],
)
def test_a_line_for_each_part_names_it(browser: Client, by: str, columns: list[str]) -> None:
    group = Group.objects.create(name="Legal")
    person = use(
        0, owner=make_user(username="ann", first_name="Ann"), assistant=make_assistant(slug="plain", name="Plain"),
        model=make_model(label="Four"),
    )  # fmt: skip
    person.groups.add(group)
    reckon()
    (line,) = read(browser, f"by={by}")
    named = {
        "group": (str(group.pk), "Legal", str(group.pk)),
        "assistant": (str(person.conversations.get().assistant_id), "Plain", "plain"),
        "model": (str(make_model().pk), "Four", "gpt-4o"),
        "person": (str(person.pk), "Ann", "ann"),
    }
    assert tuple(line[column] for column in columns) == named[by]
    assert line["prompts"] == "1"


@pytest.mark.parametrize("name", FORMULAS, ids=range(len(FORMULAS)))
def test_f14_no_name_is_a_formula(browser: Client, name: str) -> None:
    use(0, owner=make_user(username=f"u{name}"[:150], first_name=name), assistant=make_assistant(name=name))
    reckon()
    for by in ("person", "assistant"):
        (line,) = read(browser, f"by={by}")
        shown = name.strip() if by == "person" else name  # as Django gives full names
        assert line[by] == f"'{shown}"


def test_everybody_is_in_the_table_however_many_there_are(browser: Client) -> None:
    UsageFact.objects.bulk_create(
        UsageFact(day=timezone.localdate(), owner_id=number, assistant_id=1, model_id=1, prompts=1)
        for number in range(1, 251)
    )
    assert len(read(browser, "by=person")) == 250


def test_who_took_a_table_is_written_down_with_what_was_in_it(browser: Client, analyst: User) -> None:
    person = use(0, owner=make_user(username="ann"))
    reckon()
    day = str(timezone.localdate())
    read(browser, f"from={day}&to={day}&by=assistant&person=ann")
    event = AuditEvent.objects.latest("seq")
    assert (event.kind, event.actor_id, event.object_type, event.reason) == (
        "usage.downloaded",
        analyst.pk,
        "usage",
        "",
    )
    assert event.details == {"from": day, "to": day, "by": "assistant", "person": person.pk, "lines": 1}


def test_the_reason_of_a_sitting_stands_beside_it(browser: Client) -> None:
    sit(browser, reason="Budget 2027")
    read(browser)
    assert AuditEvent.objects.latest("seq").reason == "Budget 2027"


def test_nothing_is_written_down_where_nothing_was_taken(browser: Client) -> None:
    before = AuditEvent.objects.count()
    assert browser.head(CSV).status_code == 200
    refused = browser.get(f"{CSV}?from=never")
    assert (refused.status_code, refused["Content-Type"]) == (422, "text/html; charset=utf-8")
    assert "That is no day" in refused.content.decode()
    assert AuditEvent.objects.count() == before


def test_the_file_is_named_after_what_was_asked_for(browser: Client) -> None:
    response: Any = browser.get(f"{CSV}?from=2026-03-01&to=2026-03-31&by=person")
    name = "usage-2026-03-01-to-2026-03-31-by-person.csv"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert "no-store" in response["Cache-Control"]
