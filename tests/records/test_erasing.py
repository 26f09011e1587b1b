"""Erasing a person: what goes, what stays, and what is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Token, User
from accounts.tokens import make_token
from audit.models import AuditEvent
from conversations.models import Attachment, Conversation, Generation, Trial, UsageLimit
from conversations.services import Refusal, Refused, seal_conversation
from records.models import RetentionRun, Review, Tombstone
from records.services.erasing import ask_erasure, is_erased
from records.services.holds import hold_conversation, hold_person, lift_hold
from records.services.runs import carry_out
from tests.factories import make_file, make_model, make_user
from tests.fakes.folder import FilesFolder
from tests.records.retained import (
    SECRET,
    age,
    is_whole,
    make_old,
    make_whole,
    named_objects,
    objects,
    where_it_says,
)
from tests.services.calls import begin
from tests.services.concluded import answer_it, make_concluded

pytestmark = pytest.mark.django_db
NAME = "Quirinus-Xaver"
REASON = "Request 12"


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> FilesFolder:
    return FilesFolder(settings, tmp_path)


@pytest.fixture
def admin() -> User:
    return make_user(is_staff=True, is_superuser=True)


@pytest.fixture
def person() -> User:
    """Somebody with a conversation, an upload, an address, a limit, a group, a trial, and a log about them."""
    person = make_whole(1).owner
    person.username, person.email = f"{NAME}.login", f"{NAME}@example.org".lower()
    person.first_name, person.last_name = NAME, "Vogelsang"
    person.set_password("a-fair-password-17")
    person.save()
    person.groups.add(Group.objects.create(name="Lawyers"))
    person.user_permissions.add(Permission.objects.get(codename="view_group"))
    make_file(person, name=f"{SECRET}.png")
    make_token(owner=person, name=SECRET, scopes=["read"])
    SocialAccount.objects.create(user=person, provider="https://sign-in.example", uid=SECRET)
    EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)
    UsageLimit.objects.create(user=person, measure="money", period="month", amount=5)
    call = Generation.objects.create(
        purpose="test", model=make_model(), model_asked="gpt-4o", status="failed", error_detail=SECRET
    )
    Trial.objects.create(generation=call, asked_by=person, prompt=SECRET, text=SECRET)
    for about in (person, UsageLimit.objects.get()):
        LogEntry.objects.create(
            user=make_user(),
            content_type=ContentType.objects.get_for_model(about),
            object_id=str(about.pk),
            object_repr=str(about),
            action_flag=CHANGE,
            change_message=f"Was {NAME} before",
        )
    return person


def sign_in(person: User) -> Client:
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    client = Client()
    client.cookies["session"] = str(session.session_key)
    return client


def erase(person: User, admin: User) -> RetentionRun:
    run = ask_erasure(person=person, asked_by=admin, reason=REASON)
    assert carry_out(run_id=run.pk)
    run.refresh_from_db()
    return run


def test_nothing_tells_any_more_who_an_erased_person_was_or_what_they_said(person: User, admin: User) -> None:
    assert len(where_it_says(NAME) + where_it_says(NAME.lower())) == 4
    sign_in(person)
    run = erase(person, admin)

    assert run.state == "done"
    for words in (NAME, NAME.lower(), "Vogelsang", SECRET):
        assert where_it_says(words) == []
    assert objects() == named_objects() == set()
    person.refresh_from_db()
    assert (person.username, person.email) == (f"erased-{person.pk}", f"erased-{person.pk}@erased.invalid")
    assert (person.first_name, person.last_name, person.last_login) == ("", "", None)
    assert not any([person.is_active, person.is_staff, person.is_superuser, person.has_usable_password()])
    assert not person.groups.exists()
    assert not person.user_permissions.exists()
    assert not EmailAddress.objects.exists()
    assert not Session.objects.exists()
    entry = LogEntry.objects.get(object_id=str(person.pk), content_type__model="user")
    assert (entry.object_repr, entry.change_message) == (f"erased-{person.pk}", "")
    assert run.counts == {
        "conversations": 1, "messages": 2, "generations": 2, "attachments": 1, "attachment_bytes": 70,
        "input_tokens": 10, "output_tokens": 3, "cost": run.counts["cost"], "unpriced_calls": 0,
        "sessions": 0, "tokens": 1, "addresses": 1, "log_entries": 2, "limits": 1, "trials": 1, "exports": 0,
        "groups": 1,
    }  # fmt: skip


def test_who_asks_shuts_the_person_out_at_once(person: User, admin: User) -> None:
    client, other = sign_in(person), sign_in(admin)
    assert client.get("/conversations/").status_code == 200
    ask_erasure(person=person, asked_by=admin, reason=REASON)
    assert client.get("/conversations/").status_code == 302
    assert not Token.objects.exclude(revoked_at__isnull=False).exists()
    assert not client.login(username=person.username, password="a-fair-password-17")
    assert other.get("/conversations/").status_code == 200
    assert Session.objects.count() == 1


def test_a_hold_in_force_is_named_and_nothing_is_done(person: User, admin: User) -> None:
    conversation = Conversation.objects.get()
    hold = hold_conversation(conversation_id=conversation.pk, placed_by=admin, reason="Case 5")
    with pytest.raises(Refused) as told:
        ask_erasure(person=person, asked_by=admin, reason=REASON)
    assert told.value.code == Refusal.HELD
    assert f"{hold.pk} on conversation {conversation.pk}, placed on " in told.value.message
    second = hold_person(person=person, placed_by=admin, reason="Case 6").hold
    with pytest.raises(Refused, match="and 1 more"):
        ask_erasure(person=person, asked_by=admin, reason=REASON)
    person.refresh_from_db()
    assert person.is_active
    assert is_whole(conversation)
    for one in (hold, second):
        lift_hold(hold=one, lifted_by=admin, reason="Closed")
    assert erase(person, admin).state == "done"


def test_nobody_erases_themselves_or_staff_above_them(person: User, admin: User) -> None:
    clerk = make_user(is_staff=True)
    for asked_by, whom in ((clerk, admin), (clerk, make_user(is_staff=True)), (admin, admin)):
        with pytest.raises(Refused) as told:
            ask_erasure(person=whom, asked_by=asked_by, reason=REASON)
        assert told.value.code == Refusal.NOT_ERASABLE
    assert ask_erasure(person=person, asked_by=clerk, reason=REASON).person_id == person.pk


def test_asking_twice_is_one_erasure_and_none_comes_after_it(person: User, admin: User) -> None:
    first = ask_erasure(person=person, asked_by=admin, reason=REASON)
    assert ask_erasure(person=person, asked_by=admin, reason="Again") == first
    assert carry_out(run_id=first.pk)
    assert carry_out(run_id=first.pk)
    assert is_erased(person.pk)
    with pytest.raises(Refused, match="erased already"):
        ask_erasure(person=person, asked_by=admin, reason=REASON)


def test_a_running_answer_is_stopped_and_what_is_on_its_way_is_waited_for(admin: User) -> None:
    answer = begin()
    person = answer.owner
    unsealed = make_concluded()
    Conversation.objects.filter(pk=unsealed.pk).update(owner=person)
    run = ask_erasure(person=person, asked_by=admin, reason=REASON)
    assert not carry_out(run_id=run.pk)
    run.refresh_from_db()
    assert Tombstone.objects.get().pk == answer.conversation_id
    assert run.problem.startswith("It waits for what is on its way in ")
    assert is_whole(unsealed)
    person.refresh_from_db()
    assert not person.username.startswith("erased")

    assert seal_conversation(conversation_id=unsealed.pk)
    assert carry_out(run_id=run.pk)
    assert objects() == named_objects() == set()
    assert not Conversation.every.exists()


def test_storage_that_is_down_keeps_the_person_s_names_until_everything_is_gone(
    person: User, admin: User, folder: FilesFolder
) -> None:
    run = ask_erasure(person=person, asked_by=admin, reason=REASON)
    folder.take_away()
    assert not carry_out(run_id=run.pk)
    person.refresh_from_db()
    run.refresh_from_db()
    assert run.state == "running"
    assert run.problem
    assert not person.username.startswith("erased")
    folder.give_back()
    assert carry_out(run_id=run.pk)
    person.refresh_from_db()
    assert person.username == f"erased-{person.pk}"


def test_an_erasure_that_is_interrupted_goes_on_where_it_was(admin: User) -> None:
    conversations = [make_old(1) for _ in range(3)]
    person = conversations[0].owner
    Conversation.objects.update(owner=person)
    run = ask_erasure(person=person, asked_by=admin, reason=REASON)
    for removed in (1, 2):
        looks = iter([False, True])
        assert not carry_out(run_id=run.pk, is_stopping=lambda: next(looks))  # noqa: B023
        assert Tombstone.objects.filter(removed_at__isnull=False).count() == removed
        person.refresh_from_db()
        assert not person.username.startswith("erased")
    assert carry_out(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.counts["conversations"]) == ("done", 3)


def test_what_somebody_wrote_as_a_reviewer_stays(admin: User) -> None:
    make_whole(1)
    review = Review.objects.get()
    assert review.claimed_by is not None
    erase(review.claimed_by, admin)
    review.refresh_from_db()
    assert (review.note, str(review.claimed_by)) == (SECRET, f"erased-{review.claimed_by_id}")


def test_the_audit_tells_of_an_erasure_by_numbers_alone(person: User, admin: User) -> None:
    run = erase(person, admin)
    asked, erased = AuditEvent.objects.filter(object_id=str(run.pk)).order_by("seq")
    assert [asked.kind, erased.kind] == ["erasure.asked", "person.erased"]
    for event in (asked, erased):
        assert (event.actor_id, event.subject_id, event.reason) == (admin.pk, person.pk, REASON)
    assert erased.details.items() >= run.counts.items()


def test_a_username_like_that_of_an_erased_person_is_in_nobody_s_way(person: User, admin: User) -> None:
    make_user(username=f"ERASED-{person.pk}")
    erase(person, admin)
    person.refresh_from_db()
    assert person.username == f"erased-{person.pk}-again"


def test_others_keep_everything(person: User, admin: User) -> None:
    other = age(answer_it(begin()).conversation, 1)
    upload = make_file(other.owner)
    erase(person, admin)
    assert Conversation.objects.get() == other
    assert Attachment.objects.get() == upload
    assert timezone.now() > other.created_at
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_user WHERE username LIKE 'erased-%%'")
        assert cursor.fetchone() == (1,)
