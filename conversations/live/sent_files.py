"""Files that go to the model with the turns of a request."""

from __future__ import annotations

import asyncio
import datetime
from dataclasses import replace

from conversations import llm, services
from conversations.files import FileProblem, image_for_model, storage
from conversations.live.database import in_database_patiently
from conversations.services import AnswerPlan, PlannedFile
from conversations.services.attachments import MAX_REQUEST_BYTES

INLINE_BYTES = 4_000_000  # larger ones go to the provider's Files API once, rather than along with every prompt
IMAGE_BYTES = 1_500_000  # about what an image has at most once it is made smaller for the model
_SPARE = datetime.timedelta(minutes=30)  # that a copy at the provider must still have to live


async def with_files(plan: AnswerPlan) -> llm.ModelRequest:
    """Return the request of a plan with the files of its turns read, images re-encoded.

    The provider takes so many bytes in one request: the newest files go first, and of one that is left out the turn
    says so. Raises ModelError where a file cannot be read or handed over.
    """
    request = plan.request
    if not any(plan.files):
        return request
    turns, left = list(request.turns), MAX_REQUEST_BYTES
    for number in range(len(plan.files) - 1, -1, -1):
        inputs, notes = [], []
        for file in plan.files[number]:
            left -= min(file.size, IMAGE_BYTES) if _is_image(file) else file.size
            if left < 0:
                notes.append(f"[The file {file.name} was attached here. It is too much to be sent again.]")
            else:
                inputs.append(await _input(file))
        text = "\n\n".join([turns[number].text, *notes])
        turns[number] = replace(turns[number], text=text, files=tuple(inputs))
    return replace(request, turns=tuple(turns))


async def _input(file: PlannedFile) -> llm.InputFile:
    if file.provider_file_id and not _is_image(file):
        expires_at = file.provider_file_expires_at
        if expires_at is None or expires_at > datetime.datetime.now(datetime.UTC) + _SPARE:
            return llm.InputFile(file.name, file.content_type, file_id=file.provider_file_id)
    data = await _read(file)
    if _is_image(file):
        try:
            content_type, data = await asyncio.to_thread(image_for_model, data)
        except FileProblem as problem:
            raise llm.ModelError("file", problem.message, message=f"“{file.name}”: {problem.message}") from problem
        return llm.InputFile(file.name, content_type, data)
    if len(data) <= INLINE_BYTES:
        return llm.InputFile(file.name, file.content_type, data)
    uploaded = await llm.upload_file(name=file.name, content_type=file.content_type, data=data)
    await in_database_patiently(
        services.note_sent_to_provider,
        attachment_id=file.id,
        file_id=uploaded.file_id,
        expires_at=uploaded.expires_at,
    )
    return llm.InputFile(file.name, file.content_type, file_id=uploaded.file_id)


async def _read(file: PlannedFile) -> bytes:
    try:
        return await asyncio.to_thread(storage.read, file.key, sha256=file.sha256)
    except storage.StorageProblem as problem:
        raise llm.ModelError(
            "storage", str(problem), message=f"“{file.name}” could not be read from storage. Retry in a moment."
        ) from problem


def _is_image(file: PlannedFile) -> bool:
    return file.content_type.startswith("image/")
