"""An answer comes out of the seam exactly as the provider meant it, whatever it holds and however its bytes travel."""

import pytest

from conversations.llm import Finished, Started, Text, Usage
from conversations.llm.decode import EventDecoder
from conversations.llm.reading import Reading
from tests.llm.conftest import Ask

HARD_TEXTS = ["Grüße ", "👩🏽‍🚀", " 漢字", "\u2028", "\r\n", '\\ud83d " data: x\n\n', "event: y", "é" * 50, " – end"]


def test_answer_is_started_then_text_then_finished(ask: Ask) -> None:
    answer = ask(tokens=5, usage={"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 5})
    assert [type(event) for event in answer.events[:1] + answer.events[-1:]] == [Started, Finished]
    assert answer.started.response_id.startswith("resp_")
    assert answer.started.model == "gpt-4o-2024-11-20"
    assert answer.started.request_id == "req_1"
    assert answer.finished == Finished("completed", answer.text, Usage(9, 4, 5, 0), "gpt-4o-2024-11-20", "")


def test_final_text_is_told_where_it_differs_from_the_deltas(ask: Ask) -> None:
    answer = ask(text="one two", final="one, two")
    assert answer.text == "one two"
    assert answer.finished.text == "one, two"


def test_missing_usage_and_text_are_none(ask: Ask) -> None:
    answer = ask(texts=[], usage={})
    assert answer.finished.usage is None
    assert answer.finished.text is None


def test_u14_incomplete_keeps_the_reason_as_given(ask: Ask) -> None:
    for reason in ("max_output_tokens", "content_filter", "max_tokens"):
        answer = ask(text="half an", incomplete=reason)
        assert answer.finished.outcome == "incomplete"
        assert answer.finished.reason == reason
        assert answer.finished.text == answer.text == "half an"


def test_u15_refusal_is_streamed_as_text_and_ends_refused(ask: Ask) -> None:
    answer = ask(refusal="I cannot help with that.")
    assert answer.text == "I cannot help with that."
    assert answer.finished.outcome == "refused"
    assert answer.finished.text == answer.text
    assert answer.finished.usage is not None


def test_u16_unknown_events_items_and_fields_are_passed_over(ask: Ask) -> None:
    answer = ask(text="all is well", unknown=True)
    assert answer.text == answer.finished.text == "all is well"
    assert answer.finished.outcome == "completed"


@pytest.mark.parametrize(
    "travel",
    [
        {"packet_bytes": 1},
        {"packet_bytes": 7, "newline": "\r\n", "comments": True},
        {"packet_bytes": 1, "newline": "\r\n"},
        {"newline": "\r"},
        {"split_utf8": True},
        {"comments": True},
        {},
    ],
)
def test_u18_text_is_exact_however_the_bytes_travel(ask: Ask, travel: dict[str, object]) -> None:
    answer = ask(texts=HARD_TEXTS, **travel)
    assert answer.text == answer.finished.text == "".join(HARD_TEXTS)


def test_u18_event_of_five_megabytes_is_exact(ask: Ask) -> None:
    answer = ask(texts=["a"], big_delta=5_000_000)
    assert answer.text == answer.finished.text == "a" + "x" * 5_000_000


def test_u21_nulls_controls_and_long_lines_come_through(ask: Ask) -> None:
    texts = ["a\x00b", "\x1b[31m", "\u202egnp.exe", "x" * 200_000]
    answer = ask(texts=texts)
    assert answer.text == answer.finished.text == "".join(texts)


def test_u21_surrogates_cut_between_deltas_make_one_character(ask: Ask) -> None:
    answer = ask(texts=["smile \ud83d", "\ude00 and \ud83d", "\ude80"], delay_ms=5)
    assert answer.text == answer.finished.text == "smile 😀 and 🚀"


def test_u21_lone_surrogates_are_left_to_the_record(ask: Ask) -> None:
    answer = ask(texts=["a\ud800", "b\udc00", "c\ud800"], delay_ms=5)
    assert answer.text == answer.finished.text == "a\ud800b\udc00c\ud800"


def test_code_interpreter_is_told_as_an_activity_that_ends(ask: Ask) -> None:
    answer = ask(text="The result is 1.", code_interpreter={})
    assert answer.activities == ["Running code…", ""]
    assert answer.finished.text == "The result is 1."


def test_deltas_of_one_packet_are_one_text_event() -> None:
    deltas = [b'data: {"type":"response.output_text.delta","delta":"%d "}\n\n' % number for number in range(100)]
    events = Reading().read(EventDecoder().feed(b"".join(deltas)))
    assert [event.text for event in events if isinstance(event, Text)] == ["".join(f"{n} " for n in range(100))]
