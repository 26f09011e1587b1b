"""The views for tools of others: as the document says, column by column, and without what people wrote."""

import re
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.db.utils import InternalError, NotSupportedError, OperationalError, ProgrammingError
from django.utils import timezone

from conversations.models import Conversation, Generation, Message, Trial
from records.models import Review, ReviewLabel, ReviewPolicy
from records.services.facts import keep_facts
from records.services.usage_facts import keep_usage
from tests.factories import make_file, make_model, make_user
from tests.reporting.used import counted, kept, moment, rate, remove, total, used_at
from tests.services.calls import sql
from tests.structure.source import ROOT

pytestmark = pytest.mark.django_db
SECRET = "umbrella-4711"
DOCUMENT = (ROOT / "docs" / "reporting.md").read_text(encoding="utf-8")
TEXT_VIEW = "reporting_message_text"

# Why a column of the record is in no view.
TEXT = "what somebody wrote"
SECRETS = "of no use to anybody else, or a secret"
INNER = "how the app does its work"
LEFT_OUT = {
    "accounts_user": {
        "password": SECRETS,
        "is_superuser": SECRETS,
    },
    "auth_group": {},
    "accounts_user_groups": {"id": INNER},
    "conversations_assistant": {
        "description": TEXT,
        "instructions": TEXT,
        "suggested_prompts": TEXT,
        "parameters": INNER,
        "tools": INNER,
        "position": INNER,
    },
    "conversations_languagemodel": {
        "tools": INNER,
        "announced_shutdown_date": INNER,
        "checked_at": INNER,
        "is_listed": INNER,
        "listed_at": INNER,
    },
    "conversations_modelprice": {"id": INNER},
    "conversations_conversation": {
        "title": TEXT,
        "is_title_provisional": INNER,
        "current_leaf_id": INNER,
        "is_batched": INNER,
        "pinned_at": INNER,
        "seen_at": INNER,
    },
    "records_conversationfact": {"model_ids": INNER, "last_activity_at": INNER, "updated_at": INNER},
    "conversations_message": {
        "activity": TEXT,
        "error_text": TEXT,
        "attempt": INNER,
        "client_token": SECRETS,
        "options": TEXT,
        "search_vector": TEXT,
    },
    "conversations_generation": {
        "instructions": TEXT,
        "parameters": TEXT,
        "error_detail": TEXT,
        "response_id": SECRETS,
        "request_id": SECRETS,
        "job_id": INNER,
        "first_message_id": INNER,
        "price_id": INNER,
        "reserved_tokens": INNER,
        "reserved_cost": INNER,
    },
    "conversations_trial": {"prompt": TEXT, "text": TEXT, "assistant_id": INNER, "follows_id": INNER},
    "conversations_attachment": {
        "name": TEXT,
        "failure": TEXT,
        "bucket": SECRETS,
        "key": SECRETS,
        "sha256": SECRETS,
        "container_id": SECRETS,
        "container_file_id": SECRETS,
        "source_id": SECRETS,
        "provider_file_id": SECRETS,
        "provider_file_expires_at": INNER,
        "is_read": INNER,
    },
    "conversations_feedback": {},
    "records_review": {"note": TEXT},
    "records_usagefact": {"id": INNER, "is_removed": INNER},
}


def documented() -> dict[str, tuple[str, list[tuple[str, str, str]]]]:
    """Return each view of the document: what it says of it, and of its columns."""
    found = {}
    for name, words, rows in re.findall(
        r"^### (reporting_\w+)\n\n(.+?)\n\n\| column \| type \| meaning \|\n\| --- \| --- \| --- \|\n((?:\|.*\n)+)",
        DOCUMENT,
        flags=re.MULTILINE,
    ):
        cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows.splitlines()]
        found[name] = (words, [(column, kind, meaning) for column, kind, meaning in cells])
    return found


def there() -> dict[str, tuple[str, list[tuple[str, str, str]]]]:
    """Return the same of the database."""
    views = sql(
        "SELECT relname::text, obj_description(oid) FROM pg_class WHERE relkind = 'v' AND relname LIKE 'reporting\\_%%'"
    )
    return {
        name: (
            words,
            sql(
                "SELECT attname::text, format_type(atttypid, NULL), col_description(attrelid, attnum) FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
                name,
            ),
        )
        for name, words in views
    }


VIEWS = list(documented())


def rows(view: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{view}"')
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture
def conversation() -> Conversation:
    """A conversation with a row in every table that the views read, and the secret in every text that people write."""
    owner = make_user(username="ann", first_name="Ann", last_name="Law")
    owner.groups.add(Group.objects.create(name="Legal"))
    conversation = used_at("2026-03-05", owner=owner)
    Conversation.objects.update(title=SECRET)
    Message.objects.update(text=SECRET, activity=SECRET, error_text=SECRET)
    Generation.objects.update(
        instructions=SECRET, parameters={"user": SECRET}, error_detail=SECRET, response_id=SECRET, request_id=SECRET,
        finished_at=moment("2026-03-05", "12:01"),
    )  # fmt: skip
    answer = conversation.messages.get(role="assistant")
    make_file(owner, message=answer.parent, name=f"{SECRET}.png")
    make_file(owner, message=answer, data=None, name=SECRET, failure=SECRET, container_id=SECRET)
    rate(answer, "up")
    sql("UPDATE conversations_feedback SET reason = %s", SECRET)
    call = Generation.objects.create(
        purpose="test", status="completed", model=make_model(), model_asked="gpt-4o", started_at=moment("2026-03-05"),
        usage_source="exact", input_tokens=5, output_tokens=3, cost="0.00001",
    )  # fmt: skip
    Trial.objects.create(generation=call, asked_by=make_user(), prompt=SECRET, text=SECRET)
    review = Review.objects.create(
        conversation=conversation, state="done", claimed_by=make_user(), claimed_at=timezone.now(), verdict="concern",
        decided_at=timezone.now(), note=SECRET,
    )  # fmt: skip
    review.labels.add(*(ReviewLabel.objects.create(name=name) for name in ("Unkind", "Secret")))
    policy = ReviewPolicy.objects.create(name="Bad answers", kind="feedback")
    for message in conversation.messages.all():
        review.reasons.create(policy=policy, message_id=message.pk, at=timezone.now(), words=SECRET)
    keep_facts()
    keep_usage()
    return conversation


def test_every_view_is_documented_column_by_column_in_the_words_of_its_comments() -> None:
    assert documented() == there()
    assert len(VIEWS) == 12


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_can_be_read_and_holds_what_it_is_for(conversation: Conversation, view: str) -> None:
    found = rows(view)
    assert found
    assert list(found[0]) == [column for column, _, _ in documented()[view][1]]


def test_v5_no_view_but_the_one_of_texts_holds_what_anybody_wrote_or_a_secret(conversation: Conversation) -> None:
    told = {view: str(rows(view)) for view in VIEWS}
    assert [view for view, text in told.items() if SECRET in text] == [TEXT_VIEW]
    (file,) = [row for row in rows("reporting_attachment") if row["state"] == "ready"]
    assert set(file) & {"name", "key", "bucket", "sha256"} == set()


def test_every_column_of_the_record_is_in_a_view_or_left_out_for_a_reason() -> None:
    shown = {
        (table, column)
        for table, column in sql(
            "SELECT DISTINCT table_name::text, column_name::text FROM information_schema.view_column_usage"
            " WHERE view_name LIKE 'reporting\\_%%'"
        )
    }
    decided = shown | {(table, column) for table, columns in LEFT_OUT.items() for column in columns}
    columns = {
        (table, column)
        for table in LEFT_OUT
        for (column,) in sql("SELECT column_name::text FROM information_schema.columns WHERE table_name = %s", table)
    }
    assert columns - decided == set(), "New columns: show them in a view, or say why not."
    assert {(t, c) for t, cs in LEFT_OUT.items() for c in cs} & shown == set()
    assert {(t, c) for t, cs in LEFT_OUT.items() for c in cs} <= columns


def test_a_column_that_a_view_shows_cannot_be_dropped_or_changed_under_it() -> None:
    for change in ("DROP COLUMN finish_reason", "ALTER COLUMN finish_reason TYPE text"):
        with pytest.raises((NotSupportedError, OperationalError, InternalError), match="view"), transaction.atomic():
            sql(f"ALTER TABLE conversations_generation {change}")


def test_numbers_are_those_of_the_record(conversation: Conversation) -> None:
    answer = conversation.messages.get(role="assistant")
    (call,) = [row for row in rows("reporting_generation") if row["message_id"] == answer.pk]
    assert (call["first_text_ms"], call["total_ms"], call["person_id"]) == (700, 60_000, conversation.owner_id)
    (trial,) = [row for row in rows("reporting_generation") if row["purpose"] == "test"]
    assert trial["person_id"] == Trial.objects.get().asked_by_id
    (shown,) = rows("reporting_conversation")
    assert (shown["messages"], shown["files"], shown["thumbs_up"], shown["is_hidden"]) == (2, 2, 1, False)
    (said,) = [row for row in rows("reporting_message") if row["role"] == "assistant"]
    assert (said["characters"], said["assistant_id"]) == (len(SECRET), conversation.assistant_id)
    (review,) = rows("reporting_review")
    assert (review["labels"], review["policies"], review["verdict"]) == ("Secret; Unkind", "Bad answers", "concern")
    (person,) = [row for row in rows("reporting_person") if row["username"] == "ann"]
    assert person["name"] == "Ann Law"


def test_what_is_being_removed_is_in_no_view_but_in_the_sums(conversation: Conversation) -> None:
    used = total(counted())
    remove(conversation, until="tombstone")
    Conversation.objects.update(removal_begun_at=timezone.now())
    kinds = ("conversation", "message", "message_text", "attachment", "feedback", "review")
    assert [kind for kind in kinds if rows(f"reporting_{kind}")] == []
    assert [row["purpose"] for row in rows("reporting_generation")] == ["test"]
    daily = rows("reporting_usage_daily")
    mine = [row for row in daily if row["person_id"] == conversation.owner_id]
    assert {name: value for name, value in mine[0].items() if name in used} == used
    assert len(daily) == len(kept())


def test_days_of_which_a_part_was_removed_are_one_row() -> None:
    conversation = used_at("2026-03-05")
    other = used_at("2026-03-05", owner=conversation.owner, assistant=conversation.assistant)
    keep_usage()
    remove(other)
    (row,) = rows("reporting_usage_daily")
    assert (row["conversations"], row["prompts"]) == (2, 2)


def test_a_role_made_by_the_recipe_reads_the_views_and_nothing_else(conversation: Conversation) -> None:
    (recipe,) = re.findall(r"```sql\n(CREATE ROLE .*?)```", DOCUMENT, flags=re.DOTALL)
    here = recipe.replace("DATABASE verbatim ", f'DATABASE "{connection.settings_dict["NAME"]}" ')
    for statement in filter(None, map(str.strip, here.split(";"))):
        sql(statement)
    sql("GRANT verbatim_reading TO CURRENT_USER")
    sql("SET LOCAL ROLE verbatim_reading")
    for view in VIEWS:
        assert _may(f'SELECT count(*) FROM "{view}"') == (view != TEXT_VIEW), view
    for statement in (
        "SELECT text FROM conversations_message",
        "SELECT password FROM accounts_user",
        "SELECT * FROM audit_auditevent",
        "SELECT * FROM records_usagefact",
        "DELETE FROM reporting_person",
        "UPDATE reporting_person SET is_staff = true",
        "INSERT INTO conversations_message (text) VALUES ('')",
        "CREATE TABLE public.mine (id int)",
        "TRUNCATE audit_auditevent",
    ):
        assert not _may(statement), statement
    sql("RESET ROLE")


def _may(statement: str) -> bool:
    try:
        with transaction.atomic():
            sql(statement)
    except ProgrammingError as error:
        if "permission denied" not in str(error):
            raise
        return False
    return True


def test_ids_are_those_of_the_record(conversation: Conversation) -> None:
    ids: set[UUID] = {row["conversation_id"] for row in rows("reporting_message")}
    assert ids == {conversation.pk}
