"""Conversations removed for good from a folder and from a bucket, also where storage fails or the run is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from botocore.config import Config
from django.db import connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pytest_django import Settings

from conversations.files import storage
from conversations.models import Attachment, Conversation, Message
from conversations.services import continue_conversation
from conversations.services.reconciling import find_differences
from records.models import RetentionRun, Tombstone
from records.services.retention import STORAGE_AWAY, begin_dry_run, begin_run
from records.services.runs import carry_out
from tests.fakes.child import ROOT
from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.fakes.s3 import FakeS3, use_bucket
from tests.records.retained import is_whole, make_old, make_policy, make_whole, named_objects, objects, run_policies
from tests.services.calls import sql

AccessDenied = Fault("DELETE", status=403, code="AccessDenied")


@pytest.fixture
def versioned(s3: FakeS3, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """Files in a bucket that keeps versions."""
    name = s3.make_bucket(versioned=True)
    use_bucket(settings, monkeypatch, s3.environment(name))
    return name


@pytest.fixture
def proxy(s3: FakeS3, versioned: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    """The same bucket through a proxy, with little patience."""
    with FaultyProxy(s3.endpoint) as proxy:
        use_bucket(settings, monkeypatch, s3.environment(versioned, endpoint=proxy.url))
        patience = Config(retries={"mode": "standard", "total_max_attempts": 1})
        settings.AWS_S3_CLIENT_CONFIG = settings.AWS_S3_CLIENT_CONFIG.merge(patience)
        settings.STORAGES = dict(settings.STORAGES)
        yield proxy


def versions(s3: FakeS3, bucket: str) -> list[str]:
    """The keys of all versions and of all marks of deletions."""
    left = s3.client.list_object_versions(Bucket=bucket)
    return sorted(found["Key"] for found in (*left.get("Versions", []), *left.get("DeleteMarkers", [])))


def begin() -> RetentionRun:
    run = begin_run()
    assert run is not None
    return run


@pytest.mark.django_db
def test_files_documents_and_rows_go_together_in_either_kind_of_storage(either: str) -> None:
    make_whole()
    kept = make_old(1)
    make_policy(30)
    run_policies()
    (key,) = Attachment.objects.values_list("key", flat=True)
    assert objects() == named_objects() == {key}
    assert is_whole(kept)
    assert list(find_differences(hours=0)) == []


@pytest.mark.django_db
def test_every_version_goes_and_what_others_share_stays_with_all_of_its_versions(s3: FakeS3, versioned: str) -> None:
    conversation = make_old(is_sealed=True)
    continued = continue_conversation(conversation=conversation)
    alone = make_old(is_sealed=True)
    (shared,) = Attachment.objects.filter(message__conversation=continued).values_list("key", flat=True)
    for key in list(objects()):
        s3.client.put_object(Bucket=versioned, Key=key, Body=b"an older tool wrote over it")
    make_policy(30)
    run_policies()
    assert set(Tombstone.objects.values_list("pk", flat=True)) == {conversation.pk, alone.pk}
    assert versions(s3, versioned) == [shared, shared]


@pytest.mark.django_db
def test_storage_that_is_down_leaves_a_run_that_says_so_and_goes_on_later(
    s3: FakeS3, versioned: str, proxy: FaultyProxy
) -> None:
    conversations = [make_old(is_sealed=True) for _ in range(5)]
    make_policy(30)
    run = begin()
    proxy.fail(Fault())

    assert not carry_out(run_id=run.pk)

    run.refresh_from_db()
    assert (run.state, run.problem, run.counts) == ("running", STORAGE_AWAY, {})
    begun = list(Tombstone.objects.filter(removed_at__isnull=True))
    assert len(begun) == Tombstone.objects.count() == 3
    assert Message.objects.count() == 10
    for conversation in conversations:
        is_seen = Conversation.objects.visible_to(conversation.owner).exists()
        assert is_seen == (conversation.pk not in [tombstone.pk for tombstone in begun])
        assert not Conversation.objects.restorable_by(conversation.owner).exists()
    proxy.heal()
    assert len(objects()) == 10
    assert list(find_differences(hours=0)) == []

    assert begin() == run
    assert carry_out(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.problem, run.counts["conversations"]) == ("done", "", 5)
    assert versions(s3, versioned) == []
    assert Message.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("fault", [AccessDenied, Fault("GET", status=403, code="AccessDenied")], ids=["object", "list"])
def test_s7_an_object_that_is_not_deleted_keeps_its_conversation_and_no_other(
    s3: FakeS3, versioned: str, proxy: FaultyProxy, fault: Fault
) -> None:
    for _ in range(3):
        make_old()
    make_policy(30)
    run = begin()
    proxy.fail(Fault(fault.method, times=1, status=fault.status, code=fault.code))
    assert not carry_out(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.counts["conversations"]) == ("running", 2)
    assert run.problem.startswith("Of 1 conversation what was begun could not be finished; ")
    (left,) = Tombstone.objects.filter(removed_at__isnull=True)
    assert Message.objects.filter(conversation_id=left.pk).count() == 2
    assert carry_out(run_id=run.pk)
    assert versions(s3, versioned) == []


@pytest.mark.django_db
def test_an_object_in_another_bucket_is_left_where_it_is_and_told(s3: FakeS3, versioned: str) -> None:
    make_old()
    Attachment.objects.update(bucket="elsewhere")
    make_policy(30)
    run = begin()
    assert not carry_out(run_id=run.pk)
    assert Tombstone.objects.filter(removed_at__isnull=True).count() == 1
    assert len(versions(s3, versioned)) == 1


def database_url() -> str:
    """The address of the database of this test."""
    parts = conninfo_to_dict(os.environ["DATABASE_URL"]) | {"dbname": connection.settings_dict["NAME"]}
    user, password = parts.get("user", ""), parts.get("password", "")
    return f"postgresql://{user}:{password}@{parts['host']}:{parts['port']}/{parts['dbname']}"


def start_command() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "apply_retention"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def wait_for(look: Callable[[], Any]) -> None:
    give_up_at = time.monotonic() + 60
    while not look():
        assert time.monotonic() < give_up_at, "it did not come about"
        time.sleep(0.02)


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
        )
        return bool(cursor.fetchone() != (0,))


# What the command is held up by when it is killed: in the first transaction, while it deletes objects, in the second.
LOCKS = {
    "before the tombstone": "SELECT id FROM accounts_user FOR UPDATE",
    "before the rows": "SELECT id FROM conversations_message FOR UPDATE",
}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", ["before the tombstone", "among the objects", "before the rows"])
def test_a_run_that_is_killed_is_gone_on_with_where_it_was(
    s3: FakeS3, versioned: str, proxy: FaultyProxy, place: str
) -> None:
    for _ in range(3):
        make_old(is_sealed=True)
    kept = make_old(1, is_sealed=True)
    make_policy(30)
    dry = begin_dry_run()
    assert carry_out(run_id=dry.pk)
    proxy.heal()
    with ExitStack() as stack:
        stack.callback(sql, "DELETE FROM procrastinate_jobs")
        if place in LOCKS:
            other = stack.enter_context(psycopg.connect(make_conninfo(database_url())))
            other.execute(LOCKS[place].encode())
            is_there = somebody_waits
        else:
            proxy.fail(Fault("DELETE", times=2, pause=0.001))
            proxy.fail(Fault("DELETE", pause=60))
            is_there = lambda: proxy.count("DELETE") >= 3  # noqa: E731
        process = start_command()
        stack.callback(process.wait)
        stack.callback(os.killpg, process.pid, signal.SIGKILL)
        wait_for(is_there)
    proxy.heal()
    wait_for(lambda: not somebody_waits())

    run = RetentionRun.objects.get(is_dry=False)
    assert run.state == "running"
    assert Tombstone.objects.filter(removed_at__isnull=False).count() == 0
    assert Conversation.every.count() == 4
    assert begin() == run
    assert carry_out(run_id=run.pk)

    run.refresh_from_db()
    dry.refresh_from_db()
    assert run.counts == dry.counts
    assert run.counts["conversations"] == 3
    assert list(Conversation.every.all()) == [kept]
    assert is_whole(kept)
    assert versions(s3, versioned) == sorted(objects())
    assert objects() == named_objects()
    assert list(find_differences(hours=0)) == []
    assert storage.bucket() == versioned
