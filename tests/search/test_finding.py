"""Search finds what was said, best first, and only one's own."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from accounts.models import User
from conversations.models import Attachment, Conversation, Message
from conversations.search import RANKED, search_messages
from conversations.services import index_messages
from tests.factories import make_assistant, make_file
from tests.search.said import attach, find, say, texts

NOON = datetime.datetime(2026, 5, 5, 12, tzinfo=datetime.UTC)


def test_words_are_found_in_prompts_answers_titles_and_files(anna: User) -> None:
    prompt, answer = say(anna, "Where is the umbrella?", "In the hall.", title="Rainy days")
    attach(prompt, "The invoice is due in May.", name="mail.txt")
    for query, message, source in (
        ("umbrella", prompt, "message"),
        ("hall", answer, "message"),
        ("rainy", prompt, "title"),
        ("invoice", prompt, "file"),
        ("mail.txt", prompt, "file"),
    ):
        (hit,) = find(anna, query).hits
        assert (hit.message_id, hit.source, hit.title) == (message.pk, source, "Rainy days")
        assert hit.file_name == ("mail.txt" if source == "file" else "")


def test_endings_of_words_do_not_matter(anna: User) -> None:
    say(anna, "We counted our happiness.")
    assert [len(find(anna, query).hits) for query in ("count", "COUNTING", "happy", "counter")] == [1, 1, 1, 0]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("red umbrella", {"a red umbrella", "an umbrella, red"}),
        ('"red umbrella"', {"a red umbrella"}),
        ("umbrella -red", {"a blue umbrella"}),
        ("blue or hat", {"a blue umbrella", "a red hat"}),
        ('-"red umbrella" red', {"an umbrella, red", "a red hat"}),
        ('"umbrella red" or "blue umbrella"', {"an umbrella, red", "a blue umbrella"}),
    ],
    ids=["all", "phrase", "without", "or", "without-a-phrase", "phrases"],
)
def test_the_signs_of_search_engines_work(anna: User, query: str, expected: set[str]) -> None:
    for text in ("a red umbrella", "an umbrella, red", "a blue umbrella", "a red hat"):
        say(anna, text)
    assert set(texts(find(anna, query))) == expected


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("Look at report.pdf, please", ["report", "report.pdf", "pdf"]),
        ("from anna.berg@example.org", ["anna", "berg", "example.org", "anna.berg@example.org"]),
        (
            "see https://wiki.example.org/how/to?x=1",
            ["wiki", "wiki.example.org/how", "https://wiki.example.org/how/to"],
        ),
        ("input/output and and/or", ["output", "input/output"]),
        ("C:\\Users\\Anna\\notes", ["users", "c:\\users"]),
        ("std::vector<String> & <b>bold</b>", ["string", "bold", "vector<string>"]),
        ("a state-of-the-art thing, COVID-19", ["state-of-the-art", "art", "covid-19", "covid 19", "19"]),
        ("on 2026-10-05 at 12:30", ["2026-10-05", "2026", '"12:30"']),
        ("version 3.14 costs -5 or +7", ["3.14", "5", "7"]),
        ("my_function(some_value)", ["function", "my_function", "some_value"]),
        ("Straße, naïve, ÄRGER, Ελλάδα, дом", ["straße", "naïve", "ärger", "ελλάδα", "дом"]),
    ],
    ids=["file", "mail", "link", "slash", "path", "tags", "hyphens", "date", "numbers", "names", "letters"],
)
def test_words_that_signs_join_are_found_apart_and_together(anna: User, text: str, queries: list[str]) -> None:
    say(anna, text)
    assert [query for query in queries if not find(anna, query).hits] == []


def test_titles_rank_before_messages_and_these_before_files(anna: User) -> None:
    in_file = say(anna, "a", title="One")[0]
    attach(in_file, "umbrella")
    in_message = say(anna, "umbrella", title="Two")[0]
    in_title = say(anna, "b", title="Umbrella")[0]
    say(anna, "hat", title="Hat")
    found = find(anna, "umbrella")
    assert [hit.message_id for hit in found.hits] == [in_title.pk, in_message.pk, in_file.pk]


def test_words_close_together_rank_before_words_far_apart(anna: User) -> None:
    filler = "one two three four five six seven eight nine ten " * 5
    far = say(anna, f"red {filler} umbrella")[0]
    near = say(anna, f"red umbrella {filler}")[0]
    say(anna, "red")
    assert [hit.message_id for hit in find(anna, "red umbrella").hits] == [near.pk, far.pk]


def test_equals_come_newest_first_and_twenty_on_a_page(anna: User) -> None:
    said = say(anna, *["umbrella"] * 45)
    newest_first = [message.pk for message in reversed(said)]
    pages = [find(anna, "umbrella", page=number) for number in (1, 2, 3, 4, 0, -5, 10**30)]
    assert [[hit.message_id for hit in page.hits] for page in pages] == [
        newest_first[:20],
        newest_first[20:40],
        newest_first[40:],
        [],
        newest_first[:20],
        newest_first[:20],
        [],
    ]
    assert [page.has_more for page in pages] == [True, True, False, False, True, True, False]


def test_the_newest_five_hundred_are_ranked_and_that_is_said(anna: User) -> None:
    old = say(anna, "umbrella umbrella umbrella", at=NOON)[0]
    say(anna, *["an umbrella"] * (RANKED - 1))
    found = find(anna, "umbrella")
    assert (found.hits[0].message_id, found.is_capped) == (old.pk, False)
    say(anna, "an umbrella")
    found = find(anna, "umbrella")
    assert old.pk not in [hit.message_id for hit in found.hits]
    assert (found.is_capped, found.note) == (True, "The newest 500 matches, best first.")
    assert not find(anna, "umbrella", page=25).has_more


def test_what_was_said_years_ago_is_found(anna: User) -> None:
    for months in range(0, 120, 5):
        say(anna, f"umbrella {months}", at=NOON.replace(year=2025 - months // 12, month=12 - months % 12))
    found = [find(anna, "umbrella", page=page) for page in (1, 2)]
    assert {text for page in found for text in texts(page)} == {f"umbrella {months}" for months in range(0, 120, 5)}


def test_nobody_finds_what_others_said(anna: User, boris: User) -> None:
    say(anna, "umbrella", title="umbrella")
    attach(say(anna, "here")[0], "umbrella")
    assert find(boris, "umbrella").hits == []
    mine = say(boris, "umbrella")[0]
    assert [hit.message_id for hit in find(boris, "umbrella").hits] == [mine.pk]


@pytest.mark.parametrize(
    "trick", ["'\x01{id} {month}'", "\x01{id} {month}", '"{id} {month}"', "{id} {month} or umbrella"]
)
def test_no_query_can_name_whose_messages_are_searched(anna: User, boris: User, trick: str) -> None:
    secret = say(anna, "umbrella")[0]
    say(boris, "hat")
    query = trick.format(id=anna.pk, month=f"{secret.created_at:%Y-%m}")
    assert find(boris, query).hits == []


def test_what_is_hidden_is_not_found_until_it_is_restored(anna: User) -> None:
    message = say(anna, "umbrella")[0]
    conversation = Conversation.objects.filter(pk=message.conversation_id)
    assert len(find(anna, "umbrella").hits) == 1
    conversation.update(hidden_at=timezone.now())
    assert find(anna, "umbrella").hits == []
    conversation.update(hidden_at=None)
    assert len(find(anna, "umbrella").hits) == 1


def test_files_that_are_gone_are_not_found(anna: User) -> None:
    message = say(anna, "here")[0]
    make_file(anna, message=message, name="umbrella.png", state=Attachment.State.FAILED, data=None)
    assert find(anna, "umbrella").hits == []


def test_filters_leave_one_assistant_and_some_days(anna: User) -> None:
    one, two = make_assistant(), make_assistant()
    for assistant, day in ((one, 5), (one, 6), (two, 6), (one, 7)):
        say(anna, f"umbrella {assistant.pk} {day}", assistant=assistant, at=NOON.replace(day=day))
    sixth = datetime.date(2026, 5, 6)

    def days(**options: object) -> set[str]:
        return {text.split()[-1] for text in texts(find(anna, "umbrella", **options))}

    assert days(assistant_id=two.pk) == {"6"}
    assert days(assistant_id=one.pk) == {"5", "6", "7"}
    assert days(assistant_id=0) == set()
    assert days(since=sixth) == {"6", "7"}
    assert days(until=sixth) == {"5", "6"}
    assert texts(find(anna, "umbrella", assistant_id=one.pk, since=sixth, until=sixth)) == [f"umbrella {one.pk} 6"]


def test_days_are_whole_ones(anna: User) -> None:
    midnight = datetime.datetime(2026, 5, 6, tzinfo=datetime.UTC)
    moment = datetime.timedelta(microseconds=1)
    for number, at in enumerate((midnight - moment, midnight, midnight + datetime.timedelta(days=1) - moment)):
        say(anna, f"umbrella {number}", at=at)
    day = datetime.date(2026, 5, 6)
    assert set(texts(find(anna, "umbrella", since=day, until=day))) == {"umbrella 1", "umbrella 2"}
    for first, last in ((datetime.date.min, datetime.date.max), (None, datetime.date.max), (datetime.date.min, None)):
        assert len(find(anna, "umbrella", since=first, until=last).hits) == 3
    assert find(anna, "umbrella", since=day, until=datetime.date(2026, 5, 5)).problem
    assert find(anna, "umbrella", since=datetime.date(2300, 1, 1)).hits == []


def test_an_answer_that_is_being_written_is_found_when_it_has_ended(anna: User) -> None:
    answer = say(anna, "hat", "umbrella")[1]
    Message.objects.filter(pk=answer.pk).update(status="streaming")
    assert find(anna, "umbrella").hits == []
    Message.objects.filter(pk=answer.pk).update(status="stopped")
    assert [hit.message_id for hit in find(anna, "umbrella").hits] == [answer.pk]


def test_hits_name_who_answered(anna: User) -> None:
    one, two = make_assistant(), make_assistant()
    answer = say(anna, "umbrella", "umbrella indeed", assistant=one)[1]
    Message.objects.filter(pk=answer.pk).update(assistant=two)
    names = {hit.role: hit.assistant_name for hit in find(anna, "umbrella").hits}
    assert names == {"user": one.name, "assistant": two.name}


def test_searching_takes_a_few_queries_however_much_is_found(
    anna: User, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    for _ in range(15):
        attach(say(anna, "umbrella", "umbrella")[0], "umbrella")
    index_messages()
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        assert len(search_messages(anna, "umbrella").hits) == 20
