"""What every operation of the document has: the problems that it may answer, and headers that all take."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"},
    OpenApiParameter.HEADER,
    description="Made up by the client. The same request with the same key is carried out once, and answered alike for "
    "a day.",
)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="ETag of what was read; 412 where it has changed since."
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="ETag of what is known; 304 where nothing has changed."
)


class OperationSchema(AutoSchema):
    """Describes a view; the REST framework's DEFAULT_SCHEMA_CLASS."""

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
