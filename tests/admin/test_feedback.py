"""Reviewers read ratings, in the list and in transcripts, and change none."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from conversations.models import Conversation, Feedback
from tests.admin.record import make_thread

LIST = "/admin/conversations/feedback/"


def rate(conversation: Conversation, rating: str = "down", reason: str = "The year is <b>wrong</b>.") -> Feedback:
    answer = conversation.messages.latest("id")
    return Feedback.objects.create(message=answer, user=conversation.owner, rating=rating, reason=reason)


def test_a_transcript_shows_the_rating_and_offers_no_button(client: Client, reviewer: User) -> None:
    conversation = make_thread()
    rate(conversation)
    client.force_login(reviewer)
    page = client.get(reverse("admin:conversations_conversation_change", args=[conversation.pk])).content.decode()
    assert "Rated bad by its owner" in page
    assert "<q>The year is &lt;b&gt;wrong&lt;/b&gt;.</q>" in page
    assert "aria-pressed" not in page
    assert "/feedback/" not in page.replace("/conversations/feedback/", "")
    assert page.count("<form") == 2  # to sign out with, and to begin a review


def test_ratings_are_listed_filtered_and_read_but_not_changed(client: Client, reviewer: User) -> None:
    bad = rate(make_thread(title="Contracts"))
    rate(make_thread(title="Holidays"), "up", "Clear.")
    client.force_login(reviewer)
    both = client.get(LIST).content.decode()
    assert "Contracts" in both
    assert "Holidays" in both
    filtered = client.get(LIST, {"rating__exact": "down"}).content.decode()
    assert "Contracts" in filtered
    assert "Holidays" not in filtered.partition('id="result_list"')[2]
    address = reverse("admin:conversations_feedback_change", args=[bad.pk])
    assert "The year is &lt;b&gt;wrong&lt;/b&gt;." in client.get(address).content.decode()
    assert client.post(address, {"rating": "up"}).status_code == 403
    bad.refresh_from_db()
    assert bad.rating == "down"


def test_staff_without_the_right_read_no_rating(client: Client, staff: User) -> None:
    bad = rate(make_thread())
    client.force_login(staff)
    for address in (LIST, reverse("admin:conversations_feedback_change", args=[bad.pk])):
        assert client.get(address).status_code == 403


def test_queries_of_the_list_do_not_grow_with_the_ratings(client: Client, reviewer: User) -> None:
    client.force_login(reviewer)
    counts = []
    for _ in range(2):
        for _ in range(10):
            rate(make_thread())
        with CaptureQueriesContext(connection) as queries:
            assert client.get(LIST).status_code == 200
        counts.append(len(queries))
        assert not any('"conversations_message"."text"' in query["sql"] for query in queries)
    assert counts[0] == counts[1]
