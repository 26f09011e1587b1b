"""Files that people attach: received whole or not at all, sent once, and nobody else's."""

from __future__ import annotations

import datetime
import hashlib
import uuid
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from conversations.files import storage
from conversations.models import Attachment, Conversation, Message
from conversations.services import (
    Refusal,
    Refused,
    delete_again,
    delete_file,
    purge_unsent,
    receive_file,
    remove_attachment,
    send_message,
    start_conversation,
)
from conversations.services.jobs import ANSWER_TASK, DELETE_FILE_TASK
from tests.factories import make_assistant, make_model, make_user, token
from tests.fakes.folder import FilesFolder
from tests.services.calls import jobs, sql

pytestmark = pytest.mark.django_db
TEXT = b"shelf,count\nA1,118\n"


@pytest.fixture(autouse=True)
def files(settings: Settings, tmp_path: Path) -> FilesFolder:
    return FilesFolder(settings, tmp_path)


def receive(owner: User, folder: Path, name: str = "count.csv", data: bytes = TEXT) -> Attachment:
    path = folder / uuid.uuid4().hex
    path.write_bytes(data)
    return receive_file(owner=owner, path=path, name=name)


def ask(owner: User, *ids: uuid.UUID, **model: bool) -> Message:
    fields = {"accepts_images": True, "accepts_files": True} | model
    assistant = make_assistant(model=make_model(f"model-{uuid.uuid4().hex[:8]}", **fields))
    return start_conversation(
        owner=owner, assistant=assistant, prompt="Count this", client_token=token(), attachment_ids=ids
    )


def refused(call: object) -> Refused:
    with pytest.raises(Refused) as caught:
        call()  # type: ignore[operator]
    return caught.value


def test_a_file_is_ready_once_storage_holds_it(tmp_path: Path) -> None:
    file = receive(make_user(), tmp_path, name="../../Zählung.csv")

    assert (file.state, file.origin, file.name, file.content_type) == ("ready", "user", "Zählung.csv", "text/csv")
    assert (file.size, file.sha256) == (len(TEXT), hashlib.sha256(TEXT).hexdigest())
    assert storage.read(file.key) == TEXT
    assert "hlung" not in file.key


def test_s1_a_storage_that_is_away_leaves_no_file_and_has_the_rest_removed(tmp_path: Path, files: FilesFolder) -> None:
    files.take_away()
    refusal = refused(lambda: receive(make_user(), tmp_path))

    assert refusal.code == Refusal.FILE
    assert "Try again" in refusal.message
    (left,) = Attachment.objects.all()
    assert left.state == "deleted"  # what may be there of it goes when storage is back
    assert jobs(DELETE_FILE_TASK) == [{"attachment_id": str(left.pk)}]


def test_what_is_wrong_with_a_file_is_said_and_nothing_is_kept(tmp_path: Path) -> None:
    refusal = refused(lambda: receive(make_user(), tmp_path, name="a.png", data=b"<html>"))

    assert refusal.code == Refusal.FILE
    assert not Attachment.objects.exists()
    assert list(storage.list_keys()) == []


def test_q6_all_files_of_a_person_together_have_a_limit(settings: Settings, tmp_path: Path) -> None:
    settings.MAX_STORED_MEGABYTES = 1
    owner = make_user()
    receive(owner, tmp_path, data=b"a" * 900_000)

    assert "1 MB" in refused(lambda: receive(owner, tmp_path, data=b"a" * 200_000)).message
    assert receive(make_user(), tmp_path, data=b"a" * 200_000).state == "ready"


def test_a_message_takes_its_files_along(tmp_path: Path) -> None:
    owner = make_user()
    files = [receive(owner, tmp_path), receive(owner, tmp_path)]
    answer = ask(owner, *[file.pk for file in files])

    assert list(Attachment.objects.values_list("message", flat=True)) == [answer.parent_id] * 2
    assert "stays" in refused(lambda: remove_attachment(attachment=files[0])).message


@pytest.mark.parametrize("whose", ["a stranger's", "one that was sent", "one that was taken back", "none at all"])
def test_a4_a_file_that_is_not_theirs_to_send_is_refused(whose: str, tmp_path: Path) -> None:
    owner = make_user()
    file = receive(make_user() if whose == "a stranger's" else owner, tmp_path)
    if whose == "one that was sent":
        ask(owner, file.pk)
    if whose == "one that was taken back":
        remove_attachment(attachment=file)
    wanted = uuid.uuid4() if whose == "none at all" else file.pk
    before = Message.objects.count()

    assert refused(lambda: ask(owner, wanted)).code == Refusal.FILE
    assert Message.objects.count() == before
    assert len(jobs(ANSWER_TASK)) == before // 2


def test_a_double_submit_with_files_is_one_message(tmp_path: Path) -> None:
    owner = make_user()
    first = ask(owner)
    Message.objects.filter(pk=first.pk).update(status="completed", text="Yes")
    file, once = receive(owner, tmp_path), token()
    answers = [
        send_message(
            owner=owner,
            conversation_id=first.conversation_id,
            prompt="And this?",
            client_token=once,
            attachment_ids=[file.pk],
        )
        for _ in range(2)
    ]

    assert answers[0] == answers[1]
    assert Attachment.objects.get().message_id == answers[0].parent_id


def test_f16_more_files_than_a_message_can_carry_are_refused(settings: Settings, tmp_path: Path) -> None:
    settings.MAX_FILES_PER_MESSAGE = 2
    owner = make_user()
    ids = [receive(owner, tmp_path).pk for _ in range(3)]

    assert "2" in refused(lambda: ask(owner, *ids)).message
    assert not Conversation.objects.exists()


def test_f16_51_mb_for_one_request_are_refused_before_the_call(tmp_path: Path) -> None:
    owner = make_user()
    files = [receive(owner, tmp_path) for _ in range(2)]
    Attachment.objects.update(size=25_500_000)

    assert "51 MB" in refused(lambda: ask(owner, *[file.pk for file in files])).message


def test_a_model_that_cannot_read_files_is_not_given_one(tmp_path: Path) -> None:
    owner = make_user()
    file = receive(owner, tmp_path)
    refusal = refused(lambda: ask(owner, file.pk, accepts_files=False))

    assert "cannot read files" in refusal.message
    assert "count.csv" in refusal.message
    assert not Conversation.objects.exists()


def test_s9_a_file_taken_back_goes_object_first_and_row_second(tmp_path: Path, files: FilesFolder) -> None:
    file = receive(make_user(), tmp_path)
    remove_attachment(attachment=file)
    assert Attachment.objects.get().state == "deleted"
    assert not Attachment.objects.visible_to(file.owner).exists()

    files.take_away()
    with pytest.raises(storage.StorageProblem):
        delete_file(attachment_id=file.pk)
    assert Attachment.objects.exists()
    files.give_back()
    delete_file(attachment_id=file.pk)

    assert not Attachment.objects.exists()
    assert list(storage.list_keys()) == []
    delete_file(attachment_id=file.pk)  # a job may run twice


def test_uploads_that_no_message_took_go_after_a_day(tmp_path: Path) -> None:
    owner = make_user()
    forgotten, waiting, sent = (receive(owner, tmp_path) for _ in range(3))
    ask(owner, sent.pk)
    old = timezone.now() - datetime.timedelta(hours=25)
    Attachment.objects.filter(pk__in=[forgotten.pk, sent.pk]).update(created_at=old)

    assert purge_unsent() == 1
    assert {file.pk: file.state for file in Attachment.objects.all()} == {
        forgotten.pk: "deleted",
        waiting.pk: "ready",
        sent.pk: "ready",
    }


def test_a_removal_whose_worker_died_is_done_by_another(tmp_path: Path) -> None:
    file = receive(make_user(), tmp_path)
    remove_attachment(attachment=file)
    assert delete_again() == 0
    sql("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = %s", DELETE_FILE_TASK)

    assert delete_again() == 1
    assert delete_again() == 0
    assert len(jobs(DELETE_FILE_TASK)) == 2
