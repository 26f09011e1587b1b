"""Servers whose answers about files are of no known shape: an error of the protocol, or what there is of use."""

import datetime
import http.server
import io
import json
import threading
from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from conversations.llm import (
    ContainerFileInfo,
    ModelError,
    UploadedFile,
    download_container_file,
    list_container_files,
    upload_file,
)
from tests.llm.conftest import run

Serve = Callable[[object], None]


@pytest.fixture
def serve(settings: Settings) -> Iterator[Serve]:
    """Answer everything with these bytes, or with this JSON."""
    body = b""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    def set_body(value: object) -> None:
        nonlocal body
        body = value if isinstance(value, bytes) else json.dumps(value).encode()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.OPENAI_API_KEY = ""
        settings.OPENAI_BASE_URL = f"http://127.0.0.1:{server.server_port}/v1"
        yield set_body
        server.shutdown()


def upload() -> UploadedFile:
    return run(lambda: upload_file(name="a", content_type="text/plain", data=b"x"))


@pytest.mark.parametrize("body", [b"<html>", b"", b"[" * 100_000, [], 7, {}, {"id": 7}, {"id": ""}])
def test_u6_an_upload_without_an_id_is_a_fault_of_the_protocol(serve: Serve, body: object) -> None:
    serve(body)
    with pytest.raises(ModelError) as raised:
        upload()
    assert raised.value.code == "protocol"


@pytest.mark.parametrize("moment", [None, "soon", True, 10**30, -(10**30), float("1e300"), [1]])
def test_u16_an_end_that_is_no_moment_is_unknown(serve: Serve, moment: object) -> None:
    serve({"id": "file-1", "expires_at": moment})
    assert upload() == UploadedFile("file-1", None)


def test_a_moment_is_read_as_utc(serve: Serve) -> None:
    serve({"id": "file-1", "expires_at": 0})
    assert upload().expires_at == datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    "page",
    [[], {}, {"data": 7}, {"data": [7, None, [], {}, {"id": 7}], "has_more": True}, {"data": [], "has_more": "yes"}],
)
def test_u16_a_list_of_an_unknown_shape_has_no_files(serve: Serve, page: object) -> None:
    serve(page)
    assert run(lambda: list_container_files("cntr_1")) == []


def test_u16_files_of_unknown_shapes_are_listed_as_far_as_they_are_known(serve: Serve) -> None:
    rows = [{"id": "a", "path": 7, "bytes": -1, "source": []}, {"id": "b", "path": "/x/\u0000", "bytes": True}]
    serve({"data": rows, "has_more": False})
    assert run(lambda: list_container_files("cntr_1")) == [
        ContainerFileInfo("a", "", None, ""),
        ContainerFileInfo("b", "\ufffd", None, ""),
    ]


def test_u16_a_list_that_never_ends_is_read_no_further_than_it_tells_something_new(serve: Serve) -> None:
    serve({"data": [{"id": "a"}, {"id": "b"}], "has_more": True, "last_id": "b"})
    assert [file.file_id for file in run(lambda: list_container_files("cntr_1"))] == ["a", "b"]


def test_u6_a_list_that_is_not_json_is_a_fault_of_the_protocol(serve: Serve) -> None:
    serve(b"<html>")
    with pytest.raises(ModelError) as raised:
        run(lambda: list_container_files("cntr_1"))
    assert raised.value.code == "protocol"


def test_a_file_may_be_what_looks_like_an_error(serve: Serve) -> None:
    serve({"error": {"message": "this is a JSON file"}})
    target = io.BytesIO()
    run(lambda: download_container_file("cntr_1", "f", target=target, max_bytes=999, seconds=5))
    assert b"JSON file" in target.getvalue()
