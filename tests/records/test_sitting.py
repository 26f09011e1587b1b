"""Who reads what others wrote says why first, once a sitting."""

from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from records import sitting
from tests.factories import make_user
from tests.sitting import REASON, sit

PAGE = "/admin/reason/"
LIST = "/admin/conversations/message/"


@pytest.fixture
def reviewer(db: None) -> User:
    reviewer = make_user(username="reviewer", is_staff=True)
    reviewer.user_permissions.add(Permission.objects.get(codename="review_conversation"))
    return reviewer


def _why(client: Client) -> str | None:
    given = client.session.get(sitting.SESSION_KEY)
    return given["reason"] if given else None


def test_a_reason_is_taken_written_down_and_leads_on(client: Client, reviewer: User) -> None:
    client.force_login(reviewer)
    asked = client.get(PAGE, {"next": LIST + "?p=2"})
    assert asked.status_code == 200
    assert f'value="{LIST}?p=2"' in asked.content.decode()
    answer = client.post(PAGE, {"reason": "  A complaint,\r\n no. 12 ", "next": LIST + "?p=2"})
    assert (answer.status_code, answer["Location"]) == (303, LIST + "?p=2")
    event = AuditEvent.objects.get(kind="sitting.began")
    assert (event.actor_id, event.reason) == (reviewer.pk, "A complaint, no. 12")
    assert "A complaint, no. 12" in client.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "Say in a few words why", id="empty"),
        pytest.param(" \u200b \n", "Say in a few words why", id="invisible"),
        pytest.param("...!!!", "Say in a few words why", id="no-letter"),
        pytest.param("x" * 501, "this one has 501", id="too-long"),
    ],
)
def test_f1_a_reason_that_says_nothing_or_too_much_is_refused_and_kept(
    client: Client, reviewer: User, text: str, words: str
) -> None:
    client.force_login(reviewer)
    answer = client.post(PAGE, {"reason": text, "next": LIST})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert text.strip() in page
    assert f'value="{LIST}"' in page
    assert _why(client) is None
    assert not AuditEvent.objects.filter(kind="sitting.began").exists()


def test_f3_characters_that_no_column_holds_are_replaced(client: Client, reviewer: User) -> None:
    client.force_login(reviewer)
    assert client.post(PAGE, {"reason": "Case\x0017"}).status_code == 303
    assert AuditEvent.objects.get(kind="sitting.began").reason == "Case\ufffd17"


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_a13_a_reason_never_leads_elsewhere(client: Client, reviewer: User, target: str) -> None:
    client.force_login(reviewer)
    assert "evil" not in client.get(PAGE, {"next": target}).content.decode()
    assert client.post(PAGE, {"reason": REASON, "next": target})["Location"] == reverse("admin:index")


def test_who_has_no_right_to_read_is_asked_nothing(client: Client, db: None) -> None:
    client.force_login(make_user(is_staff=True))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"reason": REASON}).status_code == 403
    assert client.get(LIST).status_code == 403
    client.force_login(make_user())
    assert client.get(PAGE, follow=True).status_code == 403


def test_a_sitting_ends_after_8_hours_and_with_the_sign_out(client: Client, reviewer: User) -> None:
    client.force_login(reviewer)
    sit(client, seconds_ago=sitting.LASTS_SECONDS - 60)
    assert REASON in client.get(PAGE).content.decode()
    sit(client, seconds_ago=sitting.LASTS_SECONDS)
    assert REASON not in client.get(PAGE).content.decode()
    sit(client)
    client.post(reverse("account_logout"))
    client.force_login(reviewer)
    assert REASON not in client.get(PAGE).content.decode()


def test_a_reason_is_nobody_elses(client: Client, reviewer: User) -> None:
    client.force_login(reviewer)
    sit(client)
    session = client.session
    session[sitting.SESSION_KEY] |= {"person": make_user().pk}
    session.save()
    assert REASON not in client.get(PAGE).content.decode()


def test_another_reason_begins_another_sitting(client: Client, reviewer: User) -> None:
    client.force_login(reviewer)
    for reason in ("The first case", "The second case"):
        client.post(PAGE, {"reason": reason})
    assert _why(client) == "The second case"
    assert list(AuditEvent.objects.filter(kind="sitting.began").values_list("reason", flat=True)) == [
        "The first case",
        "The second case",
    ]


@pytest.mark.parametrize(
    ("referer", "target"),
    [
        pytest.param("http://testserver/admin/?a=1", "/admin/?a=1", id="ours"),
        pytest.param("https://evil.example/", "/admin/", id="foreign"),
        pytest.param("", "/admin/", id="none"),
    ],
)
def test_what_was_sent_without_a_reason_leads_back_to_where_it_was_sent_from(referer: str, target: str) -> None:
    request = RequestFactory().post("/admin/x/", headers={"Referer": referer})
    answer = sitting.ask(request)
    assert (answer.status_code, answer["Location"]) == (303, f"{PAGE}?{urlencode({'next': target})}")


def test_reading_outside_a_sitting_cannot_be_written_down(reviewer: User) -> None:
    request = RequestFactory().get("/admin/x/")
    request.user, request.session = reviewer, SessionStore()
    with pytest.raises(RuntimeError, match="ask for a reason"):
        sitting.note(request, "conversation.read")
    assert not AuditEvent.objects.filter(kind="conversation.read").exists()


@sitting.require_reason
def _page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("What others wrote")


def test_a_page_behind_the_gate_is_seen_with_a_reason_alone(reviewer: User) -> None:
    request = RequestFactory().get("/admin/x/?y=1")
    request.user, request.session = reviewer, SessionStore()
    answer = _page(request)
    assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}?next=%2Fadmin%2Fx%2F%3Fy%3D1")
    sitting.begin(request, REASON)
    assert _page(request).content == b"What others wrote"


def test_every_page_of_the_back_office_shows_the_reason_of_the_sitting(client: Client, reviewer: User) -> None:
    client.force_login(reviewer)
    assert "You are reading for" not in client.get("/admin/").content.decode()
    sit(client, reason='<b>"A case"</b>')
    page = client.get("/admin/conversations/message/?q=&p=1").content.decode()
    assert "You are reading for <q>&lt;b&gt;&quot;A case&quot;&lt;/b&gt;</q>" in page
    assert f'href="{PAGE}?next=%2Fadmin%2Fconversations%2Fmessage%2F%3Fq%3D%26p%3D1"' in page
