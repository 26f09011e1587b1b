"""A batch on a running site: answered to its end by whatever workers live, beside people who write."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.process import FakeOpenAI
from tests.system.calls import answer_calls
from tests.system.conftest import running_site
from tests.system.site import Site, wait_for

pytestmark = pytest.mark.timeout(240)
SLOW = {"tokens": 3000, "delay_ms": 100}


@pytest.fixture(scope="module")
def site(openai: FakeOpenAI) -> Iterator[Site]:
    """A site of this module's own, whose workers are killed."""
    with running_site(os.environ["DATABASE_URL"], openai) as site:
        yield site


class Program:
    """Somebody's program, with a token."""

    def __init__(self, site: Site) -> None:
        from accounts.tokens import PREFIX, digest_of

        self.site, self.secret = site, PREFIX + secrets.token_urlsafe(32)
        site.sql(
            "INSERT INTO accounts_token (id, owner_id, kind, name, scopes, prefix, digest, created_at)"
            " SELECT %s, id, 'personal', 'A program', '{read,write}', 'vbt_abcd', %s, now()"
            " FROM accounts_user WHERE username = 'admin'",
            uuid.uuid4(),
            digest_of(self.secret),
        )

    def ask(self, method: str, path: str, body: bytes = b"", content_type: str = "") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.secret}"} | ({"Content-Type": content_type} if body else {})
        try:
            connection.request(method, f"/api/v1/{path}", body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def send(self, prompts: list[str]) -> str:
        """Give a batch and return its id."""
        lines = "".join(json.dumps({"custom_id": prompt.split()[0], "prompt": prompt}) + "\n" for prompt in prompts)
        form = (
            '--x\r\nContent-Disposition: form-data; name="assistant"\r\n\r\ngeneral\r\n'
            '--x\r\nContent-Disposition: form-data; name="file"; filename="letters.jsonl"\r\n\r\n'
            f"{lines}\r\n--x--\r\n"
        )
        status, body = self.ask("POST", "batches/", form.encode(), "multipart/form-data; boundary=x")
        assert status == 201, body
        return str(json.loads(body)["id"])

    def read(self, batch: str) -> dict[str, Any]:
        status, body = self.ask("GET", f"batches/{batch}/")
        assert status == 200, body
        return dict(json.loads(body))

    def result(self, batch: str) -> list[dict[str, Any]]:
        status, body = self.ask("GET", f"batches/{batch}/result")
        assert status == 200, body
        return [json.loads(line) for line in body.decode().splitlines()]

    def wait_for(self, batch: str, state: str) -> dict[str, Any]:
        def reached() -> dict[str, Any]:
            shown = self.read(batch)
            return shown if shown["state"] == state else {}

        # As often as programs may ask, not as often as they can.
        return wait_for(reached, seconds=120, what=f"the batch that is {state}", pause=0.5)


def kill_worker(site: Site, name: str) -> None:
    """Kill a worker; the half minute in which nobody can know of it is over."""
    site.kill(name)
    site.sql("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")


def test_p1_i4_a_batch_survives_a_killed_worker_and_asks_each_prompt_once(site: Site, openai: FakeOpenAI) -> None:
    program = Program(site)
    slow, fast = [f"p1-slow-{n} prompt" for n in range(2)], [f"p1-fast-{n} prompt" for n in range(10)]
    openai.script([SLOW | {"match": "p1-slow-0"}, SLOW | {"match": "p1-slow-1"}])
    batch = program.send([*slow, *fast])

    wait_for(lambda: program.read(batch)["counts"]["completed"] >= 3, what="the first answers")
    begun = {line["custom_id"]: line for line in program.result(batch)}
    site.wait_for_text(begun["p1-slow-0"]["message"], 10)
    kill_worker(site, "worker")
    site.start_worker("worker two")
    program.wait_for(batch, "paused")
    site.sql("UPDATE batches_batch SET paused_until = now()")

    shown = program.wait_for(batch, "done")
    assert (shown["counts"]["completed"], shown["problem"]) == (12, None)
    lines = program.result(batch)
    assert [line["custom_id"] for line in lines] == [prompt.split()[0] for prompt in (*slow, *fast)]
    assert all(line["text"] and line["usage"]["total_tokens"] for line in lines)
    for line in lines:
        prompts = site.sql(
            "SELECT count(*) FILTER (WHERE role = 'user') FROM conversations_message WHERE conversation_id = %s",
            line["conversation"],
        )
        assert prompts == [(1,)]
    assert site.sql("SELECT count(*) FROM conversations_conversation") == [(12,)]
    assert {len(answer_calls(openai, prompt)) for prompt in slow} == {2}
    assert sum(len(answer_calls(openai, prompt)) for prompt in fast) <= 12  # one that ran when the worker died, again


def test_i4_a_batch_is_cancelled_and_gone_on_with_while_its_owner_writes(site: Site, openai: FakeOpenAI) -> None:
    program, browser = Program(site), site.sign_in()
    prompts = [f"c1-{n} prompt" for n in range(8)]
    openai.script([SLOW | {"match": prompt.split()[0]} for prompt in prompts[:4]])
    batch = program.send(prompts)
    wait_for(lambda: all(len(answer_calls(openai, prompt)) == 1 for prompt in prompts[:4]), what="the first calls")
    assert program.read(batch)["counts"]["running"] == 4

    _, mine = browser.begin("Somebody writes beside it")
    assert site.wait_until_ended(mine)["status"] == "completed"
    assert program.ask("POST", f"batches/{batch}/cancel/")[0] == 200
    shown = program.read(batch)
    assert (shown["state"], shown["counts"]["stopped"], shown["counts"]["waiting"]) == ("cancelled", 4, 4)
    assert program.ask("POST", f"batches/{batch}/resume/")[0] == 200
    assert program.wait_for(batch, "done")["counts"]["completed"] == 8
    assert [len(answer_calls(openai, prompt)) for prompt in prompts] == [2] * 4 + [1] * 4
    assert len({line["conversation"] for line in program.result(batch)}) == 8
