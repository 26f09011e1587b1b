"""With OPENAI_BACKGROUND the provider goes on when our worker dies, and not a character is lost."""

import os
from collections.abc import Iterator

import pytest

from tests.fakes.process import FakeOpenAI
from tests.system.calls import answer_calls
from tests.system.conftest import running_site
from tests.system.site import Site, marker, wait_for

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def background_site(openai: FakeOpenAI) -> Iterator[Site]:
    with running_site(os.environ["DATABASE_URL"], openai, {"OPENAI_BACKGROUND": "true"}) as site:
        yield site


def deletions(openai: FakeOpenAI, response_id: str) -> list[str]:
    return [call["method"] for call in openai.requests(f"/v1/responses/{response_id}") if call["method"] == "DELETE"]


def test_u9_p1_a_background_answer_is_picked_up_again_after_kill_9(background_site: Site, openai: FakeOpenAI) -> None:
    site, browser = background_site, background_site.sign_in()
    text = " ".join(f"word-{number}" for number in range(300))
    _, answer = browser.begin("bg-killed " + marker(text=text, delay_ms=60))
    shown = site.wait_for_text(answer, 60)

    site.kill("worker")
    site.start_worker()

    row = site.wait_until_ended(answer, seconds=90)
    assert (row["status"], row["text"]) == ("completed", text)
    assert text.startswith(shown)
    calls = answer_calls(openai, "bg-killed")
    assert len(calls) == 1
    assert calls[0]["body"]["background"] is True
    assert calls[0]["body"]["store"] is True
    response_id = site.sql("SELECT response_id FROM conversations_generation WHERE message_id = %s", answer)[0][0]
    wait_for(lambda: deletions(openai, response_id), what="the deletion of the provider's copy")


def test_u27_a_stopped_background_answer_is_cancelled_at_the_provider(
    background_site: Site, openai: FakeOpenAI
) -> None:
    site, browser = background_site, background_site.sign_in()
    _, answer = browser.begin("bg-stopped " + marker(tokens=2000, delay_ms=60))
    site.wait_for_text(answer, 40)
    response_id = wait_for(
        lambda: site.sql("SELECT response_id FROM conversations_generation WHERE message_id = %s", answer)[0][0]
    )

    browser.request("POST", f"/messages/{answer}/stop/", {})

    assert site.message(answer)["status"] == "stopped"
    wait_for(lambda: openai.requests(f"/v1/responses/{response_id}/cancel"), what="the cancellation")
    wait_for(lambda: deletions(openai, response_id), what="the deletion of the provider's copy")
