"""The page of what a person used: true numbers, honest words, and the limits that hold for them."""

import datetime
import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from conversations.charts import draw, round_up
from conversations.models import Conversation, Generation, LanguageModel, Message, UsageDay, UsageLimit
from conversations.services import CallProgress, finish_answer, start_conversation
from conversations.spending import read_spending
from tests.factories import make_model, make_user, token
from tests.pages.record import HTMX, prompt_box, text_of
from tests.services.calls import FINISHED, claim

pytestmark = pytest.mark.django_db
USAGE = "/usage/"


def use(owner: User, *, days_ago: int = 0, model: LanguageModel | None = None, **numbers: Any) -> UsageDay:
    day = timezone.localdate() - datetime.timedelta(days=days_ago)
    return UsageDay.objects.create(owner=owner, day=day, model=model or make_model(), **{"calls": 1} | numbers)


def limit(amount: str | int, **fields: Any) -> UsageLimit:
    return UsageLimit.objects.create(**{"measure": "tokens", "period": "day", "amount": amount} | fields)


def use_up(owner: User) -> None:
    limit(10, user=owner)
    use(owner, input_tokens=10)


def shown(page: Client) -> str:
    return " ".join(text_of(page.get(USAGE)).split())


def test_what_an_answer_took_is_on_the_page_as_soon_as_it_has_ended(page: Client, running: Message) -> None:
    assert "Today Nothing yet" in shown(page)
    finish_answer(plan=claim(running), finished=FINISHED, text="", progress=CallProgress())
    assert "13 tokens $0.000055 Input 10 Output 3 Calls 1 Exact, as the provider counted." in shown(page)


def test_all_kinds_of_tokens_are_told(page: Client, owner: User) -> None:
    use(owner, calls=3, input_tokens=12_000, cached_tokens=4_000, output_tokens=800, reasoning_tokens=500, cost="1.5")
    text = shown(page)
    assert "12,800 tokens $1.50 Input 12,000 (4,000 cached) Output 800 (500 reasoning) Calls 3" in text
    assert "3 12,800 12,000 4,000 800 500 $1.50" in text


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        pytest.param({}, "13 tokens $0.50", id="exact"),
        pytest.param({"estimated_calls": 1}, "≈ 13 tokens ≈ $0.50", id="estimated"),
        pytest.param({"estimated_calls": 1}, "1 of these calls estimated, the others exact", id="partly-estimated"),
        pytest.param({"estimated_calls": 4}, "Estimated.", id="wholly-estimated"),
        pytest.param({"unpriced_calls": 1}, "13 tokens $0.50 + unknown", id="partly-unpriced"),
        pytest.param({"unpriced_calls": 1}, "The cost of 1 call is unknown.", id="partly-unpriced-in-words"),
        pytest.param({"unpriced_calls": 4, "cost": 0}, "13 tokens cost unknown", id="unpriced"),
    ],
)
def test_how_far_numbers_are_known_is_said(page: Client, owner: User, numbers: dict[str, Any], words: str) -> None:
    all_numbers: dict[str, Any] = {"calls": 4, "input_tokens": 10, "output_tokens": 3, "cost": "0.5"} | numbers
    use(owner, **all_numbers)
    assert words in shown(page)


def test_a_local_model_costs_nothing_and_is_not_unknown(page: Client, owner: User) -> None:
    local = make_model("small", priced=False, is_local=True)
    use(owner, model=local, input_tokens=10)
    assert "10 tokens no charge" in shown(page)
    use(owner, input_tokens=5, cost="0.25")
    assert "15 tokens $0.25" in shown(page)


def test_days_and_months_are_summed_apart_and_models_too(owner: User) -> None:
    other = make_model("gpt-5", label="GPT-5")
    today = timezone.localdate()
    use(owner, input_tokens=1)
    use(owner, model=other, input_tokens=2)
    use(owner, days_ago=29, input_tokens=4)
    use(owner, days_ago=30, input_tokens=8)
    use(owner, days_ago=400, input_tokens=16)
    use(make_user(), input_tokens=32)

    spending = read_spending(owner)

    assert spending.today.usage.tokens == 3
    assert [day.sum.usage.tokens for day in spending.days] == [4, *[0] * 28, 3]
    assert spending.months[0].month == today.replace(day=1)
    assert sum(month.sum.usage.tokens for month in spending.months) == 15
    assert spending.months[0].models[0][0] == "GPT-5"
    assert spending.months[0].models[0][1].usage.tokens == 2


def test_twelve_months_are_told_whatever_their_lengths(owner: User) -> None:
    today = timezone.localdate()
    for ago in range(14):
        month = today.month - 1 - ago
        first = datetime.date(today.year + month // 12, month % 12 + 1, 1)
        UsageDay.objects.create(owner=owner, day=first, model=make_model(), calls=1, input_tokens=1)
    months = [month.month for month in read_spending(owner).months]
    assert len(months) == 12
    assert months == sorted(months, reverse=True)
    assert all(month.day == 1 for month in months)


def test_the_page_takes_as_many_queries_for_a_year_as_for_a_day(page: Client, owner: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert page.get(USAGE).status_code == 200
        return len(captured)

    use(owner)
    before = queries()
    for ago in range(1, 100):
        use(owner, days_ago=ago)
    assert queries() == before


def test_charts_are_drawn_without_script_and_style_and_named_for_those_who_cannot_see_them(
    page: Client, owner: User
) -> None:
    use(owner, input_tokens=1000, cached_tokens=400, output_tokens=20, cost="0.25")
    html = page.get(USAGE).content.decode()
    svg = re.findall(r"<svg class=\"chart-bars\".*?</svg>", html, re.DOTALL)
    assert len(svg) == 2
    for chart in svg:
        assert "style=" not in chart
        assert re.search(r'aria-labelledby="(chart-\w+-title)".*<title id="\1">', chart, re.DOTALL)
        assert re.search(r'aria-describedby="(chart-\w+-description)".*<desc id="\1">', chart, re.DOTALL)
    today = f"{timezone.localdate():%-d %B}"
    assert f"<title>{today}: 1,020 tokens</title>" in svg[0]
    assert f"<title>{today}: $0.25</title>" in svg[1]
    assert svg[0].count('<g class="chart-bar">') == 30
    assert html.count("<script") == len(re.findall(r"<script[^>]* src=", html))


def test_bars_fill_their_chart_and_the_smallest_can_be_seen() -> None:
    chart = draw([("much", [("output", 600), ("input", 1000)]), ("little", [("output", 1)]), ("nothing", [])])
    assert chart.top == 1600
    much, little, nothing = chart.bars
    assert [(piece.kind, piece.y, piece.height) for piece in much.pieces] == [
        ("output", "62.50", "37.50"),
        ("input", "0.00", "62.50"),
    ]
    assert [(piece.y, piece.height) for piece in little.pieces] == [("99.25", "0.75")]
    assert nothing.pieces == []
    assert [round_up(amount) for amount in (0, 0.003, 7, 8, 9, 1_000_001)] == [1, 0.003, 8, 8, 10, 1_200_000]


def test_without_a_limit_none_is_told(page: Client) -> None:
    assert "Limits No limit holds for you." in shown(page)


def test_a_limit_is_told_with_what_is_used_and_held_and_when_it_resets(
    page: Client, owner: User, running: Message
) -> None:
    use(owner, input_tokens=12_000)
    limit(50_000)
    Generation.objects.update(reserved_tokens=16_000)
    text = shown(page)
    assert (
        "Tokens per day 12,000 of 50,000 tokens used · 16,000 held for answers that are being written "
        "It resets tomorrow at 00:00 UTC." in text
    )
    html = page.get(USAGE).content.decode()
    assert '<rect class="limit-used" width="24.00" height="1" />' in html
    assert '<rect class="limit-held" width="56.00" height="1" />' in html


def test_a_limit_that_is_used_up_says_so(page: Client, owner: User) -> None:
    owner.groups.add(group := Group.objects.create(name="Sales"))
    limit("2.50", measure="money", period="month", group=group)
    use(owner, cost="3")
    text = shown(page)
    assert "US dollars per month $3.00 of $2.50 used Used up. It resets " in text
    assert "at 00:00 UTC." in text


def test_a_limit_of_0_says_that_answers_are_switched_off(page: Client, owner: User) -> None:
    limit(0, user=owner)
    assert "0 allowed: answers are switched off for you Ask an administrator." in shown(page)


def test_the_zone_of_the_days_is_named(page: Client, settings: Settings) -> None:
    settings.TIME_ZONE = "Asia/Kolkata"
    assert "Days and months begin at midnight in Asia/Kolkata." in shown(page)


def test_nobody_sees_what_others_used(page: Client, stranger: Client, owner: User) -> None:
    use(owner, input_tokens=77_777)
    assert "77,777" in shown(page)
    assert "77,777" not in shown(stranger)


def test_the_page_is_a_line_of_the_account_menu(page: Client) -> None:
    assert f'href="{USAGE}"' in page.get("/conversations/").content.decode()


# -- what pages answer at the limit ------------------------------------------------------------------------------------


REASON = "You have used your 10 tokens of today (10 used). It resets tomorrow at 00:00 UTC."


@pytest.mark.parametrize("headers", [pytest.param(HTMX, id="htmx"), pytest.param({}, id="form")])
def test_q2_a_start_at_the_limit_is_429_with_the_text_kept(
    page: Client, owner: User, assistant: Any, headers: dict[str, str]
) -> None:
    use_up(owner)
    form = {"prompt": "A word of mine", "client_token": str(token()), "assistant": assistant.slug}
    response = page.post("/conversations/", form, headers=headers)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 24 * 3600
    assert REASON in text_of(response)
    assert prompt_box(response) == "A word of mine"
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("headers", [pytest.param(HTMX, id="htmx"), pytest.param({}, id="form")])
def test_q2_a_send_at_the_limit_is_429_with_the_text_kept(
    page: Client, owner: User, conversation: Conversation, headers: dict[str, str]
) -> None:
    use_up(owner)
    form = {"prompt": "A word of mine", "client_token": str(token())}
    before = Message.objects.count()
    response = page.post(f"/conversations/{conversation.pk}/messages/", form, headers=headers)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 24 * 3600
    assert REASON in text_of(response)
    assert prompt_box(response) == "A word of mine"
    assert Message.objects.count() == before


@pytest.mark.parametrize("headers", [pytest.param(HTMX, id="htmx"), pytest.param({}, id="form")])
@pytest.mark.parametrize("action", ["retry", "continue"])
def test_q2_a_retry_and_a_continuation_at_the_limit_are_429(
    page: Client, owner: User, answer: Message, action: str, headers: dict[str, str]
) -> None:
    Message.objects.filter(pk=answer.pk).update(status="incomplete")
    use_up(owner)
    response = page.post(f"/messages/{answer.pk}/{action}/", {"client_token": str(token())}, headers=headers)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 24 * 3600
    assert REASON in text_of(response)
    assert Message.objects.count() == 2


@pytest.mark.parametrize("headers", [pytest.param(HTMX, id="htmx"), pytest.param({}, id="form")])
def test_q2_an_edit_at_the_limit_is_429_with_the_text_kept(
    page: Client, owner: User, answer: Message, headers: dict[str, str]
) -> None:
    use_up(owner)
    form = {"prompt": "A better word", "client_token": str(token())}
    response = page.post(f"/messages/{answer.parent_id}/edit/", form, headers=headers)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 24 * 3600
    assert REASON in text_of(response)
    assert "A better word" in response.content.decode()
    assert Message.objects.count() == 2


def test_a_limit_of_0_names_no_time_to_wait(page: Client, owner: User, assistant: Any) -> None:
    limit(0, user=owner)
    form = {"prompt": "A word of mine", "client_token": str(token()), "assistant": assistant.slug}
    response = page.post("/conversations/", form)
    assert response.status_code == 429
    assert "Retry-After" not in response
    assert "Answers are switched off for you by a limit of 0 tokens per day. Ask an administrator." in text_of(response)


def test_q1_more_answers_at_once_than_allowed_are_429_with_a_short_time_to_wait(
    page: Client, owner: User, assistant: Any, settings: Settings
) -> None:
    settings.MAX_PARALLEL_ANSWERS = 1
    start_conversation(owner=owner, assistant=assistant, prompt="Hello", client_token=token())
    form = {"prompt": "A word of mine", "client_token": str(token()), "assistant": assistant.slug}
    response = page.post("/conversations/", form)
    assert (response.status_code, response["Retry-After"]) == (429, "15")
    assert prompt_box(response) == "A word of mine"
