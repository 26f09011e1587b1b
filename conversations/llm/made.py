"""What a response holds besides its text: calls of our functions, pictures, and files in a container."""

import base64
import binascii
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from conversations.llm.decode import as_list, as_mapping, storable
from conversations.llm.events import (
    ID_CHARACTERS,
    NAME_CHARACTERS,
    REASON_CHARACTERS,
    Container,
    ContainerFile,
    Event,
    FunctionCall,
    ImageMade,
)
from conversations.text import clean_text

logger = logging.getLogger(__name__)

MAX_IMAGE_BYTES = 64 * 1024 * 1024
ARGUMENTS_CHARACTERS = 10_000_000
_BASE64_CHARACTERS = MAX_IMAGE_BYTES // 3 * 4 + 4
_IMAGES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
_ENDED = frozenset({"completed", ""})


class Made:
    """Follows the output items of one response; each is told once, though its end and the response's both show it.

    Nothing in an item is trusted: what lacks its id, or has another shape than it should, is passed over.
    """

    def __init__(self) -> None:
        self.has_any = False
        self._seen: set[tuple[str, ...]] = set()
        # What is sent back, in order; None stands for an item that is not.
        self._sent_back: list[dict[str, Any] | None] = []

    def begin(self, item: Mapping[str, Any]) -> Iterator[Event]:
        """Yield what an item tells as soon as it begins."""
        container_id = storable(item.get("container_id"), ID_CHARACTERS)
        if item.get("type") == "code_interpreter_call" and container_id and self._is_new("container", container_id):
            yield Container(container_id)

    def take(self, item: Mapping[str, Any], index: object) -> Iterator[Event]:
        """Yield what an item that has ended tells; `index` stands for its id where it has none."""
        yield from self.begin(item)
        kind = storable(item.get("type"), REASON_CHARACTERS)
        name = "call_id" if kind == "function_call" else "id"
        item_id = storable(item.get(name), ID_CHARACTERS)
        if kind == "message":
            for part in as_list(item.get("content")):
                for annotation in as_list(as_mapping(part).get("annotations")):
                    yield from self.cite(annotation)
        key = item_id or f"#{index}"
        if kind == "image_generation_call" and item.get("result") and self._is_new("image", key):
            yield from self._take_image(item, item_id)
        if kind and self._is_new(kind, key):
            self._sent_back.append(_sent_back(kind, item))
            if kind == "function_call":
                yield from self._take_call(item, item_id)

    def cite(self, annotation: object) -> Iterator[Event]:
        """Yield the file of a container that an annotation of the text cites."""
        fields = as_mapping(annotation)
        if fields.get("type") != "container_file_citation":
            return
        container_id, file_id = (storable(fields.get(name), ID_CHARACTERS) for name in ("container_id", "file_id"))
        if container_id and file_id and self._is_new("file", container_id, file_id):
            self.has_any = True
            yield ContainerFile(container_id, file_id, storable(fields.get("filename"), NAME_CHARACTERS))

    def follow_up(self) -> tuple[dict[str, Any], ...]:
        """Return the items to send back, where a function was called; they are no use without a call to answer.

        A reasoning item goes only with the item it led to, which the API asks for after it.
        """
        kept: list[dict[str, Any]] = []
        led_to_kept = False
        for item in reversed(self._sent_back):
            if item is None or item["type"] != "reasoning":
                led_to_kept = item is not None
            if item is not None and led_to_kept:
                kept.append(item)
        called = any(item["type"] == "function_call" for item in kept)
        return tuple(reversed(kept)) if called else ()

    def _is_new(self, *key: str) -> bool:
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new

    def _take_call(self, item: Mapping[str, Any], call_id: str) -> Iterator[Event]:
        if _is_answerable(item):
            self.has_any = True
            yield FunctionCall(call_id, *_name_and_arguments(item))

    def _take_image(self, item: Mapping[str, Any], item_id: str) -> Iterator[Event]:
        result = item.get("result")
        data = _decode_image(result)
        if not data:
            logger.warning("A picture of the model could not be read: %s", _describe(result))
            return
        self.has_any = True
        yield ImageMade(item_id, data, _image_type(data))


def _sent_back(kind: str, item: Mapping[str, Any]) -> dict[str, Any] | None:
    """The item as the next request gives it: without the ids of what the provider has not stored, without base64."""
    if kind == "message":
        message = {"type": "message", "role": "assistant", "content": _text(item.get("content"))}
        phase = storable(item.get("phase"), REASON_CHARACTERS)  # which models want back, see "Reasoning models"
        return message | ({"phase": phase} if phase else {}) if message["content"] else None
    if kind == "function_call" and _is_answerable(item):
        name, arguments = _name_and_arguments(item)
        call_id = storable(item.get("call_id"), ID_CHARACTERS)
        return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
    if kind == "reasoning":
        # OpenAI tells the encrypted content unasked; to ask for it is an error for models that do not reason. Without
        # it the item is only the id of something that was not stored.
        encrypted, item_id = item.get("encrypted_content"), storable(item.get("id"), ID_CHARACTERS)
        if isinstance(encrypted, str) and encrypted and item_id:
            summary = [{"type": "summary_text", "text": text} for text in _texts(item.get("summary"))]
            return {"type": "reasoning", "id": item_id, "summary": summary, "encrypted_content": encrypted}
    return None


def _is_answerable(item: Mapping[str, Any]) -> bool:
    """Whether it is a whole call: one that was cut off says so in its status."""
    status = item.get("status") or ""
    return bool(storable(item.get("call_id"), ID_CHARACTERS)) and isinstance(status, str) and status in _ENDED


def _name_and_arguments(item: Mapping[str, Any]) -> tuple[str, str]:
    return storable(item.get("name"), ID_CHARACTERS), storable(item.get("arguments"), ARGUMENTS_CHARACTERS)


def _text(content: object) -> str:
    return "".join(_texts(content))


def _texts(parts: object) -> Iterator[str]:
    for part in as_list(parts):
        text = as_mapping(part).get("text") or as_mapping(part).get("refusal")
        if isinstance(text, str):
            yield clean_text(text)


def _decode_image(result: object) -> bytes:
    """The picture's bytes; none for what is no base64, or too much of it."""
    if not isinstance(result, str) or len(result) > _BASE64_CHARACTERS:
        return b""
    try:
        data = base64.b64decode(result, validate=True)
    except (ValueError, binascii.Error):
        return b""
    return data if len(data) <= MAX_IMAGE_BYTES else b""


def _image_type(data: bytes) -> str:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _IMAGES.items() if data.startswith(start)), "application/octet-stream")


def _describe(result: object) -> str:
    return f"{len(result):,} characters" if isinstance(result, str) else type(result).__name__
