"""What every operation of the document has: the problems that it may answer, and the headers that all take."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from rest.schema.problems import references

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"},
    OpenApiParameter.HEADER,
    description="Made up by the client. The same request with the same key is carried out once, and answered alike "
    "for a day.",
)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="ETag of what was read; 412 where it has changed since."
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="ETag of what is known; 304 where nothing has changed."
)
_ETAG = {"description": "Changes with what is answered.", "schema": {"type": "string"}}
_EVENTS = {"description": "Server-sent events, one after the other; OpenAPI 3.1 has no words for them."}
_REPLAYED = {"description": "`true`: this is the answer to an earlier request.", "schema": {"type": "string"}}


class OperationSchema(AutoSchema):
    """Describes a view; the REST framework's DEFAULT_SCHEMA_CLASS."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Return an operation, with what all have in common."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        for status, answer in operation["responses"].items():
            answer["description"] = answer.get("description") or HTTPStatus(int(status)).phrase
            if "text/event-stream" in answer.get("content", {}):
                answer["content"]["text/event-stream"]["schema"] = _EVENTS
            if status.startswith("2"):
                self._add_headers(status, answer)
        if self.method == "GET" and "200" in operation["responses"]:
            operation["responses"].setdefault("304", {"description": "Nothing has changed since."})
        errors = getattr(self.view, "documented_errors", references)
        shared = errors(method=self.method, has_body="requestBody" in operation, has_path="{" in self.path)
        for status, reference in shared.items():
            operation["responses"].setdefault(status, reference)
        operation["responses"] = dict(sorted(operation["responses"].items()))
        return operation

    def _add_headers(self, status: str, answer: dict[str, Any]) -> None:
        if self.method in ("GET", "PUT", "PATCH") and status == "200":
            answer.setdefault("headers", {}).setdefault("ETag", _ETAG)
        if self.method == "POST":
            answer.setdefault("headers", {}).setdefault("Idempotency-Replayed", _REPLAYED)

    def get_override_parameters(self) -> list[Any]:
        """Return the headers that every operation of this method takes."""
        match self.method:
            case "POST":
                return [IDEMPOTENCY_KEY]
            case "PUT" | "PATCH" | "DELETE":
                return [IF_MATCH]
            case _:
                return [IF_NONE_MATCH]

    def get_tags(self) -> list[str]:
        """Return the group in which the operation is listed: the resource."""
        parts = [part for part in self.path.split("/") if part and not part.startswith("{")]
        return ["openai"] if parts[0] == "v1" else [(parts[2:] or ["index"])[0]]
