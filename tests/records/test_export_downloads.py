"""Exports as they leave: to who has the right and has said why, whole, in part and as one ZIP."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.management import CommandError, call_command
from django.test import AsyncClient, Client
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEvent
from records.models import BulkExport, BulkExportPart
from tests.exporting.said import branched, unpacked
from tests.factories import make_user
from tests.fakes.folder import FilesFolder
from tests.records.exported import ask, make_exporter, parts, write
from tests.sitting import REASON, sit

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("folder"),
]  # a download gives its database connection back


@pytest.fixture
def export(folder: FilesFolder, transactional_db: None) -> BulkExport:
    branched(make_user())
    return write(ask())


def get(person: User | None, address: str, *, verb: str = "get", sits: bool = True, **headers: str) -> Any:
    """Ask for something and read all of it into `body`."""
    client = AsyncClient(raise_request_exception=False)
    if person is not None:
        client.force_login(person)
        if sits:
            other = Client()
            other.cookies = client.cookies
            sit(other)

    async def ask_for() -> Any:
        response = await getattr(client, verb)(address, headers=headers)
        response.body = b"" if response.streaming else response.content
        if response.streaming:
            response.body = b"".join([piece async for piece in response.streaming_content])
        response.close()
        return response

    return async_to_sync(ask_for)()


def part_of(export: BulkExport, kind: str = "conversations") -> BulkExportPart:
    return BulkExportPart.objects.get(export=export, kind=kind)


def address_of(part: BulkExportPart) -> str:
    return f"/admin/exports/{part.export_id}/parts/{part.pk}/"


def test_v11_a_part_is_downloaded_whole_and_in_part_and_each_time_is_noted(export: BulkExport) -> None:
    person, part = export.requested_by, part_of(export)
    whole = get(person, address_of(part))
    assert (whole.status_code, hashlib.sha256(whole.body).hexdigest()) == (200, part.sha256)
    assert whole["Content-Disposition"] == 'attachment; filename="conversations-00001.jsonl"'
    assert (whole["X-Content-Type-Options"], whole["Cache-Control"]) == ("nosniff", "private, no-store")
    half = get(person, address_of(part), Range=f"bytes=10-{part.size}")
    assert (half.status_code, half.body) == (206, whole.body[10:])
    assert get(person, address_of(part), verb="head").body == b""
    noted = AuditEvent.objects.filter(kind="export.downloaded")
    assert [(event.actor_id, event.reason, event.object_id) for event in noted] == [
        (person.pk, REASON, str(export.pk))
    ] * 2
    assert noted[0].details == {"part": part.name, "owners": part.owners}


def test_a_file_of_somebody_leaves_as_mere_bytes(export: BulkExport) -> None:
    part = part_of(export, "file")
    response = get(export.requested_by, address_of(part))
    assert (response.body, response["Content-Type"]) == (b"a,b\n1,2\n", "application/octet-stream")
    assert response["Content-Disposition"] == f'attachment; filename="{part.name.rpartition("/")[2]}"'


def test_all_of_it_comes_as_one_zip_that_can_be_verified(
    export: BulkExport, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    response = get(export.requested_by, f"/admin/exports/{export.pk}/archive/")
    assert response["Content-Type"] == "application/zip"
    entries, _ = unpacked(response.body)
    assert entries == parts(export)
    for name, data in entries.items():
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_bytes(data)
    call_command("verify_export", str(tmp_path / "out" / "manifest.json"))
    told = capsys.readouterr().out
    assert f"SHA-256 of the manifest: {part_of(export, 'manifest').sha256}" in told
    assert AuditEvent.objects.get(kind="export.downloaded").details["part"] == "all"


@pytest.mark.parametrize("who", ["anonymous", "person", "reviewer", "former"])
def test_v11_nobody_without_the_right_gets_any_of_it(export: BulkExport, who: str) -> None:
    person: User | None = None
    if who == "former":
        person = make_exporter()
        person.is_staff = False
        person.save()
    elif who != "anonymous":
        person = make_user(is_staff=who == "reviewer")
    for address in (address_of(part_of(export)), f"/admin/exports/{export.pk}/archive/"):
        response = get(person, address)
        expected = (302, "/accounts/login/") if person is None else (404, "")
        assert (response.status_code, response.headers.get("Location", "")[:16]) == expected
    assert not AuditEvent.objects.filter(kind="export.downloaded").exists()


def test_v11_whoever_has_not_said_why_is_asked_first(export: BulkExport) -> None:
    for address in (address_of(part_of(export)), f"/admin/exports/{export.pk}/archive/"):
        response = get(export.requested_by, address, sits=False)
        assert (response.status_code, response["Location"][:18]) == (302, "/admin/reason/?nex")
    assert not AuditEvent.objects.filter(kind="export.downloaded").exists()


def test_what_has_expired_or_is_under_way_or_is_of_another_export_is_not_there(export: BulkExport) -> None:
    person, part = export.requested_by, part_of(export)
    other = write(ask())
    assert get(person, f"/admin/exports/{other.pk}/parts/{part.pk}/").status_code == 404
    for changes in ({"expires_at": timezone.now()}, {"state": "running", "expires_at": None}):
        BulkExport.objects.update(**changes)
        for address in (address_of(part), f"/admin/exports/{export.pk}/archive/"):
            assert get(person, address).status_code == 404


def test_s1_storage_that_is_away_is_told(export: BulkExport, folder: FilesFolder) -> None:
    folder.take_away()
    for address in (address_of(part_of(export)), f"/admin/exports/{export.pk}/archive/"):
        assert get(export.requested_by, address).status_code == 503


def test_an_archive_with_a_part_that_storage_changed_is_cut(export: BulkExport, folder: FilesFolder) -> None:
    part = part_of(export)
    (folder.path / part.key).write_bytes(b"x" * part.size)
    with pytest.raises(Exception, match="the hash differs"):
        get(export.requested_by, f"/admin/exports/{export.pk}/archive/")


def test_an_export_on_disk_that_changed_is_told_line_by_line(
    export: BulkExport, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, data in parts(export).items():
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_bytes(data)
    said, file = tmp_path / "out" / "conversations-00001.jsonl", tmp_path / "out" / part_of(export, "file").name
    said.write_bytes(said.read_bytes().replace(b"Nothing", b"nothing"))
    file.unlink()
    (tmp_path / "out" / "more.txt").write_text("more")
    with pytest.raises(CommandError, match="3 of 2 parts or files are not as the manifest says"):
        call_command("verify_export", str(tmp_path / "out" / "manifest.json"))
    assert capsys.readouterr().out.splitlines() == [
        "conversations-00001.jsonl holds other bytes than it did.",
        f"{part_of(export, 'file').name} cannot be read: No such file or directory.",
        "more.txt is not in the manifest.",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "cannot be read"),
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "is no manifest of format 1"),
        ('{"format": 2, "parts": []}', "is no manifest of format 1"),
        ('{"format": 1, "parts": [{"name": "../x", "size": 1, "sha256": ""}]}', "names a part that cannot be one"),
        ('{"format": 1, "parts": [{"name": "/etc/passwd", "size": 1, "sha256": ""}]}', "names a part that cannot be"),
        ('{"format": 1, "parts": [7]}', "names a part that cannot be one"),
    ],
    ids=["none", "cut", "deep", "list", "other format", "outside", "absolute", "number"],
)
def test_what_is_no_manifest_is_told_in_a_line(tmp_path: Path, text: str | None, told: str) -> None:
    file = tmp_path / "manifest.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(CommandError, match=told):
        call_command("verify_export", str(file))
