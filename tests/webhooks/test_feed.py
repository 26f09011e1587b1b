"""The feed: everything once, in order, to whom it concerns, also while it is being written."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Permission
from django.db import connection, connections, transaction
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.access import Scope
from accounts.models import Token, User
from audit.models import AuditEvent
from conversations.models import Conversation, Event
from conversations.services.events import emit
from tests.api.caller import Caller
from tests.factories import make_user
from tests.services.concluded import make_sealed
from tests.webhooks.sent import make_conversations, make_events, tell


def follower(user: User, *more: Scope) -> Caller:
    return Caller(user, [Scope.EVENTS, *more])


def make_reviewer() -> User:
    user = make_user()
    user.user_permissions.add(Permission.objects.get(codename="review_conversation"))
    return user


def read_all(caller: Caller, *, after: int = 0, **query: object) -> list[dict[str, Any]]:
    """Read to the end, as a program does."""
    found: list[dict[str, Any]] = []
    more = "".join(f"&{name}={value}" for name, value in query.items())
    while True:
        stretch = caller.read(f"events/?after={after}{more}")
        found += stretch["results"]
        after = stretch["after"]
        if not stretch["has_more"]:
            return found


@pytest.mark.django_db
def test_a_concluded_conversation_is_told_to_its_owner_with_the_address_of_its_document(settings: Settings) -> None:
    sealed = make_sealed("What no event tells")
    owner = sealed.conversation.owner
    event = Event.objects.get()
    caller = Caller(owner, [Scope.EVENTS, Scope.READ])
    stretch = caller.read("events/")
    assert (stretch["after"], stretch["has_more"]) == (event.seq, False)
    (told,) = stretch["results"]
    assert told["id"] == str(event.uid)
    assert (told["seq"], told["kind"], told["conversation"]) == (event.seq, "conversation.concluded", str(sealed.pk))
    document = told["data"]["document"]
    assert document["sha256"] == sealed.sha256
    assert document["url"] == f"{settings.PUBLIC_URL}/api/v1/conversations/{sealed.pk}/document/"
    assert "What no event tells" not in json.dumps(stretch)
    assert caller.read("events/?after=1") == {"results": [], "after": 1, "has_more": False}


@pytest.mark.django_db
def test_a7_people_follow_their_own_events_and_nobody_elses() -> None:
    owner, stranger = make_user(), make_user()
    own, foreign = make_events(3, owner), make_events(2, stranger)
    assert [told["seq"] for told in read_all(follower(owner))] == [event.seq for event in own]
    assert [told["seq"] for told in read_all(follower(stranger), limit=1)] == [event.seq for event in foreign]
    gone = own[0].conversation
    Conversation.objects.filter(pk=gone.pk).update(hidden_at=gone.created_at)
    removed = tell(gone, "conversation.removed")
    assert [told["seq"] for told in read_all(follower(owner), after=own[-1].seq)] == [removed.seq]
    assert read_all(follower(make_reviewer())) == []


@pytest.mark.django_db
def test_everybodys_events_need_the_scope_and_the_right_and_never_become_fewer_in_silence() -> None:
    make_events(3)
    reviewer = make_reviewer()
    caller = follower(reviewer, Scope.READ_ALL)
    assert [told["seq"] for told in read_all(caller, everyone="true", limit=2)] == [1, 2, 3]
    for wrong in (follower(reviewer), follower(make_user(), Scope.READ_ALL)):
        response = wrong.get("events/?everyone=true")
        assert (response.status_code, response.json()["code"]) == (403, "not_everyone")
    reviewer.user_permissions.clear()
    assert caller.get("events/?everyone=true").status_code == 403
    assert not AuditEvent.objects.filter(kind__startswith="conversation.").exists()


@pytest.mark.django_db
def test_a8_a_token_without_the_scope_or_without_force_follows_nothing() -> None:
    user = make_user()
    make_events(1, user)
    assert Caller(user).get("events/").status_code == 403
    caller = follower(user)
    assert caller.get("events/").status_code == 200
    Token.objects.filter(pk=caller.token.pk).update(revoked_at=caller.token.created_at)
    assert caller.get("events/").status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        "after=-1",
        "after=x",
        "after=1.5",
        "after=9223372036854775808",
        "after=" + "9" * 400,
        "after=1&after=2",
        "limit=0",
        "limit=1001",
        "limit=",
        "wait=26",
        "wait=-1",
        "wait=NaN",
        "kind=conversation.made",
        "kind=",
        "everyone=yes",
        "since=1",
    ],
)
def test_f3_what_cannot_be_understood_is_refused_with_the_name_of_the_parameter(query: str) -> None:
    response = follower(make_user()).get(f"events/?{query}")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in response.json()["errors"]] == [query.split("=")[0]]


@pytest.mark.django_db
def test_f3_a8_nothing_unstorable_and_no_token_stands_in_the_address() -> None:
    caller = follower(make_user())
    assert caller.get("events/?after=%00").status_code == 400
    assert caller.get(f"events/?token={caller.secret}").status_code in (400, 401)
    assert Client().get(f"/api/v1/events/?token={caller.secret}").status_code == 401


@pytest.mark.django_db
def test_the_end_of_all_numbers_is_a_place_like_another() -> None:
    user = make_user()
    make_events(1, user)
    last = 2**63 - 1
    assert follower(user).read(f"events/?after={last}") == {"results": [], "after": last, "has_more": False}


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_f5_the_feed_is_only_read(verb: str) -> None:
    response = follower(make_user()).ask(verb, "events/")
    assert (response.status_code, response["Content-Type"]) == (405, "application/problem+json")


@pytest.mark.django_db
def test_kinds_are_told_apart_and_an_unchanged_stretch_is_not_sent_again() -> None:
    user = make_user()
    conversations = make_conversations(2, user)
    for kind in ("conversation.concluded", "conversation.removed"):
        for conversation in conversations:
            tell(conversation, kind)
    caller = follower(user)
    assert [told["seq"] for told in read_all(caller, kind="conversation.removed", limit=1)] == [3, 4]
    response = caller.get("events/?limit=2")
    again = caller.get("events/?limit=2", headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.django_db
def test_a_stretch_takes_the_same_few_queries_however_long_it_is() -> None:
    user = make_user()
    make_events(3, user)
    caller = follower(user)
    caller.read("events/")
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            caller.read("events/")
        counts.append(len(queries))
        make_events(30, user)
    assert counts[0] == counts[1]


@pytest.mark.django_db(transaction=True)
def test_a_million_would_be_read_like_these_none_missed_and_none_twice_while_others_write() -> None:
    """bench/events.py reads a million."""
    user = make_user()
    conversations = make_conversations(240, user)
    caller = follower(user)
    committed: list[int] = []

    def write(mine: list[Conversation]) -> None:
        for conversation in mine:
            with transaction.atomic():
                time.sleep(random.uniform(0, 0.004))
                event = emit(kind="conversation.concluded", conversation=conversation, data={})
                if random.random() < 0.1:
                    transaction.set_rollback(True)
                else:
                    transaction.on_commit(lambda seq=event.seq: committed.append(seq))  # type: ignore[misc]
        connections.close_all()

    writers = [threading.Thread(target=write, args=(conversations[place::6],)) for place in range(6)]
    for writer in writers:
        writer.start()
    seen: list[int] = []
    while any(writer.is_alive() for writer in writers):
        seen += [told["seq"] for told in read_all(caller, after=seen[-1] if seen else 0, limit=7)]
    for writer in writers:
        writer.join()
    seen += [told["seq"] for told in read_all(caller, after=seen[-1] if seen else 0)]
    assert seen == sorted(committed) == list(range(1, len(committed) + 1))
    assert len(seen) > 150


@pytest.mark.django_db(transaction=True)
def test_who_waits_at_the_end_is_told_of_the_next_event_of_theirs() -> None:
    owner, other = make_user(), make_user()
    conversations = make_conversations(1, owner) + make_conversations(1, other)
    caller, nobody = follower(owner), follower(make_user())
    began = threading.Event()

    def write() -> None:
        began.wait(10)
        for conversation in reversed(conversations):
            time.sleep(0.7)
            tell(conversation)
        connections.close_all()

    async def wait() -> tuple[Any, Any]:

        async def ask(who: Caller, seconds: int) -> Any:
            headers = {"Authorization": f"Bearer {who.secret}"}
            response: Any = await AsyncClient().get(f"/api/v1/events/?after=0&wait={seconds}", headers=headers)
            return response.json()

        began.set()
        told, nothing = await asyncio.gather(ask(caller, 20), ask(nobody, 2))
        return told, nothing

    writer = threading.Thread(target=write)
    writer.start()
    told, nothing = async_to_sync(wait)()
    writer.join()
    assert [event["seq"] for event in told["results"]] == [2]
    assert nothing == {"results": [], "after": 0, "has_more": False}
