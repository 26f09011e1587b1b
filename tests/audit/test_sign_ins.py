"""Sign-ins, failed ones and sign-outs are in the audit, and none of them waits for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from audit import services
from audit.acting import actor, remember_who
from audit.models import AuditEvent, RefusedSignIns
from audit.refusals import count_refused, tell_refused
from tests.factories import make_user

PASSWORD = "a-fair-password-17"


@pytest.fixture
def person(db: None) -> User:
    # No name that the digits of a hash can spell.
    return make_user(username="thea", email="thea@example.org", password=PASSWORD)


def _sign_in(client: Client, login: str, password: str = PASSWORD) -> int:
    return client.post(reverse("account_login"), {"login": login, "password": password}).status_code


def _told() -> list[tuple[str, int | None, str]]:
    """Kind, who did it, and to what, without how the person came to be."""
    events = AuditEvent.objects.exclude(kind="account.added").order_by("seq")
    return list(events.values_list("kind", "actor_id", "object_id"))


def test_a_sign_in_and_a_sign_out_are_told_with_who_it_was(client: Client, person: User) -> None:
    assert _sign_in(client, "thea") == 302
    client.post(reverse("account_logout"))
    assert _told() == [
        ("account.signed_in", person.pk, str(person.pk)),
        ("account.signed_out", person.pk, str(person.pk)),
    ]
    client.post(reverse("account_logout"))  # of nobody
    assert len(_told()) == 2


@pytest.mark.parametrize(
    ("login", "is_known"),
    [
        pytest.param("thea", True, id="username"),
        pytest.param("THEA@example.org", True, id="address"),
        pytest.param("hunter2, typed in the wrong field", False, id="nobody"),
    ],
)
def test_a13_v5_a_refusal_is_told_without_what_was_typed(
    client: Client, person: User, login: str, is_known: bool
) -> None:
    _sign_in(client, login, "a wrong password")
    assert _told() == []
    tell_refused()
    (event,) = AuditEvent.objects.filter(kind="account.refused")
    assert (event.subject_id, event.object_id) == ((person.pk, str(person.pk)) if is_known else (None, ""))
    assert (event.actor_id, event.details["attempts"]) == (None, 1)
    row = str(AuditEvent.objects.filter(pk=event.pk).values().get()) + str(list(RefusedSignIns.objects.values()))
    assert login not in row
    assert "wrong password" not in row


def test_a_deactivated_person_is_refused_on_record(client: Client, person: User) -> None:
    User.objects.update(is_active=False)
    _sign_in(client, "thea")
    tell_refused()
    assert AuditEvent.objects.get(kind="account.refused").subject_id == person.pk


def test_refusals_by_the_thousand_are_summed_up(person: User) -> None:
    for _ in range(3):
        count_refused(login="thea")
    for number in range(50):
        count_refused(login=f"guess-{number}")
    for _ in range(3):
        tell_refused()
    events = AuditEvent.objects.filter(kind="account.refused")
    assert {event.subject_id: event.details["attempts"] for event in events} == {person.pk: 3, None: 50}

    count_refused(login="thea")
    tell_refused()
    assert events.count() == 2  # within the hour
    RefusedSignIns.objects.update(told_at=timezone.now() - timedelta(hours=1))
    tell_refused()
    assert {event.subject_id: event.details["attempts"] for event in events.order_by("seq")} == {
        person.pk: 1,
        None: 50,
    }
    assert sum(event.details["attempts"] for event in events.all()) == 54
    RefusedSignIns.objects.update(told_at=timezone.now() - timedelta(hours=1))
    tell_refused()
    assert not RefusedSignIns.objects.exists()


def test_a13_a_refusal_asks_the_database_the_same_for_known_and_unknown_names(client: Client, person: User) -> None:
    asked = []
    for login in ("thea", "eve", "thea", "eve"):
        with CaptureQueriesContext(connection) as queries:
            _sign_in(client, login, "wrong")
        asked.append([query["sql"].split()[0] for query in queries if "audit_" in query["sql"]])
    assert asked[0] == asked[1] == asked[2] == asked[3] == ["INSERT"]


@contextmanager
def _audit_held() -> Iterator[None]:
    """Somebody else's transaction that has the audit's turn and does not end."""
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                services.take_turn()
                taken.set()
                done.wait(60)
        finally:
            connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    assert taken.wait(30)
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_a_sign_in_goes_on_while_the_audit_waits_and_is_told_later(client: Client) -> None:
    person = make_user(username="thea", email="thea@example.org", password=PASSWORD)
    ProcrastinateJob.objects.all().delete()
    with _audit_held():
        assert _sign_in(client, "thea") == 302
        assert client.get(reverse("account_change_password")).status_code == 200
        assert _told() == []
        (job,) = ProcrastinateJob.objects.filter(task_name="records.tasks.write_audit")
    before = timezone.now()
    services.write_deferred(**job.args)
    event = AuditEvent.objects.get(kind="account.signed_in")
    assert (event.actor_id, event.object_id) == (person.pk, str(person.pk))
    assert event.created_at >= before > datetime.fromisoformat(event.details["happened_at"])
    assert connection.cursor().execute("SELECT current_setting('lock_timeout')").fetchone() == ("0",)
    ProcrastinateJob.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_what_is_told_late_is_part_of_the_transaction_that_it_tells_of() -> None:
    with _audit_held(), transaction.atomic():
        services.record_soon(kind="rights.changed", actor=None)
        transaction.set_rollback(True)
    assert not ProcrastinateJob.objects.filter(task_name="records.tasks.write_audit").exists()
    with transaction.atomic():
        services.record_soon(kind="rights.changed", actor=None)
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('lock_timeout')")
            assert cursor.fetchone() == ("0",)
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_has_the_audit_and_wants_a_row_and_who_has_the_row_and_wants_the_audit_both_get_on() -> None:
    person = make_user()
    ProcrastinateJob.objects.all().delete()
    has_row, has_audit = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def with_audit() -> None:
        try:
            with transaction.atomic():
                has_row.wait(30)
                services.record(kind="account.changed", actor=None)
                has_audit.set()
                User.objects.filter(pk=person.pk).update(first_name="Second")
        except BaseException as error:  # noqa: BLE001 (told to the test)
            failures.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=with_audit)
    thread.start()
    with transaction.atomic():
        User.objects.filter(pk=person.pk).update(first_name="First")
        has_row.set()
        assert has_audit.wait(30)
        services.record_soon(kind="rights.changed", actor=None)
    thread.join()
    assert failures == []
    person.refresh_from_db()
    assert person.first_name == "Second"
    (job,) = ProcrastinateJob.objects.filter(task_name="records.tasks.write_audit")
    services.write_deferred(**job.args)
    assert set(AuditEvent.objects.values_list("kind", flat=True)) >= {"account.changed", "rights.changed"}
    ProcrastinateJob.objects.all().delete()


def test_who_acts_is_known_inside_a_request_alone(person: User) -> None:
    request = RequestFactory().get("/")
    request.user = person
    seen: list[Any] = []
    remember_who(lambda _: seen.append(actor()))(request)  # type: ignore[arg-type]
    assert seen == [person]
    assert actor() is None
