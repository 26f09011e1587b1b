"""The steps of a start, in their order: model, database, tables and static files, programs."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from chatapp import env
from chatapp.embedded import install, ports
from chatapp.embedded.postgres import Cluster, PostgresError
from chatapp.embedded.preflight import StartError
from chatapp.embedded.supervision import Program, Supervisor, tied

_CHECKOUT = Path(__file__).resolve().parents[2]
_PATIENCE = 60.0  # seconds: PostgreSQL may have to repair after a crash, the first start has to compile Python files
_LOCAL_MODEL = "smollm2-135m-instruct"
# A proxy of the environment must not be asked for this machine's own servers.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def choose_model() -> int | None:
    """Give the port for a local model where there is no API key, and point the environment at it; None with a key."""
    if env.text("OPENAI_API_KEY"):
        return None
    if env.text("OPENAI_BASE_URL"):
        print("OPENAI_BASE_URL is ignored, because OPENAI_API_KEY is not set.", flush=True)
    try:
        install.ensure("local")
    except install.InstallError as error:
        print(f"{error} Without it and without OPENAI_API_KEY nothing answers.", flush=True)
        return None
    port = ports.find_free_port()
    not_proxied = ",".join(filter(None, [env.text("NO_PROXY") or env.text("no_proxy"), "127.0.0.1"]))
    os.environ |= {
        "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
        "OPENAI_API_KEY": "local",
        "OPENAI_BACKGROUND": "false",
        "DEFAULT_MODEL": _LOCAL_MODEL,
        "NO_PROXY": not_proxied,
        "no_proxy": not_proxied,
    }
    return port


def embedded_cluster(var: Path) -> Cluster | None:
    """Give the embedded database, made if need be, and point the environment at it; None where DATABASE_URL is set.

    `load_environment` fills DATABASE_URL from an earlier start's database.url: that one is the embedded database's.
    """
    cluster = Cluster(var)
    given = env.text("DATABASE_URL")
    if given and not (cluster.url_file.exists() and given == cluster.url):
        return None
    cluster.initialise()
    os.environ["DATABASE_URL"] = cluster.url
    return cluster


def list_programs(cluster: Cluster | None, model_port: int | None) -> list[Program]:
    """Give everything that has to run, the database first."""
    python = [*tied("TERM"), sys.executable]
    # Where the supervisor is killed, the database goes at the same moment: a worker asked politely would wait for it.
    worker = [*tied("KILL"), sys.executable, "manage.py", "procrastinate", "worker"]
    programs = [
        Program("web", [*python, "-m", "gunicorn", "--config", "gunicorn.conf.py"]),
        Program("worker", worker),
    ]
    if model_port is not None:
        model = [*python, "-m", "chatapp.embedded.local_model", "--port", str(model_port)]
        programs.append(Program("model", model, stop_seconds=5))
    if cluster is not None:
        database = Program("postgres", cluster.command(), stop_signal="INT", stop_seconds=60, is_base=True)
        programs.insert(0, database)
    return programs


def start_database(cluster: Cluster, program: Program, supervisor: Supervisor) -> None:
    """Start PostgreSQL and wait until it answers."""
    supervisor.start(program)
    try:
        cluster.wait_ready(_PATIENCE)
    except PostgresError as error:
        raise StartError(f"{error}\n{supervisor.log_end(program.name)}") from error


def prepare() -> str:
    """Bring tables, first records and static files up to date; give what to tell a person, as the sign-in made."""
    command = [sys.executable, "-m", "chatapp.embedded.prepare"]
    done = subprocess.run(command, cwd=_CHECKOUT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StartError("\n".join(done.stderr.strip().splitlines()[-12:]))
    return done.stdout.strip()


def start_programs(programs: Sequence[Program], port: int, model_port: int | None, supervisor: Supervisor) -> None:
    """Start everything but the database; wait until the pages are served and the local model is loaded."""
    for program in programs:
        if not program.is_base:
            supervisor.start(program)
    _wait_for_answer(f"http://127.0.0.1:{port}/healthz", "web", supervisor)
    if model_port is not None:
        _wait_for_answer(f"http://127.0.0.1:{model_port}/health", "model", supervisor)


def _wait_for_answer(url: str, name: str, supervisor: Supervisor) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not _answers(url):
        ended = any(program.name == name for program in supervisor.failing())
        if ended or time.monotonic() > deadline or not supervisor.is_running:
            raise StartError(f"{name} did not come up; its log says:\n{supervisor.log_end(name)}")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        with _direct.open(url, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500  # a host name that is not allowed is an answer too
    except OSError:
        return False
