"""The job that writes an export: patient with storage, honest about faults, quick to let go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
from pytest_django import Settings

from records.live import exporting
from records.live.exporting import BROKEN, STORAGE_AWAY, remove_export, write_export
from records.models import BulkExport
from records.services.bulk_exporting import cancel_export
from tests.exporting.said import branched
from tests.factories import make_user
from tests.fakes.folder import FilesFolder
from tests.fakes.watched import WatchedFiles
from tests.live.conftest import no_jobs
from tests.live.running import until
from tests.records.exported import ask, keys, parts

__all__ = ["no_jobs"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_jobs", "folder")]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAUSES", (0.1,) * 200)


def made() -> BulkExport:
    branched(make_user())
    return ask()


def state_of(export: BulkExport) -> tuple[str, str]:
    export.refresh_from_db()
    return export.state, export.problem


def test_a_job_writes_an_export_to_its_end(folder: FilesFolder) -> None:
    export = made()
    asyncio.run(write_export(export.pk))
    assert state_of(export) == ("done", "")
    assert "manifest.json" in parts(export)


def test_s1_storage_that_is_away_is_waited_for_and_whoever_looks_is_told(folder: FilesFolder, impatient: None) -> None:
    export = made()

    async def go() -> None:
        folder.take_away()
        job = asyncio.create_task(write_export(export.pk))
        await until(lambda: BulkExport.objects.filter(state="running", problem=STORAGE_AWAY).exists())
        folder.give_back()
        async with asyncio.timeout(30):
            await job

    asyncio.run(go())
    assert state_of(export) == ("done", "")


def test_a_fault_of_ours_ends_the_export_with_words_and_leaves_nothing(settings: Settings, folder: FilesFolder) -> None:
    export = made()
    before = keys()
    backend = {"BACKEND": "tests.fakes.watched.WatchedFiles", "OPTIONS": {"location": folder.path}}
    settings.STORAGES = settings.STORAGES | {"default": backend}

    def fail(key: str) -> None:
        raise ZeroDivisionError

    WatchedFiles.on_look = staticmethod(fail)
    try:
        with pytest.raises(ZeroDivisionError):
            asyncio.run(write_export(export.pk))
    finally:
        WatchedFiles.on_look = None
    assert state_of(export) == ("failed", BROKEN)
    asyncio.run(remove_export(export.pk))
    assert keys() == before


def test_a_job_that_is_cancelled_with_its_worker_leaves_the_rest_to_the_next(folder: FilesFolder) -> None:
    export = made()

    async def go(deed: Awaitable[None]) -> None:
        job = asyncio.ensure_future(deed)
        await asyncio.sleep(0)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job

    asyncio.run(go(write_export(export.pk)))
    assert state_of(export)[0] in ("waiting", "running")
    asyncio.run(write_export(export.pk))
    assert state_of(export) == ("done", "")


def test_nothing_is_done_for_an_export_that_has_ended(folder: FilesFolder) -> None:
    export = made()
    cancel_export(export=export, person=export.requested_by)
    asyncio.run(write_export(export.pk))
    asyncio.run(remove_export(export.pk))
    assert state_of(export) == ("cancelled", "")
    assert not export.parts.exists()
