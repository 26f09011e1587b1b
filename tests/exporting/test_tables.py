"""The CSV and JSONL exports: every message of the tree, with what is known of it."""

from __future__ import annotations

import csv
import io
import re
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import User
from conversations.exporting import FORMATS, choose
from conversations.exporting.csv import COLUMNS
from conversations.models import Attachment, Conversation, Generation, Message, MessageChunk
from tests.exporting.said import (
    BEGAN,
    add_many,
    answer,
    branched,
    chosen,
    exported,
    hide,
    lines,
    make_conversation,
    say,
    table,
)
from tests.factories import make_assistant, make_file, make_model, make_user
from tests.structure.source import ROOT


def test_role_and_content_come_first_and_the_columns_are_these() -> None:
    assert list(COLUMNS)[:23] == [
        "role", "content", "conversation_id", "conversation_title", "message_id", "parent_id", "status",
        "on_shown_path", "created_at", "finished_at", "assistant", "model_asked", "model_answered", "input_tokens",
        "cached_tokens", "output_tokens", "reasoning_tokens", "usage_source", "cost_usd", "first_text_ms", "rating",
        "rating_reason", "files",
    ]  # fmt: skip


def test_the_document_names_every_column_in_its_order() -> None:
    text = (ROOT / "docs" / "exports.md").read_text(encoding="utf-8")
    rows = [line.split(" | ")[0] for line in text.split("| column |")[1].split("\n\n")[0].splitlines()]
    assert [name for row in rows for name in re.findall("`([a-z_]+)`", row)] == list(COLUMNS)


def test_the_table_is_utf_8_with_its_mark_and_quoted_as_rfc_4180_has_it(owner: User) -> None:
    conversation = make_conversation(owner, 'Said "so", and über')
    say(conversation, 'One, two\nthree "four"\n\n\tfive\r\nsix\u2028seven 😀')
    data = exported(owner, "csv", conversation)
    assert data.startswith(b"\xef\xbb\xbfrole,content,conversation_id,")
    assert data.count(b"\xef\xbb\xbf") == 1
    assert data.endswith(b"\r\n")
    header, row = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
    assert len(header) == len(row) == len(COLUMNS)
    assert row[:4] == [
        "user", "One, two\nthree \"four\"\n\n\tfive\r\nsix\u2028seven 😀", str(conversation.pk), 'Said "so", and über',
    ]  # fmt: skip


def test_every_message_of_the_tree_is_a_row_and_the_shown_path_is_marked(owner: User) -> None:
    found = table(exported(owner, "csv", branched(owner)))
    assert [(row["role"], row["content"], row["on_shown_path"], row["version"], row["versions"]) for row in found] == [
        ("user", "What is on record?", "true", "1", "1"),
        ("assistant", "Nothing.", "false", "1", "2"),
        ("assistant", "Everything that was **said**.", "true", "2", "2"),
        ("user", "And therefore?", "false", "1", "2"),
        ("assistant", "Therefore nothing.", "false", "1", "1"),
        ("user", "And so what follows?", "true", "2", "2"),
        ("assistant", "That it can be proven.", "true", "1", "1"),
    ]
    ids = {row["message_id"]: row["content"] for row in found}
    assert [ids.get(row["parent_id"], "") for row in found] == [
        "", "What is on record?", "What is on record?", "Everything that was **said**.", "And therefore?",
        "Everything that was **said**.", "And so what follows?",
    ]  # fmt: skip


def test_an_answer_tells_its_model_tokens_cost_time_and_rating(owner: User) -> None:
    conversation = branched(owner)
    prompt, _, rated, *_, last = table(exported(owner, "csv", conversation))
    file = Attachment.objects.get()
    expected = {
        "status": "completed",
        "created_at": "2026-03-01T10:00:00+00:00",
        "finished_at": "2026-03-01T10:00:00+00:00",
        "assistant": "Archivist",
        "model_asked": "gpt-4o",
        "model_answered": "gpt-4o-2024-11-20",
        "input_tokens": "1200",
        "cached_tokens": "200",
        "output_tokens": "34",
        "reasoning_tokens": "0",
        "usage_source": "exact",
        "cost_usd": "0.00334000",
        "first_text_ms": "420",
        "rating": "up",
        "rating_reason": "It is right",
        "files": "",
        "model_calls": "1",
    }
    assert {name: rated[name] for name in expected} == expected
    unknown = ("finished_at", "assistant", "model_asked", "input_tokens", "usage_source", "cost_usd", "rating")
    assert {prompt[name] for name in unknown} == {""}
    assert prompt["files"] == f"sums.csv ({file.address})"
    assert (last["status"], last["finish_reason"]) == ("incomplete", "max_output_tokens")


UNKNOWN = {"input_tokens": None, "cached_tokens": None, "output_tokens": None, "usage_source": "", "cost": None}
KNOWN_COSTS = [
    pytest.param({}, ("exact", "34", "0.00334000"), id="exact"),
    pytest.param({"usage_source": "estimated"}, ("estimated", "34", "0.00334000"), id="estimated"),
    pytest.param({"cost": None}, ("exact", "34", ""), id="no price"),
    pytest.param(UNKNOWN, ("", "", ""), id="nothing told"),
    pytest.param({"started_at": None, **UNKNOWN}, ("", "", ""), id="never asked"),
]


@pytest.mark.parametrize(("call", "expected"), KNOWN_COSTS)
def test_what_is_unknown_is_empty_and_never_0(owner: User, call: dict[str, Any], expected: tuple[str, ...]) -> None:
    conversation = make_conversation(owner)
    answer(say(conversation, "Hello"), "Hello there", call=call)
    row = table(exported(owner, "csv", conversation))[1]
    assert (row["usage_source"], row["output_tokens"], row["cost_usd"]) == expected


def test_calls_of_several_steps_are_summed_and_one_without_a_count_makes_the_sum_a_part(owner: User) -> None:
    conversation = make_conversation(owner)
    said = answer(say(conversation, "Hello"), "Hello there")
    second = Generation.objects.get()
    second.pk, second.step = uuid4(), 2
    second.save(force_insert=True)
    row = table(exported(owner, "csv", conversation))[1]
    assert (row["model_calls"], row["input_tokens"], row["cost_usd"]) == ("2", "2400", "0.00668000")
    Generation.objects.filter(message=said, step=2).update(output_tokens=None, cost=None)
    row = table(exported(owner, "csv", conversation))[1]
    assert (row["usage_source"], row["cost_usd"]) == ("partial", "")


def test_a_model_that_costs_nothing_costs_0(owner: User) -> None:
    conversation = make_conversation(owner)
    local = make_model("small", is_local=True, priced=False)
    answer(say(conversation, "Hello"), "Hi", call={"cost": None, "model": local, "model_asked": "small"})
    assert table(exported(owner, "csv", conversation))[1]["cost_usd"] == "0"


def test_an_answer_by_another_assistant_tells_its_name(owner: User) -> None:
    conversation = make_conversation(owner)
    answer(say(conversation, "Hello"), "Hi", assistant=make_assistant(name="Counsel"))
    assert table(exported(owner, "csv", conversation))[1]["assistant"] == "Counsel"


def test_a_line_of_json_holds_all_that_is_on_record_unchanged(owner: User) -> None:
    conversation = branched(owner)
    found = lines(exported(owner, "jsonl", conversation))
    prompt, _, rated, *_ = found
    message = Message.objects.get(pk=rated["message_id"])
    call = Generation.objects.get(message=message)
    file = Attachment.objects.get()
    assert rated["conversation"] == {
        "id": str(conversation.pk),
        "title": "Two ways to say it",
        "state": "open",
        "assistant": {"slug": "archivist", "name": "Archivist"},
        "model": None,
        "continued_from": None,
        "created_at": "2026-03-01T10:00:00+00:00",
        "last_activity_at": "2026-03-01T10:00:00+00:00",
        "concluded_at": None,
        "concluded_by": "",
    }
    assert rated["content"] == "Everything that was **said**."
    assert (rated["parent_id"], rated["on_shown_path"]) == (prompt["message_id"], True)
    assert rated["feedback"]["rating"] == "up"
    (told,) = rated["generations"]
    assert (told["id"], told["model"], told["parameters"]) == (str(call.pk), "gpt-4o", {})
    assert (told["cost_usd"], told["first_text_at"]) == ("0.00334000", "2026-03-01T10:00:00.420000+00:00")
    assert [entry["on_shown_path"] for entry in found] == [True, False, True, False, False, True, True]
    (attached,) = prompt["attachments"]
    assert {name: attached[name] for name in ("id", "sha256", "address", "size", "name")} == {
        "id": str(file.pk),
        "sha256": file.sha256,
        "address": file.address,
        "size": 8,
        "name": "sums.csv",
    }


def test_instructions_and_details_for_administrators_stay_inside(owner: User) -> None:
    conversation = make_conversation(owner)
    secret = {"instructions": "The persona's secret", "error_detail": "The provider's secret", "error_code": "timeout"}
    answer(say(conversation, "Hello"), "", status="failed", error_code="timeout", call=secret)
    for form in ("csv", "jsonl", "md", "zip"):
        assert b"secret" not in exported(owner, form, conversation), form
    assert table(exported(owner, "csv", conversation))[1]["error_code"] == "timeout"


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "\t\r\n x \r",
        "\u2028\u2029\x85 line",
        "\x00\x1b[31m",
        'quote " and \\ back',
        "😀 e\u0301 \ufeff\u202e",
        " ",
    ],
    ids=["formula", "blanks", "line breaks", "controls", "quotes", "beyond ASCII", "blank"],
)
def test_json_lines_keep_each_character_and_hold_no_break_of_any_kind(owner: User, text: str) -> None:
    text = text.replace("\x00", "\ufffd")  # what the record makes of U+0000
    conversation = make_conversation(owner, title=text)
    say(conversation, text)
    data = exported(owner, "jsonl", conversation)
    assert len(data.decode().splitlines()) == 1
    (found,) = lines(data)
    assert (found["content"], found["conversation"]["title"]) == (text, text)


def test_an_answer_that_is_being_written_is_told_as_far_as_it_has_come(owner: User) -> None:
    conversation = make_conversation(owner)
    running = say(conversation, "", parent=say(conversation, "Hello"), role="assistant", status="streaming")
    MessageChunk.objects.create(message=running, start=0, text="Once upon ")
    MessageChunk.objects.create(message=running, start=10, text="a time")
    row = table(exported(owner, "csv", conversation))[1]
    assert (row["status"], row["content"]) == ("streaming", "Once upon a time")
    assert "Streaming" in exported(owner, "md", conversation).decode()


def test_all_means_every_conversation_that_is_not_hidden_oldest_first(owner: User) -> None:
    for title in ("First", "Second", "Hidden"):
        say(make_conversation(owner, title), "Hello")
    hide(Conversation.objects.get(title="Hidden"))
    say(make_conversation(make_user(), "Somebody else's"), "Hello")
    assert [row["conversation_title"] for row in table(exported(owner, "csv"))] == ["First", "Second"]
    assert table(exported(make_user(), "csv")) == []
    assert exported(make_user(), "jsonl") == exported(make_user(), "md") == b""


def test_a_choice_with_anything_that_is_not_theirs_is_no_choice(owner: User) -> None:
    mine, hidden, foreign = make_conversation(owner), make_conversation(owner), make_conversation(make_user())
    hide(hidden)
    for wrong in (hidden.pk, foreign.pk, uuid4()):
        with pytest.raises(Conversation.DoesNotExist):
            choose(person=owner, ids=[mine.pk, wrong])
    assert choose(person=owner, ids=[mine.pk, mine.pk]).messages == {mine.pk: 0}


def test_a_conversation_that_is_hidden_in_the_middle_is_no_whole_export(owner: User) -> None:
    conversation = make_conversation(owner)
    add_many(conversation, 3, text="x" * 400_000)
    pieces = FORMATS["csv"].pieces(chosen(owner, conversation))
    next(pieces)
    hide(conversation)
    with pytest.raises(Exception, match="not visible any more"):
        list(pieces)


def test_it_takes_as_many_queries_for_many_messages_as_for_few(owner: User, django_assert_num_queries: Any) -> None:
    for _ in range(20):
        conversation = make_conversation(owner)
        for _ in range(5):
            answer(say(conversation, "Hello", parent=conversation.current_leaf), "Hello there")
    with django_assert_num_queries(7):  # which, their trees, then messages, calls, files and ratings of one batch
        assert len(table(exported(owner, "csv"))) == 200


def test_long_texts_are_read_a_few_at_a_time(owner: User, django_assert_num_queries: Any) -> None:
    conversation = make_conversation(owner)
    for text in ("a", "b" * 1_200_000, "c", "d" * 600_000, "e" * 600_000):
        say(conversation, text, parent=conversation.current_leaf)
    with django_assert_num_queries(3 + 4 * 4):  # a, b, c with d, e
        found = table(exported(owner, "csv", conversation))
    assert [row["content"][:1] for row in found] == list("abcde")


def test_a_file_that_is_not_kept_is_told_by_its_state(owner: User) -> None:
    conversation = make_conversation(owner)
    prompt = say(conversation, "Look")
    make_file(owner, message=prompt, data=None, name="gone.pdf")
    deleted = make_file(owner, message=prompt, name="deleted.png")
    Attachment.objects.filter(pk=deleted.pk).update(state="deleted")
    assert table(exported(owner, "csv", conversation))[0]["files"] == "gone.pdf (failed)"
    (attached,) = lines(exported(owner, "jsonl", conversation))[0]["attachments"]
    assert (attached["state"], attached["address"], attached["sha256"]) == ("failed", None, None)


def test_a_repeated_message_names_the_one_that_it_repeats(owner: User) -> None:
    old = make_conversation(owner, state="concluded", concluded_at=BEGAN, concluded_by="owner")
    original = say(old, "Hello")
    new = make_conversation(owner, continued_from=old)
    say(new, "Hello", copy_of=original)
    row = table(exported(owner, "csv", new))[0]
    assert (row["copy_of"], row["conversation_state"]) == (str(original.pk), "open")
    assert table(exported(owner, "csv", old))[0]["conversation_state"] == "concluded"
    assert lines(exported(owner, "jsonl", new))[0]["conversation"]["continued_from"] == str(old.pk)
