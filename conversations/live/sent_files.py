"""Files that go to the model with the turns of a request."""

from __future__ import annotations

import datetime
from dataclasses import replace
from uuid import UUID

from conversations import llm, services
from conversations.files import FileProblem, image_for_model, storage
from conversations.live.database import in_database_patiently
from conversations.live.storing import in_files
from conversations.services import AnswerPlan, PlannedFile
from conversations.services.attachments import MAX_REQUEST_BYTES, cost_in_request

# Larger files, and those beyond so much in one request, go to the provider's Files API rather than along with every
# prompt. What goes along is in memory, encoded, until the answer has begun.
INLINE_BYTES = 4_000_000
INLINE_BYTES_IN_ALL = 12_000_000
_SPARE = datetime.timedelta(minutes=30)  # that a copy at the provider must still have to live


class SentFiles:
    """The files of one answer's requests: each is read once, and handed to the provider's Files API once."""

    def __init__(self) -> None:
        self._uploaded: dict[UUID, str] = {}
        self._inline = 0

    async def with_files(self, plan: AnswerPlan) -> llm.ModelRequest:
        """Return the request of a plan with the files of its turns, images re-encoded.

        The provider takes so many bytes in one request: the newest files go first, and of one that is left out, or
        that cannot be had any more, the turn says so. Raises ModelError where that is true of the newest turn's.
        """
        request = plan.request
        if not any(plan.files):
            return request
        turns, left, self._inline = list(request.turns), MAX_REQUEST_BYTES, 0
        newest = max(number for number, files in enumerate(plan.files) if files)
        for number in range(newest, -1, -1):
            inputs, notes = [], []
            for file in plan.files[number]:
                cost = cost_in_request(size=file.size, is_image=file.is_image)
                if not file.is_accepted:
                    notes.append(f"[The file {file.name} was attached here. You cannot be given it.]")
                    continue
                if cost > left:
                    notes.append(f"[The file {file.name} was attached here. It is too much to be sent again.]")
                    continue
                try:
                    inputs.append(await self._input(file))
                except _Unavailable as problem:
                    if number == len(turns) - 1:
                        raise llm.ModelError("file", str(problem), message=problem.told) from problem
                    notes.append(f"[The file {file.name} was attached here. It cannot be read any more.]")
                else:
                    left -= cost
            text = "\n\n".join([turns[number].text, *notes])
            turns[number] = replace(turns[number], text=text, files=tuple(inputs))
        return replace(request, turns=tuple(turns))

    async def _input(self, file: PlannedFile) -> llm.InputFile:
        file_id = self._uploaded.get(file.id) or _living_copy(file)
        if file_id and not file.is_image:
            return llm.InputFile(file.name, file.content_type, file_id=file_id)
        content_type, data = file.content_type, await _read(file)
        if file.is_image:
            try:
                content_type, data = await in_files(image_for_model, data)
            except FileProblem as problem:
                raise _Unavailable(problem.message, f"“{file.name}”: {problem.message}") from problem
        if file.is_image or (len(data) <= INLINE_BYTES and self._inline + len(data) <= INLINE_BYTES_IN_ALL):
            self._inline += len(data)
            return llm.InputFile(file.name, content_type, data)
        return llm.InputFile(file.name, content_type, file_id=await self._upload(file, data))

    async def _upload(self, file: PlannedFile, data: bytes) -> str:
        uploaded = await llm.upload_file(name=file.name, content_type=file.content_type, data=data)
        self._uploaded[file.id] = uploaded.file_id
        await in_database_patiently(
            services.note_sent_to_provider,
            attachment_id=file.id,
            file_id=uploaded.file_id,
            expires_at=uploaded.expires_at,
        )
        return uploaded.file_id


class _Unavailable(Exception):
    """A file that can never be sent; `told` is what a person reads."""

    def __init__(self, reason: str, told: str) -> None:
        super().__init__(reason)
        self.told = told


def _living_copy(file: PlannedFile) -> str:
    """Return the provider's id of a copy that still lives for a while; one that tells no end is not relied upon."""
    expires_at = file.provider_file_expires_at
    lives = expires_at is not None and expires_at > datetime.datetime.now(datetime.UTC) + _SPARE
    return file.provider_file_id if lives else ""


async def _read(file: PlannedFile) -> bytes:
    try:
        return await in_files(storage.read, file.key, sha256=file.sha256)
    except storage.ObjectMissing as problem:
        told = f"“{file.name}” is not in storage any more. Send your message again with the file attached anew."
        raise _Unavailable(str(problem), told) from problem
    except storage.StorageProblem as problem:
        told = f"“{file.name}” could not be read from storage. Retry in a moment."
        raise llm.ModelError("storage", str(problem), message=told) from problem
