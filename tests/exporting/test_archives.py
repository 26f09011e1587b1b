"""The ZIP: everything else with the files, each entry as the manifest says, and nothing broken without a word."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from conversations.exporting import FORMATS
from conversations.files import storage
from conversations.models import Attachment
from tests.exporting.said import branched, chosen, exported, lines, make_conversation, say, table, unpacked
from tests.factories import PNG, make_file
from tests.fakes.folder import FilesFolder

LARGE = bytes(range(256)) * 4000


def test_the_archive_holds_what_the_other_exports_hold(owner: User) -> None:
    conversation = branched(owner)
    entries, manifest = unpacked(exported(owner, "zip", conversation))
    file = Attachment.objects.get()
    path = f"files/sums-{file.key[-32:]}.csv"
    assert list(entries) == [
        "messages.csv", "messages.jsonl", "transcripts/0001 Two ways to say it.md", path, "manifest.json",
    ]  # fmt: skip
    assert entries["messages.csv"] == exported(owner, "csv", conversation)
    assert entries["messages.jsonl"] == exported(owner, "jsonl", conversation)
    assert entries[path] == b"a,b\n1,2\n"
    transcript = entries["transcripts/0001 Two ways to say it.md"].decode()
    assert f"- File: [sums\\.csv](<../{path}>), 8 bytes" in transcript
    assert (manifest["format"], manifest["is_complete"], manifest["exported_by"]) == (1, True, owner.username)
    assert manifest["conversations"] == [
        {
            "id": str(conversation.pk),
            "title": "Two ways to say it",
            "transcript": "transcripts/0001 Two ways to say it.md",
        }
    ]


def test_every_entry_has_the_size_and_hash_of_the_manifest_and_every_file_those_of_its_row(owner: User) -> None:
    conversation = branched(owner)
    prompt = conversation.messages.earliest("id")
    make_file(owner, message=prompt, data=LARGE, name="large.bin", content_type="application/pdf")
    make_file(owner, message=prompt)
    entries, manifest = unpacked(exported(owner, "zip", conversation))
    told = {entry["path"]: (entry["size"], entry["sha256"]) for entry in manifest["entries"]}
    assert told == {
        path: (len(data), hashlib.sha256(data).hexdigest()) for path, data in entries.items() if path != "manifest.json"
    }
    rows = {str(file.pk): (file.size, file.sha256) for file in Attachment.objects.all()}
    assert {file["attachment_id"]: told[file["path"]] for file in manifest["files"]} == rows
    assert {file["message_id"] for file in manifest["files"]} == {str(prompt.pk)}
    of_lines = [file for entry in lines(entries["messages.jsonl"]) for file in entry["attachments"]]
    assert {file["id"]: (file["size"], file["sha256"]) for file in of_lines} == rows


def test_pictures_are_stored_as_they_are_and_words_deflated(owner: User) -> None:
    prompt = say(make_conversation(owner), "Look")
    make_file(owner, message=prompt, data=LARGE, name="a.png")
    make_file(owner, message=prompt, data=LARGE, name="a.txt", content_type="text/plain")
    with zipfile.ZipFile(io.BytesIO(exported(owner, "zip"))) as archive:
        sizes = {PurePosixPath(info.filename).suffix: info.compress_size for info in archive.infolist()}
    assert sizes[".png"] > len(LARGE)
    assert sizes[".txt"] < len(LARGE) / 10


@pytest.mark.parametrize("reader", [["unzip", "-tq"], [sys.executable, "-m", "zipfile", "-t"]], ids=["unzip", "python"])
def test_other_programs_find_nothing_wrong_with_an_archive(owner: User, tmp_path: Path, reader: list[str]) -> None:
    if shutil.which(reader[0]) is None:
        pytest.skip(f"{reader[0]} is not installed")
    branched(owner)
    (tmp_path / "export.zip").write_bytes(exported(owner, "zip"))
    done = subprocess.run([*reader, "export.zip"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


HOSTILE_NAMES = [
    "../../etc/passwd", "/etc/passwd", "C:\\Windows\\win.ini", "..", ".", "", "CON", "con.txt", "a\x07b.txt",
    "x" * 255 + ".pdf", "\u202egnp.exe", 'quote".csv', "a:b|c?d*e<f>.txt", "line\nbreak.md", "-rf", "Ünïcödé 😀.txt",
    ".hidden", "trailing. . .", "a" * 100 + "." + "b" * 100,
]  # fmt: skip


def test_f9_no_name_of_a_title_or_file_leads_out_of_its_folder_or_hides_another(owner: User) -> None:
    for name in HOSTILE_NAMES:
        prompt = say(make_conversation(owner, title=name[:200]), "Look")
        for _ in range(2):
            make_file(owner, message=prompt, name=name[:255])
    entries, manifest = unpacked(exported(owner, "zip"))
    files = [name for name in entries if name.startswith("files/")]
    transcripts = [name for name in entries if name.startswith("transcripts/")]
    assert len(files) == 2 * len(HOSTILE_NAMES)
    assert len(transcripts) == len(HOSTILE_NAMES)
    assert len({name.casefold() for name in entries}) == len(entries)
    for path in entries:
        *folders, name = path.split("/")
        assert folders in ([], ["files"], ["transcripts"])
        assert name == name.strip(" .")
        assert 0 < len(name) <= 150
        assert not set(name) & set('\\:|?*"<>\x00\n\u202e')
        assert not name.lower().startswith(("con.", "con "))
    assert [file["name"] for file in manifest["files"]] == [name[:255] for name in HOSTILE_NAMES for _ in range(2)]


def test_rows_that_share_an_object_share_its_entry(owner: User) -> None:
    conversation = make_conversation(owner)
    first, second = say(conversation, "Look"), say(conversation, "Look again")
    file = make_file(owner, message=first)
    copy = Attachment.objects.get(pk=file.pk)
    copy.pk, copy.message = None, second
    copy = Attachment.objects.create(
        owner=owner, message=second, origin="user", state="ready", bucket=file.bucket, key=file.key, name=file.name,
        content_type=file.content_type, size=file.size, sha256=file.sha256, ready_at=timezone.now(),
    )  # fmt: skip
    entries, manifest = unpacked(exported(owner, "zip"))
    assert len([name for name in entries if name.startswith("files/")]) == 1
    assert [(told["attachment_id"], told["path"] in entries) for told in manifest["files"]] == [
        (str(file.pk), True),
        (str(copy.pk), True),
    ]


def test_s8_a_file_that_storage_lost_or_changed_is_told(
    owner: User, folder: FilesFolder, caplog: pytest.LogCaptureFixture
) -> None:
    prompt = say(make_conversation(owner), "Look")
    lost, changed, short, kept = (make_file(owner, message=prompt, name=f"{name}.png") for name in ("l", "c", "s", "k"))
    failed = make_file(owner, message=prompt, name="f.png", data=None)
    (folder.path / lost.key).unlink()
    (folder.path / changed.key).write_bytes(b"?" + PNG[1:])
    (folder.path / short.key).write_bytes(PNG[:-1])
    entries, manifest = unpacked(exported(owner, "zip"))
    paths = [f"files/c-{changed.key[-32:]}.png", f"files/k-{kept.key[-32:]}.png"]
    assert [name for name in entries if name.startswith("files/")] == paths
    other = "Storage holds other bytes than were put there."
    as_they_are = f"{other} The archive holds them as they are."
    assert {told["attachment_id"]: (told["path"], told["problem"]) for told in manifest["files"]} == {
        str(lost.pk): (None, "It is missing in storage."),
        str(changed.pk): (paths[0], as_they_are),
        str(short.pk): (None, other),
        str(kept.pk): (paths[1], None),
        str(failed.pk): (None, "It was gone."),
    }
    assert manifest["is_complete"] is False
    assert entries["file-problems.txt"].decode() == (
        f"l.png: It is missing in storage.\nc.png: {as_they_are}\ns.png: {other}\nf.png: It was gone.\n"
    )
    assert f"File {lost.pk} is missing in storage" in caplog.text
    assert f"File {changed.pk} has other bytes in storage than on record" in caplog.text
    assert len(table(entries["messages.csv"])) == 1


def test_storage_that_is_away_ends_the_export_rather_than_leave_every_file_out(owner: User, settings: Settings) -> None:
    prompt = say(make_conversation(owner), "Look")
    for _ in range(5):
        make_file(owner, message=prompt)
    bucket = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {"bucket_name": "none"}}
    settings.STORAGES = settings.STORAGES | {"default": bucket}
    settings.AWS_S3_ENDPOINT_URL = "http://127.0.0.1:9"
    with pytest.raises(storage.StorageProblem):
        list(FORMATS["zip"].pieces(chosen(owner)))


def test_nothing_to_export_is_an_archive_that_says_so(owner: User) -> None:
    entries, manifest = unpacked(exported(owner, "zip"))
    assert list(entries) == ["messages.csv", "manifest.json"] or list(entries) == [
        "messages.csv", "messages.jsonl", "manifest.json",
    ]  # fmt: skip
    assert (manifest["conversations"], manifest["files"], manifest["is_complete"]) == ([], [], True)


def test_who_leaves_in_the_middle_leaves_no_file_open(owner: User) -> None:
    prompt = say(make_conversation(owner), "Look")
    for _ in range(3):
        make_file(owner, message=prompt, data=LARGE)
    before = len(list(Path("/proc/self/fd").iterdir()))
    pieces = FORMATS["zip"].pieces(chosen(owner))
    while len(list(Path("/proc/self/fd").iterdir())) == before:
        next(pieces)
    pieces.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
