"""Each status of an answer says what happened and what to do next."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from conversations.models import Conversation, LanguageModel, Message, MessageChunk
from tests.pages.record import add_turns, end, text_of


def show(page: Client, message: Message) -> str:
    return text_of(page.get(f"/conversations/{message.conversation_id}/"))


@pytest.mark.parametrize(
    ("status", "call", "words"),
    [
        ("incomplete", {"finish_reason": "max_output_tokens"}, "Cut off. It reached the length limit"),
        ("incomplete", {"finish_reason": "<odd>"}, "The provider ended it early (&lt;odd&gt;)."),
        ("refused", {}, "Refused. The model would not answer this."),
        ("stopped", {}, "Stopped. You stopped this answer; what it had written is kept."),
        ("interrupted", {}, "Interrupted. The answer broke off."),
        ("failed", {}, "Broken off. The model could not be reached."),
    ],
)
def test_an_answer_that_is_not_whole_says_so_and_offers_a_retry(
    page: Client, running: Message, status: str, call: dict[str, Any], words: str
) -> None:
    end(running, status=status, text="Half a", call=call)
    shown = show(page, running)
    assert words in shown
    assert "Half a" in shown
    assert "Retry" in shown


def test_a_failed_answer_tells_its_own_reason(page: Client, running: Message) -> None:
    running.error_text = "The quota is used up. An <em>administrator</em> can raise it."
    end(running, status="failed")
    assert "The quota is used up. An &lt;em&gt;administrator&lt;/em&gt; can raise it." in show(page, running)


def test_each_answer_that_has_ended_can_be_retried(page: Client, answer: Message) -> None:
    add_turns(answer.conversation, 1)
    body = page.get(f"/conversations/{answer.conversation_id}/").content.decode()
    assert body.count('class="retry"') == 2
    assert f'id="retry-{answer.pk}"' in body


def test_a_streaming_answer_shows_its_text_and_goes_on_from_there(page: Client, running: Message) -> None:
    running.status, running.activity = "streaming", "Running <code>"
    running.save()
    MessageChunk.objects.create(message=running, start=0, text="First block.\n\n")
    MessageChunk.objects.create(message=running, start=14, text="Second bl")
    body = page.get(f"/conversations/{running.conversation_id}/").content.decode()
    assert f'hx-sse:connect="/messages/{running.pk}/stream/?after=14"' in body
    assert f'id="message-{running.pk}-blocks" class="blocks"><p>First block.</p>' in body
    assert "<p>Second bl</p>" in body
    assert "Running &lt;code&gt;" in body


def test_c10_a_page_that_waits_reloads_itself_without_scripts(page: Client, running: Message) -> None:
    address = f"/conversations/{running.conversation_id}/"
    refresh = 'http-equiv="refresh"'
    assert refresh in page.get(address).content.decode()
    end(running, text="Done.")
    assert refresh not in page.get(address).content.decode()


def test_a_prompt_and_an_answer_are_hostile_text(page: Client, running: Message) -> None:
    Message.objects.filter(role="user").update(text='<img src=x onerror="alert(1)">')
    end(running, text='<script>alert(1)</script><div hx-get="/" hx-trigger="load">x</div>')
    Conversation.objects.update(title="</title><script>alert(2)</script>")
    body = page.get(f"/conversations/{running.conversation_id}/").content.decode()
    assert "<script>alert" not in body
    assert "<img src=x" not in body
    assert "<div hx-get" not in body


def test_a_window_is_told_of(page: Client, running: Message) -> None:
    end(running, text="Done.", call={"omitted_messages": 14})
    assert "saw only the newest messages of this conversation, without the 14 oldest" in show(page, running)


@pytest.mark.parametrize(
    ("call", "label"),
    [
        ({}, "1,234 tokens $0.0033"),
        ({"usage_source": "estimated"}, "≈ 1,234 tokens ≈ $0.0033"),
        ({"cost": None}, "1,234 tokens cost unknown"),
        ({"cost": Decimal("12.346")}, "1,234 tokens $12.35"),
        (
            {"input_tokens": None, "output_tokens": None, "cost": None, "usage_source": ""},
            "tokens unknown cost unknown",
        ),
    ],
)
def test_tokens_and_cost_say_how_far_they_are_known(
    page: Client, running: Message, call: dict[str, Any], label: str
) -> None:
    end(running, text="Done.", call=call)
    assert show(page, running).count(label) == 2, "once for the conversation, once for the answer"


def test_a_local_model_costs_nothing_and_is_told_of(page: Client, running: Message) -> None:
    LanguageModel.objects.update(is_local=True)
    end(running, text="Done.", call={"cost": Decimal(0)})
    shown = show(page, running)
    assert "no charge" in shown
    assert "A small local model is answering." in shown


def test_a_call_that_failed_before_it_used_anything_is_not_unknown(page: Client, running: Message) -> None:
    nothing = {"input_tokens": None, "output_tokens": None, "cost": None, "usage_source": ""}
    end(running, status="failed", call=nothing)
    assert "unknown" not in show(page, running).replace("Time to first text", "")


def test_a_concluded_conversation_is_sealed(page: Client, answer: Message) -> None:
    Conversation.objects.update(state="concluded", concluded_at=timezone.now())
    shown = show(page, answer)
    assert "This conversation is concluded." in shown
    assert 'name="prompt"' not in shown
    assert "Retry" not in shown


def test_a_missing_worker_is_told_of(page: Client, answer: Message) -> None:
    assert "No worker is running." in show(page, answer)
