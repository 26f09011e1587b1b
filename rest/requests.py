"""The request as views see it."""

from __future__ import annotations

from rest_framework.request import Request as FrameworkRequest


class Request(FrameworkRequest):
    """Reads a body whose length was not told, too: the framework would take it for empty."""

    def _load_stream(self) -> None:
        if self._request.META.get("HTTP_TRANSFER_ENCODING") and not self._request.META.get("CONTENT_LENGTH"):
            self._stream = self._request  # type: ignore[assignment]
        else:
            super()._load_stream()  # type: ignore[misc]
