"""Files at the provider: a copy goes up, is deleted, and what code wrote in a container comes down, or says why not."""

import asyncio
import base64
import datetime
import hashlib
import io
import os
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from pytest_django import Settings

from conversations.llm import (
    Container,
    ContainerFile,
    ContainerFileInfo,
    ModelError,
    delete_file,
    download_container_file,
    list_container_files,
    stream,
    upload_file,
)
from conversations.llm.files import KEPT_SECONDS
from tests.fakes.openai_server import FakeOpenAI
from tests.llm.conftest import SHORT, collect, make_request, run

MEGABYTE = 1024 * 1024


def failing(work: Callable[[], Coroutine[Any, Any, object]]) -> ModelError:
    with pytest.raises(ModelError) as raised:
        run(work)
    assert raised.value.message
    return raised.value


def make_files(fake: FakeOpenAI, *files: dict[str, Any], **code: Any) -> tuple[str, list[str]]:
    """Have the model's code write the files; return the container's id and the cited files' ids."""
    fake.script([{"code_interpreter": {"files": list(files), **code}, "text": "Done."}])
    answer = run(lambda: collect(stream(make_request(), timeouts=SHORT)))
    (container,) = (event.container_id for event in answer.events if isinstance(event, Container))
    return container, [event.file_id for event in answer.events if isinstance(event, ContainerFile)]


def download(
    fake: FakeOpenAI, target: BinaryIO, *, max_bytes: int = MEGABYTE, seconds: float = 20, **file: Any
) -> Callable[[], Coroutine[Any, Any, int]]:
    """A download of one file as scripted."""
    container, (file_id,) = make_files(fake, file)
    return lambda: download_container_file(container, file_id, target=target, max_bytes=max_bytes, seconds=seconds)


# -- copies of ours ----------------------------------------------------------------------------------------------------


def test_an_uploaded_copy_is_named_typed_whole_and_expires_by_itself(fake: FakeOpenAI) -> None:
    data = os.urandom(3 * MEGABYTE)
    name = 'Ümlaut "quoted"\r\nname.pdf'
    uploaded = run(lambda: upload_file(name=name, content_type="application/pdf", data=data))
    assert uploaded.file_id.startswith("file-")
    assert uploaded.expires_at is not None
    left = uploaded.expires_at - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(hours=23) < left <= datetime.timedelta(hours=24)
    sent = fake.requests("/v1/files")[0]["body"]
    assert (sent["purpose"], sent["expires_after[anchor]"]) == ("user_data", "created_at")
    assert sent["expires_after[seconds]"] == str(KEPT_SECONDS)
    assert (sent["content_type"], sent["bytes"]) == ("application/pdf", len(data))
    assert sent["sha256"] == hashlib.sha256(data).hexdigest()
    assert sent["filename"].startswith("Ümlaut")


def test_f9_a_name_that_no_header_can_hold_is_uploaded(fake: FakeOpenAI) -> None:
    for name in ("a\u0000b.txt", "\ud800.txt", "../../x", "n" * 5_000, ""):
        assert run(lambda name=name: upload_file(name=name, content_type="text/plain", data=b"x")).file_id  # type: ignore[misc]


def test_u5_a_failing_upload_is_a_retryable_error(fake: FakeOpenAI) -> None:
    fake.fail_files(times=1)
    error = failing(lambda: upload_file(name="a", content_type="text/plain", data=b"x"))
    assert (error.code, error.retryable, error.request_id) == ("provider_down", True, "req_1")
    assert run(lambda: upload_file(name="a", content_type="text/plain", data=b"x")).file_id


def test_u30_deleting_a_copy_may_be_repeated_and_its_failure_is_told(fake: FakeOpenAI) -> None:
    file_id = run(lambda: upload_file(name="a", content_type="text/plain", data=b"x")).file_id
    fake.fail_files(times=1)
    assert failing(lambda: delete_file(file_id)).retryable
    for _ in range(2):
        run(lambda: delete_file(file_id))
    run(lambda: delete_file("../responses/x"))
    assert [request["status"] for request in fake.requests()] == [200, 503, 200, 404]


def test_u5_nobody_listening_is_a_retryable_error_for_each_call(fake: FakeOpenAI, settings: Settings) -> None:
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    calls: list[Callable[[], Coroutine[Any, Any, object]]] = [
        lambda: upload_file(name="a", content_type="text/plain", data=b"x"),
        lambda: delete_file("file-1"),
        lambda: list_container_files("cntr_1"),
        lambda: download_container_file("cntr_1", "f", target=io.BytesIO(), max_bytes=9, seconds=5),
    ]
    for call in calls:
        error = failing(call)
        assert (error.code, error.retryable) == ("connection", True)


# -- containers --------------------------------------------------------------------------------------------------------


def test_all_pages_of_a_container_are_listed_cited_or_not(fake: FakeOpenAI) -> None:
    files = [{"name": f"{number}.txt", "text": "x" * number, "cited": number < 3} for number in range(230)]
    container, cited = make_files(fake, *files, {"name": "in.pdf", "source": "user", "cited": False})
    listed = run(lambda: list_container_files(container))
    assert [file.name for file in listed] == [*(f"{number}.txt" for number in range(230)), "in.pdf"]
    assert [file.file_id for file in listed[:3]] == cited
    assert (listed[7].size, listed[7].source, listed[-1].source) == (7, "assistant", "user")
    assert len([request for request in fake.requests() if request["path"].endswith("/files")]) == 3


def test_names_in_a_container_are_without_folders_and_can_be_stored(fake: FakeOpenAI) -> None:
    container, _ = make_files(fake, {"name": "../../etc/pass\u0000wd"})
    (listed,) = run(lambda: list_container_files(container))
    assert listed == ContainerFileInfo(listed.file_id, "pass\ufffdwd", listed.size, "assistant")


def test_u23_an_expired_container_is_gone(fake: FakeOpenAI) -> None:
    container, (file_id,) = make_files(fake, {})
    fake.expire_containers()
    target = io.BytesIO()
    for call in (
        lambda: list_container_files(container),
        lambda: download_container_file(container, file_id, target=target, max_bytes=9, seconds=5),
    ):
        error = failing(call)
        assert (error.code, error.retryable) == ("file_gone", False)
    assert target.getvalue() == b""


@pytest.mark.parametrize("status", [404, 410])
def test_u23_a_file_that_is_gone_is_told_as_such(fake: FakeOpenAI, status: int) -> None:
    assert failing(download(fake, io.BytesIO(), status=status)).code == "file_gone"


@pytest.mark.parametrize("bad", ["", ".", "..", "a/../b", "a?b", "ü", "\ud800", "x" * 300])
def test_u23_an_id_that_cannot_be_one_is_never_asked_for(fake: FakeOpenAI, bad: str) -> None:
    for ids in ((bad, "cfile_1"), ("cntr_1", bad)):
        error = failing(
            lambda ids=ids: download_container_file(*ids, target=io.BytesIO(), max_bytes=9, seconds=5)  # type: ignore[misc]
        )
        assert error.code == "file_gone"
    assert fake.requests() == []


@pytest.mark.parametrize("file", [{"text": "Grüße"}, {"text": ""}, {"chunked": True, "text": "abc"}])
def test_a_file_comes_down_whole(fake: FakeOpenAI, file: dict[str, Any]) -> None:
    target = io.BytesIO()
    size = run(download(fake, target, **file))
    assert target.getvalue() == file["text"].encode()
    assert size == len(target.getvalue())


def test_bytes_come_down_as_they_are(fake: FakeOpenAI) -> None:
    data = os.urandom(700_000)
    target = io.BytesIO()
    assert run(download(fake, target, base64=base64.b64encode(data).decode())) == len(data)
    assert target.getvalue() == data


def test_u23_exactly_the_limit_is_not_too_large(fake: FakeOpenAI) -> None:
    assert run(download(fake, io.BytesIO(), size=MEGABYTE)) == MEGABYTE
    assert failing(download(fake, io.BytesIO(), size=MEGABYTE + 1)).code == "too_large_file"


@pytest.mark.parametrize("chunked", [False, True])
def test_u23_a_huge_body_is_cut_off_at_the_limit(fake: FakeOpenAI, tmp_path: Path, chunked: bool) -> None:
    with (tmp_path / "target").open("wb") as target:
        error = failing(download(fake, target, size=1_000 * MEGABYTE, chunked=chunked))
    assert (error.code, error.retryable) == ("too_large_file", False)
    assert (tmp_path / "target").stat().st_size <= MEGABYTE
    request = fake.requests()[-1]
    deadline = time.monotonic() + 5
    while not request["closed_early"] and time.monotonic() < deadline:
        time.sleep(0.02)
        request = fake.requests()[-1]
    assert request["closed_early"]
    assert request["bytes_sent"] < 100 * MEGABYTE


def test_u23_a_slow_body_ends_in_time(fake: FakeOpenAI) -> None:
    target = io.BytesIO()
    started = time.monotonic()
    error = failing(download(fake, target, size=100, slow_ms=400, seconds=1))
    assert time.monotonic() - started < 5
    assert (error.code, error.message) == ("timeout", "The file did not arrive within 1 seconds. Retry.")
    assert 0 < len(target.getvalue()) < 100


@pytest.mark.parametrize("fault", [{"length": 2_000}, {"reset": True}])
def test_u23_a_body_shorter_than_announced_is_a_broken_connection(fake: FakeOpenAI, fault: dict[str, Any]) -> None:
    error = failing(download(fake, io.BytesIO(), size=1_000, **fault))
    assert (error.code, error.retryable) == ("connection", True)


def test_u23_a_file_comes_after_the_provider_has_failed_twice(fake: FakeOpenAI) -> None:
    container, (file_id,) = make_files(fake, {"status": 503, "times": 2, "text": "at last"})
    target = io.BytesIO()

    def again() -> Coroutine[Any, Any, int]:
        return download_container_file(container, file_id, target=target, max_bytes=99, seconds=5)

    for _ in range(2):
        assert failing(again).retryable
    assert run(again) == 7
    assert target.getvalue() == b"at last"


def test_a_list_that_fails_is_retryable(fake: FakeOpenAI) -> None:
    container, _ = make_files(fake, {}, list_status=503, list_times=1)
    assert failing(lambda: list_container_files(container)).retryable
    assert len(run(lambda: list_container_files(container))) == 1


def test_a_cancelled_download_stays_a_cancellation(fake: FakeOpenAI) -> None:
    work = download(fake, io.BytesIO(), size=100, slow_ms=60_000)

    async def cancel_it() -> None:
        task = asyncio.create_task(work())
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(cancel_it)
