"""Limits are set by administrators and make sense; what people used is read by reviewers and changed by nobody."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from conversations.models import LanguageModel, UsageDay, UsageLimit
from tests.factories import make_model, make_user

ADD = "admin:conversations_usagelimit_add"
DAYS = "admin:conversations_usageday_changelist"


def _add(client: Client, **fields: Any) -> HttpResponse:
    data = {"user": "", "group": "", "measure": "tokens", "period": "day", "amount": "50000"}
    return client.post(reverse(ADD), data | fields)  # type: ignore[return-value]


def _errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    errors: dict[str, list[str]] = response.context["adminform"].form.errors
    return errors


@pytest.mark.parametrize("whom", ["user", "group", "everybody"])
def test_a_limit_can_be_for_a_person_a_group_or_everybody(client: Client, superuser: User, whom: str) -> None:
    client.force_login(superuser)
    rows = {"user": make_user(), "group": Group.objects.create(name="Sales")}
    fields = {whom: str(rows[whom].pk)} if whom in rows else {}
    assert _add(client, measure="money", period="month", amount="12.50", **fields).status_code == 302
    limit = UsageLimit.objects.get()
    assert (limit.user, limit.group) == (
        rows["user"] if whom == "user" else None,
        rows.get(whom) if whom == "group" else None,
    )
    assert (limit.measure, limit.period, limit.amount) == ("money", "month", Decimal("12.50"))


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        pytest.param({"amount": "-1"}, "amount", "greater than or equal to 0", id="negative"),
        pytest.param({"amount": "1.5"}, "amount", "There are no parts of tokens", id="part-of-a-token"),
        pytest.param({"amount": "NaN"}, "amount", "Enter a number", id="no-number"),
        pytest.param({"amount": "1e30"}, "amount", "no more than 16 digits", id="too-large"),
        pytest.param({"amount": ""}, "amount", "required", id="empty"),
        pytest.param({"measure": "words"}, "measure", "not one of the available choices", id="unknown-measure"),
        pytest.param({"period": "year"}, "period", "not one of the available choices", id="unknown-period"),
        pytest.param({"user": "999999"}, "user", "not one of the available choices", id="nobody"),
        pytest.param({"user": "x"}, "user", "not one of the available choices", id="no-person"),
    ],
)
def test_nonsense_is_refused_at_its_field(
    client: Client, superuser: User, fields: dict[str, str], field: str, words: str
) -> None:
    client.force_login(superuser)
    assert words in str(_errors(_add(client, **fields))[field])
    assert not UsageLimit.objects.exists()


def test_a_limit_is_not_for_a_person_and_a_group_at_once(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    group = Group.objects.create(name="Sales")
    errors = _errors(_add(client, user=str(superuser.pk), group=str(group.pk)))
    assert errors == {"group": ["Choose a person or a group, not both."]}


@pytest.mark.parametrize("whom", ["user", "everybody"])
def test_a_second_limit_of_a_kind_is_refused_with_a_sentence(client: Client, superuser: User, whom: str) -> None:
    client.force_login(superuser)
    fields = {"user": str(superuser.pk)} if whom == "user" else {}
    assert _add(client, **fields).status_code == 302
    assert _errors(_add(client, amount="7", **fields)) == {
        "period": ["There is such a limit already. Change that one."]
    }
    assert _add(client, period="month", **fields).status_code == 302
    limit = UsageLimit.objects.get(period="day")
    change = reverse("admin:conversations_usagelimit_change", args=[limit.pk])
    data = {"user": fields.get("user", ""), "group": "", "measure": "tokens", "period": "day", "amount": "9"}
    assert client.post(change, data).status_code == 302
    limit.refresh_from_db()
    assert limit.amount == 9


def test_the_list_says_whom_a_limit_is_for_in_as_many_queries_for_20_as_for_2(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    counts = []
    for count in (1, 10):
        for _ in range(count):
            UsageLimit.objects.create(user=make_user(), measure="money", period="day", amount="2.5")
        with CaptureQueriesContext(connection) as queries:
            page = client.get(reverse("admin:conversations_usagelimit_changelist"))
        counts.append(len(queries))
    UsageLimit.objects.create(measure="tokens", period="day", amount=50_000)
    UsageLimit.objects.create(
        group=Group.objects.create(name="Sales"), measure="tokens", period="month", amount=2_000_000
    )
    page = client.get(reverse("admin:conversations_usagelimit_changelist"))
    for words in ("Everybody", "Each member of Sales", "50,000 tokens", "2,000,000 tokens", "$2.50"):
        assert words in page.content.decode()
    assert counts[0] == counts[1]


def test_a4_people_are_suggested_to_nobody_without_the_right_to_see_them(client: Client, staff: User) -> None:
    make_user(username="umbrella")
    staff.user_permissions.add(Permission.objects.get(codename="add_usagelimit"))
    client.force_login(staff)
    query = {"app_label": "conversations", "model_name": "usagelimit", "field_name": "user", "term": "umb"}
    response = client.get(reverse("admin:autocomplete"), query)
    assert response.status_code == 403
    assert b"umbrella" not in response.content
    assert b"umbrella" not in client.get(reverse(ADD)).content

    staff.user_permissions.add(Permission.objects.get(codename="view_user"))
    client.force_login(User.objects.get(pk=staff.pk))
    assert "umbrella" in client.get(reverse("admin:autocomplete"), query).json()["results"][0]["text"]


def test_reviewers_read_what_people_used_and_do_not_set_limits(client: Client, reviewer: User) -> None:
    UsageDay.objects.create(
        owner=make_user(username="olive"),
        day=timezone.localdate(),
        model=make_model(),
        calls=2,
        unpriced_calls=1,
        cost=3,
    )
    client.force_login(reviewer)
    page = client.get(reverse(DAYS))
    assert page.status_code == 200
    assert "olive" in page.content.decode()
    assert "$3.00 + unknown" in page.content.decode()
    assert _add(client).status_code == 403


def test_whether_people_may_choose_a_model_is_set_with_it(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    model = make_model()
    address = reverse("admin:conversations_languagemodel_change", args=[model.pk])
    assert b'name="is_offered"' in client.get(address).content
    data = {"name": model.name, "label": model.label, "context_window": "128000", "max_output_tokens": "16384"}
    data |= {"is_enabled": "on", "prices-TOTAL_FORMS": "0", "prices-INITIAL_FORMS": "0"}
    assert client.post(address, data).status_code == 302
    assert not LanguageModel.objects.get().is_offered


def test_the_list_of_days_takes_as_many_queries_for_20_as_for_10(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    counts = []
    for _ in range(2):
        for _ in range(10):
            UsageDay.objects.create(owner=make_user(), day=timezone.localdate(), model=make_model(), calls=1)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(DAYS)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
