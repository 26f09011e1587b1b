"""The fake server's files: what was uploaded to its Files API, and what its code interpreter has in containers."""

import asyncio
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from tests.fakes.replies import RequestLog, json_response, read_json, recorded_disconnect, reset_connection
from tests.fakes.scenario import FileScript, Scenario

MAX_PAGE = 100
PIECE_BYTES = 64 * 1024
SLOW_PIECES = 10


@dataclass
class Container:
    """One container with its files, by their ids."""

    expired: bool = False
    list_status: int = 200
    list_times: int = 0
    id: str = field(default_factory=lambda: f"cntr_{secrets.token_hex(24)}")
    files: dict[str, FileScript] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, scenario: Scenario) -> "Container | None":
        """The container that a scenario's code runs in, where it has any."""
        keys = scenario.code_interpreter
        if keys is None:
            return None
        options = {key: value for key, value in keys.items() if key not in ("gap_ms", "files")}
        files = {f"cfile_{secrets.token_hex(16)}": file for file in scenario.files}
        return cls(files=files, **options)

    def citations(self, text: str) -> list[dict[str, Any]]:
        """The annotations of a text that cites the files: of the `sandbox:` link to each, where it has one."""
        annotations = []
        for file_id, file in self.files.items():
            if file.cited:
                link = f"sandbox:/mnt/data/{file.name}"
                start = text.find(link)
                start, end = (start, start + len(link)) if start >= 0 else (len(text), len(text))
                annotation = {"type": "container_file_citation", "container_id": self.id, "file_id": file_id}
                annotations.append(annotation | {"filename": file.name, "start_index": start, "end_index": end})
        return annotations

    def fails(self, key: str, status: int, times: int) -> bool:
        """Whether this request is one of those that fail."""
        if status == 200:
            return False
        seen = self.failures[key] = self.failures.get(key, 0) + 1
        return times == 0 or seen <= times

    def row(self, file_id: str) -> dict[str, Any]:
        """A file as the list gives it."""
        file = self.files[file_id]
        return {
            "id": file_id,
            "object": "container.file",
            "created_at": int(time.time()),
            "container_id": self.id,
            "path": f"/mnt/data/{file.name}",
            "source": file.source,
            "bytes": file.size or len(file.data),
        }


class FileRoutes:
    """/v1/files and /v1/containers."""

    def __init__(self, log: RequestLog) -> None:
        self._log = log
        self.uploads: dict[str, dict[str, Any]] = {}
        self.containers: dict[str, Container] = {}
        self._failing = {"status": 503, "times": 0}

    def add_to(self, app: web.Application) -> None:
        """The routes."""
        app.router.add_post("/v1/files", self.upload)
        app.router.add_get("/v1/files", self.list_uploads)
        app.router.add_get("/v1/files/{id}", self.retrieve)
        app.router.add_delete("/v1/files/{id}", self.delete)
        app.router.add_get("/v1/containers/{container}/files", self.list_files)
        app.router.add_get("/v1/containers/{container}/files/{id}/content", self.content)
        app.router.add_post("/_control/files", self.set_failing)
        app.router.add_post("/_control/expire", self.expire)

    def clear(self) -> None:
        """Forget every file and fault."""
        self.uploads.clear()
        self.containers.clear()
        self._failing = {"status": 503, "times": 0}

    # -- the Files API -----------------------------------------------------------------------------------------------

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/files"""
        record = self._log.add(request, None)
        values: dict[str, str] = {}
        upload: dict[str, Any] = {}
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            if part.name == "file":
                data = bytes(await part.read())
                upload = {"filename": part.filename, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                upload["content_type"] = part.headers.get("Content-Type", "")
            else:
                values[part.name or ""] = await part.text()
        record["body"] = values | upload
        if self._fails():
            return self._log.refuse(record, self._failing["status"], {"message": "Scripted", "type": "server_error"})
        if not upload or "purpose" not in values:
            return self._log.refuse(record, 400, {"message": "Missing", "type": "invalid_request_error"})
        created = int(time.time())
        lasts = values.get("expires_after[seconds]")
        row = {
            "id": f"file-{secrets.token_hex(12)}",
            "object": "file",
            "created_at": created,
            "expires_at": created + int(lasts) if lasts else None,
            "purpose": values["purpose"],
            "status": "processed",
            "status_details": None,
            **{key: upload[key] for key in ("filename", "bytes")},
        }
        self.uploads[row["id"]] = row
        record["status"] = 200
        return json_response(row)

    async def list_uploads(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/files"""
        self._log.add(request, None)["status"] = 200
        return json_response({"object": "list", "data": list(self.uploads.values()), "has_more": False})

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/files/{id}"""
        record = self._log.add(request, None)
        row = self.uploads.get(request.match_info["id"])
        if row is None:
            return self._no_such(record, "File", request.match_info["id"])
        record["status"] = 200
        return json_response(row)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """DELETE /v1/files/{id}"""
        record = self._log.add(request, None)
        if self._fails():
            return self._log.refuse(record, self._failing["status"], {"message": "Scripted", "type": "server_error"})
        row = self.uploads.pop(request.match_info["id"], None)
        if row is None:
            return self._no_such(record, "File", request.match_info["id"])
        record["status"] = 200
        return json_response({"id": row["id"], "object": "file", "deleted": True})

    # -- containers --------------------------------------------------------------------------------------------------

    async def list_files(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/containers/{container}/files, paged by `limit` and `after`."""
        record = self._log.add(request, None)
        container = self._container(request)
        if container is None:
            return self._no_such(record, "Container", request.match_info["container"])
        if container.fails("list", container.list_status, container.list_times):
            return self._log.refuse(record, container.list_status, {"message": "Scripted", "type": "server_error"})
        ids = [file_id for file_id, file in container.files.items() if file.listed]
        if request.query.get("order", "desc") == "desc":
            ids.reverse()
        after, limit = request.query.get("after"), min(int(request.query.get("limit", "20")), MAX_PAGE)
        first = ids.index(after) + 1 if after in ids else 0
        page = ids[first : first + limit]
        record["status"] = 200
        return json_response(
            {
                "object": "list",
                "data": [container.row(file_id) for file_id in page],
                "first_id": page[0] if page else None,
                "last_id": page[-1] if page else None,
                "has_more": first + limit < len(ids),
            }
        )

    async def content(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/containers/{container}/files/{id}/content"""
        record = self._log.add(request, None)
        file_id = request.match_info["id"]
        container = self._container(request)
        file = container.files.get(file_id) if container else None
        if container is None or file is None:
            return self._no_such(record, "Container file", file_id)
        if container.fails(file_id, file.status, file.times):
            return self._log.refuse(record, file.status, {"message": "Scripted", "type": "server_error"})
        record["status"] = 200
        with recorded_disconnect(record):
            return await _send(request, record, file)

    # -- control -----------------------------------------------------------------------------------------------------

    async def set_failing(self, request: web.Request) -> web.StreamResponse:
        """Let so many of the next uploads and deletions fail: {"status": 503, "times": 2}."""
        self._failing |= await read_json(request)
        return json_response({})

    async def expire(self, _request: web.Request) -> web.StreamResponse:
        """Let every container so far have expired."""
        for container in self.containers.values():
            container.expired = True
        return json_response({})

    # ----------------------------------------------------------------------------------------------------------------

    def _container(self, request: web.Request) -> Container | None:
        container = self.containers.get(request.match_info["container"])
        return None if container is None or container.expired else container

    def _fails(self) -> bool:
        self._failing["times"] -= 1
        return self._failing["times"] >= 0

    def _no_such(self, record: dict[str, Any], kind: str, name: str) -> web.Response:
        error = {"message": f"{kind} with id '{name}' not found.", "type": "invalid_request_error", "code": None}
        return self._log.refuse(record, 404, error)


async def _send(request: web.Request, record: dict[str, Any], file: FileScript) -> web.StreamResponse:
    """Send the file's bytes, with the faults of its script."""
    response = web.StreamResponse(headers={"X-Request-Id": record["request_id"]})
    response.content_type = "application/octet-stream"
    size = file.size or len(file.data)
    if file.chunked:
        response.enable_chunked_encoding()
    else:
        response.content_length = size if file.length is None else file.length
    if file.length is not None:
        response.force_close()
    await response.prepare(request)
    data = file.data if not file.size else b""
    step = max(1, -(-size // SLOW_PIECES)) if file.slow_ms else PIECE_BYTES
    until = size // 2 if file.reset else min(size, response.content_length or size)
    for start in range(0, until, step):
        await asyncio.sleep(file.slow_ms / 1000)
        end = min(start + step, until)
        await response.write(b"x" * (end - start) if file.size else data[start:end])
        record["bytes_sent"] = end
    if file.reset:
        await asyncio.sleep(0.05)  # what was sent shall arrive before the reset does
        reset_connection(request)
    return response
