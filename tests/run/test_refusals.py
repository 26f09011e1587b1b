"""What `make run` refuses, each time with one sentence that says what to do."""

import socket
from collections.abc import Callable
from pathlib import Path

from tests.run.launcher import Launcher

MakeRun = Callable[..., Launcher]


def refusal(run: Launcher) -> str:
    """The sentence of a start that failed; make adds a line of its own."""
    assert run.wait_ended() != 0
    said = [line for line in run.output.splitlines() if not line.startswith("make")]
    assert len(said) == 1, run.output
    return said[0]


def test_taken_port_is_named_with_the_way_out(make_run: MakeRun) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        said = refusal(make_run(PORT=str(other.getsockname()[1])))
        assert f"Port {other.getsockname()[1]} is in use" in said
        assert "make run PORT=" in said


def test_state_folder_that_cannot_be_made_is_named(make_run: MakeRun, copy: Path) -> None:
    (copy / "file").touch()
    said = refusal(make_run(VAR_DIR=str(copy / "file" / "var")))
    assert "cannot be written" in said
    assert "VAR_DIR" in said


def test_second_start_in_the_same_folder_is_refused(make_run: MakeRun) -> None:
    make_run().wait_served()
    assert "already runs" in refusal(make_run())


def test_p11_nonsense_in_the_environment_is_refused_by_its_name(make_run: MakeRun) -> None:
    assert "PORT" in refusal(make_run(PORT="eighty"))
    assert "OPENAI_BASE_URL" in refusal(make_run(OPENAI_BASE_URL="nonsense"))
    assert "DEBUG" in refusal(make_run(DEBUG="perhaps"))


def test_p11_debug_pages_are_refused_where_the_public_reaches_them(make_run: MakeRun) -> None:
    assert "DEBUG" in refusal(make_run(DEBUG="true", PUBLIC_URL="https://chat.example.com"))
