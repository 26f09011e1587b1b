"""The test stand: Verbatim as `make run` starts it, on a database of its own, with the fake provider behind it."""

import contextlib
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings

from bench import scenario
from bench.load import Load, Turn
from bench.processor import cpu_seconds
from chatapp.embedded.postgres import Cluster
from chatapp.embedded.postmaster import find_postmaster
from tests.fakes.child import ROOT
from tests.fakes.process import FakeOpenAI

if TYPE_CHECKING:
    from tests.system.site import Site

_WEB_PROCESSES = "2"
_CSRF = "c" * 32
# What a developer's shell or .env may say and the figures must not depend on.
_NEUTRAL = ("PUBLIC_URL", "DEBUG", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "OPENAI_BACKGROUND", "DEFAULT_MODEL")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One load: what the clients saw, and the processor seconds of each program meanwhile."""

    load: Load
    turns: list[Turn]
    cpu: dict[str, float]
    seconds: float
    provider: float
    """Seconds from a request's arrival at the fake provider to its first piece of text, median."""

    @property
    def settled(self) -> list[Turn]:
        """The turns that count for times: those of when all streams were there."""
        return [turn for turn in self.turns if not turn.is_first] or self.turns


@dataclass
class Stand:
    """Everything that runs, and the people who are signed in."""

    site: "Site"
    cluster: Cluster
    openai: FakeOpenAI
    people: list[dict[str, str]] = field(default_factory=list)

    def invite(self, count: int) -> None:
        """Have at least so many people, each with a conversation that has been answered once and has its title."""
        missing = range(len(self.people), count)
        for number in missing:
            browser = self.site.sign_in(f"person-{number}")
            conversation, answer = browser.begin(scenario.WARM_UP_PROMPT)
            cookie = f"{settings.SESSION_COOKIE_NAME}={browser.session_key}; {settings.CSRF_COOKIE_NAME}={_CSRF}"
            self.people.append({"cookie": cookie, "csrf": _CSRF, "conversation": conversation, "last": answer})
        self._wait_until_idle()

    def measure(self, load: Load) -> Outcome:
        """Put the load on Verbatim."""
        self.invite(load.streams)
        people = self.people[: load.streams]
        programs, earlier = self._programs(), len(self.openai.first_texts())
        began, before = time.monotonic(), {name: cpu_seconds(pid) for name, pid in programs.items()}
        result = _run("bench.client", {"url": self.site.url, "people": people, "load": asdict(load)})
        self._wait_until_idle()
        cpu = {name: cpu_seconds(pid) - before[name] for name, pid in programs.items()}
        for person, last in zip(people, result["last"], strict=True):
            person["last"] = last
        return Outcome(load, _turns(result), cpu, time.monotonic() - began, self._provider_since(earlier))

    def measure_sdk(self, load: Load) -> Outcome:
        """Put the same load on the bare SDK loop."""
        began, earlier = time.monotonic(), len(self.openai.first_texts())
        result = _run("bench.sdk_loop", {"base_url": self.openai.base_url, "load": asdict(load)})
        cpu, seconds = {"sdk": result["cpu"]}, time.monotonic() - began
        return Outcome(load, _turns(result), cpu, seconds, self._provider_since(earlier))

    def _provider_since(self, earlier: int) -> float:
        """How long the fake provider took for its first texts but for so many earlier ones, median, in seconds."""
        return statistics.median(self.openai.first_texts()[earlier:])

    def _programs(self) -> dict[str, int]:
        postmaster = find_postmaster(self.cluster.data)
        assert postmaster is not None
        return {"web": self.site.pid("web"), "worker": self.site.pid("worker"), "postgres": postmaster}

    def _wait_until_idle(self) -> None:
        give_up_at = time.monotonic() + 60
        while self.site.sql(
            "SELECT 1 FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND task_name LIKE 'conversations.%' "
            "AND task_name NOT LIKE '%rescue%' LIMIT 1"
        ):
            if time.monotonic() > give_up_at:
                raise RuntimeError(f"The worker does not come to an end:\n{self.site.log('worker')[-2000:]}")
            time.sleep(0.05)


@contextlib.contextmanager
def running_stand() -> Iterator[Stand]:
    """Start everything in a temporary folder, and end and remove it all afterwards."""
    with tempfile.TemporaryDirectory(prefix="verbatim-bench-") as name, FakeOpenAI() as openai:
        folder = Path(name)
        cluster = Cluster(folder / "var")
        cluster.start()
        try:
            os.environ |= dict.fromkeys(_NEUTRAL, "") | {
                "DJANGO_SETTINGS_MODULE": "chatapp.settings",
                "SECRET_KEY": secrets.token_urlsafe(48),
                "DATABASE_URL": cluster.url,
                "VAR_DIR": str(cluster.directory),
                "WEB_CONCURRENCY": _WEB_PROCESSES,
            }
            django.setup()
            from tests.system.site import Site  # reads the settings

            site = Site(cluster.url, openai.base_url, cluster.directory, extra={"WEB_CONCURRENCY": _WEB_PROCESSES})
            openai.script(scenario.scripts())
            try:
                site.prepare()
                site.start_web()
                site.start_worker()
                yield Stand(site, cluster, openai)
            finally:
                site.stop()
        finally:
            cluster.stop()


def _run(module: str, task: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", module], cwd=ROOT, input=json.dumps(task), stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{module} failed; its error is above.")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _turns(result: dict[str, Any]) -> list[Turn]:
    return [Turn(**turn) for turn in result["turns"]]
