"""What the messages of a request consist of: texts, and files whose bytes stand in the request."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conversations.api.openai.errors import wrong
from conversations.models import Message
from conversations.services import Refused, Said
from conversations.services.supplying import MAX_TURNS

MAX_FILES = 50
BETWEEN_PARTS = "\n"
_DATA = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+);base64,(?P<data>.*)", re.DOTALL)
_ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}
_INSTRUCTING = frozenset({"system", "developer"})
_TEXTS = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
_BESIDE_TEXT = frozenset({"type", "annotations", "logprobs", "prompt_cache_breakpoint"})
# What OpenAI's own answers carry, which come back as history; of these nothing can be there but nothing.
_OF_ANSWERS = frozenset({"refusal", "annotations", "audio", "function_call", "tool_calls"})
_OF_ITEMS = frozenset({"type", "role", "content", "name", "id", "status", "phase"}) | _OF_ANSWERS


@dataclass(frozen=True, slots=True)
class Data:
    """A file whose bytes stand in the request; `param` names where."""

    param: str
    name: str
    bytes: bytes


@dataclass(frozen=True, slots=True)
class Turn:
    """What one of both said."""

    said: Said
    files: tuple[Data, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """The messages of a request: what the model is told beforehand, and the history."""

    instructions: tuple[str, ...]
    turns: tuple[Turn, ...]

    @property
    def has_answers(self) -> bool:
        """Whether it is a history, rather than only what is new."""
        return any(turn.said.role == Message.Role.ASSISTANT for turn in self.turns)


def read_messages(value: object, name: str) -> Heard:
    """Return the messages of a list, in either of OpenAI's two spellings. Raises Problem (400), naming the part."""
    if not isinstance(value, list) or not value:
        raise wrong(name, f"“{name}” must be a list of messages.", "invalid_type")
    if len(value) > MAX_TURNS:
        raise wrong(name, f"“{name}” has {len(value):,} messages; it may have {MAX_TURNS:,}.")
    instructions: list[str] = []
    turns: list[Turn] = []
    for number, item in enumerate(value):
        path = f"{name}[{number}]"
        role, text, files = _read_message(item, path)
        if role in _INSTRUCTING:
            instructions.append(text)
        else:
            turns.append(Turn(said_of(role, text, f"{path}.content"), files))
    if not turns or turns[-1].said.role != Message.Role.USER:
        raise wrong(name, "The last message must be the user's: that is what is answered.")
    if sum(len(turn.files) for turn in turns) > MAX_FILES:
        raise wrong(name, f"A request may carry {MAX_FILES} files.")
    return Heard(tuple(instructions), tuple(turns))


def said_of(role: str, text: str, param: str) -> Said:
    """Return a message as the record takes it. Raises Problem (400)."""
    said = Said(role, text)
    try:
        said.accepted()
    except Refused as refused:
        raise wrong(param, refused.message, str(refused.code)) from refused
    return said


def _read_message(item: object, path: str) -> tuple[str, str, tuple[Data, ...]]:
    if not isinstance(item, dict):
        raise wrong(path, "A message must be an object with role and content.", "invalid_type")
    if item.get("type", "message") != "message":
        raise wrong(f"{path}.type", "Only messages are taken here; tools and references are not offered.")
    for field, value in item.items():
        if field not in _OF_ITEMS:
            raise wrong(f"{path}.{field}", f"Unknown parameter: “{field[:60]}”.", "unknown_parameter")
        if field in _OF_ANSWERS and value and field != "refusal":
            raise wrong(f"{path}.{field}", f"“{field}” is not offered here; leave it out.", "unsupported_parameter")
    role = item.get("role")
    if role not in (*_INSTRUCTING, *Message.Role.values):
        raise wrong(f"{path}.role", "A role is system, developer, user or assistant; tools are not offered here.")
    content = item.get("content")
    if content is None and role == Message.Role.ASSISTANT:
        content = item.get("refusal")
    if isinstance(content, str):
        return role, content, ()
    if not isinstance(content, list):
        raise wrong(f"{path}.content", "“content” must be a text, or a list of parts.", "invalid_type")
    texts: list[str] = []
    files: list[Data] = []
    for number, part in enumerate(content):
        read = _read_part(part, f"{path}.content[{number}]", may_be_file=role == Message.Role.USER)
        texts.append(read) if isinstance(read, str) else files.append(read)
    return role, BETWEEN_PARTS.join(texts), tuple(files)


def _read_part(part: object, path: str, *, may_be_file: bool) -> str | Data:
    if not isinstance(part, dict):
        raise wrong(path, "A part must be an object with a type.", "invalid_type")
    kind = part.get("type")
    if not isinstance(kind, str):
        raise wrong(f"{path}.type", "“type” must be a text.", "invalid_type")
    if kind in _TEXTS:
        return _text(part, _TEXTS[kind], path)
    if kind not in ("image_url", "input_image", "file", "input_file"):
        raise wrong(f"{path}.type", "A part is a text, an image or a file; other types are not offered here.")
    if not may_be_file:
        raise wrong(f"{path}.type", "Only a user's message carries images and files.")
    match kind:
        case "image_url":
            return _image(_inner(part, "image_url", {"url", "detail"}, path).get("url"), f"{path}.image_url.url")
        case "input_image":
            _only(part, {"type", "image_url", "detail", "file_id"}, path)
            return _image(part.get("image_url"), f"{path}.image_url")
        case "file":
            return _file(_inner(part, "file", {"filename", "file_data", "file_id"}, path), f"{path}.file")
        case _:
            _only(part, {"type", "filename", "file_data", "file_id", "file_url", "detail"}, path)
            return _file(part, path)


def _text(part: Mapping[str, Any], field: str, path: str) -> str:
    _only(part, _BESIDE_TEXT | {field}, path)
    value = part.get(field)
    if not isinstance(value, str):
        raise wrong(f"{path}.{field}", f"“{field}” must be a text.", "invalid_type")
    return value


def _image(url: object, path: str) -> Data:
    if not isinstance(url, str):
        raise wrong(path, "An image must be there as a data URL: data:image/png;base64,…", "invalid_type")
    kind, data = _decoded(url, path)
    if kind not in _ENDINGS:
        raise wrong(path, "An image is PNG, JPEG, WEBP or GIF.")
    return Data(path, f"image.{_ENDINGS[kind]}", data)


def _file(part: Mapping[str, Any], path: str) -> Data:
    if part.get("file_id") is not None or part.get("file_url") is not None:
        raise wrong(path, "A file must be there as data; ids and addresses of files are not followed.")
    name, data = part.get("filename"), part.get("file_data")
    if not isinstance(name, str) or not name.strip():
        raise wrong(f"{path}.filename", "A file needs its name, whose ending tells its kind.")
    if not isinstance(data, str):
        raise wrong(f"{path}.file_data", "A file must be there as data, in base64.", "invalid_type")
    if not data.startswith("data:"):
        data = f"data:application/octet-stream;base64,{data}"
    return Data(f"{path}.file_data", name, _decoded(data, f"{path}.file_data")[1])


def _decoded(url: str, path: str) -> tuple[str, bytes]:
    found = _DATA.fullmatch(url)
    if found is None:
        raise wrong(path, "Addresses are not followed: send the bytes, as data:image/png;base64,…")
    try:
        return found["type"].lower(), base64.b64decode(found["data"], validate=True)
    except (binascii.Error, ValueError):
        raise wrong(path, "This is not base64.") from None


def _inner(part: Mapping[str, Any], name: str, known: set[str], path: str) -> Mapping[str, Any]:
    _only(part, {"type", name}, path)
    inner = part.get(name)
    if not isinstance(inner, dict):
        raise wrong(f"{path}.{name}", f"“{name}” must be an object.", "invalid_type")
    _only(inner, known, f"{path}.{name}")
    return inner


def _only(fields: Mapping[str, Any], known: set[str] | frozenset[str], path: str) -> None:
    for name in fields:
        if name not in known:
            raise wrong(f"{path}.{name}", f"Unknown parameter: “{name[:60]}”.", "unknown_parameter")
