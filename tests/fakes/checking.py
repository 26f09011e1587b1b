"""What the API refuses in a request's input, as far as our requests could get it wrong."""

from collections.abc import Container, Iterator, Mapping
from itertools import zip_longest
from typing import Any

MAX_FILE_BYTES = 50 * 1024 * 1024


def find_mistake(body: Mapping[str, Any], files: Container[str]) -> str:
    """The API's complaint about the input, or "": calls and outputs that do not match, files that are not there."""
    sent = body.get("input")
    items = [item for item in sent if isinstance(item, dict)] if isinstance(sent, list) else []
    return next((complaint for complaint in (*_calls(items), *_reasoning(items), *_parts(items, files))), "")


def _calls(items: list[dict[str, Any]]) -> Iterator[str]:
    calls = {item.get("call_id") for item in items if item.get("type") == "function_call"}
    outputs = {item.get("call_id") for item in items if item.get("type") == "function_call_output"}
    for call_id in outputs - calls:
        yield f"No tool call found for function call output with call_id {call_id}."
    for call_id in calls - outputs:
        yield f"No tool output found for function call {call_id}."


def _reasoning(items: list[dict[str, Any]]) -> Iterator[str]:
    nothing: dict[str, Any] = {}
    for item, after in zip_longest(items, items[1:], fillvalue=nothing):
        if item.get("type") == "reasoning":
            if not item.get("encrypted_content"):
                yield f"Item with id '{item.get('id')}' not found. Items are not persisted when `store` is false."
            if after.get("type") not in ("reasoning", "message", "function_call") or after.get("role") == "user":
                yield f"Item '{item.get('id')}' of type 'reasoning' was provided without its required following item."


def _parts(items: list[dict[str, Any]], files: Container[str]) -> Iterator[str]:
    size = 0
    for item in items:
        content = item.get("content")
        for part in content if isinstance(content, list) else []:
            kind = str(part.get("type"))
            if item.get("role") == "assistant" and kind.startswith("input_"):
                yield f"Invalid value: '{kind}'. Supported values are: 'output_text' and 'refusal'."
            data = part.get("file_data") or part.get("image_url") or ""
            file_id = part.get("file_id")
            if kind in ("input_file", "input_image") and bool(data) == bool(file_id):
                yield f"An {kind} takes its data or a file_id."
            if file_id and file_id not in files:
                yield f"Files ['{file_id}'] were not found."
            size += len(data) // 4 * 3
    if size > MAX_FILE_BYTES:
        yield "The files of a request are limited to 50 MB together."
