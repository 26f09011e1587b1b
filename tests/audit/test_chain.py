"""Audit events are only ever added, each chained to the one before, and whatever was changed by hand is found."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from audit.models import AuditEvent
from audit.services import record
from conversations.files import storage
from records.services.anchoring import last_event, put_anchor
from tests.fakes.folder import FilesFolder

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


def deeds(count: int = 5) -> None:
    for number in range(count):
        record(kind="conversation.read", actor=None, object_type="conversation", object_id=number, reason="Fall “7”")


def anchor() -> None:
    last = last_event()
    assert last is not None
    put_anchor(*last)


@contextmanager
def as_owner() -> Iterator[Any]:
    """The database without its triggers, as its owner can have it."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
        yield cursor
        cursor.execute("ALTER TABLE audit_auditevent ENABLE TRIGGER USER")


def verify(**options: Any) -> str:
    out = io.StringIO()
    call_command("verify_record", audit=True, stdout=out, **options)
    return out.getvalue()


def findings() -> list[str]:
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("verify_record", audit=True, stdout=out)
    return out.getvalue().splitlines()


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE audit_auditevent SET reason = 'None'", id="update"),
        pytest.param("UPDATE audit_auditevent SET reason = 'None' WHERE false", id="update-of-nothing"),
        pytest.param("DELETE FROM audit_auditevent", id="delete"),
        pytest.param(
            "INSERT INTO audit_auditevent SELECT * FROM audit_auditevent LIMIT 1 "
            "ON CONFLICT (seq) DO UPDATE SET reason = ''",
            id="upsert",
        ),
        pytest.param(
            "INSERT INTO audit_auditevent SELECT seq + 7, kind, actor_id, object_type, object_id, subject_id, reason, "
            "details, created_at, previous_hash, hash FROM audit_auditevent LIMIT 1",
            id="insert-out-of-turn",
        ),
    ],
)
def test_v2_sql_changes_nothing_in_the_audit(statement: str) -> None:
    deeds()
    before = list(AuditEvent.objects.values())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert list(AuditEvent.objects.values()) == before
    assert verify() == "Looked at 5 audit events (0 anchors): all are as they were.\n"


def test_the_model_changes_nothing_in_the_audit_either() -> None:
    deeds(2)
    event = AuditEvent.objects.get(seq=1)
    event.reason = "Another"
    for change in (event.save, event.delete, AuditEvent.objects.all().delete):
        with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
            change()
    assert AuditEvent.objects.count() == 2


def test_numbers_have_no_gap_where_a_transaction_was_taken_back() -> None:
    deeds(1)
    with transaction.atomic():
        deeds(3)
        transaction.set_rollback(True)
    deeds(1)
    assert list(AuditEvent.objects.values_list("seq", flat=True)) == [1, 2]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("reason = 'Another'", id="reason"),
        pytest.param("kind = 'account.read'", id="kind"),
        pytest.param("actor_id = 7", id="actor"),
        pytest.param("subject_id = 7", id="subject"),
        pytest.param("object_id = '7'", id="object"),
        pytest.param("details = '{\"a\": 1}'", id="details"),
        pytest.param("created_at = created_at + interval '1 microsecond'", id="time"),
    ],
)
def test_a_row_that_the_owner_of_the_database_changed_is_found(change: str) -> None:
    deeds()
    with as_owner() as cursor:
        cursor.execute(f"UPDATE audit_auditevent SET {change} WHERE seq = 3")
    assert findings() == ["audit event 3 is not what was written: its hash is another"]


def test_a_row_changed_together_with_its_hash_no_longer_fits_the_next_one() -> None:
    from audit.chain import hash_of

    deeds()
    event = AuditEvent.objects.get(seq=3)
    event.reason = "Another"
    with as_owner() as cursor:
        cursor.execute(
            "UPDATE audit_auditevent SET reason = %s, hash = %s WHERE seq = 3", [event.reason, hash_of(event)]
        )
    assert findings() == ["audit event 4 does not follow the one before: one of them was changed"]


def test_rows_that_were_taken_out_are_named() -> None:
    deeds(6)
    with as_owner() as cursor:
        cursor.execute("DELETE FROM audit_auditevent WHERE seq IN (1, 3, 4)")
    assert findings() == ["audit event 1 is missing", "audit events 3 to 4 are missing"]


def test_a_tail_that_was_cut_off_is_missed_by_its_anchor() -> None:
    deeds()
    anchor()
    with as_owner() as cursor:
        cursor.execute("DELETE FROM audit_auditevent WHERE seq >= 4")
    assert findings() == ["audit events 4 to 5 are missing at the end: storage holds an anchor of event 5"]


def test_a_chain_that_was_written_anew_differs_from_its_anchor() -> None:
    deeds(2)
    anchor()
    told = AuditEvent.objects.get(seq=2).hash
    with as_owner() as cursor:
        cursor.execute("DELETE FROM audit_auditevent")
    deeds(3)
    assert findings() == [f"audit event 2 had another hash when storage was told: {told}"]


def test_an_anchor_is_put_once_and_is_no_file_of_anybody(folder: FilesFolder) -> None:
    deeds(1)
    for _ in range(2):
        anchor()
    assert list(storage.list_anchors()) == [last_event()]
    assert list(storage.list_keys()) == []
    call_command("reconcile_files", hours=0, stdout=io.StringIO())
    assert verify() == "Looked at 1 audit event (1 anchor): all are as they were.\n"
    deeds(1)
    assert verify() == "Looked at 2 audit events (1 anchor): all are as they were.\n"


def test_storage_that_cannot_be_asked_is_no_finding(folder: FilesFolder) -> None:
    deeds(1)
    anchor()
    folder.take_away()
    with pytest.raises(CommandError, match="Storage cannot be asked"):
        verify()


def test_an_event_needs_the_transaction_that_it_tells_of_and_details_that_are_the_same_everywhere() -> None:
    for details in ({"share": 0.5}, {"cost": Decimal(1)}, {"deep": [{"a": 1.5}]}, {1: "a"}):
        with pytest.raises(TypeError, match="whole number"):
            record(kind="x.y", actor=None, details=details)  # type: ignore[arg-type]
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_written() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        record(kind="x.y", actor=None)
    assert not AuditEvent.objects.exists()


def test_two_events_never_bear_one_number() -> None:
    deeds(1)
    event = AuditEvent.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        event.save(force_insert=True)


@pytest.mark.parametrize("options", [{"since": "2026-01-01"}, {"conversation": "01890000-0000-7000-8000-000000000000"}])
def test_the_audit_is_looked_at_whole_or_not(options: dict[str, str]) -> None:
    arguments = [f"--{name}={value}" for name, value in options.items()]
    with pytest.raises(CommandError, match="nothing else"):
        call_command("verify_record", "--audit", *arguments)
