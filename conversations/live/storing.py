"""Work on files, in threads of its own: a bucket that hangs must hold up no answer, and no look at a name server."""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="files")


async def in_files[Result](function: Callable[..., Result], *arguments: object, **named: object) -> Result:
    """Run something that reads or writes files, or looks into them, in a thread. It uses no database."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, functools.partial(function, *arguments, **named))
