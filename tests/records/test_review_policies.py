"""Policies and labels are changed by who may, and not to nonsense."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from records.models import ReviewLabel, ReviewPolicy, ReviewReason
from records.services.reviewing import claim_review, decide_review
from tests.factories import make_user
from tests.records.reviews import make_policy, make_review, make_reviewer

pytestmark = pytest.mark.django_db
ADD = "/admin/records/reviewpolicy/add/"


@pytest.fixture
def manager() -> User:
    """Staff with the rights to policies and labels, and not to what people wrote."""
    person = make_user(is_staff=True)
    person.user_permissions.set(
        Permission.objects.filter(codename__contains="review", content_type__app_label="records")
    )
    return person


@pytest.fixture
def browser(manager: User) -> Client:
    browser = Client()
    browser.force_login(manager)
    return browser


def add(browser: Client, **fields: Any) -> HttpResponse:
    return browser.post(ADD, {"name": "A policy", "is_enabled": "on"} | fields)  # type: ignore[return-value]


def problems(answer: HttpResponse) -> dict[str, list[str]]:
    assert answer.status_code == 200
    errors: dict[str, list[str]] = answer.context["adminform"].form.errors  # type: ignore[attr-defined]
    return errors


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        pytest.param({"kind": "sample", "percent": "2.5", "cost": "x"}, ("2.50", "", "None"), id="sample"),
        pytest.param({"kind": "feedback", "keywords": "the", "percent": "900"}, ("None", "", "None"), id="feedback"),
        pytest.param({"kind": "refused"}, ("None", "", "None"), id="refused"),
        pytest.param(
            {"kind": "keywords", "keywords": ' umbrella \r\n\r\n"blue moon"\r\numbrella', "percent": "3"},
            ("None", 'umbrella\n"blue moon"', "None"),
            id="keywords",
        ),
        pytest.param({"kind": "cost", "cost": "0.5"}, ("None", "", "0.5000"), id="cost"),
    ],
)
def test_each_kind_keeps_what_it_needs_alone(
    browser: Client, fields: dict[str, str], kept: tuple[str, str, str]
) -> None:
    assert add(browser, **fields).status_code == 302
    policy = ReviewPolicy.objects.get()
    assert (str(policy.percent), policy.keywords, str(policy.cost)) == kept


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        pytest.param({}, "kind", "required", id="no-kind"),
        pytest.param({"kind": "gossip"}, "kind", "valid choice", id="unknown-kind"),
        pytest.param({"kind": "sample"}, "percent", "how many conversations in a hundred", id="no-percent"),
        pytest.param({"kind": "sample", "percent": "0"}, "percent", "greater than or equal to 0.01", id="none-of-them"),
        pytest.param({"kind": "sample", "percent": "100.01"}, "percent", "less than or equal to 100", id="too-many"),
        pytest.param({"kind": "sample", "percent": "NaN"}, "percent", "Enter a number", id="no-number"),
        pytest.param({"kind": "cost"}, "cost", "how many US dollars", id="no-cost"),
        pytest.param({"kind": "cost", "cost": "-1"}, "cost", "greater than or equal", id="below-nothing"),
        pytest.param({"kind": "cost", "cost": "1e30"}, "cost", "digits", id="dear"),
        pytest.param({"kind": "keywords", "keywords": " \n "}, "keywords", "a search on each line", id="no-words"),
        pytest.param({"kind": "keywords", "keywords": "good\nthe"}, "keywords", "Line 2, “the”", id="stop-word"),
        pytest.param({"kind": "keywords", "keywords": "-bad"}, "keywords", "what is to be left out", id="only-without"),
        pytest.param({"kind": "keywords", "keywords": "a" * 301}, "keywords", "301 characters", id="long-line"),
        pytest.param({"kind": "keywords", "keywords": "\n".join(map(str, range(101)))}, "keywords", "101", id="lines"),
        pytest.param({"kind": "refused", "name": " "}, "name", "required", id="no-name"),
    ],
)
def test_policies_that_make_no_sense_are_refused(
    browser: Client, fields: dict[str, str], field: str, words: str
) -> None:
    assert words in " ".join(problems(add(browser, **fields))[field])
    assert not ReviewPolicy.objects.exists()


def test_a_policy_is_changed_in_what_it_needs_and_stays_of_its_kind(browser: Client) -> None:
    policy = make_policy("sample", percent=5)
    address = reverse("admin:records_reviewpolicy_change", args=[policy.pk])
    page = browser.get(address).content.decode()
    assert 'name="percent"' in page
    assert 'name="keywords"' not in page
    refused = browser.post(address, {"name": "Fewer", "percent": ""})
    assert "how many conversations in a hundred" in refused.content.decode()
    sent = {"name": "Fewer", "kind": "cost", "percent": "0.5", "cost": "1"}
    assert browser.post(address, sent).status_code == 302
    policy.refresh_from_db()
    assert (policy.name, policy.kind, str(policy.percent), policy.cost) == ("Fewer", "sample", "0.50", None)
    assert not policy.is_enabled


def test_two_policies_have_two_names(browser: Client) -> None:
    make_policy("refused", name="Refusals")
    assert "already exists" in " ".join(problems(add(browser, kind="refused", name="Refusals"))["name"])


def test_what_brought_reviews_in_is_disabled_and_not_deleted(browser: Client) -> None:
    policy, unused, review = make_policy("refused"), make_policy("feedback"), make_review()
    ReviewReason.objects.create(review=review, policy=policy, at=timezone.now())
    answer = browser.post(reverse("admin:records_reviewpolicy_delete", args=[policy.pk]), {"post": "yes"}, follow=True)
    assert "so it cannot be deleted. Disable it instead." in answer.content.decode()
    browser.post(reverse("admin:records_reviewpolicy_delete", args=[unused.pk]), {"post": "yes"})
    assert list(ReviewPolicy.objects.all()) == [policy]


def test_a_label_of_a_verdict_stays(browser: Client) -> None:
    used, unused = (ReviewLabel.objects.create(name=name) for name in ("Tone", "Other"))
    review, reviewer = make_review(), make_reviewer()
    claim_review(review_id=review.pk, reviewer=reviewer)
    decide_review(review_id=review.pk, reviewer=reviewer, verdict="fine", label_ids=[used.pk])
    for method in (browser.get, browser.post):
        answer = method(reverse("admin:records_reviewlabel_delete", args=[used.pk]), {"post": "yes"}, follow=True)
        assert "so it cannot be deleted. Disable it instead." in answer.content.decode()
    browser.post(reverse("admin:records_reviewlabel_delete", args=[unused.pk]), {"post": "yes"})
    assert list(ReviewLabel.objects.all()) == [used]


def test_reviewers_without_the_right_change_no_policy() -> None:
    policy, browser = make_policy("refused"), Client()
    browser.force_login(make_reviewer())
    for path in (ADD, reverse("admin:records_reviewpolicy_change", args=[policy.pk])):
        assert browser.get(path).status_code == 403
        assert browser.post(path, {"name": "x", "kind": "refused"}).status_code == 403
