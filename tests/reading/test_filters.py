"""The list of all conversations: what each filter leaves, and what is said of one that makes no sense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from conversations.models import Conversation
from tests.admin.record import make_thread
from tests.factories import make_model, make_user
from tests.reading.listed import (
    LIST,
    answered_by,
    changed,
    ended,
    grouped,
    last_active,
    listed,
    problems,
    rated,
    reviewed,
    used,
    with_file,
)
from tests.sitting import SittingClient

pytestmark = pytest.mark.django_db
FILTERS: dict[str, tuple[Callable[[], Conversation], Callable[[Conversation], dict[str, Any]]]] = {
    "from": (lambda: last_active("2031-05-02"), lambda _: {"from": "2031-05-02"}),
    "to": (lambda: last_active("2001-05-02"), lambda _: {"to": "2001-05-02"}),
    "a day": (lambda: last_active("2001-05-02"), lambda _: {"from": "2001-05-02", "to": "2001-05-02"}),
    "owner by username": (make_thread, lambda one: {"owner": one.owner.username.upper()}),
    "owner by e-mail": (make_thread, lambda one: {"owner": one.owner.email}),
    "owner by names": (
        lambda: make_thread(owner=make_user(first_name="Ada", last_name="Lovelace")),
        lambda _: {"owner": "love  ada"},
    ),
    "group": (grouped, lambda _: {"group": Group.objects.get().pk}),
    "assistant": (make_thread, lambda one: {"assistant": one.assistant_id}),
    "model": (lambda: answered_by("o9"), lambda _: {"model": make_model("o9").pk}),
    "state": (lambda: changed(state="concluded", concluded_at=timezone.now()), lambda _: {"state": "concluded"}),
    "failed": (lambda: ended("failed"), lambda _: {"status": "failed"}),
    "interrupted": (lambda: ended("interrupted"), lambda _: {"status": "failed"}),
    "refused": (lambda: ended("refused"), lambda _: {"status": "refused"}),
    "stopped": (lambda: ended("stopped"), lambda _: {"status": "stopped"}),
    "cut off": (lambda: ended("incomplete"), lambda _: {"status": "cut_off"}),
    "running": (lambda: ended("streaming"), lambda _: {"status": "running"}),
    "files": (with_file, lambda _: {"files": "yes"}),
    "rated bad": (lambda: rated("down"), lambda _: {"feedback": "down"}),
    "rated good": (lambda: rated("up"), lambda _: {"feedback": "up"}),
    "rated": (lambda: rated("up"), lambda _: {"feedback": "any"}),
    "waiting": (lambda: reviewed("waiting"), lambda _: {"review": "waiting"}),
    "claimed": (lambda: reviewed("claimed"), lambda _: {"review": "claimed"}),
    "decided": (lambda: reviewed("done", "fine"), lambda _: {"review": "done"}),
    "a verdict": (lambda: reviewed("done", "violation"), lambda _: {"review": "violation"}),
    "deleted": (lambda: changed(hidden_at=timezone.now()), lambda _: {"hidden": "yes"}),
    "cost": (lambda: used(cost="2.5"), lambda _: {"cost_from": "2.50", "cost_to": "2.5"}),
    "little cost": (lambda: used(cost="0.00000001"), lambda _: {"cost_to": "0.00000001"}),
    "tokens": (lambda: used(input_tokens=90_000), lambda _: {"tokens_from": "90000", "tokens_to": "90005"}),
    "together": (
        lambda: rated("down"),
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
    [({"files": "no"}, with_file), ({"feedback": "none"}, lambda: rated("up")), ({"hidden": "no"}, lambda: changed(
        hidden_at=timezone.now())), ({"review": "none"}, lambda: reviewed("done", "fine"))],
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
