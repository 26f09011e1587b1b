"""What the events of one response mean: text, activity, what else is made, the end, or a failure."""

from collections.abc import Mapping
from typing import Any

from conversations.llm.decode import SurrogateJoiner, as_list, as_mapping, load_json, storable
from conversations.llm.errors import ModelError, from_body
from conversations.llm.events import (
    ID_CHARACTERS,
    MODEL_CHARACTERS,
    REASON_CHARACTERS,
    Activity,
    Event,
    Finished,
    Outcome,
    Started,
    Text,
    Usage,
)
from conversations.llm.made import Made
from conversations.llm.tools import CREATE_FILE

_DELTAS = frozenset({"response.output_text.delta", "response.refusal.delta"})
_DONE = b"[DONE]"
_MOST_TOKENS = 2**31 - 1
# The line a reader sees while an item of this type is in progress. During all of them silence may last long.
_ACTIVITIES = {
    "reasoning": "Thinking…",
    "code_interpreter_call": "Running code…",
    "file_search_call": "Searching the files…",
    "web_search_call": "Searching the web…",
    "image_generation_call": "Drawing a picture…",
    "mcp_call": "Using a tool…",
    "function_call": "Using a tool…",
}
_FUNCTION_ACTIVITIES = {CREATE_FILE: "Writing a file…"}


class Reading:
    """Follows one response from event to event. Unknown events, items, reasons and fields are passed over."""

    def __init__(self, response_id: str = "") -> None:
        self.request_id = ""
        self.response_id = response_id
        self.model = ""
        self.is_started = False
        self.has_text = False
        self.is_finished = False
        self.failure: ModelError | None = None
        self._texts: list[str] = []
        self._joiner = SurrogateJoiner()
        self._made = Made()
        self._refused = False
        self._queued = False
        self._working: dict[str, str] = {}  # output index of each tool call in progress -> its line
        self._line = ""

    @property
    def has_output(self) -> bool:
        """Whether anything was handed out that the same call must not be made again for."""
        return self.has_text or self._made.has_any

    @property
    def may_be_silent(self) -> bool:
        """Whether a long silence is normal now: a tool runs, the model thinks, or a background answer is queued."""
        return self._queued or bool(self._working)

    def read(self, payloads: list[bytes]) -> list[Event]:
        """Return what these events mean, their deltas as one Text; a failure among them is left in `failure`."""
        events: list[Event] = []
        for payload in payloads:
            if self.is_finished or self.failure:
                break
            self._read_one(payload, events)
        self._flush_text(events)
        return events

    def rest(self) -> list[Event]:
        """Return what was held back, once the stream broke off."""
        held = self._joiner.flush()
        return [Text(held)] if held else []

    def _read_one(self, payload: bytes, events: list[Event]) -> None:
        try:
            event = load_json(payload)
        except ValueError:
            if payload != _DONE:
                self.failure = ModelError("protocol", f"an event of {len(payload):,} bytes is not JSON")
            return
        kind = event.get("type") if isinstance(event, dict) else ""
        kind = kind if isinstance(kind, str) else ""
        if not self.is_started and kind.startswith("response."):
            self._start(event, events)
        if kind in _DELTAS:
            self._read_delta(kind, event)
            return
        self._flush_text(events)
        if kind in ("response.completed", "response.incomplete"):
            self._finish(kind, event, events)
        elif kind in ("response.failed", "response.cancelled"):
            response = as_mapping(event.get("response"))
            self._fail(response.get("error") or {"message": kind}, events)
        elif kind == "error" or (not kind and isinstance(event, dict) and "error" in event):
            # The specification has the fields in the event itself; servers have sent them in an `error` object.
            self._fail(as_mapping(event.get("error")) or {**event, "type": ""}, events)
        elif kind:
            self._follow_work(kind, event, events)

    def _read_delta(self, kind: str, event: dict[str, Any]) -> None:
        delta = event.get("delta")
        if isinstance(delta, str):
            self._texts.append(delta)
        self._refused = self._refused or kind == "response.refusal.delta"

    def _flush_text(self, events: list[Event]) -> None:
        if self._texts:
            text = self._joiner.push("".join(self._texts))
            self._texts.clear()
            if text:
                self.has_text = True
                events.append(Text(text))

    def _start(self, event: dict[str, Any], events: list[Event]) -> None:
        response = as_mapping(event.get("response"))
        self.is_started = True
        self.response_id = storable(response.get("id"), ID_CHARACTERS) or self.response_id
        self.model = storable(response.get("model"), MODEL_CHARACTERS)
        events.append(Started(self.response_id, self.model, self.request_id))

    def _finish(self, kind: str, event: dict[str, Any], events: list[Event]) -> None:
        response = as_mapping(event.get("response"))
        output = as_list(response.get("output"))
        text, refused = _final_text(output)
        events.extend(self.rest())
        for index, item in enumerate(output):
            events.extend(self._made.take(as_mapping(item), index))
        reason = storable(as_mapping(response.get("incomplete_details")).get("reason"), REASON_CHARACTERS)
        outcome: Outcome = "incomplete" if kind == "response.incomplete" else "completed"
        if outcome == "completed" and (refused or self._refused):
            outcome = "refused"
        model = storable(response.get("model"), MODEL_CHARACTERS) or self.model
        usage = _usage(response.get("usage"))
        events.append(Finished(outcome, text, usage, model, reason, self._made.follow_up()))
        self.is_finished = True

    def _fail(self, error: object, events: list[Event]) -> None:
        events.extend(self.rest())
        self.failure = from_body(error)

    def _follow_work(self, kind: str, event: dict[str, Any], events: list[Event]) -> None:
        """Keep account of what runs besides writing, and tell the reader when the line changes."""
        self._queued = kind == "response.queued" or (self._queued and kind == "response.created")
        index = str(event.get("output_index"))
        item = as_mapping(event.get("item"))
        if kind == "response.output_item.added":
            events.extend(self._made.begin(item))
            line = _activity(item)
            if line:
                self._working[index] = line
        elif kind == "response.output_item.done":
            events.extend(self._made.take(item, event.get("output_index")))
            self._working.pop(index, None)
        elif kind == "response.output_text.annotation.added":
            events.extend(self._made.cite(event.get("annotation")))
        line = next(reversed(self._working.values()), "")
        if line != self._line:
            self._line = line
            events.append(Activity(line))


def _activity(item: Mapping[str, Any]) -> str:
    line = _ACTIVITIES.get(str(item.get("type")), "")
    return _FUNCTION_ACTIVITIES.get(str(item.get("name")), line) if item.get("type") == "function_call" else line


def _final_text(output: list[Any]) -> tuple[str | None, bool]:
    """The text of all message items, refusals included, and whether there was a refusal; None for no text at all."""
    parts: list[str] = []
    refused = False
    for item in output:
        for part in as_list(as_mapping(item).get("content")):
            kind = as_mapping(part).get("type")
            if kind == "refusal":
                refused = True
                parts.append(str(part.get("refusal") or ""))
            elif kind == "output_text":
                parts.append(str(part.get("text") or ""))
    joiner = SurrogateJoiner()
    text = joiner.push("".join(parts)) + joiner.flush()
    return text or None, refused


def _usage(usage: object) -> Usage | None:
    """The usage as told; None where none is, or one that cannot be true and would only spoil the sums."""
    fields = as_mapping(usage)
    if not fields:
        return None
    counts = [
        fields.get("input_tokens") or 0,
        as_mapping(fields.get("input_tokens_details")).get("cached_tokens") or 0,
        fields.get("output_tokens") or 0,
        as_mapping(fields.get("output_tokens_details")).get("reasoning_tokens") or 0,
    ]
    if not all(isinstance(count, int) and 0 <= count <= _MOST_TOKENS for count in counts) or counts[1] > counts[0]:
        return None
    return Usage(*counts)
