"""Files in a folder of this machine."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest

from conversations.files import storage
from tests.storage.conftest import Put


class Breaking(io.BytesIO):
    """A file that cannot be read to its end."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise OSError("the disk is gone")
        return super().read(10)


def test_files_are_readable_by_their_owner_alone(folder: Path, put: Put) -> None:
    key = put(b"secret")
    assert stat.S_IMODE((folder / key).stat().st_mode) == 0o600
    assert storage.bucket() == ""


def test_there_are_no_links_to_files_of_this_machine(folder: Path, put: Put) -> None:
    assert storage.signed_url(put(b"x"), name="x.csv", content_type="text/csv") is None


def test_a_file_that_breaks_off_appears_under_no_key(folder: Path) -> None:
    key = storage.new_key()
    with pytest.raises(storage.StorageProblem):
        storage.put(key, Breaking(b"0123456789abcdef"), size=16, sha256="0" * 64, content_type="text/csv")
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_what_a_killed_process_left_is_listed_and_can_be_deleted(folder: Path, put: Put) -> None:
    key = put(b"whole")
    left = folder / f"{storage.new_key()}.0123abcd.part"
    left.write_bytes(b"half")
    (folder / "files" / "notes.txt").write_text("an administrator's own")
    left_key = left.relative_to(folder).as_posix()
    assert sorted(found.key for found in storage.list_keys()) == sorted([key, left_key])
    storage.delete(left_key)
    assert not left.exists()


def test_s1_a_folder_that_cannot_be_written_is_told_without_its_path(folder: Path, put: Put) -> None:
    folder.write_text("a file where the folder should be")
    with pytest.raises(storage.StorageProblem) as told:
        put(b"x")
    assert str(folder) not in str(told.value)
