"""The queue, the panel and the counts, as reviewers see them."""

from __future__ import annotations

import datetime

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from conversations.ids import uuid7
from conversations.models import Conversation
from records.models import Review, ReviewLabel, ReviewReason
from records.services.reviewing import claim_review, decide_review
from tests.factories import make_user
from tests.records.reviews import make_policy, make_review, make_reviewer
from tests.sitting import REASON, SittingClient

pytestmark = pytest.mark.django_db
QUEUE = "/admin/records/review/"
PROGRESS = f"{QUEUE}progress/"


@pytest.fixture
def ada() -> User:
    return make_reviewer(first_name="Ada", last_name="Lovelace")


@pytest.fixture
def browser(ada: User) -> SittingClient:
    """Ada's, who has said why she reads."""
    browser = SittingClient()
    browser.force_login(ada)
    return browser


def address(name: str, review: Review) -> str:
    return reverse(f"admin:records_review_{name}", args=[review.pk])


def of(page: object) -> str:
    return page.content.decode()  # type: ignore[attr-defined,no-any-return]


def listed(browser: Client, **filters: str | int) -> str:
    return of(browser.get(QUEUE, filters)).partition('id="result_list"')[2]


def test_the_queue_shows_what_is_open_and_filters_the_rest(browser: SittingClient, ada: User) -> None:
    waiting, mine, done = (make_review(title=title) for title in ("Umbrellas", "Moons", "Harvests"))
    policy, label = make_policy("refused", name="Refusals"), ReviewLabel.objects.create(name="Tone")
    ReviewReason.objects.create(review=waiting, policy=policy, at=timezone.now())
    for review in (mine, done):
        claim_review(review_id=review.pk, reviewer=ada)
    decide_review(review_id=done.pk, reviewer=ada, verdict="concern", label_ids=[label.pk])

    def titles(**filters: str | int) -> set[str]:
        page = listed(browser, **filters)
        return {title for title in ("Umbrellas", "Moons", "Harvests") if title in page}

    assert titles() == {"Umbrellas", "Moons"}
    assert titles(standing="waiting") == {"Umbrellas"}
    assert titles(standing="mine") == {"Moons"}
    assert titles(standing="done") == {"Harvests"}
    assert titles(standing="all") == {"Umbrellas", "Moons", "Harvests"}
    assert titles(policy=policy.pk) == {"Umbrellas"}
    assert titles(standing="all", label=label.pk) == {"Harvests"}
    assert titles(standing="all", verdict__exact="concern") == {"Harvests"}
    assert titles(standing="all", reviewer=ada.pk) == {"Moons", "Harvests"}
    assert "Refusals" in listed(browser)


@pytest.mark.parametrize(
    "query",
    [
        "standing=nonsense", "policy=x", "policy=9" + "9" * 30, "label=-1", "reviewer=%F0", "verdict__exact=x",
        "created_at__gte=never", "p=999", "o=9.9", "nonsense=1",
    ],
)  # fmt: skip
def test_filters_with_nonsense_answer_all_the_same(browser: SittingClient, query: str) -> None:
    make_review()
    assert browser.get(f"{QUEUE}?{query}", follow=True).status_code == 200


def test_a_reviewer_claims_reads_and_decides(browser: SittingClient, ada: User) -> None:
    review, following = make_review(), make_review()
    transcript = reverse("admin:conversations_conversation_change", args=[review.conversation_id])
    answer = browser.post(address("claim", review))
    assert (answer.status_code, answer["Location"]) == (303, f"{transcript}#review")
    panel = of(browser.get(address("change", review)))
    assert "<strong>Yours</strong>" in panel
    assert "after 24 hours" in panel
    verdict = {"verdict": "violation", "note": "It names <b>people</b>.", "then": "next"}
    answer = browser.post(address("verdict", review), verdict)
    assert str(following.conversation_id) in answer["Location"]
    panel = of(browser.get(address("change", review)))
    assert "It names &lt;b&gt;people&lt;/b&gt;." in panel
    assert "A violation" in panel
    assert browser.post(address("return", following)).status_code == 303
    events = AuditEvent.objects.filter(kind__startswith="review.").order_by("seq")
    kinds = ["review.claimed", "review.decided", "review.claimed", "review.returned"]
    assert [event.kind for event in events] == kinds
    assert {(event.actor_id, event.reason) for event in events} == {(ada.pk, REASON)}
    assert "people" not in str(events.values_list("details", flat=True))


def test_who_comes_too_late_is_told_and_loses_no_note(browser: SittingClient) -> None:
    review, bob = make_review(), make_reviewer(first_name="Bob")
    claim_review(review_id=review.pk, reviewer=bob)
    for name in ("claim", "return"):
        answer = browser.post(address(name, review))
        assert answer.status_code == 409
        assert "Bob claimed this just now." in of(answer)
    answer = browser.post(address("verdict", review), {"verdict": "fine", "note": "A long thought"})
    assert answer.status_code == 409
    assert "A long thought" in of(answer)
    review.refresh_from_db()
    assert (review.claimed_by, review.state) == (bob, "claimed")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        pytest.param({}, "Choose what you found.", id="nothing"),
        pytest.param({"verdict": "guilty"}, "Choose what you found.", id="unknown"),
        pytest.param({"verdict": "fine", "labels": ["x"]}, "A label that you chose is not offered", id="label"),
        pytest.param({"verdict": "fine", "labels": ["9" * 40]}, "A label that you chose is not offered", id="large"),
    ],
)
def test_a_verdict_with_nonsense_is_refused_with_what_was_typed(
    browser: SittingClient, ada: User, sent: dict[str, object], words: str
) -> None:
    review = make_review()
    ReviewLabel.objects.create(name="Tone")
    claim_review(review_id=review.pk, reviewer=ada)
    answer = browser.post(address("verdict", review), sent | {"note": "My <thought>\x00"})
    assert answer.status_code == 422
    assert words in of(answer)
    assert "My &lt;thought&gt;" in of(answer)


def test_a_note_that_is_too_long_is_refused_and_kept(browser: SittingClient, ada: User) -> None:
    review = make_review()
    claim_review(review_id=review.pk, reviewer=ada)
    answer = browser.post(address("verdict", review), {"verdict": "fine", "note": "x" * 5001})
    assert answer.status_code == 409
    assert "5,001 characters" in of(answer)
    assert "x" * 5001 in of(answer)


def test_nothing_is_claimed_without_a_reason_and_no_verdict_is_lost_for_want_of_one(ada: User) -> None:
    browser, review = Client(), make_review()
    browser.force_login(ada)
    for path in (address("claim", review), f"{QUEUE}next/"):
        answer = browser.post(path, headers={"referer": f"http://testserver{QUEUE}"})
        assert (answer.status_code, answer["Location"]) == (303, "/admin/reason/?next=%2Fadmin%2Frecords%2Freview%2F")
    assert browser.get(QUEUE).status_code == 302
    assert browser.get(address("change", review)).status_code == 302
    assert Review.objects.filter(state="waiting").exists()
    claim_review(review_id=review.pk, reviewer=ada)
    make_review()
    answer = browser.post(address("verdict", review), {"verdict": "fine", "then": "next"})
    assert (answer.status_code, answer["Location"][:14]) == (303, "/admin/reason/")
    review.refresh_from_db()
    assert review.state == "done"
    assert not Review.objects.filter(state="claimed").exists()


def test_of_many_reasons_the_panel_tells_the_first(browser: SittingClient) -> None:
    review, policy = make_review(), make_policy("keywords", keywords="x")
    ReviewReason.objects.bulk_create(
        ReviewReason(review=review, policy=policy, message_id=uuid7(), at=timezone.now(), words=f"word {number}")
        for number in range(30)
    )
    panel = of(browser.get(address("change", review)))
    assert panel.count("<q>word") == 12
    assert "And 18 more" in panel


def test_one_s_own_conversation_is_somebody_else_s_work(browser: SittingClient, ada: User) -> None:
    own = make_review(owner=ada)
    assert "Your own" in listed(browser)
    assert "Claim" not in listed(browser).replace("Claimed", "")
    assert "Somebody else has to review it" in of(browser.get(address("change", own)))
    answer = browser.post(reverse("admin:records_review_start", args=[own.conversation_id]))
    assert (answer.status_code, "Somebody else has to review it" in of(answer)) == (409, True)
    answer = browser.post(f"{QUEUE}next/", follow=True)
    assert "Nothing waits for you now." in of(answer)


def test_what_is_being_removed_is_nowhere_to_be_seen(browser: SittingClient) -> None:
    review = make_review(title="Umbrellas")
    Conversation.objects.update(removal_begun_at=timezone.now())
    assert "Umbrellas" not in of(browser.get(QUEUE))
    assert browser.get(address("change", review)).status_code == 302
    for path in (address("claim", review), reverse("admin:records_review_start", args=[review.conversation_id])):
        assert browser.post(path).status_code == 404


def test_staff_without_the_right_do_nothing_here() -> None:
    staff, review = make_user(is_staff=True), make_review()
    staff.user_permissions.set(Permission.objects.filter(content_type__app_label="records"))
    browser = SittingClient()
    browser.force_login(staff)
    for path in (QUEUE, PROGRESS, address("change", review)):
        assert browser.get(path).status_code == 403
    for path in (f"{QUEUE}next/", *(address(name, review) for name in ("claim", "return", "verdict"))):
        assert browser.post(path, {"verdict": "fine"}).status_code == 403
    assert "Queue" not in of(browser.get("/admin/"))


def test_the_queue_stands_on_a_reviewer_s_first_page(browser: SittingClient) -> None:
    assert QUEUE in of(browser.get("/admin/"))


def test_queries_of_the_queue_do_not_grow_with_it(browser: SittingClient, ada: User) -> None:
    policy, counts = make_policy("refused"), []
    for _ in range(2):
        for _ in range(10):
            review = make_review()
            ReviewReason.objects.create(review=review, policy=policy, at=timezone.now())
        claim_review(review_id=review.pk, reviewer=ada)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(QUEUE).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_progress_counts_by_reviewer_and_by_time(browser: SittingClient, ada: User) -> None:
    label, bob = ReviewLabel.objects.create(name="Tone"), make_reviewer(first_name="Bob")
    for verdict, days in (("fine", 0), ("fine", 2), ("violation", 2), ("concern", 400)):
        review = make_review()
        claim_review(review_id=review.pk, reviewer=ada)
        decide_review(review_id=review.pk, reviewer=ada, verdict=verdict, label_ids=[label.pk])
        at = timezone.now() - datetime.timedelta(days=days)
        Review.objects.filter(pk=review.pk).update(decided_at=at, created_at=at)
    make_review()
    claim_review(review_id=make_review().pk, reviewer=bob)
    answer = browser.get(PROGRESS)
    progress = answer.context["progress"]
    assert (progress.waiting, progress.claimed, progress.came_in) == (1, 1, 5)
    found = progress.found
    assert (found.total, found.fine, found.concern, found.violation) == (3, 2, 0, 1)
    sums = [(str(one.reviewer), one.found.total, one.claimed) for one in progress.reviewers]
    assert sums == [("Ada Lovelace", 3, 0), ("Bob", 0, 1)]
    assert progress.labels == [("Tone", 3)]
    assert len(progress.columns) == 30
    assert progress.columns[-3].found.total == 2
    assert 'class="chart-violation"' in of(answer)
    for period, count in (("quarter", 13), ("year", 12), ("nonsense", 30)):
        answer = browser.get(PROGRESS, {"period": period})
        assert (answer.status_code, len(answer.context["progress"].columns)) == (200, count)
        assert answer.context["progress"].found.total == 3
