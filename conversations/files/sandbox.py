"""Runs the parsers on a stranger's bytes in a process of their own, so that a bomb ends that process alone."""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from conversations.files.problems import Unfit

Operation = Literal["inspect", "for_model", "thumbnail", "text"]
WALL_SECONDS = 20
QUEUE_SECONDS = 60
MAX_OUTPUT = 32_000_000  # bytes
UNREADABLE = "could not be read; it seems to be damaged."
TOO_MUCH = "could not be read within the time and memory that one file may take."
BUSY = "could not be checked just now. Try again in a moment."

_CHUNK = 65_536
_ROOT = Path(__file__).resolve().parents[2]
_COMMAND = (sys.executable, "-E", "-s", "-B", "-X", "utf8", "-m", "conversations.files.inspector")
_LIMITS = (signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM)
_slots = threading.BoundedSemaphore(4)  # of this process; each may take the memory of a large image
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What the other process found, and the bytes that it made."""

    facts: dict[str, object]  # as unproven as the file: whoever broke the process could have written them
    body: bytes


def run(operation: Operation, extension: str, file: BinaryIO) -> Outcome:
    """Have the parser for `extension` read an open file, under limits of time, memory and output; return what it says.

    Raises Unfit with how the sentence on the file goes on. Whatever happens, the process is gone afterwards, and with
    it all that it had. It gets the file as its input and no path, no environment and no terminal of ours.
    """
    if not _slots.acquire(timeout=QUEUE_SECONDS):
        logger.warning("A file waited %s s for its inspection and was given up", QUEUE_SECONDS)
        raise Unfit(BUSY)
    try:
        file.seek(0)
        status, output = start_and_read([*_COMMAND, operation, extension], file)
    except OSError as problem:
        logger.exception("No inspection could be started")
        raise Unfit(BUSY) from problem
    finally:
        _slots.release()
    if status != 0:
        logger.warning("The inspection of a %s file ended with status %s", extension, status)
        raise Unfit(TOO_MUCH if -status in _LIMITS else UNREADABLE)
    return _outcome(extension, output)


def start_and_read(command: list[str], file: BinaryIO, *, seconds: float = WALL_SECONDS) -> tuple[int, bytes]:
    """Run a command to its end or its limits; return its exit status, below 0 where a signal ended it, and its output.

    Its whole session is killed when it takes longer or prints more than it may.
    """
    process = subprocess.Popen(  # noqa: S603  # a fixed command, with an extension that is known
        command,
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        env={},
        start_new_session=True,
        bufsize=0,
    )
    deadline = time.monotonic() + seconds
    output = bytearray()
    with process:
        try:
            # The output ends when the process does; Popen.wait with a time limit would sleep up to 50 ms too long.
            while len(output) <= MAX_OUTPUT and (chunk := _read(process, deadline)):
                output += chunk
            process.wait(0 if len(output) > MAX_OUTPUT else max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, bytes(output)


def _read(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """Return what it prints next, or nothing where its output is at an end. Raises TimeoutExpired."""
    if process.stdout is None:
        return b""
    poll = select.poll()  # takes any file number, as select does not
    poll.register(process.stdout, select.POLLIN)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise subprocess.TimeoutExpired(process.args, WALL_SECONDS)
    return os.read(process.stdout.fileno(), _CHUNK)


def _outcome(extension: str, output: bytes) -> Outcome:
    """Return the first line, JSON, and what follows it. Raises Unfit where the line says so or is none."""
    line, _, body = output.partition(b"\n")
    try:
        facts = json.loads(line)
    except ValueError as problem:
        raise Unfit(UNREADABLE) from problem
    if not isinstance(facts, dict):
        raise Unfit(UNREADABLE)
    if "cause" in facts:
        logger.warning("The inspection of a %s file met %s", extension, str(facts["cause"])[:50])
    if "unfit" in facts:
        raise Unfit(str(facts["unfit"])[:300])
    return Outcome(facts=facts, body=body)
