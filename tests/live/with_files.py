"""Answers with files, written in this process."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

from conversations.models import Message
from conversations.services import (
    receive_file,
    start_conversation,
)
from tests.factories import make_assistant, make_model, make_user, token
from tests.fakes.process import FakeOpenAI
from tests.live.running import writing

ALL_TOOLS = ["code_interpreter", "image_generation", "create_file"]


def begin(*files: tuple[str, bytes], folder: Path | None = None) -> Message:
    owner = make_user()
    ids = []
    for name, data in files:
        assert folder is not None
        path = folder / uuid.uuid4().hex
        path.write_bytes(data)
        ids.append(receive_file(owner=owner, path=path, name=name).pk)
    model = make_model("gpt-4o", accepts_images=True, accepts_files=True, tools=ALL_TOOLS)
    assistant = make_assistant(model=model, tools=ALL_TOOLS)
    return start_conversation(owner=owner, assistant=assistant, prompt="Go", client_token=token(), attachment_ids=ids)


def write(answer: Message) -> None:
    async def run() -> None:
        async with writing(answer) as task:
            await asyncio.wait_for(task, 30)

    asyncio.run(run())
    answer.refresh_from_db()


def sent(openai: FakeOpenAI, number: int = -1) -> Any:
    return [one for one in openai.requests("/v1/responses") if one["method"] == "POST"][number]["body"]
