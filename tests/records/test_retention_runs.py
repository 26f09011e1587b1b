"""Runs of the policies: counted, carried out once, gone on with, and told."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from conversations.models import Attachment, Conversation
from conversations.services.jobs import FORGET_FILE_TASK
from records.models import RetentionRun, Tombstone
from records.services.holds import hold_conversation
from records.services.jobs import RETENTION_TASK
from records.services.retention import begin_dry_run, begin_nightly, begin_run, tend_runs
from records.services.runs import carry_out
from records.services.tombstones import digest
from tests.factories import make_user
from tests.fakes.folder import FilesFolder
from tests.records.retained import (
    SECRET,
    age,
    make_old,
    make_policy,
    objects,
    run_policies,
)
from tests.services.calls import begin, fetch, jobs, sql

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> FilesFolder:
    return FilesFolder(settings, tmp_path)


@pytest.fixture(autouse=True)
def _no_earlier_jobs() -> None:
    sql("DELETE FROM procrastinate_jobs")


def command(*options: str) -> str:
    out = io.StringIO()
    call_command("apply_retention", *options, stdout=out)
    return out.getvalue()


def test_a_dry_run_counts_what_the_run_then_removes() -> None:
    for days in (5, 31, 40, 100):
        make_old(days)
    held, running = make_old(), age(begin().conversation, 100)
    make_old(is_sealed=True)
    hold_conversation(conversation_id=held.pk, placed_by=make_user(), reason="Case 3")
    make_policy(30)

    dry = begin_dry_run()
    assert carry_out(run_id=dry.pk)
    dry.refresh_from_db()
    assert Tombstone.objects.count() == 0
    assert len(objects()) == 7
    wet = run_policies()

    assert dry.counts == wet.counts
    assert (dry.counts["conversations"], dry.counts["held"], dry.counts["waiting"]) == (4, 1, 1)
    assert Decimal(wet.counts["cost"]) == sum(one.cost for one in Tombstone.objects.all())
    assert set(Conversation.objects.values_list("pk", flat=True)) >= {held.pk, running.pk}
    assert Tombstone.objects.filter(removed_at__isnull=False).count() == 4


def test_the_command_says_what_would_go_and_what_went() -> None:
    make_old()
    make_policy(30)
    counted = "1 conversations, 2 messages, 2 model calls, 1 files, 70 bytes of files; 0 kept by a hold, 0 waiting.\n"
    assert command("--dry-run") == f"Would remove: {counted}"
    assert command() == f"Removed: {counted}"
    assert command().startswith("Removed: 0 conversations")


def test_the_audit_tells_of_a_run_with_its_counts_and_policies() -> None:
    make_old()
    policy = make_policy(30)
    run = run_policies()
    event = AuditEvent.objects.get(kind="retention.ran")
    assert (event.object_type, event.object_id, event.actor_id) == ("retentionrun", str(run.pk), None)
    told = {"policies": [{"id": policy.pk, "basis": "activity", "days": 30}], "tombstones_sha256": digest(run)}
    assert event.details == run.counts | told
    assert SECRET not in str(event.details)


def test_only_one_run_is_under_way_at_a_time() -> None:
    make_policy(30)
    first = begin_run()
    assert first is not None
    assert begin_run() == first
    assert RetentionRun.objects.count() == 1


def test_each_night_a_job_carries_the_policies_out_where_there_are_any() -> None:
    begin_nightly()
    assert jobs(RETENTION_TASK) == []
    make_policy(30)
    begin_nightly()
    begin_nightly()
    run = RetentionRun.objects.get()
    assert (run.state, run.requested_by, run.is_dry) == ("running", None, False)
    assert jobs(RETENTION_TASK) == [{"run_id": str(run.pk)}] * 2


def test_a_run_that_nobody_carries_out_any_more_is_given_another_job() -> None:
    make_policy(30)
    run = begin_run()
    assert run is not None
    tend_runs()
    tend_runs()  # the job waits
    ((job,),) = sql("SELECT id FROM procrastinate_jobs WHERE task_name = %s", RETENTION_TASK)
    fetch(job)
    tend_runs()  # its worker lives
    assert len(jobs(RETENTION_TASK)) == 1
    sql("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")
    tend_runs()
    assert len(jobs(RETENTION_TASK)) == 2
    assert carry_out(run_id=run.pk)
    sql("DELETE FROM procrastinate_jobs")
    tend_runs()
    assert jobs(RETENTION_TASK) == []


def test_a_run_is_carried_out_once_however_many_carry_it_out() -> None:
    conversation = make_old()
    make_policy(30)
    run = run_policies()
    assert carry_out(run_id=run.pk)
    assert (Tombstone.objects.get().pk, AuditEvent.objects.filter(kind="retention.ran").count()) == (conversation.pk, 1)


def test_copies_at_the_provider_are_deleted_there() -> None:
    conversation = make_old()
    Attachment.objects.filter(message__conversation=conversation).update(provider_file_id="file-1")
    expired = make_old()
    Attachment.objects.filter(message__conversation=expired).update(
        provider_file_id="file-2", provider_file_expires_at=timezone.now()
    )
    make_policy(30)
    run_policies()
    assert jobs(FORGET_FILE_TASK) == [{"file_id": "file-1"}]
