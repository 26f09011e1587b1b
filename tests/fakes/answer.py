"""One fake answer: every event of the Responses API in its order and shape, encoded once, with the moment it is due."""

import itertools
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.asked import count_input_tokens, last_user_text
from tests.fakes.files import Container
from tests.fakes.scenario import Scenario, encode_json
from tests.fakes.tools import ToolItem, function_items, tool_items

SNAPSHOTS = {"gpt-4o": "gpt-4o-2024-11-20", "gpt-4o-mini": "gpt-4o-mini-2024-07-18"}


@dataclass(frozen=True, slots=True)
class Frame:
    """One server-sent event, due so many seconds after the request; `deltas` counts the text deltas up to it."""

    data: bytes
    due: float
    deltas: int


@dataclass(frozen=True, slots=True)
class Defaults:
    """What an answer is where its scenario says nothing."""

    tokens: int
    delay_ms: float


def file_text(container: Container) -> str:
    """An answer that links the files which it cites."""
    links = [f"[{file.name}](sandbox:/mnt/data/{file.name})" for file in container.files.values() if file.cited]
    return f"I made {' and '.join(links)}." if links else ""


def default_text(prompt: str, tokens: int) -> list[str]:
    """A short friendly Markdown answer of so many deltas that repeats the start of the prompt."""
    echo = " ".join(prompt.split("[[fake:")[0].split())[:60] or "your message"
    words = (
        f"Thank you for asking about **{echo}**.\n\nHere is a short answer:\n\n- First, I read every word of it.\n"
        "- Then I wrote this list.\n\nAsk me `anything` else."
    ).split(" ")
    pieces = [word if i == 0 else " " + word for i, word in enumerate(words)]
    filler = (f" word{i}" if i % 12 else f"\n\nParagraph {i // 12}." for i in itertools.count(1))
    return list(itertools.islice(itertools.chain(pieces, filler), tokens))


class Answer:
    """The events of one response, all made at the start, so that sending costs next to nothing."""

    def __init__(self, body: Mapping[str, Any], scenario: Scenario, defaults: Defaults) -> None:
        self.id = f"resp_{secrets.token_hex(24)}"
        self.item_id = f"msg_{secrets.token_hex(24)}"
        self.body = body
        self.scenario = scenario
        self.background = bool(body.get("background"))
        self.obfuscate = (body.get("stream_options") or {}).get("include_obfuscation", True)
        self.created_at = int(time.time())
        self.started = time.monotonic()
        self.cancelled = False
        self._delay = (defaults.delay_ms if scenario.delay_ms is None else scenario.delay_ms) / 1000
        self.container = Container.of(scenario)
        self.calls = function_items(scenario.calls)
        self._tools = tool_items(scenario, self.container)
        self._pieces = self._split(defaults)
        self._has_message = bool(scenario.before) or not self.calls
        self._now = scenario.first_event_ms / 1000
        self._sequence = itertools.count()
        self._deltas = 0
        self.frames = list(self._frames())
        self.cut_at = self._find_cut() if scenario.cut else None

    # -- the parts of a response object ------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The final text, as the response object gives it."""
        return self.scenario.final if self.scenario.final is not None else "".join(self._pieces)

    @property
    def is_over(self) -> bool:
        """Whether the last event of the answer is due (what a retrieve without streaming goes by)."""
        return self.cancelled or time.monotonic() - self.started >= self.frames[-1].due

    def response(self, status: str, *, output: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
        """The response object in this status."""
        body = self.body
        model = self.scenario.model or SNAPSHOTS.get(str(body.get("model")), body.get("model"))
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created_at,
            "status": status,
            "background": self.background,
            "error": None,
            "incomplete_details": None,
            "instructions": body.get("instructions"),
            "max_output_tokens": body.get("max_output_tokens"),
            "model": model,
            "output": output or [],
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "reasoning": {"effort": None, "summary": None},
            "safety_identifier": body.get("safety_identifier"),
            "service_tier": "default",
            "store": body.get("store", True),
            "temperature": body.get("temperature", 1.0),
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": body.get("tools", []),
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": None,
            "metadata": body.get("metadata") or {},
            **more,
        }

    def finished(self) -> dict[str, Any]:
        """The response object at its end, as a call without streaming gets it."""
        if self.cancelled:
            return self.response("cancelled")
        if self.scenario.fail is not None:
            return self.response("failed", error=dict(self.scenario.fail))
        reason = self.scenario.incomplete
        status = "incomplete" if reason else "completed"
        details = {"reason": reason} if reason else None
        return self.response(status, output=self._output(status), incomplete_details=details, usage=self._usage())

    def _usage(self) -> dict[str, Any] | None:
        if self.scenario.usage is not None:
            return dict(self.scenario.usage) or None
        sent = count_input_tokens(self.body)
        made = len(self._pieces) + sum(1 + len(call.done["arguments"]) // 4 for call in self.calls)
        return {
            "input_tokens": sent,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": made,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": sent + made,
        }

    def _part(self, text: str) -> dict[str, Any]:
        if self.scenario.refusal is not None:
            return {"type": "refusal", "refusal": text}
        strange = [{"type": "future_citation", "strange": [1, {"a": None}]}] if self.scenario.unknown else []
        annotations = self.container.citations(text) if text and self.container else []
        return {"type": "output_text", "annotations": [*strange, *annotations], "logprobs": [], "text": text}

    def _message(self, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
        return {"id": self.item_id, "type": "message", "status": status, "content": content, "role": "assistant"}

    def _output(self, status: str) -> list[dict[str, Any]]:
        strange = (
            [{"type": "future_item", "id": "fut_1", "content": "of no known kind"}] if self.scenario.unknown else []
        )
        message = [self._message(status, [self._part(self.text)])] if self._has_message else []
        return [*strange, *(tool.done for tool in self._tools), *message, *(call.done for call in self.calls)]

    def _split(self, defaults: Defaults) -> list[str]:
        scenario = self.scenario
        whole = scenario.refusal if scenario.refusal is not None else scenario.text
        if self.calls:
            return [scenario.before] if scenario.before else []
        if whole is None and scenario.tokens is None and self.container is not None:
            whole = file_text(self.container) or None
        if scenario.texts is not None:
            pieces = list(scenario.texts)
        elif whole is not None:
            pieces = [word if i == 0 else " " + word for i, word in enumerate(whole.split(" "))]
        else:
            tokens = scenario.tokens if scenario.tokens is not None else defaults.tokens
            pieces = default_text(last_user_text(self.body), tokens)
        return [*pieces, "x" * scenario.big_delta] if scenario.big_delta else pieces

    # -- the events, in order ----------------------------------------------------------------------------------------

    def _event(self, kind: str, **fields: Any) -> Frame:
        event = {"type": kind, "sequence_number": next(self._sequence), **fields}
        if self.scenario.unknown:
            event["extra_field"] = {"nobody": "knows"}
        newline = self.scenario.newline.encode()
        comment = b": keep-alive" + newline * 2 if self.scenario.comments else b""
        data = b"event: " + kind.encode() + newline + b"data: " + encode_json(event) + newline * 2
        return Frame(comment + data, self._now, self._deltas)

    def _frames(self) -> Iterator[Frame]:
        first = "queued" if self.background else "in_progress"
        yield self._event("response.created", response=self.response(first))
        if self.background:
            yield self._event("response.queued", response=self.response("queued"))
            self._now += self.scenario.queued_ms / 1000
        yield self._event("response.in_progress", response=self.response("in_progress"))
        for index, tool in enumerate(self._tools):
            yield from self._item(index, tool)
        index = len(self._tools)
        if self._has_message:
            where = {"item_id": self.item_id, "output_index": index, "content_index": 0}
            yield self._event("response.output_item.added", output_index=index, item=self._message("in_progress", []))
            yield self._event("response.content_part.added", **where, part=self._part(""))
            yield from self._text(where)
            if not self._is_broken():
                yield from self._close(where)
            index += 1
        for call in () if self._is_broken() else self.calls:
            yield from self._item(index, call)
            index += 1
        yield self._broken_end() if self._is_broken() else self._end()

    def _is_broken(self) -> bool:
        s = self.scenario
        return not (s.fail is None and s.flat_error is None and s.nested_error is None)

    def _find_cut(self) -> int:
        """How many frames the first connection gets; a resumed background answer gets them all."""
        wanted = len(self._pieces) if self.scenario.after is None else self.scenario.after
        last = len(self.frames) - 2  # where there are no deltas, all but the end is sent
        reached = next((i for i, frame in enumerate(self.frames) if frame.deltas >= max(wanted, 1)), last)
        if not self._pieces:
            return last + 1
        return reached + 1 if wanted else reached

    def _text(self, where: dict[str, Any]) -> Iterator[Frame]:
        kind = "response.output_text.delta" if self.scenario.refusal is None else "response.refusal.delta"
        more: dict[str, Any] = {"logprobs": []} if self.scenario.refusal is None else {}
        gap = self.scenario.gap or {}
        last = self.scenario.after if self._is_broken() else None
        for i, piece in enumerate(self._pieces[:last]):
            if self.scenario.unknown:
                yield self._event("response.future_thing.delta", delta="must not be shown", item_id="fut_1")
            if i and i == gap.get("after"):
                self._now += gap["ms"] / 1000
            self._deltas += 1
            if self.obfuscate:
                more["obfuscation"] = secrets.token_urlsafe(9)
            yield self._event(kind, **where, delta=piece, **more)
            self._now += self._delay

    def _close(self, where: dict[str, Any]) -> Iterator[Frame]:
        status = "incomplete" if self.scenario.incomplete else "completed"
        part = self._part(self.text)
        if self.scenario.unknown:
            yield self._event("response.output_text.annotation.added", **where, annotation={"type": "future_citation"})
        for number, annotation in enumerate(part.get("annotations", [])):
            kind = "response.output_text.annotation.added"
            yield self._event(kind, **where, annotation_index=number, annotation=annotation)
        if self.scenario.refusal is not None:
            yield self._event("response.refusal.done", **where, refusal=self.text)
        else:
            yield self._event("response.output_text.done", **where, text=self.text, logprobs=[])
        yield self._event("response.content_part.done", **where, part=part)
        index = where["output_index"]
        yield self._event("response.output_item.done", output_index=index, item=self._message(status, [part]))

    def _end(self) -> Frame:
        status = "incomplete" if self.scenario.incomplete else "completed"
        return self._event(f"response.{status}", response=self.finished())

    def _broken_end(self) -> Frame:
        s = self.scenario
        if s.fail is not None:
            return self._event("response.failed", response=self.finished())
        if s.flat_error is not None:
            return self._event("error", **{"code": None, "message": "", "param": None, **s.flat_error})
        return self._event("error", error=dict(s.nested_error or {}))

    def _item(self, index: int, tool: ToolItem) -> Iterator[Frame]:
        where = {"item_id": tool.done["id"], "output_index": index}
        yield self._event("response.output_item.added", output_index=index, item=tool.started)
        for step in tool.steps:
            self._now += step.wait
            if step.kind:
                yield self._event(f"response.{step.kind}", **where, **step.fields)
        yield self._event("response.output_item.done", output_index=index, item=tool.done)
