"""The pages on which holds are placed and lifted."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from conversations.models import Conversation
from records.models import LegalHold, RetentionRun, Tombstone
from tests.admin.record import make_thread
from tests.admin.test_hostile_text import HOSTILE, _active_content
from tests.factories import make_user

pytestmark = pytest.mark.django_db
ADD = reverse("admin:records_legalhold_add")
LIST = reverse("admin:records_legalhold_changelist")


@pytest.fixture
def clerk() -> User:
    """Staff who may place holds and lift them, and nothing else."""
    person = make_user(username="clerk", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__endswith="_legalhold"))
    return person


@pytest.fixture
def client(client: Client, clerk: User) -> Client:
    client.force_login(clerk)
    return client


def page_of(hold: LegalHold) -> str:
    return reverse("admin:records_legalhold_change", args=[hold.pk])


def lift(hold: LegalHold) -> str:
    return reverse("admin:records_legalhold_lift", args=[hold.pk])


def make_hold(**fields: object) -> LegalHold:
    return LegalHold.objects.create(placed_by=make_user(), reason="Case 4", **fields)


@pytest.mark.parametrize("by", ["username", "email"])
def test_a_hold_on_a_person_is_placed_by_name_or_address(client: Client, clerk: User, by: str) -> None:
    person = make_user()
    response = client.post(ADD, {"person": getattr(person, by).upper(), "reason": "  Case\n 17 "}, follow=True)
    hold = LegalHold.objects.get()
    assert response.redirect_chain == [(page_of(hold), 303)]
    assert (hold.user, hold.conversation_id, hold.reason, hold.placed_by) == (person, None, "Case 17", clerk)
    assert b"all conversations of this person stay" in response.content
    event = AuditEvent.objects.get(kind="hold.placed")
    assert (event.actor_id, event.subject_id, event.object_id, event.reason) == (
        clerk.pk, person.pk, str(hold.pk), "Case 17"
    )  # fmt: skip


@pytest.mark.parametrize("given", ["{}", "https://example.org/admin/conversations/conversation/{}/change/?page=2"])
def test_a_hold_on_a_conversation_is_placed_by_its_id_or_the_address_of_its_page(client: Client, given: str) -> None:
    conversation = make_thread()
    client.post(ADD, {"conversation": given.format(conversation.pk), "reason": "Case 17"})
    assert LegalHold.objects.get().conversation_id == conversation.pk
    assert AuditEvent.objects.get(kind="hold.placed").subject_id == conversation.owner_id


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({}, "Say in a few words why"),
        ({"reason": "Case 17"}, "Enter a person or a conversation: one of the two."),
        ({"person": "somebody", "conversation": "{id}", "reason": "Case 17"}, "one of the two"),
        ({"person": "nobody-at-all", "reason": "Case 17"}, "Nobody has this name or e-mail address."),
        ({"conversation": "the one on contracts", "reason": "Case 17"}, "neither the id of a conversation nor"),
        ({"conversation": str(uuid.UUID(int=7)), "reason": "Case 17"}, "There is no such conversation."),
        ({"person": "somebody", "reason": "?!"}, "Say in a few words why"),
        ({"person": "somebody", "reason": "x" * 501}, "A reason can have 500 characters"),
        ({"person": "some\0body", "reason": "Case 17"}, "Null characters are not allowed."),
    ],
)
def test_p11_a_form_that_makes_no_sense_is_refused_in_words_and_nothing_is_lost(
    client: Client, form: dict[str, str], problem: str
) -> None:
    make_user(username="somebody")
    given = {name: value.format(id=make_thread().pk) for name, value in form.items()}
    response = client.post(ADD, given)
    assert response.status_code == 422
    assert problem in response.content.decode()
    assert not LegalHold.objects.exists()
    for value in given.values():
        if "\0" not in value:
            assert value in response.content.decode()


def test_a_hold_that_comes_too_late_says_so_and_names_the_conversation(client: Client) -> None:
    conversation = make_thread()
    begun = begin_removal_of(conversation)
    response = client.post(ADD, {"conversation": str(conversation.pk), "reason": "Case 17"})
    assert response.status_code == 409
    assert f"The removal of conversation {conversation.pk} began on" in response.content.decode()
    assert not LegalHold.objects.exists()
    response = client.post(ADD, {"person": conversation.owner.username, "reason": "Case 17"}, follow=True)
    assert f"It comes too late for what is being removed at this moment: {begun.pk}." in response.content.decode()
    assert LegalHold.objects.get().user == conversation.owner


def begin_removal_of(conversation: Conversation) -> Tombstone:
    counts = ("messages", "generations", "attachments", "attachment_bytes", "input_tokens", "output_tokens")
    tombstone = Tombstone.objects.create(
        conversation_id=conversation.pk,
        run=RetentionRun.objects.create(kind="policies"),
        owner_id=conversation.owner_id,
        assistant_id=conversation.assistant_id,
        created_at=conversation.created_at,
        last_activity_at=conversation.last_activity_at,
        cost=0,
        unpriced_calls=0,
        **dict.fromkeys(counts, 1),
    )
    Conversation.objects.filter(pk=conversation.pk).update(removal_begun_at=tombstone.begun_at)
    return tombstone


def test_a_hold_is_lifted_with_a_reason_once(client: Client, clerk: User) -> None:
    hold = make_hold(user=make_user())
    assert b"Lift the hold" in client.get(page_of(hold)).content
    response = client.post(lift(hold), {"reason": ""})
    assert response.status_code == 422
    assert b"Say in a few words why" in response.content
    assert client.post(lift(hold), {"reason": "Closed"}).status_code == 303
    hold.refresh_from_db()
    assert (hold.lifted_by, hold.lift_reason, hold.lifted_at is None) == (clerk, "Closed", False)
    event = AuditEvent.objects.get(kind="hold.lifted")
    assert (event.subject_id, event.reason) == (hold.user_id, "Closed")
    response = client.post(lift(hold), {"reason": "Again"})
    assert response.status_code == 409
    assert b"This hold was lifted already." in response.content
    assert b"Lift the hold" not in response.content
    assert AuditEvent.objects.filter(kind="hold.lifted").count() == 1


def test_a_hold_is_never_edited_or_deleted(client: Client, superuser: User) -> None:
    hold = make_hold(user=make_user())
    client.force_login(superuser)
    assert client.post(page_of(hold), {"reason": "Other"}).status_code == 403
    assert client.post(reverse("admin:records_legalhold_delete", args=[hold.pk]), {"post": "yes"}).status_code == 403
    hold.refresh_from_db()
    assert hold.reason == "Case 4"


@pytest.fixture
def superuser() -> User:
    return User.objects.create_superuser("root", "root@example.org", "a-fair-password-17")


@pytest.mark.parametrize(
    ("right", "may"),
    [("view", {"see"}), ("add", {"see", "place"}), ("change", {"see", "lift"})],
    ids=["view", "add", "change"],
)
def test_each_right_opens_what_it_says(client: Client, right: str, may: set[str]) -> None:
    person = make_user(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename=f"{right}_legalhold"))
    client.force_login(person)
    hold = make_hold(user=make_user())
    assert (client.get(LIST).status_code == 200) == ("see" in may)
    assert (b"Lift the hold" in client.get(page_of(hold)).content) == ("lift" in may)
    assert (client.get(ADD).status_code == 200) == ("place" in may)
    assert (client.post(lift(hold), {"reason": "Closed"}).status_code == 303) == ("lift" in may)


def test_the_list_shows_holds_in_force_and_lifted_also_of_what_is_removed(client: Client) -> None:
    make_hold(user=make_user(first_name="Ada", last_name="Byron"))
    gone = uuid.uuid4()
    lifted = make_hold(conversation_id=gone, lifted_by=make_user(), lifted_at="2026-01-31T12:00:00Z")
    page = client.get(LIST).content.decode()
    assert "Everything of Ada Byron" in page
    assert f"Conversation {gone}" in page
    assert f"Conversation {gone}" not in client.get(LIST, {"standing": "in_force"}).content.decode()
    assert "Ada" not in client.get(LIST, {"standing": "lifted"}).content.decode()
    assert "which is removed" in client.get(page_of(lifted)).content.decode()


@pytest.mark.parametrize("text", HOSTILE)
def test_x14_hostile_reasons_and_names_are_inert(client: Client, text: str) -> None:
    person = make_user(first_name=text[:150], last_name=text[:150])
    client.post(ADD, {"person": person.username, "reason": text})
    hold = LegalHold.objects.get()
    client.post(lift(hold), {"reason": text})
    for page in (LIST, page_of(hold), reverse("admin:records_legalhold_history", args=[hold.pk])):
        assert _active_content(client.get(page).content.decode()) == []
    assert _active_content(client.get(ADD, {"person": text, "conversation": text}).content.decode()) == []
    assert _active_content(client.post(ADD, {"person": text, "reason": text}).content.decode()) == []
