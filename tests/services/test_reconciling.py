"""Record and storage are compared, and what differs is told and, on request, repaired."""

from __future__ import annotations

import hashlib
import io
import os
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from conversations.files import storage
from conversations.models import Attachment
from conversations.services import remove_attachment
from conversations.services.reconciling import Kind, find_differences, repair
from tests.factories import make_user
from tests.fakes.folder import FilesFolder
from tests.services.calls import sql

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]
CONTENT = b"shelf,count\nA1,118\n"


def make_object(folder: FilesFolder, *, hours: float = 48) -> str:
    key, then = storage.new_key(), timezone.now().timestamp() - hours * 3600
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    storage.put(key, io.BytesIO(CONTENT), size=len(CONTENT), sha256=sha256, content_type="text/csv")
    os.utime(folder.path / key, (then, then))
    return key


def make_row(key: str, state: str = "ready", **fields: str) -> Attachment:
    return Attachment.objects.create(
        owner=make_user(),
        origin="user",
        state=state,
        key=key,
        name="count.csv",
        content_type="text/csv",
        size=len(CONTENT),
        sha256="0" * 64,
        ready_at=timezone.now(),
        **fields,
    )


def run(*options: str) -> str:
    out = io.StringIO()
    call_command("reconcile_files", *options, stdout=out)
    return out.getvalue()


def run_in_vain(*options: str) -> str:
    out = io.StringIO()
    with pytest.raises(CommandError) as ended:
        call_command("reconcile_files", *options, stdout=out)
    assert ended.value.returncode == 1
    return out.getvalue() + str(ended.value)


def found() -> list[tuple[Kind, str, UUID | None]]:
    return [(difference.kind, difference.key, difference.attachment_id) for difference in find_differences()]


def test_where_both_agree_nothing_is_told(folder: FilesFolder) -> None:
    make_row(make_object(folder))
    make_row(storage.new_key(), "pending")
    make_row(storage.new_key(), "failed", failure="The file is empty.")
    assert run() == run("--repair") == "Record and storage agree.\n"


def test_s8_a_ready_row_without_its_object_is_told_and_becomes_failed(folder: FilesFolder) -> None:
    row, sound = make_row(storage.new_key()), make_row(make_object(folder))
    assert found() == [(Kind.MISSING, row.key, row.pk)]
    told = run_in_vain()
    assert str(row.pk) in told
    assert row.name not in told
    row.refresh_from_db()
    assert row.state == "ready"

    assert "(repaired)" in run("--repair")

    row.refresh_from_db()
    sound.refresh_from_db()
    assert (row.state, sound.state) == ("failed", "ready")
    assert "lost" in row.failure
    assert run() == "Record and storage agree.\n"


def test_s5_a_ready_row_whose_object_has_another_size_is_told_and_becomes_failed(folder: FilesFolder) -> None:
    row = make_row(make_object(folder))
    (folder.path / row.key).write_bytes(b"short")
    assert found() == [(Kind.DAMAGED, row.key, row.pk)]
    run("--repair")
    row.refresh_from_db()
    assert row.state == "failed"
    assert "another size" in row.failure
    assert storage.size_of(row.key) == 5  # what there is may still be looked at


def test_an_object_without_row_is_told_once_it_is_a_day_old_and_deleted(folder: FilesFolder) -> None:
    old, young = make_object(folder, hours=25), make_object(folder, hours=23)
    half = folder.path / f"{storage.new_key()}.0123abcd.part"
    half.write_bytes(b"half")
    os.utime(half, (0, 0))
    half_key = half.relative_to(folder.path).as_posix()
    assert sorted(found()) == sorted([(Kind.ORPHAN, old, None), (Kind.ORPHAN, half_key, None)])
    assert young in run_in_vain("--hours", "22")

    run("--repair")

    assert [left.key for left in storage.list_keys()] == [young]


@pytest.mark.parametrize("has_object", [True, False])
def test_s9_a_deletion_that_no_job_finishes_is_finished_object_first(folder: FilesFolder, has_object: bool) -> None:
    row = make_row(make_object(folder) if has_object else storage.new_key(), "deleted")
    assert found() == [(Kind.UNDELETED, row.key, row.pk)]
    run("--repair")
    assert list(storage.list_keys()) == []
    assert not Attachment.objects.exists()


def test_s9_a_row_stays_until_its_object_is_gone(folder: FilesFolder) -> None:
    row = make_row(make_object(folder), "deleted")
    (difference,) = find_differences()
    (folder.path / row.key).unlink()
    (folder.path / row.key).mkdir()  # which cannot be unlinked
    with pytest.raises(storage.StorageProblem):
        repair(difference=difference)
    assert Attachment.objects.filter(pk=row.pk).exists()


def test_a_deletion_that_a_job_is_about_to_do_is_no_finding(folder: FilesFolder) -> None:
    row = make_row(make_object(folder))
    remove_attachment(attachment=row)
    assert found() == []
    sql("UPDATE procrastinate_jobs SET status = 'failed'")
    assert found() == [(Kind.UNDELETED, row.key, row.pk)]


def test_files_of_another_bucket_are_told_and_left_alone() -> None:
    row = make_row(storage.new_key(), bucket="the-bucket-before")
    deleted = make_row(storage.new_key(), "deleted", bucket="the-bucket-before")
    assert found() == [(Kind.ELSEWHERE, row.key, row.pk)]
    assert "0 of them are repaired" in run_in_vain("--repair")
    row.refresh_from_db()
    assert row.state == "ready"
    assert Attachment.objects.filter(pk=deleted.pk).exists()


def test_what_changed_since_it_was_found_is_not_repaired(folder: FilesFolder) -> None:
    row, orphan = make_row(storage.new_key()), make_object(folder)
    missing, unnamed = find_differences()
    Attachment.objects.filter(pk=row.pk).update(state="deleted")
    make_row(orphan)
    assert repair(difference=missing)
    assert repair(difference=unnamed)
    row.refresh_from_db()
    assert row.state == "deleted"
    assert storage.size_of(orphan) == len(CONTENT)


def test_nothing_is_called_missing_while_storage_cannot_be_asked(folder: FilesFolder) -> None:
    row = make_row(storage.new_key())
    folder.path.mkdir(exist_ok=True)
    (folder.path / "files").symlink_to(folder.path / "files")  # which cannot be listed
    assert "Storage cannot be asked" in run_in_vain("--repair")
    row.refresh_from_db()
    assert row.state == "ready"


def test_s8_storage_that_is_empty_is_rather_the_wrong_one(folder: FilesFolder) -> None:
    row = make_row(make_object(folder))
    folder.path.rename(folder.path.with_name("moved away"))
    assert found() == [(Kind.MISSING, row.key, row.pk)]
    assert "Nothing was repaired" in run_in_vain("--repair")
    row.refresh_from_db()
    assert row.state == "ready"


def test_hours_below_none_are_refused() -> None:
    assert "--hours" in run_in_vain("--hours", "-1")
