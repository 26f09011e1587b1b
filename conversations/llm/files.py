"""Files at the provider: copies of ours in its Files API, and what code wrote in a container."""

import datetime
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from conversations.llm.calls import one_call
from conversations.llm.client import get_client
from conversations.llm.decode import as_list, as_mapping, load_json, storable
from conversations.llm.errors import ModelError
from conversations.llm.events import ID_CHARACTERS, NAME_CHARACTERS, REASON_CHARACTERS
from conversations.llm.stream import HEADERS

KEPT_SECONDS = 24 * 60 * 60
UPLOAD_SECONDS = 300.0
LIST_SECONDS = 60.0
PAGE = 100  # the most that the API allows
MAX_PAGES = 100
_GONE = frozenset({404, 410})
_ID = re.compile(r"(?!\.+\Z)[\w.:=+@~-]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A copy of a file at the provider, and when the provider deletes it, where it told."""

    file_id: str
    expires_at: datetime.datetime | None


@dataclass(frozen=True, slots=True)
class ContainerFileInfo:
    """A file in a container: its name without folders, its bytes where told, and "assistant" for what code wrote."""

    file_id: str
    name: str
    size: int | None
    source: str


async def upload_file(*, name: str, content_type: str, data: bytes) -> UploadedFile:
    """Give the provider a copy of the file, to be named in an InputFile; it deletes the copy after 24 hours.

    Repeating it makes another copy. Raises ModelError.
    """
    async with one_call(UPLOAD_SECONDS, message="The file could not be given to the model in time. Retry."):
        response = await get_client().files.with_raw_response.create(
            file=(storable(name, NAME_CHARACTERS), data, content_type),
            purpose="user_data",
            expires_after={"anchor": "created_at", "seconds": KEPT_SECONDS},
        )
    fields = _read(response.content)
    file_id = storable(fields.get("id"), ID_CHARACTERS)
    if not file_id:
        raise ModelError("protocol", "an uploaded file was given no id")
    return UploadedFile(file_id, _moment(fields.get("expires_at")))


async def delete_file(file_id: str) -> None:
    """Delete the provider's copy; one that is gone already is no error, so this may be repeated. Raises ModelError."""
    try:
        async with _file_call(file_id):
            await get_client().files.with_raw_response.delete(file_id)
    except ModelError as error:
        if error.code != "file_gone":
            raise


async def list_container_files(container_id: str) -> list[ContainerFileInfo]:
    """Return all files of a container, the oldest first; raises ModelError, `file_gone` for one that has expired.

    A container lives some 20 minutes after its last use ("Code Interpreter" in OpenAI's guides).
    """
    import openai  # not at the top: see `client._make_client`

    files: dict[str, ContainerFileInfo] = {}
    after = ""
    async with _file_call(container_id, seconds=LIST_SECONDS):
        for _ in range(MAX_PAGES):
            response = await get_client().containers.files.with_raw_response.list(
                container_id, after=after or openai.omit, limit=PAGE, order="asc"
            )
            page = _read(response.content)
            listed = [file for row in as_list(page.get("data")) if (file := _file_info(as_mapping(row)))]
            is_new = any(file.file_id not in files for file in listed)
            files |= {file.file_id: file for file in listed}
            if page.get("has_more") is not True or not is_new:
                break
            after = storable(page.get("last_id"), ID_CHARACTERS) or listed[-1].file_id
    return list(files.values())


async def download_container_file(
    container_id: str, file_id: str, *, target: BinaryIO, max_bytes: int, seconds: float
) -> int:
    """Write the file's bytes to `target` piece by piece and return how many they are.

    Raises ModelError: `file_gone`, `too_large_file` as soon as there are more bytes than allowed, `timeout` after so
    many seconds, `connection` also for a body shorter than announced, and the others of a call. What was written to
    the target until then is no whole file.
    """
    message = f"The file did not arrive within {seconds:.0f} seconds. Retry."
    async with (
        _file_call(container_id, file_id, seconds=seconds, message=message),
        get_client().containers.files.content.with_streaming_response.retrieve(
            file_id, container_id=container_id, extra_headers=HEADERS
        ) as response,
    ):
        announced = _announced(response.headers)
        size = 0
        if announced is not None and announced > max_bytes:
            raise _too_large(announced, max_bytes)
        async for piece in response.iter_bytes():
            size += len(piece)
            if size > max_bytes:
                raise _too_large(size, max_bytes)
            target.write(piece)
    if announced is not None and size != announced:
        raise ModelError("connection", f"{size:,} bytes of a file of {announced:,}")
    return size


@asynccontextmanager
async def _file_call(*ids: str, **limits: Any) -> AsyncIterator[None]:
    """One call about what these ids name; `file_gone` where there is no such thing, or can be none."""
    import openai  # not at the top: see `client._make_client`

    for each in ids:
        if not _ID.fullmatch(each):
            raise ModelError("file_gone", f"nothing can have the id {each[:50]!r}")
    async with one_call(**limits):
        try:
            yield
        except openai.APIStatusError as exc:
            if exc.status_code in _GONE:
                raise ModelError("file_gone", f"HTTP {exc.status_code} for {' '.join(ids)}") from exc
            raise


def _read(content: bytes) -> Mapping[str, Any]:
    try:
        return as_mapping(load_json(content))
    except ValueError:
        raise ModelError("protocol", f"a body of {len(content):,} bytes that is not JSON") from None


def _file_info(row: Mapping[str, Any]) -> ContainerFileInfo | None:
    file_id = storable(row.get("id"), ID_CHARACTERS)
    if not file_id:
        return None
    path = row.get("path")
    name = storable(path.rpartition("/")[2] if isinstance(path, str) else "", NAME_CHARACTERS)
    size = row.get("bytes")
    is_size = isinstance(size, int) and not isinstance(size, bool) and size >= 0
    return ContainerFileInfo(file_id, name, size if is_size else None, storable(row.get("source"), REASON_CHARACTERS))


def _moment(seconds: object) -> datetime.datetime | None:
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        return None
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _announced(headers: Mapping[str, str]) -> int | None:
    """The length that the body shall have; unknown where it is not told, or told of the compressed body."""
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() and len(length) < 20 and "content-encoding" not in headers else None


def _too_large(size: int, max_bytes: int) -> ModelError:
    return ModelError("too_large_file", f"{size:,} bytes, {max_bytes:,} allowed")
