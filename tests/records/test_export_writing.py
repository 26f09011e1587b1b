"""Writing an export: in parts, on after a writer died, without storage, cancelled, expired; and nothing left behind."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from conversations.files.storage import StorageProblem
from conversations.models import Conversation
from conversations.services import Refused
from conversations.services.reconciling import Kind, find_differences
from records.models import BulkExport, BulkExportPart
from records.services import export_writing, jobs
from records.services.bulk_exporting import cancel_export, expire_exports_of, remove_export, tend_exports
from records.services.export_parts import Superseded
from records.services.export_writing import Sizes, Stopping, write_next
from tests.exporting.said import add_many, branched, make_conversation, say
from tests.factories import make_file, make_user
from tests.fakes.folder import FilesFolder
from tests.fakes.watched import Death, Killed, WatchedFiles
from tests.records.exported import ask, claim, keys, make_exporter, manifest, parts, rows, write
from tests.services.calls import sql
from tests.services.concluded import bounded, make_long

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


ONE, TWO = Sizes(conversations=1), Sizes(conversations=2)


def many(count: int = 5) -> list[Conversation]:
    """Conversations of one person, each with a file."""
    owner = make_user()
    found = [make_conversation(owner, f"Number {number}") for number in range(count)]
    for number, conversation in enumerate(found):
        make_file(owner, message=say(conversation, f"Said {number}"), data=b"file %d" % number)
    return found


def own_keys() -> set[str]:
    return set(BulkExportPart.objects.values_list("key", flat=True))


def heads(export: BulkExport) -> list[str]:
    return [row["title"] for row in rows(export) if row["type"] == "conversation"]


def test_an_export_comes_in_parts_of_so_many_conversations() -> None:
    many(5)
    export = ask()
    held = claim(export)
    seen = []
    while write_next(claim=held, sizes=TWO):
        export.refresh_from_db()
        seen.append((export.done, export.total))
    assert seen == [(2, 5), (4, 5), (5, 5)]
    assert [name for name in sorted(parts(export)) if name.startswith("conv")] == [
        f"conversations-0000{number}.jsonl" for number in (1, 2, 3)
    ]
    assert heads(export) == [f"Number {number}" for number in range(5)]


def test_a_part_is_closed_before_it_grows_too_large_and_a_large_conversation_is_one_of_its_own() -> None:
    owner = make_user()
    for number, messages in enumerate((5, 5, 5, 200, 5)):
        add_many(make_conversation(owner, f"Number {number}"), messages, "x" * 1_000)
    export = write(ask(), Sizes(octets=20_000))
    found = {name: data for name, data in parts(export).items() if name.startswith("conv")}
    assert [len(data) > 20_000 for _, data in sorted(found.items())] == [False, False, True, False]
    assert heads(export) == [f"Number {number}" for number in range(5)]
    assert len(rows(export)) == 5 + 220


@pytest.mark.slow
def test_wherever_a_writer_dies_nothing_is_doubled_and_no_object_is_left(
    settings: Settings, folder: FilesFolder
) -> None:
    """As kill -9 leaves it: the process ends at each look at storage in turn, and the next one writes on."""
    many(2)
    before = keys()
    backend = {"BACKEND": "tests.fakes.watched.WatchedFiles", "OPTIONS": {"location": folder.path}}
    settings.STORAGES = settings.STORAGES | {"default": backend}
    deaths = 0
    while True:
        export = ask()
        WatchedFiles.on_look = death = Death(deaths + 1)
        try:
            with suppress(Killed):
                write(export, ONE)
        finally:
            WatchedFiles.on_look = None
        if not death.came:
            break
        deaths += 1
        half_written = export.parts.filter(written_at__isnull=True).values_list("key", flat=True)
        for key in half_written:
            (folder.path / key).parent.mkdir(parents=True, exist_ok=True)
            (folder.path / f"{key}.0123abcd.part").write_bytes(b"half of it")
        assert write(export, ONE).state == "done"
        assert heads(export) == ["Number 0", "Number 1"]
        assert len([name for name in parts(export) if name.startswith("files/")]) == 2
        assert keys() == before | own_keys()
    assert deaths > 15


def test_a_writer_that_was_thought_dead_changes_nothing_any_more() -> None:
    many(3)
    export = ask()
    late = claim(export)
    assert write_next(claim=late, sizes=TWO)
    held = claim(export)
    with pytest.raises(Superseded):
        write_next(claim=late, sizes=TWO)
    while write_next(claim=held, sizes=TWO):
        pass
    assert heads(export) == ["Number 0", "Number 1", "Number 2"]


def test_a_late_writer_takes_back_what_it_put_into_storage(settings: Settings, folder: FilesFolder) -> None:
    many(1)
    before = keys()
    export = ask()
    late = claim(export)
    backend = {"BACKEND": "tests.fakes.watched.WatchedFiles", "OPTIONS": {"location": folder.path}}
    settings.STORAGES = settings.STORAGES | {"default": backend}

    def take_over(key: str) -> None:
        if key not in before:
            WatchedFiles.on_look = None
            claim(export)  # finds the row of a part whose object is not there yet

    WatchedFiles.on_look = staticmethod(take_over)
    with pytest.raises(Superseded):
        write_next(claim=late, sizes=TWO)
    assert keys() == before
    assert WatchedFiles.on_look is None


def test_s1_storage_that_is_away_is_survived(folder: FilesFolder) -> None:
    many(5)
    export = ask()
    held = claim(export)
    assert write_next(claim=held, sizes=TWO)
    folder.take_away()
    with pytest.raises(StorageProblem):
        write_next(claim=held, sizes=TWO)
    folder.give_back()
    assert write(export, TWO).state == "done"
    assert heads(export) == [f"Number {number}" for number in range(5)]
    assert [found for found in find_differences(hours=0) if found.kind is Kind.ORPHAN] == []


def test_parts_of_exports_are_no_orphans() -> None:
    many(1)
    write(ask())
    assert list(find_differences(hours=0)) == []


def test_an_export_is_cancelled_and_leaves_nothing() -> None:
    many(5)
    before = keys()
    export = ask()
    held = claim(export)
    assert write_next(claim=held, sizes=TWO)
    cancel_export(export=export, person=export.requested_by)
    with pytest.raises(Superseded):
        write_next(claim=held, sizes=TWO)
    remove_export(export_id=export.pk)
    assert (keys(), own_keys()) == (before, set())
    with pytest.raises(Refused, match="This export is cancelled already"):
        cancel_export(export=export, person=export.requested_by)
    assert AuditEvent.objects.filter(kind="export.cancelled").count() == 1


def test_after_seven_days_the_objects_go_and_the_hash_of_the_manifest_stays() -> None:
    many(2)
    before = keys()
    export = write(ask())
    assert export.expires_at is not None
    assert export.finished_at is not None
    assert (export.expires_at - export.finished_at).days == 7
    remove_export(export_id=export.pk)
    assert own_keys() < keys()
    BulkExport.objects.update(expires_at=timezone.now())
    sha256 = export.parts.get(kind="manifest").sha256
    remove_export(export_id=export.pk)
    remove_export(export_id=export.pk)
    export.refresh_from_db()
    assert (export.state, keys()) == ("expired", before)
    assert [(part.kind, part.sha256) for part in export.parts.all()] == [("manifest", sha256)]
    assert AuditEvent.objects.filter(kind="export.expired").count() == 1
    assert list(find_differences(hours=0)) == []


def test_expiry_goes_on_where_storage_was_away(folder: FilesFolder) -> None:
    many(3)
    export = write(ask())
    BulkExport.objects.update(expires_at=timezone.now())
    folder.take_away()
    with pytest.raises(StorageProblem):
        remove_export(export_id=export.pk)
    export.refresh_from_db()
    assert (export.state, export.parts.count()) == ("done", 5)
    folder.give_back()
    remove_export(export_id=export.pk)
    assert not own_keys() & keys()


def test_v2_exports_that_hold_something_of_an_erased_person_go_at_once() -> None:
    erased, other = make_user(), make_user()
    branched(erased)
    branched(other)
    person, holding = make_exporter(), write(ask())
    free = write(ask(person, owner=other.pk))
    running, elsewhere = ask(person), ask(person, owner=other.pk)
    assert set(expire_exports_of(person_id=erased.pk)) == {holding.pk, running.pk}
    for export in (holding, free, running, elsewhere):
        remove_export(export_id=export.pk)
        export.refresh_from_db()
    assert [export.state for export in (holding, free, running, elsewhere)] == [
        "expired", "done", "cancelled", "waiting",
    ]  # fmt: skip


def test_who_nobody_writes_on_is_found_and_who_somebody_writes_is_left_alone() -> None:
    export = ask()
    assert jobs.find_unwritten_exports() == []
    sql("UPDATE procrastinate_jobs SET status = 'doing'")  # by a worker that shows no sign of life
    tend_exports()
    waiting = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND task_name = 'records.tasks.export'"
    assert sql(waiting) == [(1,)]
    tend_exports()
    assert sql(waiting) == [(1,)]
    write(export)
    BulkExport.objects.update(expires_at=timezone.now())
    assert jobs.find_unremoved_exports() == [export.pk]
    tend_exports()
    assert jobs.find_unremoved_exports() == []


def test_an_export_that_does_not_get_on_is_given_up_in_the_end() -> None:
    export = ask()
    BulkExport.objects.update(tries=export_writing.MOST_TRIES)
    with pytest.raises(AssertionError):
        claim(export)
    export.refresh_from_db()
    assert (export.state, export.problem) == ("failed", export_writing.GIVEN_UP)


def test_whoever_is_told_to_stop_leaves_the_part_to_the_next() -> None:
    many(3)
    export = ask()
    with pytest.raises(Stopping):
        write_next(claim=claim(export), is_stopping=lambda: True)
    assert write(export, TWO).state == "done"
    assert heads(export) == ["Number 0", "Number 1", "Number 2"]


@pytest.mark.slow
def test_memory_stays_flat_however_many_messages_a_conversation_has() -> None:
    make_long(6_000)
    export = ask()
    held = claim(export)
    with bounded(megabytes=20):
        while write_next(claim=held, sizes=TWO):
            pass
    assert len(parts(export)["conversations-00001.jsonl"].splitlines()) == 6_001
    assert manifest(export)["conversations"] == 1
