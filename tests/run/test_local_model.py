"""The local model speaks enough of the Responses API to answer where there is no key."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from chatapp.embedded.ports import find_free_port
from tests.run.launcher import CHECKOUT, wait_until


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a local model that has been loaded."""
    port = find_free_port()
    server = subprocess.Popen([sys.executable, "-m", "chatapp.embedded.local_model", "--port", str(port)], cwd=CHECKOUT)
    try:
        wait_until(lambda: is_healthy(port), 60)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait()


def is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
            return True
    except OSError:
        return False


def test_streams_an_answer_and_counts_its_tokens(address: str) -> None:
    body = {
        "model": "smollm2-135m-instruct",
        "stream": True,
        "max_output_tokens": 12,
        "instructions": "You are helpful.",
        "input": [{"role": "user", "content": "Say hello."}],
    }
    request = urllib.request.Request(
        f"{address}/responses",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": "Bearer local"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        events = [json.loads(line[6:]) for line in answer if line.startswith(b"data: {")]
    deltas = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    last = events[-1]["response"]
    assert deltas
    assert last["output"][0]["content"][0]["text"] == deltas
    assert last["model"] == "smollm2-135m-instruct"
    assert 0 < last["usage"]["output_tokens"] <= 12
