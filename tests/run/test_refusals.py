"""What `make run` refuses, each time with one sentence that says what to do."""

import socket
from pathlib import Path

from tests.run.launcher import Launcher


def test_a_taken_port_is_named_with_the_way_out(copy: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = Launcher(copy, port=port).start().refusal()
    assert f"Port {port} is in use" in said
    assert "make run PORT=" in said


def test_a_state_folder_that_cannot_be_made_is_named(copy: Path) -> None:
    (copy / "file").touch()
    said = Launcher(copy, VAR_DIR=str(copy / "file" / "var")).start().refusal()
    assert "cannot be written" in said
    assert "VAR_DIR" in said


def test_p11_nonsense_in_the_environment_is_refused_by_its_name(copy: Path) -> None:
    assert "PORT" in Launcher(copy, PORT="eighty").start().refusal()
    assert "OPENAI_BASE_URL" in Launcher(copy, OPENAI_BASE_URL="nonsense").start().refusal()
    assert "DEBUG" in Launcher(copy, DEBUG="perhaps").start().refusal()


def test_p11_debug_pages_are_refused_where_the_public_reaches_them(copy: Path) -> None:
    assert "DEBUG" in Launcher(copy, DEBUG="true", PUBLIC_URL="https://chat.example.com").start().refusal()
