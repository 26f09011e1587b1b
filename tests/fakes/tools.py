"""The output items that tools leave in a fake answer, with the events that lead to them."""

import base64
import io
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.files import Container
from tests.fakes.scenario import Scenario

CODE = "print(1)"
MAX_ARGUMENT_DELTAS = 100


@dataclass(frozen=True, slots=True)
class Step:
    """One event of an item, and how many seconds pass before it."""

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)
    wait: float = 0


@dataclass(frozen=True, slots=True)
class ToolItem:
    """One output item: as it begins, what happens, as it ends."""

    started: dict[str, Any]
    steps: tuple[Step, ...]
    done: dict[str, Any]


def tool_items(scenario: Scenario, container: Container | None) -> list[ToolItem]:
    """The items before the answer's text."""
    items = []
    if scenario.reasoning is not None:
        items.append(_reasoning(scenario.reasoning.get("encrypted"), _gap(scenario.reasoning)))
    if container is not None:
        items.append(_code_interpreter(container.id, _gap(scenario.code_interpreter or {})))
    if scenario.image is not None:
        items.append(_image(dict(scenario.image)))
    return items


def function_items(calls: Iterable[tuple[str, str]]) -> list[ToolItem]:
    """One item for each function call, of its name and arguments."""
    return [_function_call(name, arguments) for name, arguments in calls]


def tiny_image(size: tuple[int, int] = (8, 8), kind: str = "png") -> bytes:
    """A picture of one colour."""
    from PIL import Image  # not at the top: most fake servers never draw

    buffer = io.BytesIO()
    Image.new("RGB", size, (178, 34, 52)).save(buffer, kind)
    return buffer.getvalue()


def _gap(keys: Any) -> float:
    return float(keys.get("gap_ms", 0)) / 1000


def _reasoning(encrypted: str | None, gap: float) -> ToolItem:
    item = {"id": f"rs_{secrets.token_hex(24)}", "type": "reasoning", "summary": []}
    done = item | ({"encrypted_content": encrypted} if encrypted else {})
    return ToolItem(item, (Step("", wait=gap),), done)


def _code_interpreter(container_id: str, gap: float) -> ToolItem:
    item = {
        "id": f"ci_{secrets.token_hex(24)}",
        "type": "code_interpreter_call",
        "container_id": container_id,
        "outputs": None,
    }
    steps = (
        Step("code_interpreter_call.in_progress"),
        Step("code_interpreter_call_code.delta", {"delta": CODE}),
        Step("code_interpreter_call_code.done", {"code": CODE}),
        Step("code_interpreter_call.interpreting"),
        Step("code_interpreter_call.completed", wait=gap),
    )
    started = {**item, "status": "in_progress", "code": ""}
    return ToolItem(started, steps, {**item, "status": "completed", "code": CODE})


def _image(keys: dict[str, Any]) -> ToolItem:
    width, height = keys.get("size", (8, 8))
    kind = keys.get("format", "png")
    result = keys.get("base64")
    if result is None:
        result = base64.b64encode(tiny_image((width, height), kind)).decode()
    item = {"id": f"ig_{secrets.token_hex(24)}", "type": "image_generation_call"}
    steps = (
        Step("image_generation_call.in_progress"),
        Step("image_generation_call.generating"),
        Step("image_generation_call.completed", wait=_gap(keys)),
    )
    done = {"status": "completed", "result": result, "output_format": kind, "size": f"{width}x{height}"}
    return ToolItem({**item, "status": "in_progress", "result": None}, steps, item | done)


def _function_call(name: str, arguments: str) -> ToolItem:
    item = {
        "id": f"fc_{secrets.token_hex(24)}",
        "type": "function_call",
        "call_id": f"call_{secrets.token_hex(12)}",
        "name": name,
    }
    length = max(20, -(-len(arguments) // MAX_ARGUMENT_DELTAS))
    pieces = [arguments[start : start + length] for start in range(0, len(arguments), length)]
    steps = [Step("function_call_arguments.delta", {"delta": piece}) for piece in pieces]
    steps.append(Step("function_call_arguments.done", {"arguments": arguments, "name": name}))
    started = {**item, "status": "in_progress", "arguments": ""}
    return ToolItem(started, tuple(steps), {**item, "status": "completed", "arguments": arguments})
