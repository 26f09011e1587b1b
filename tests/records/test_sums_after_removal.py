"""Whatever is removed, the sums of use stay what they were, and tombstones add up to what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db.models import Sum
from pytest_django import Settings

from conversations.models import UsageDay
from conversations.spending import read_spending
from records.models import Tombstone, UsageFact
from records.services.erasing import ask_erasure
from records.services.runs import carry_out
from records.services.usage_facts import keep_usage
from tests.factories import make_user
from tests.fakes.folder import FilesFolder
from tests.records.retained import make_old, make_policy, run_policies
from tests.services.concluded import make_sealed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> FilesFolder:
    return FilesFolder(settings, tmp_path)


def test_the_sums_of_use_stay_as_they_were_when_a_person_is_erased() -> None:
    person, admin = make_old(1, is_sealed=True).owner, make_user(is_superuser=True)
    make_sealed()
    keep_usage()
    days, facts = UsageDay.objects.aggregate(Sum("cost"), Sum("calls")), _facts()
    spent = read_spending(person)
    assert facts["conversations__sum"] == 2

    run = ask_erasure(person=person, asked_by=admin, reason="Request 12")
    assert carry_out(run_id=run.pk)
    assert UsageDay.objects.aggregate(Sum("cost"), Sum("calls")) == days
    assert _facts() == facts
    keep_usage()
    assert _facts() == facts
    assert read_spending(person) == spent


def test_the_sums_of_use_stay_as_they_were_when_policies_remove() -> None:
    for _ in range(3):
        make_old(40)
    make_policy(30)
    days = UsageDay.objects.aggregate(Sum("cost"), Sum("calls"))
    keep_usage()
    facts = _facts()
    run_policies()
    keep_usage()
    assert _facts() == facts
    assert UsageDay.objects.aggregate(Sum("cost"), Sum("calls")) == days
    tombs = Tombstone.objects.aggregate(Sum("output_tokens"), Sum("cost"))
    assert (tombs["output_tokens__sum"], tombs["cost__sum"]) == (facts["output_tokens__sum"], facts["cost__sum"])


def _facts() -> dict[str, object]:
    names = ("conversations", "prompts", "answers", "calls", "input_tokens", "output_tokens", "cost")
    return UsageFact.objects.aggregate(*[Sum(name) for name in names])
