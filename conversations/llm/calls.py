"""Calls that are answered at once, not by a stream of events."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from conversations.llm.errors import ModelError, from_exception, transport_errors

CALL_SECONDS = 30.0


@contextlib.asynccontextmanager
async def one_call(seconds: float = CALL_SECONDS, *, response_id: str = "", message: str = "") -> AsyncGenerator[None]:
    """Raise whatever goes wrong with the call inside as a ModelError: after so many seconds `timeout`, as told."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        detail = f"no answer for {seconds:g} s"
        raise ModelError("timeout", detail, message=message, response_id=response_id) from None
    except transport_errors() as exc:
        error = from_exception(exc)
        error.response_id = response_id
        raise error from exc
