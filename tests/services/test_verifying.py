"""The record is checked against what was sealed: whatever was changed by hand is found, and named."""

from __future__ import annotations

import datetime
import io
from decimal import Decimal
from typing import Any, BinaryIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from conversations.files import storage
from conversations.models import (
    Attachment,
    Conversation,
    Event,
    Generation,
    Message,
    ModelPrice,
    SealedDocument,
)
from conversations.services import canonical, seal_conversation
from tests.factories import make_file, make_user
from tests.fakes.folder import FilesFolder
from tests.services.concluded import bounded, make_answered, make_concluded, make_long, make_sealed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Any) -> FilesFolder:
    return FilesFolder(settings, tmp_path)


def run(**options: Any) -> str:
    out = io.StringIO()
    call_command("verify_record", stdout=out, **options)
    return out.getvalue()


def findings(**options: Any) -> list[str]:
    """The lines of a check that ends with 1, without its summary."""
    out = io.StringIO()
    with pytest.raises(CommandError) as ended:
        call_command("verify_record", stdout=out, **options)
    assert ended.value.returncode == 1
    lines = out.getvalue().splitlines()
    assert f"{len(lines)} finding" in str(ended.value)
    return lines


def flip(folder: FilesFolder, key: str, place: int) -> None:
    """Change one bit of an object."""
    path = folder.path / key
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_where_nothing_was_changed_nothing_is_found() -> None:
    make_sealed(turns=2)
    make_sealed("Another")
    make_answered("Open")
    assert run() == "Looked at 2 sealed documents, 3 files and 3 audit events (0 anchors): all are as they were.\n"


def test_a_byte_of_a_message_is_found_and_the_message_named() -> None:
    sealed = make_sealed(turns=2)
    make_sealed("Another")
    answer = sealed.conversation.messages.order_by("id").last()
    assert answer is not None
    Message.objects.filter(pk=answer.pk).update(text="Hello there,")
    assert findings() == [f"{sealed.pk} message {answer.pk} differs in text"]


def test_s5_a_byte_of_a_file_is_found_and_the_file_named(folder: FilesFolder) -> None:
    sealed = make_sealed()
    file = Attachment.objects.get()
    flip(folder, file.key, -1)
    (line,) = findings()
    assert line.startswith(f"{file.pk} {file.key}: the file has {file.size} bytes with SHA-256 ")
    assert file.sha256 in line
    assert file.name not in line
    assert sealed.pk != file.pk


def test_a_byte_of_the_sealed_document_is_found(folder: FilesFolder) -> None:
    sealed = make_sealed()
    flip(folder, sealed.key, 100)
    (line,) = findings()
    assert line.startswith(f"{sealed.pk} {sealed.key}: the sealed document has {sealed.size} bytes with SHA-256 ")


def test_a_lost_document_and_a_lost_file_are_found() -> None:
    sealed = make_sealed()
    file = Attachment.objects.get()
    storage.delete(sealed.key)
    storage.delete(file.key)
    assert findings() == [
        f"{sealed.pk} {sealed.key}: the sealed document is missing in storage",
        f"{file.pk} {file.key}: the file is missing in storage",
    ]


def test_without_the_document_it_is_still_told_that_rows_differ() -> None:
    sealed = make_sealed()
    storage.delete(sealed.key)
    Conversation.objects.filter(pk=sealed.pk).update(title="Another")
    assert findings() == [
        f"{sealed.pk} {sealed.key}: the sealed document is missing in storage",
        f"{sealed.pk} the rows are not what was sealed; what differs cannot be told without its document",
    ]


CHANGES: dict[str, tuple[Any, dict[str, Any], str]] = {
    "title": (Conversation, {"title": "Another"}, "conversation"),
    "state": (Conversation, {"state": "open", "concluded_at": None}, "conversation"),
    "status": (Message, {"status": "failed"}, "message"),
    "time": (Message, {"created_at": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)}, "message"),
    "client_token": (Message, {"client_token": uuid4()}, "message"),
    "cost": (Generation, {"cost": Decimal("0.00000001")}, "model call"),
    "tokens": (Generation, {"output_tokens": 4}, "model call"),
    "instructions": (Generation, {"instructions": "Answer at length."}, "model call"),
    "parameters": (Generation, {"parameters": {"temperature": 2}}, "model call"),
    "price": (ModelPrice, {"output_price": Decimal(9)}, "model call"),
    "hash": (Attachment, {"sha256": "0" * 64}, "file"),
    "name": (Attachment, {"name": "other.png"}, "file"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_every_kind_of_change_is_found_with_its_columns(change: str) -> None:
    sealed = make_sealed()
    model, columns, what = CHANGES[change]
    row = model.objects.filter(role="assistant") if change == "status" else model.objects.all()
    pk = row.order_by("pk").values_list("pk", flat=True)[0]
    model.objects.filter(pk=pk).update(**columns)
    if model is ModelPrice:
        pk, columns = Generation.objects.get(purpose="answer").pk, {"price": {}}
    line = findings()[0]
    assert line == f"{sealed.pk} {what} {pk} differs in {', '.join(sorted(columns))}"


def test_rows_that_were_added_or_taken_away_are_named() -> None:
    sealed = make_sealed(turns=2)
    conversation = sealed.conversation
    first, *_, last = conversation.messages.order_by("id")
    Attachment.objects.all().delete()
    Generation.objects.filter(message=last).delete()
    Conversation.objects.filter(pk=sealed.pk).update(current_leaf=None)
    last_id = last.pk
    last.delete()
    added = Message.objects.create(
        conversation=conversation, owner=conversation.owner, parent=first, role="assistant", status="completed"
    )
    lines = findings()
    assert f"{sealed.pk} message {last_id} was sealed and is missing" in lines
    assert f"{sealed.pk} message {added.pk} was not sealed and is there" in lines
    assert f"{sealed.pk} conversation {sealed.pk} differs in current_leaf" in lines
    assert len([line for line in lines if " file " in line]) == 1
    assert len([line for line in lines if " model call " in line]) == 1
    assert len(lines) == 5


def test_a_row_and_its_hash_changed_together_still_differ_from_storage_and_event() -> None:
    sealed = make_sealed()
    Message.objects.filter(conversation=sealed.pk).update(text="Forged")
    import hashlib

    content = b"".join(canonical.document(sealed.pk))
    SealedDocument.objects.update(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    lines = findings()
    assert lines[0] == f"{sealed.pk} has another hash on record than its event 1 told"
    assert "the sealed document has" in lines[1]
    assert len(lines) == 2


def test_a_seal_without_event_and_an_event_without_seal_are_found() -> None:
    silent, torn = make_sealed(), make_sealed("Another")
    Event.objects.filter(conversation=silent.pk).delete()
    SealedDocument.objects.filter(pk=torn.pk).delete()
    assert findings() == [
        f"{silent.pk} is sealed and has no event of that",
        f"{torn.pk} has an event of being sealed and no sealed document",
    ]


def test_what_is_about_to_be_sealed_is_counted_and_what_should_be_is_found() -> None:
    waiting, late = make_concluded(), make_concluded("Another")
    assert "; 2 conversations waiting to be sealed." in run()
    then = timezone.now() - datetime.timedelta(hours=2)
    Conversation.objects.filter(pk=late.pk).update(concluded_at=then)
    assert findings() == [f"{late.pk} was concluded on {then:%Y-%m-%d %H:%M} UTC and is not sealed"]
    assert run(conversation=str(waiting.pk)).startswith("Looked at 0 sealed documents and 1 file: all are as")


def test_one_conversation_is_looked_at_with_its_own_files() -> None:
    sealed, other = make_sealed(), make_sealed("Another")
    Message.objects.filter(conversation=other.pk).update(text="Forged")
    assert run(conversation=str(sealed.pk)) == "Looked at 1 sealed document and 1 file: all are as they were.\n"
    assert len(findings(conversation=str(other.pk))) == 2


def test_what_was_sealed_before_a_day_is_left_out() -> None:
    sealed = make_sealed()
    long_ago = timezone.now() - datetime.timedelta(days=9)
    SealedDocument.objects.update(sealed_at=long_ago)
    Attachment.objects.update(ready_at=long_ago)
    today = timezone.localdate()
    assert (
        run(since=today)
        == "Looked at 0 sealed documents, 0 files and 1 audit event (0 anchors): all are as they were.\n"
    )
    assert findings(since=today - datetime.timedelta(days=9)) == [
        f"{sealed.pk} file {Attachment.objects.get().pk} differs in ready_at"
    ]


@pytest.mark.parametrize(
    "arguments",
    [("--since", "yesterday"), ("--conversation", "x"), ("--conversation", "01990000-0000-7000-8000-000000000001")],
    ids=["no day", "no id", "unknown id"],
)
def test_nonsense_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("verify_record", *arguments, stdout=io.StringIO())


def test_files_of_nobody_s_message_are_read_too(folder: FilesFolder) -> None:
    unsent = make_file(make_user())
    flip(folder, unsent.key, 0)
    assert findings()[0].startswith(str(unsent.pk))
    Attachment.objects.update(state="failed", failure="It was gone.")
    assert run().startswith("Looked at 0 sealed documents, 0 files and 1 audit event")


def test_rows_that_share_an_object_have_it_read_once_and_are_each_named(folder: FilesFolder) -> None:
    file = make_file(make_user())
    copy = Attachment.objects.get(pk=file.pk)
    copy.pk = uuid4()
    copy.save(force_insert=True)
    flip(folder, file.key, 0)
    assert sorted(line.split()[0] for line in findings()) == sorted([str(file.pk), str(copy.pk)])


@pytest.mark.parametrize(("column", "told"), [("bucket", "in another bucket"), ("key", "under no key of storage")])
def test_a_file_that_cannot_be_looked_at_is_told(column: str, told: str) -> None:
    file = make_file(make_user())
    Attachment.objects.update(**{column: "elsewhere"})
    (line,) = findings()
    assert line.startswith(str(file.pk))
    assert told in line


def test_s8_nothing_is_called_changed_while_storage_cannot_be_asked(folder: FilesFolder) -> None:
    make_sealed()
    folder.take_away()
    with pytest.raises(CommandError, match="Storage cannot be asked"):
        call_command("verify_record", stdout=io.StringIO())


def test_a_document_of_a_later_format_is_not_judged() -> None:
    sealed = make_sealed()
    SealedDocument.objects.update(format=2)
    assert findings() == [f"{sealed.pk} was sealed in format 2, which is not known here"]


class Trickle(io.RawIOBase):
    """A file that gives a few bytes at a time, cutting characters and values anywhere."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._content.read(3)


def test_a_document_is_read_in_parts_wherever_it_is_cut() -> None:
    sealed = make_sealed('Grüße \U0001f600 \\ " \n')
    file: BinaryIO = Trickle(storage.read(sealed.key))  # type: ignore[assignment]
    assert list(canonical.read_parts(file)) == list(canonical.parts(sealed.pk))


@pytest.mark.slow
def test_twenty_thousand_messages_are_compared_in_flat_memory() -> None:
    conversation = make_long(20_000)
    seal_conversation(conversation_id=conversation.pk)
    answer = conversation.messages.order_by("-id")[0]
    Message.objects.filter(pk=answer.pk).update(text="Forged")
    with bounded(megabytes=16):
        assert findings() == [f"{conversation.pk} message {answer.pk} differs in text"]
