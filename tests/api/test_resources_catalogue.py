"""Who asks, what can be talked to, and what was used."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations.models import LanguageModel, ModelPrice, UsageDay, UsageLimit
from tests.api.caller import Caller, counted
from tests.api.said import Said
from tests.factories import make_assistant, make_model, make_user

pytestmark = pytest.mark.django_db


def test_the_index_leads_to_every_list(anna: Caller) -> None:
    links = anna.read("")["links"]
    assert len(links) >= 8
    for address in links.values():
        assert anna.get(address).status_code == 200


def test_a_program_learns_who_it_is_and_what_it_may_do(anna: Caller, reviewer: Caller) -> None:
    me = anna.read("me/")
    assert (me["username"], me["access"], me["token"]) == ("anna", "token", str(anna.token.pk))
    assert (me["scopes"], me["may_read_all"], me["limits"]) == (["read", "write"], False, [])
    assert reviewer.read("me/")["may_read_all"] is True


def test_limits_are_told_with_what_is_gone_of_them(said: Said, anna: Caller) -> None:
    UsageLimit.objects.create(user=said.owner, measure="tokens", period="day", amount=100)
    (limit,) = anna.read("me/")["limits"]
    assert (limit["measure"], limit["period"], limit["held"]) == ("tokens", "day", "0")
    assert (Decimal(limit["limit"]), Decimal(limit["used"])) == (Decimal(100), Decimal(13))
    assert limit["resets_at"].endswith("Z")


def test_the_browser_of_somebody_signed_in_may_ask_too(said: Said) -> None:
    browser = Client()
    assert browser.get("/api/v1/me/").status_code == 401
    browser.force_login(said.owner)
    me = browser.get("/api/v1/me/").json()
    assert (me["access"], me["token"], me["scopes"]) == ("session", None, ["events", "read", "write"])


def test_assistants_are_those_of_the_page_without_their_instructions(said: Said, anna: Caller) -> None:
    make_assistant(slug="secret", instructions="Nobody reads this.").groups.add(Group.objects.create(name="Others"))
    make_assistant(slug="off", is_enabled=False)
    make_assistant(slug="first", position=0, name="A", suggested_prompts=["Begin"], model=make_model("gpt-5"))
    response = anna.get("assistants/")
    slugs = [row["slug"] for row in response.json()["results"]]
    assert slugs == ["first", said.conversation.assistant.slug]
    assert "instructions" not in response.content.decode()
    assert "Answer briefly" not in response.content.decode()
    first = anna.read("assistants/first/")
    assert (first["model"], first["suggested_prompts"]) == ("gpt-5", ["Begin"])
    for slug in ("secret", "off", "never-was"):
        assert anna.get(f"assistants/{slug}/").status_code == 404


def test_models_are_those_that_may_be_chosen_or_answer_with_their_price_of_today(said: Said, anna: Caller) -> None:
    make_model("unoffered", is_offered=False)
    make_model("off", is_enabled=False)
    answering = make_model("behind", is_offered=False, priced=False)
    make_assistant(model=answering)
    model = LanguageModel.objects.get(name="gpt-4o")
    tomorrow = timezone.localdate() + datetime.timedelta(days=1)
    ModelPrice.objects.create(model=model, valid_from=tomorrow, input_price=9, cached_input_price=9, output_price=9)
    shown = {row["name"]: row for row in anna.read("models/")["results"]}
    assert set(shown) == {"gpt-4o", "behind"}
    assert (shown["gpt-4o"]["is_default"], shown["gpt-4o"]["is_offered"]) == (True, True)
    assert shown["gpt-4o"]["price"]["output"] == "10.000000"
    assert (shown["behind"]["is_offered"], shown["behind"]["price"]) == (False, None)
    assert anna.read("models/gpt-4o/") == shown["gpt-4o"]
    for name in ("unoffered", "off", "never-was"):
        assert anna.get(f"models/{name}/").status_code == 404


def test_a_name_with_a_slash_has_an_address(said: Said, anna: Caller) -> None:
    make_model("meta/llama-4", label="Llama")
    assert anna.read("models/meta/llama-4/")["label"] == "Llama"


@pytest.mark.parametrize("address", ["assistants/", "models/"])
def test_the_catalogue_takes_as_many_queries_however_long_it_is(said: Said, anna: Caller, address: str) -> None:
    anna.read(address)
    with CaptureQueriesContext(connection) as few:
        anna.read(address)
    for number in range(10):
        make_assistant(model=make_model(f"gpt-{number}"))
    with CaptureQueriesContext(connection) as many:
        assert len(anna.read(address)["results"]) == 11
    assert counted(many) == counted(few)


def use(said: Said, day: str, model: str, **sums: object) -> None:
    UsageDay.objects.create(owner=said.owner, day=day, model=make_model(model), calls=1, **sums)


def test_use_is_summed_by_day_month_and_model(said: Said, anna: Caller) -> None:
    use(said, "2025-03-01", "gpt-4o", input_tokens=10, output_tokens=5, cost="0.10")
    use(said, "2025-03-01", "gpt-5", input_tokens=1, output_tokens=1, cost="0.01")
    use(said, "2025-03-31", "gpt-4o", input_tokens=2, output_tokens=1, cost="0.02")
    use(said, "2025-04-01", "gpt-4o", input_tokens=100, output_tokens=1, cost="1")
    UsageDay.objects.create(owner=make_user(), day="2025-03-01", model=make_model(), calls=1, input_tokens=999)
    span = "usage/?from=2025-03-01&to=2025-03-31"
    report = anna.read(span)
    assert (report["from"], report["to"], report["time_zone"]) == ("2025-03-01", "2025-03-31", "UTC")
    assert [(row["day"], row["model"], row["total_tokens"]) for row in report["results"]] == [
        ("2025-03-01", "gpt-4o", 15),
        ("2025-03-01", "gpt-5", 2),
        ("2025-03-31", "gpt-4o", 3),
    ]
    assert (report["total"]["calls"], report["total"]["total_tokens"], report["total"]["cost"]) == (3, 20, "0.13000000")

    def by(name: str) -> list[tuple[str, int]]:
        found = anna.read(f"{span}&by={name}")["results"]
        return [(row["day"] or row["month"] or row["model"], row["total_tokens"]) for row in found]

    assert by("day") == [("2025-03-01", 17), ("2025-03-31", 3)]
    assert by("month") == [("2025-03-01", 20)]
    assert by("model") == [("gpt-4o", 18), ("gpt-5", 2)]
    assert anna.read(f"{span}&model=gpt-5")["total"]["total_tokens"] == 2


def test_a_cost_that_is_unknown_is_null_and_never_nothing(said: Said, anna: Caller) -> None:
    use(said, "2025-03-01", "gpt-4o", input_tokens=10, output_tokens=5, unpriced_calls=1)
    total = anna.read("usage/?from=2025-03-01&to=2025-03-01")["total"]
    assert (total["unpriced_calls"], total["cost"]) == (1, None)


def test_without_days_the_last_thirty_are_told(said: Said, anna: Caller) -> None:
    today = timezone.localdate()
    report = anna.read("usage/")
    assert (report["from"], report["to"]) == (str(today - datetime.timedelta(days=29)), str(today))
    assert report["results"][0]["total_tokens"] == 13


@pytest.mark.parametrize("days", ["to=0001-01-01", "from=0001-01-01&to=0001-12-31", "to=9999-12-31"])
def test_days_at_the_ends_of_the_calendar_do_no_harm(anna: Caller, days: str) -> None:
    assert anna.read(f"usage/?{days}")["results"] == []
