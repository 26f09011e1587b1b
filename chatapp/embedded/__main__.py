"""Serves Verbatim from this checkout with everything it needs, and keeps it running: what `make run` starts.

.venv/bin/python -m chatapp.embedded
"""

import contextlib
import importlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Never

from django.core.exceptions import ImproperlyConfigured

from chatapp import env
from chatapp.embedded import preflight, steps
from chatapp.embedded.postgres import PostgresError
from chatapp.embedded.preflight import StartError
from chatapp.embedded.supervision import Program, Supervisor

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Somebody asked for the end: Ctrl-C, a closed terminal, or SIGTERM."""


def main() -> int:
    """Serve until a signal comes: 0. Where it cannot start: 1, and a sentence on stderr."""
    for sign in _SIGNALS:
        signal.signal(sign, _stop)
    try:
        env.load_environment()
        _serve(env.var_dir())
    except Stopped:
        return 0
    except (StartError, PostgresError, ImproperlyConfigured) as error:
        print(f"Verbatim cannot start. {error}", file=sys.stderr, flush=True)
        return 1


def _stop(*_: object) -> Never:
    for sign in _SIGNALS:
        signal.signal(sign, signal.SIG_IGN)  # one request is enough
    raise Stopped


def _serve(var: Path) -> Never:
    port = env.whole_number("PORT", 8000, minimum=1, maximum=65535)
    host = env.text("WEB_BIND", "127.0.0.1")
    preflight.make_var(var)
    lock = preflight.take_lock(var)
    preflight.check_port(port, host)
    os.environ |= {"VAR_DIR": str(var), "PORT": str(port), "WEB_BIND": host, "PYTHONUNBUFFERED": "1"}
    os.environ["SECRET_KEY"] = env.text("SECRET_KEY") or preflight.keep_secret_key(var)
    _check_settings()
    model_port = steps.choose_model()
    cluster = steps.embedded_cluster(var)
    programs = steps.list_programs(cluster, model_port)
    with Supervisor(var, programs, environment=os.environ, kept_fd=lock) as supervisor:
        try:
            if cluster is not None:
                steps.start_database(cluster, programs[0], supervisor)
            said = steps.prepare()
            steps.start_programs(programs, port, model_port, supervisor)
            _tell_address(port, said, var, is_local=model_port is not None)
            _watch(supervisor)
        except Stopped:
            with contextlib.suppress(OSError):  # the terminal may be gone
                print("Stopping; answers that are being written have 15 s to end ...", flush=True)
            raise


def _check_settings() -> None:
    """Refuse a nonsensical environment before anything is made: the settings read it all when they are imported."""
    is_open = not os.environ.get("DATABASE_URL")
    if is_open:
        os.environ["DATABASE_URL"] = "postgresql://127.0.0.1/embedded"
    try:
        importlib.import_module("chatapp.settings")
    finally:
        if is_open:
            del os.environ["DATABASE_URL"]


def _tell_address(port: int, said: str, var: Path, *, is_local: bool) -> None:
    lines = ["", f"Verbatim runs at http://127.0.0.1:{port}", *said.splitlines()]
    if is_local:
        lines.append(
            "A small model on this machine answers. For GPT-4o put OPENAI_API_KEY=... into .env and start again."
        )
    else:
        lines.append(f"{env.text('DEFAULT_MODEL', 'gpt-4o')} answers, by {env.text('OPENAI_BASE_URL') or 'OpenAI'}.")
    lines.append(f"Ctrl-C stops it. Everything is kept in {var}, logs in {var / 'log'}.")
    print("\n".join(lines), flush=True)


def _watch(supervisor: Supervisor) -> Never:
    """Tell about programs that keep ending, until a signal comes."""
    told: set[Program] = set()
    while supervisor.is_running:
        failing = set(supervisor.failing())
        for program in failing - told:
            print(
                f"{program.name} ended and is started again; its log says:\n{supervisor.log_end(program.name)}",
                flush=True,
            )
        told = failing
        time.sleep(2)
    raise StartError(f"The supervisor ended; its log says:\n{supervisor.log_end('supervisord')}")


if __name__ == "__main__":
    sys.exit(main())
