"""What the provider's groups give here, at each sign-in, and what they never give."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from pytest_django import Settings

from accounts.company.people import groups_claimed, keep_groups_in_step
from accounts.models import User
from audit.models import AuditEvent
from tests.company.conftest import sign_in
from tests.factories import make_user
from tests.fakes.company.process import Company

pytestmark = pytest.mark.django_db


@pytest.fixture
def mapped(settings: Settings) -> None:
    settings.OIDC_GROUPS = [("chat-lawyers", "Lawyers"), ("law", "Lawyers"), ("chat-reviewers", "Reviewers")]


def names(person: User) -> list[str]:
    return sorted(person.groups.values_list("name", flat=True))


def test_groups_are_kept_in_step_at_each_sign_in_and_the_audit_told(company: Company, mapped: None) -> None:
    for claimed, expected in ((["chat-lawyers", "else"], ["Lawyers"]), (["chat-reviewers"], ["Reviewers"]),
                              (["law", "chat-reviewers"], ["Lawyers", "Reviewers"]), ([], [])):  # fmt: skip
        company.say("claims", {"ada": {"groups": claimed}})
        assert sign_in(Client(), company).status_code == 302
        assert names(User.objects.get()) == expected
    told = AuditEvent.objects.filter(kind="rights.changed").order_by("seq").values_list("details", flat=True)
    lawyers, reviewers = (Group.objects.get(name=name).pk for name in ("Lawyers", "Reviewers"))
    assert [(event.get("groups_added"), event.get("groups_removed")) for event in told] == [
        ([lawyers], None), (None, [lawyers]), ([reviewers], None), ([lawyers], None), (None, [lawyers]),
        (None, [reviewers]),
    ]  # fmt: skip


def test_groups_that_are_not_mapped_are_left_alone(company: Company, mapped: None) -> None:
    company.say("claims", {"ada": {"groups": ["Administrators", "staff"]}})
    sign_in(Client(), company)
    person = User.objects.get()
    person.groups.add(Group.objects.create(name="Sales"))
    sign_in(Client(), company)
    assert names(person) == ["Sales"]
    assert not Group.objects.filter(name="Administrators").exists()


def test_a_claim_that_is_missing_gives_nothing(company: Company, mapped: None) -> None:
    company.say("claims", {"ada": {"groups": ["law"]}})
    sign_in(Client(), company)
    company.say("claims", {"ada": {"groups": None}})
    sign_in(Client(), company)
    assert names(User.objects.get()) == []


@pytest.mark.parametrize("claimed", [17, None, {"law": True}, [["law"]], [None, 17], "la", ["LAW"], [""]],
                         ids=["number", "null", "object", "nested", "odd", "part", "case", "empty"])  # fmt: skip
def test_what_is_no_list_of_groups_gives_nothing(mapped: None, claimed: Any) -> None:
    person = make_user()
    keep_groups_in_step(person=person, claims={"groups": claimed})
    assert names(person) == []


def test_claims_may_lie_in_objects_or_have_dots_in_their_names(settings: Settings) -> None:
    settings.OIDC_GROUPS_CLAIM = "realm_access.roles"
    assert groups_claimed({"realm_access": {"roles": ["law"]}}) == {"law"}
    assert groups_claimed({"realm_access.roles": "law"}) == {"law"}
    for odd in ({}, {"realm_access": None}, {"realm_access": ["roles"]}, {"realm_access": {"roles": None}}):
        assert groups_claimed(odd) == set()


def test_a12_no_claim_makes_staff_or_superusers_by_itself(company: Company, mapped: None) -> None:
    claims = {"is_superuser": True, "is_staff": True, "groups": ["@superuser", "@staff", "superuser", "law"]}
    company.say("claims", {"ada": claims})
    sign_in(Client(), company)
    person = User.objects.get()
    assert (person.is_staff, person.is_superuser, names(person)) == (False, False, ["Lawyers"])


def test_staff_and_superusers_come_and_go_with_a_group_that_is_mapped(settings: Settings) -> None:
    settings.OIDC_GROUPS = [("desk", "@staff"), ("root", "@superuser")]
    make_user(is_superuser=True)
    person = make_user()
    for claimed, expected in ((["desk"], (True, False)), (["root"], (True, True)), ([], (False, False))):
        keep_groups_in_step(person=person, claims={"groups": claimed})
        person.refresh_from_db()
        assert (person.is_staff, person.is_superuser) == expected
    changes = AuditEvent.objects.filter(kind="rights.changed", subject_id=person.pk).order_by("seq")
    assert [event.details for event in changes] == [
        {"is_staff": True}, {"is_superuser": True}, {"is_staff": False, "is_superuser": False}
    ]  # fmt: skip


def test_the_last_superuser_stays_one(settings: Settings) -> None:
    settings.OIDC_GROUPS = [("root", "@superuser")]
    person = make_user(is_superuser=True, is_staff=True)
    keep_groups_in_step(person=person, claims={})
    person.refresh_from_db()
    assert (person.is_staff, person.is_superuser) == (True, True)


def test_staff_who_are_not_mapped_stay_staff(settings: Settings) -> None:
    settings.OIDC_GROUPS = [("root", "@superuser")]
    person = make_user(is_staff=True)
    keep_groups_in_step(person=person, claims={})
    person.refresh_from_db()
    assert person.is_staff
