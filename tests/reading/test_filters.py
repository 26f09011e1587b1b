"""The list of all conversations: what each filter leaves, and what is said of one that makes no sense."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from conversations.models import Assistant, Conversation, Feedback, Generation, Message
from records.models import Review
from records.services.facts import keep_facts
from tests.admin.record import make_answer, make_conversation, make_prompt, make_thread
from tests.factories import make_assistant, make_file, make_model, make_user
from tests.sitting import SittingClient

pytestmark = pytest.mark.django_db
LIST = "admin:conversations_conversation_changelist"


def listed(client: Client, **given: Any) -> list[Conversation]:
    keep_facts()
    response = client.get(reverse(LIST), given)
    assert response.status_code == 200, response.content.decode()[:300]
    rows: list[Conversation] = response.context["cl"].result_list
    return rows


def problems(client: Client, **given: Any) -> str:
    """What the page says is wrong, where it lists nothing."""
    response = client.get(reverse(LIST), given)
    assert response.status_code == 422
    assert response.context["cl"].result_list == []
    told = re.findall(r'<p class="filter-problem"[^>]*>(.*?)</p>', response.content.decode(), re.DOTALL)
    return unescape(" ".join(told))


def _answer(conversation: Conversation) -> Message:
    return conversation.messages.filter(role="assistant").order_by("id")[0]


def _grouped() -> Conversation:
    conversation = make_thread()
    group = Group.objects.create(name="Sales")
    group.user_set.add(conversation.owner)
    return conversation


def _answered_by(name: str) -> Conversation:
    conversation = make_thread()
    Generation.objects.filter(conversation=conversation).update(model=make_model(name))
    return conversation


def _ended(status: str) -> Conversation:
    conversation = make_conversation()
    make_answer(make_prompt(conversation), status=status)
    return conversation


def _rated(rating: str) -> Conversation:
    conversation = make_thread()
    Feedback.objects.create(message=_answer(conversation), user=conversation.owner, rating=rating)
    return conversation


def _with_file() -> Conversation:
    conversation = make_thread()
    make_file(conversation.owner, message=_answer(conversation), data=None)
    return conversation


def _reviewed(state: str, verdict: str = "") -> Conversation:
    conversation, now = make_thread(), timezone.now()
    claimed = {} if state == "waiting" else {"claimed_by": make_user(), "claimed_at": now}
    decided = {"verdict": verdict, "decided_at": now} if verdict else {}
    Review.objects.create(conversation=conversation, state=state, **claimed, **decided)
    return conversation


def _used(**values: object) -> Conversation:
    conversation = make_thread()
    Generation.objects.filter(conversation=conversation).update(**values)
    return conversation


def _changed(**values: object) -> Conversation:
    conversation = make_thread()
    Conversation.objects.filter(pk=conversation.pk).update(**values)
    return conversation


def _last_active(day: str) -> Conversation:
    return _changed(last_activity_at=datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00"))


FILTERS: dict[str, tuple[Callable[[], Conversation], Callable[[Conversation], dict[str, Any]]]] = {
    "from": (lambda: _last_active("2031-05-02"), lambda _: {"from": "2031-05-02"}),
    "to": (lambda: _last_active("2001-05-02"), lambda _: {"to": "2001-05-02"}),
    "a day": (lambda: _last_active("2001-05-02"), lambda _: {"from": "2001-05-02", "to": "2001-05-02"}),
    "owner by username": (make_thread, lambda one: {"owner": one.owner.username.upper()}),
    "owner by e-mail": (make_thread, lambda one: {"owner": one.owner.email}),
    "owner by names": (
        lambda: make_thread(owner=make_user(first_name="Ada", last_name="Lovelace")),
        lambda _: {"owner": "love  ada"},
    ),
    "group": (_grouped, lambda _: {"group": Group.objects.get().pk}),
    "assistant": (make_thread, lambda one: {"assistant": one.assistant_id}),
    "model": (lambda: _answered_by("o9"), lambda _: {"model": make_model("o9").pk}),
    "state": (lambda: _changed(state="concluded", concluded_at=timezone.now()), lambda _: {"state": "concluded"}),
    "failed": (lambda: _ended("failed"), lambda _: {"status": "failed"}),
    "interrupted": (lambda: _ended("interrupted"), lambda _: {"status": "failed"}),
    "refused": (lambda: _ended("refused"), lambda _: {"status": "refused"}),
    "stopped": (lambda: _ended("stopped"), lambda _: {"status": "stopped"}),
    "cut off": (lambda: _ended("incomplete"), lambda _: {"status": "cut_off"}),
    "running": (lambda: _ended("streaming"), lambda _: {"status": "running"}),
    "files": (_with_file, lambda _: {"files": "yes"}),
    "rated bad": (lambda: _rated("down"), lambda _: {"feedback": "down"}),
    "rated good": (lambda: _rated("up"), lambda _: {"feedback": "up"}),
    "rated": (lambda: _rated("up"), lambda _: {"feedback": "any"}),
    "waiting": (lambda: _reviewed("waiting"), lambda _: {"review": "waiting"}),
    "claimed": (lambda: _reviewed("claimed"), lambda _: {"review": "claimed"}),
    "decided": (lambda: _reviewed("done", "fine"), lambda _: {"review": "done"}),
    "a verdict": (lambda: _reviewed("done", "violation"), lambda _: {"review": "violation"}),
    "deleted": (lambda: _changed(hidden_at=timezone.now()), lambda _: {"hidden": "yes"}),
    "cost": (lambda: _used(cost="2.5"), lambda _: {"cost_from": "2.50", "cost_to": "2.5"}),
    "little cost": (lambda: _used(cost="0.00000001"), lambda _: {"cost_to": "0.00000001"}),
    "tokens": (lambda: _used(input_tokens=90_000), lambda _: {"tokens_from": "90000", "tokens_to": "90005"}),
    "together": (
        lambda: _rated("down"),
        lambda one: {"feedback": "down", "assistant": one.assistant_id, "from": "2020-01-01", "files": "no"},
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_leaves_what_was_asked_for(client: SittingClient, name: str) -> None:
    make, given = FILTERS[name]
    make_thread()
    wanted = make()
    make_thread()
    assert listed(client, **given(wanted)) == [wanted]


@pytest.mark.parametrize(
    ("given", "without"),
    [({"files": "no"}, _with_file), ({"feedback": "none"}, lambda: _rated("up")), ({"hidden": "no"}, lambda: _changed(
        hidden_at=timezone.now())), ({"review": "none"}, lambda: _reviewed("done", "fine"))],
    ids=["files", "feedback", "hidden", "review"],
)  # fmt: skip
def test_a_filter_leaves_out(
    client: SittingClient, given: dict[str, object], without: Callable[[], Conversation]
) -> None:
    plain = make_thread()
    without()
    assert listed(client, **given) == [plain]


NONSENSE: dict[str, tuple[dict[str, Any], str]] = {
    "no day": ({"from": "31.02.2026"}, "That is no day to look from or to."),
    "no day at all": ({"to": "tomorrow"}, "That is no day to look from or to."),
    "a day before time": ({"from": "0001-01-01"}, "That is no day to look from or to."),
    "a day after time": ({"to": "9999-12-31"}, "That is no day to look from or to."),
    "days in the wrong order": ({"from": "2026-05-02", "to": "2026-05-01"}, "The first day is after the last one."),
    "nobody": ({"owner": "Nobody Atall"}, "Nobody here has this in their name or e-mail address."),
    "a long name": ({"owner": "x" * 500}, "at most 200 characters"),
    "hostile name": ({"owner": "<script>alert(1)</script>"}, "Nobody here has this"),
    "no group": ({"group": "99999999"}, "There is no such choice any more."),
    "no number of a group": ({"group": "1 OR 1=1"}, "There is no such choice any more."),
    "a number beyond all": ({"group": "9" * 40}, "There is no such choice any more."),
    "no assistant": ({"assistant": str(uuid4())}, "There is no such choice any more."),
    "no model": ({"model": "-1"}, "There is no such choice any more."),
    "no state": ({"state": "sideways"}, "There is no such choice any more."),
    "no status": ({"status": "fact__cost"}, "There is no such choice any more."),
    "no money": ({"cost_from": "a lot"}, "That is no amount of US dollars."),
    "infinite money": ({"cost_from": "Infinity"}, "That is no amount of US dollars."),
    "not a number": ({"cost_to": "NaN"}, "That is no amount of US dollars."),
    "less than no money": ({"cost_to": "-1"}, "That is no amount of US dollars."),
    "all the money": ({"cost_to": "1e400"}, "That is no amount of US dollars."),
    "costs in the wrong order": ({"cost_from": "2", "cost_to": "1"}, "The lowest cost is above the highest one."),
    "no tokens": ({"tokens_from": "0x10"}, "That is no number of tokens."),
    "a number of 5,000 digits": ({"tokens_from": "9" * 5_000}, "That is no number of tokens."),
    "tokens in the wrong order": ({"tokens_from": "2", "tokens_to": "1"}, "The fewest tokens are more than the most."),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_a_filter_that_makes_no_sense_is_told_beside_it_and_kept(client: SittingClient, name: str) -> None:
    make_thread()
    given, words = NONSENSE[name]
    assert words in problems(client, **given)
    page = client.get(reverse(LIST), given).content.decode()
    assert "Nothing is listed, because a filter makes no sense" in page
    assert "<script>alert(1)" not in page
    form = client.get(reverse(LIST), given).context["cl"].panel.form
    assert {field: str(form[field].value()) for field in given} == {field: str(value) for field, value in given.items()}


def test_a_name_that_fits_too_many_is_told(client: SittingClient) -> None:
    for _ in range(51):
        make_user()
    assert "This fits more than 50 people. Write more of the name." in problems(client, owner="person")


def test_a_name_that_fits_exactly_goes_first(client: SittingClient) -> None:
    make_thread(owner=make_user(username="annabel"))
    wanted = make_thread(owner=make_user(username="anna"))
    assert listed(client, owner="Anna") == [wanted]


@pytest.mark.parametrize(
    "query", ["title__icontains=x", "owner__password__startswith=a", "_connector=OR", "messages__text__contains=x"]
)
def test_cve_2025_64459_nothing_but_the_filters_narrows_the_list(client: SittingClient, query: str) -> None:
    make_thread()
    assert client.get(f"{reverse(LIST)}?{query}").status_code == 400


def test_several_values_of_one_filter_are_no_fault(client: SittingClient) -> None:
    make_thread()
    assert client.get(f"{reverse(LIST)}?files=yes&files=no&files=").status_code == 200


def test_the_list_asks_for_no_reason_and_a_conversation_does(reviewer: User) -> None:
    conversation = make_thread()
    plain = Client()
    plain.force_login(reviewer)
    assert plain.get(reverse(LIST)).status_code == 200
    opened = plain.get(reverse("admin:conversations_conversation_change", args=[conversation.pk]))
    assert (opened.status_code, opened["Location"].split("?")[0]) == (302, reverse("records:sitting"))
    assert not AuditEvent.objects.filter(kind="conversation.read").exists()


def _column(page: str, name: str) -> list[str]:
    return re.findall(rf'<td class="field-{name}[^"]*">(.*?)</td>', page)


def test_sums_and_signs_are_shown(client: SittingClient) -> None:
    conversation = _rated("down")
    make_answer(_answer(conversation), status="refused")
    Conversation.objects.filter(pk=conversation.pk).update(hidden_at=timezone.now())
    keep_facts()
    page = client.get(reverse(LIST)).content.decode()
    shown = [_column(page, name) for name in ("messages", "files", "tokens", "cost", "signs")]
    assert shown == [["3"], ["0"], ["30"], ["$0.00015"], ["1 refused, 1 rated bad, deleted by its owner"]]


def test_a_conversation_without_sums_is_listed_with_dashes(client: SittingClient) -> None:
    make_thread()
    page = client.get(reverse(LIST)).content.decode()
    assert _column(page, "messages") + _column(page, "cost") == ["–", "–"]


def test_an_unknown_cost_is_no_cost_of_zero(client: SittingClient) -> None:
    used = {"started_at": timezone.now(), "finished_at": timezone.now(), "cost": None}
    _used(**used)
    mixed = _used(cost="1")
    make_answer(_answer(mixed))
    Generation.objects.filter(conversation=mixed, cost__lt=1).update(**used)
    keep_facts()
    assert sorted(_column(client.get(reverse(LIST)).content.decode(), "cost")) == ["$1.00 + unknown", "unknown"]


@pytest.mark.parametrize(("order", "name"), [("-8", "tokens"), ("-9", "cost"), ("8", "tokens"), ("9", "cost")])
def test_the_list_is_ordered_by_its_sums(client: SittingClient, order: str, name: str) -> None:
    little, much = _used(cost="0.5", input_tokens=10), _used(cost="7", input_tokens=500)
    expected = [much, little] if order.startswith("-") else [little, much]
    assert listed(client, o=order) == expected
    assert listed(client, o=order, files="no") == expected


@pytest.mark.parametrize("order", ["1", "-2", "3.4", "99", "x", "-"])
def test_other_columns_order_nothing(client: SittingClient, order: str) -> None:
    older, newer = _last_active("2001-01-01"), _last_active("2002-01-01")
    assert listed(client, o=order)[0].pk in (older.pk, newer.pk)
    query = str(client.get(reverse(LIST), {"o": order}).context["cl"].queryset.query)
    assert "ORDER BY" in query
    assert '"title" ASC' not in query


def test_pages_follow_each_other_by_last_activity(client: SittingClient) -> None:
    assistant: Assistant = make_assistant()
    owner, moment = make_user(), timezone.now()
    made = [
        Conversation.objects.create(owner=owner, assistant=assistant, title=str(number), last_activity_at=moment)
        for number in range(60)
    ]
    rows: list[Any] = [*listed(client, p=1, files="no"), *listed(client, p=2, files="no")]
    assert [row.pk for row in rows] == [one.pk for one in reversed(made)]
