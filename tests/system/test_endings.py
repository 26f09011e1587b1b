"""How answers end when the provider does not do as hoped: eight statuses, and words that a person can act on."""

import pytest

from tests.fakes.process import FakeOpenAI
from tests.system.calls import answer_calls
from tests.system.client import Client
from tests.system.site import Site, marker


@pytest.fixture(scope="module")
def browser(site: Site) -> Client:
    return site.sign_in("endings")


@pytest.mark.parametrize(
    ("name", "scenario", "status", "code", "told", "calls"),
    [
        ("u2-quota", {"fault": "quota"}, "failed", "quota", "quota", 1),
        ("u7-key", {"fault": "wrong_key"}, "failed", "wrong_key", "key", 1),
        ("u7-gone", {"fault": "model_gone"}, "failed", "model_gone", "model", 1),
        ("u8-long", {"fault": "too_long"}, "failed", "too_long", "long", 1),
        ("u5-500", {"fault": "500"}, "failed", "provider_down", "", 3),
        ("u6-html", {"fault": "html"}, "failed", "provider_down", "", 3),
        ("u13-failed", {"fail": {"code": "server_error", "message": "x"}, "after": 5}, "failed", "", "", 1),
        ("u12-flat", {"flat_error": {"code": "server_error", "message": "x"}, "after": 5}, "failed", "", "", 1),
        ("u12-nested", {"nested_error": {"code": "server_error", "message": "x"}, "after": 5}, "failed", "", "", 1),
        ("u9-reset", {"fault": "reset"}, "interrupted", "connection", "", 1),
        ("u10-eof", {"fault": "eof"}, "interrupted", "connection", "", 1),
        ("u14-cut", {"incomplete": "max_output_tokens"}, "incomplete", "", "", 1),
        ("u14-odd", {"incomplete": "max_tokens"}, "incomplete", "", "", 1),
        ("u15-no", {"refusal": "I cannot help with that."}, "refused", "", "", 1),
        ("u16-unknown", {"unknown": True, "text": "Still here."}, "completed", "", "", 1),
        ("u18-bytes", {"packet_bytes": 1, "text": "naïve 😀 done", "delay_ms": 0}, "completed", "", "", 1),
        ("u21-nul", {"texts": ["a\u0000b", "\ud800", "c"], "delay_ms": 0}, "completed", "", "", 1),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("u") and "-" in value else "",
)
def test_an_answer_ends_as_the_provider_ended_it(
    site: Site,
    openai: FakeOpenAI,
    browser: Client,
    name: str,
    scenario: dict[str, object],
    status: str,
    code: str,
    told: str,
    calls: int,
) -> None:
    conversation, answer = browser.begin(f"{name} {marker(**scenario)}")

    row = site.wait_until_ended(answer, seconds=40)

    assert row["status"] == status
    assert row["error_code"] == code or not code
    made = site.sql(
        "SELECT status, usage_source FROM conversations_generation WHERE message_id = %s ORDER BY id", answer
    )
    assert len(made) == len(answer_calls(openai, name)) == calls
    assert made[-1][0] == status
    http_status, page, _ = browser.request("GET", f"/conversations/{conversation}/")
    assert http_status == 200
    assert told in page.lower()
    if status in ("failed", "interrupted"):
        assert "Retry" in page
    if "after" in scenario or "cut" in str(scenario.get("fault")):
        assert row["text"]
    for secret in ("sk-test-canary", "sk-proj", "cf-ray", "secret-page"):
        assert secret not in page


def test_u21_bad_code_points_are_stored_one_for_one(site: Site, browser: Client) -> None:
    _, answer = browser.begin("u21-exact " + marker(texts=["a\u0000b", "\ud83d", "\ude00", "\ud800", "c"], delay_ms=0))
    assert site.wait_until_ended(answer)["text"] == "a\ufffdb😀\ufffdc"


def test_u1_a_rate_limit_is_waited_out_and_said(site: Site, openai: FakeOpenAI, browser: Client) -> None:
    _, answer = browser.begin("u1-rate " + marker(fault="rate_limit", times=1))
    shown = [event["data"] for event in browser.stream(answer)]

    assert any("Trying again in" in data for data in shown)
    assert site.message(answer)["status"] == "completed"
    calls = answer_calls(openai, "u1-rate")
    assert len(calls) == 2
    assert calls[1]["at"] - calls[0]["at"] >= 2
    rows = site.sql(
        "SELECT status, error_code, input_tokens FROM conversations_generation WHERE message_id = %s ORDER BY id",
        answer,
    )
    assert [row[0] for row in rows] == ["failed", "completed"]
    assert rows[0][1:] == ("rate_limited", None)


def test_the_final_text_of_the_provider_is_what_is_stored_and_shown(site: Site, browser: Client) -> None:
    _, answer = browser.begin("final-differs " + "x" * 100 + marker(text="What was streamed.", final="What was meant."))
    last = list(browser.stream(answer))[-2]["data"]
    assert "What was meant." in last
    assert "What was streamed." not in last
    assert site.message(answer)["text"] == "What was meant."
    assert "final text differs" in site.log("worker")


def test_i9_neither_prompts_nor_answers_nor_keys_are_in_the_logs(site: Site, browser: Client) -> None:
    _, answer = browser.begin("canary-prompt-7391 " + marker(text="canary-answer-7391"))
    site.wait_until_ended(answer)
    for name in ("web", "worker"):
        assert "7391" not in site.log(name)
        assert "sk-test-canary" not in site.log(name)
