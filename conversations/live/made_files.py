"""Files that the model sends back, on their way into storage while their answer is still running."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from conversations import llm, services
from conversations.files import FileFacts, FileProblem, inspect_file, storage, write_document
from conversations.files.storage import StorageProblem
from conversations.live.database import in_database_patiently
from conversations.live.storing import in_files
from conversations.llm.tools import CREATE_FILE
from conversations.models import Attachment
from conversations.services import AnswerPlan

logger = logging.getLogger(__name__)

# Pauses between tries, in seconds. A container is kept for 20 minutes after its last use.
RETRY_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
DOWNLOAD_SECONDS = 120.0
MAX_WAIT_SECONDS = 30.0  # that the provider may ask for
MAX_FILES = 50  # of one answer
SAVING = "Saving files…"
STORAGE_AWAY = "The file storage could not be reached, so this file was not saved. Ask for the answer again."
TOO_MANY = f"One answer can bring {MAX_FILES} files; what was beyond that is not kept. Ask for fewer at a time."
_ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}


@dataclass
class MadeFiles:
    """What one answer has made: pictures are kept until the call has ended, containers are searched then."""

    show: Callable[[str], None]  # the line that tells the reader what is being done
    calls: list[llm.FunctionCall] = field(default_factory=list)
    _pictures: list[llm.ImageMade] = field(default_factory=list)
    _cited: dict[str, llm.ContainerFile] = field(default_factory=dict)
    _containers: dict[str, None] = field(default_factory=dict)
    _count: int = 0

    def take(self, event: llm.FunctionCall | llm.ImageMade | llm.ContainerFile | llm.Container) -> None:
        """Note what a call has made."""
        match event:
            case llm.FunctionCall():
                self.calls.append(event)
            case llm.ImageMade():
                self._pictures.append(event)
            case llm.ContainerFile(container_id=container_id, file_id=file_id):
                self._cited[file_id] = event
                self._containers[container_id] = None
            case llm.Container(container_id=container_id):
                self._containers[container_id] = None

    def forget(self) -> None:
        """Forget what a call has made that is not saved yet."""
        for store in (self.calls, self._pictures, self._cited, self._containers):
            store.clear()

    async def save(self, plan: AnswerPlan) -> None:
        """Put everything that the call has made into storage, or mark it failed with the reason."""
        if not self._pictures and not self._containers:
            return
        self.show(SAVING)
        while self._pictures:
            picture = self._pictures.pop(0)
            name = f"image-{self._count + 1}.{_ENDINGS.get(picture.content_type, 'bin')}"
            await self._keep(plan, name, picture.data, source_id=picture.item_id)
        for container_id in list(self._containers):
            await self._save_container(plan, container_id)
        self._containers.clear()

    async def answer_calls(self, plan: AnswerPlan) -> tuple[dict[str, Any], ...]:
        """Do what the functions that the model called are for; return what each brought, as the API wants it."""
        outputs = []
        for call in self.calls:
            output = await self._create_file(plan, call)
            outputs.append({"type": "function_call_output", "call_id": call.call_id, "output": json.dumps(output)})
        self.calls.clear()
        return tuple(outputs)

    async def _create_file(self, plan: AnswerPlan, call: llm.FunctionCall) -> dict[str, str]:
        if call.name != CREATE_FILE:
            return {"error": f"There is no function {call.name[:80]}."}
        try:
            arguments = json.loads(call.arguments)
            name, content = str(arguments["name"]), str(arguments["content"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return {"error": "The arguments must be a JSON object with name and content."}
        self.show(SAVING)
        try:
            data = await in_files(write_document, name, content)
        except FileProblem as problem:
            return {"error": problem.message}
        saved = await self._keep(plan, name, data, source_id=call.call_id)
        if saved is None:
            return {"error": TOO_MANY}
        if saved.state != Attachment.State.READY:
            return {"error": "The file was written but could not be saved; the user is told why."}
        return {"saved": saved.name}

    async def _keep(self, plan: AnswerPlan, name: str, data: bytes, *, source_id: str) -> Attachment | None:
        attachment = await self._plan(plan, name, source_id=source_id)
        if attachment is not None and attachment.state == Attachment.State.PENDING:
            with _temporary() as path:
                await in_files(path.write_bytes, data)
                await store(attachment, path)
        return attachment

    async def _plan(self, plan: AnswerPlan, name: str, **where: str) -> Attachment | None:
        if self._count > MAX_FILES:
            return None
        self._count += 1
        attachment = await in_database_patiently(services.plan_file, plan=plan, name=name, **where)
        if attachment is not None and self._count > MAX_FILES:
            await in_database_patiently(services.fail_file, attachment=attachment, reason=TOO_MANY)
            return None
        return attachment

    async def _save_container(self, plan: AnswerPlan, container_id: str) -> None:
        """Save what is cited and what the code wrote beside it."""
        names = {one.file_id: one.name for one in self._cited.values() if one.container_id == container_id}
        try:
            listed = await _with_patience(functools.partial(llm.list_container_files, container_id))
        except llm.ModelError as error:
            logger.warning("Container %s of answer %s cannot be listed: %s", container_id, plan.message_id, error)
            listed = []
        for one in listed:
            if one.source == "assistant":
                names.setdefault(one.file_id, one.name)
        for file_id, name in names.items():
            attachment = await self._plan(plan, name, container_id=container_id, container_file_id=file_id)
            if attachment is not None and attachment.state == Attachment.State.PENDING:
                await fetch(attachment)


async def fetch(attachment: Attachment) -> None:
    """Get a planned file out of its container and into storage, or mark it failed with the reason."""
    with _temporary() as path:
        try:
            await _with_patience(functools.partial(_download, attachment, path))
        except llm.ModelError as error:
            await in_database_patiently(services.fail_file, attachment=attachment, reason=error.message)
        else:
            await store(attachment, path)


async def store(attachment: Attachment, path: Path) -> None:
    """Put a planned file into storage, with patience while that is away, or mark it failed with the reason."""
    try:
        facts = await in_files(inspect_file, path, name=attachment.name, max_bytes=_max_bytes(), lenient=True)
        for pause in (*RETRY_PAUSES, None):
            key = await in_database_patiently(services.prepare_file, attachment=attachment, facts=facts)
            if key is None:
                return
            try:
                await in_files(_put, key, path, facts)
            except StorageProblem as problem:
                logger.warning("File %s could not be stored: %s", attachment.pk, problem)
                if pause is not None:
                    await asyncio.sleep(pause)
            else:
                await _keep_stored(attachment, key)
                return
    except FileProblem as problem:
        reason = problem.message
    else:
        reason = STORAGE_AWAY
    await in_database_patiently(services.fail_file, attachment=attachment, reason=reason)


async def _keep_stored(attachment: Attachment, key: str) -> None:
    if await in_database_patiently(services.keep_file, attachment=attachment, key=key):
        attachment.state = Attachment.State.READY
    else:
        with contextlib.suppress(StorageProblem):
            await in_files(storage.delete, key)


def _put(key: str, path: Path, facts: FileFacts) -> None:
    with path.open("rb") as file:
        storage.put(key, file, size=facts.size, sha256=facts.sha256, content_type=facts.content_type)


def _max_bytes() -> int:
    return int(settings.MAX_FILE_MEGABYTES) * 1_000_000


async def _download(attachment: Attachment, path: Path) -> None:
    with path.open("wb") as target:
        await llm.download_container_file(
            attachment.container_id,
            attachment.container_file_id,
            target=target,
            max_bytes=_max_bytes(),
            seconds=DOWNLOAD_SECONDS,
        )


async def _with_patience[Result](call: Callable[[], Awaitable[Result]]) -> Result:
    """Make a call to the provider, and again after a pause for a fault that can pass."""
    for pause in RETRY_PAUSES[:4]:
        try:
            return await call()
        except llm.ModelError as error:
            if not error.retryable:
                raise
            await asyncio.sleep(min(error.retry_after or pause, MAX_WAIT_SECONDS))
    return await call()


@contextlib.contextmanager
def _temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="verbatim-") as folder:
        yield Path(folder) / "file"
