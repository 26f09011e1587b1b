"""Exports of many conversations in both kinds of storage."""

from __future__ import annotations

import pytest
from django.utils import timezone

from conversations.files import storage
from conversations.services.reconciling import find_differences
from records.models import BulkExport
from records.services.bulk_exporting import remove_export
from tests.exporting.said import branched
from tests.factories import make_user
from tests.records.exported import ask, keys, parts, write

pytestmark = pytest.mark.django_db


def test_an_export_is_written_read_and_removed(either: str) -> None:
    branched(make_user())
    before = keys()
    export = write(ask())
    assert {part.bucket for part in export.parts.all()} == {storage.bucket()}
    assert set(parts(export)) > {"manifest.json", "conversations-00001.jsonl"}
    assert list(find_differences(hours=0)) == []
    BulkExport.objects.update(expires_at=timezone.now())
    remove_export(export_id=export.pk)
    assert keys() == before


def test_what_was_left_half_written_is_cleared_up_and_what_is_whole_stays(either: str) -> None:
    branched(make_user())
    (key,) = keys()
    storage.clear_up(key)
    assert keys() == {key}
