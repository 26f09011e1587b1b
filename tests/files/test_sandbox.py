"""The process that reads strangers' files has little, may do little, and never stays."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import psutil
import pytest

from conversations.files import FileProblem, inspect_file, sandbox
from tests.files.conftest import Put
from tests.files.samples import picture

LIMITED = (
    "from conversations.files.inspector import INSPECTING, limit_resources; limit_resources(INSPECTING['office']); "
)


@pytest.fixture
def file(put: Put) -> Iterator[BinaryIO]:
    with put("upload", b"content").open("rb") as opened:
        yield opened


def run(code: str, file: BinaryIO, *, seconds: float = 20) -> tuple[int, bytes]:
    return sandbox.start_and_read([sys.executable, "-E", "-s", "-B", "-c", code], file, seconds=seconds)


def test_it_gets_the_bytes_and_nothing_of_ours(file: BinaryIO) -> None:
    code = (
        "import json, os, sys; print(json.dumps([sys.stdin.read(), sorted(set(os.environ) - {'LC_CTYPE'}),"
        " os.getsid(0) == os.getpid(), sorted(int(n) for n in os.listdir('/proc/self/fd'))[:4]]))"
    )
    status, output = run(code, file)
    text, environment, leads_its_session, numbers = json.loads(output)
    assert (status, text, environment, leads_its_session) == (0, "content", [], True)
    assert numbers == [0, 1, 2, 3]  # the last is the listing itself


@pytest.mark.parametrize(
    "code",
    [
        "bytearray(300_000_000)",
        "open('/tmp/left-behind', 'wb', buffering=0).write(b'x' * 10)",
        "[open('/dev/null') for _ in range(40)]",
    ],
)
def test_it_cannot_take_memory_write_files_or_open_many(code: str, file: BinaryIO) -> None:
    status, _ = run(LIMITED + "kept = " + code, file)
    assert status == 1
    left = Path("/tmp/left-behind")
    assert not left.exists() or left.stat().st_size == 0
    left.unlink(missing_ok=True)


@pytest.mark.slow
def test_it_is_ended_where_it_works_too_long(file: BinaryIO) -> None:
    status, _ = run(LIMITED + "\nwhile True: pass", file)
    assert status < 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    ["time.sleep(60)", "os.close(1); time.sleep(60)", "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"],
)
def test_it_is_killed_where_it_waits_too_long_and_what_it_started_with_it(code: str, file: BinaryIO) -> None:
    start = "import os, signal, subprocess, sys, time; child = subprocess.Popen(['/bin/sleep', '60']); "
    status, output = run(f"{start} print(child.pid, flush=True); {code}", file, seconds=1)
    assert status == -9
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(int(output))
        psutil.wait_procs([process], timeout=10)
        assert process.status() == psutil.STATUS_ZOMBIE  # an orphan that nobody has reaped here


def test_it_is_killed_where_it_prints_without_end(file: BinaryIO) -> None:
    status, output = run("import sys\nwhile True: sys.stdout.write('x' * 100_000)", file)
    assert status == -9
    assert len(output) < sandbox.MAX_OUTPUT + 100_000


def test_a_crash_is_a_status_and_no_output(file: BinaryIO) -> None:
    assert run("import os; os.abort()", file) == (-6, b"")


def test_many_at_once_all_get_their_own_answer(put: Put) -> None:
    paths = [put(f"{width}", picture("PNG", (width, 10))) for width in range(10, 30)]
    with ThreadPoolExecutor(20) as pool:
        facts = list(pool.map(lambda path: inspect_file(path, name="a.png", max_bytes=10_000), paths))
    assert [fact.width for fact in facts] == list(range(10, 30))


def test_nothing_stays_open_or_running(put: Put) -> None:
    good, bad = put("good", picture("PNG")), put("bad", b"\x89PNG\r\n\x1a\n")
    numbers = len(list(Path("/proc/self/fd").iterdir()))
    children = {child.pid for child in psutil.Process().children(recursive=True)}
    for _ in range(3):
        inspect_file(good, name="a.png", max_bytes=10_000)
        with pytest.raises(FileProblem):
            inspect_file(bad, name="a.png", max_bytes=10_000)
    assert len(list(Path("/proc/self/fd").iterdir())) == numbers
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= children
