"""Messages that repeat others carry the same objects; an object goes with the last row that names it."""

from functools import partial
from uuid import uuid4

import pytest
from django.db import transaction
from pytest_django import Settings

from conversations.files import FileProblem, storage
from conversations.models import Attachment, Message
from conversations.services import carry_files, delete_file, start_conversation, stop_answer
from conversations.services.attachments import require_room
from conversations.services.reconciling import find_differences
from tests.factories import PNG, make_assistant, make_file, make_model, make_user, token
from tests.together import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


@pytest.fixture
def prompt() -> Message:
    make_model()
    answer = start_conversation(owner=make_user(), assistant=make_assistant(), prompt="Look", client_token=token())
    said = stop_answer(message=answer).parent
    assert said is not None
    return said


def another(prompt: Message) -> Message:
    return Message.objects.create(
        conversation=prompt.conversation, owner=prompt.owner, role="user", status="completed", text="Look again"
    )


def mark_deleted(*files: Attachment) -> None:
    Attachment.objects.filter(pk__in=[file.pk for file in files]).update(state="deleted")


def test_a_carried_file_is_a_row_of_its_own_for_the_same_object(prompt: Message) -> None:
    first, second = make_file(prompt.owner, message=prompt, name="a.png"), make_file(prompt.owner, message=prompt)
    later = another(prompt)
    made = carry_files(copies={prompt.pk: later})

    assert [file.name for file in later.attachments.all()] == ["a.png", "dot.png"]
    assert [(file.key, file.sha256, file.size, file.state) for file in made] == [
        (file.key, file.sha256, file.size, "ready") for file in (first, second)
    ]
    assert {file.pk for file in made}.isdisjoint({first.pk, second.pk})


def test_only_the_files_asked_for_are_carried_and_only_of_these_messages(prompt: Message) -> None:
    first, _ = make_file(prompt.owner, message=prompt), make_file(prompt.owner, message=prompt)
    foreign = make_file(make_user())
    made = carry_files(copies={prompt.pk: another(prompt)}, only=[first.pk, foreign.pk, uuid4()])
    assert [file.key for file in made] == [first.key]


def test_a_file_that_could_not_be_kept_is_told_of_again_and_cannot_be_fetched_twice(prompt: Message) -> None:
    make_file(prompt.owner, message=prompt, data=None, container_file_id="cfile_1")
    (made,) = carry_files(copies={prompt.pk: another(prompt)})
    assert (made.state, made.failure, made.can_retry) == ("failed", "It was gone.", False)


@pytest.mark.parametrize("deleted_first", ["old", "new"])
def test_an_object_goes_with_the_last_row_that_names_it(prompt: Message, deleted_first: str) -> None:
    old = make_file(prompt.owner, message=prompt)
    (new,) = carry_files(copies={prompt.pk: another(prompt)})
    first, last = (old, new) if deleted_first == "old" else (new, old)

    mark_deleted(first)
    delete_file(attachment_id=first.pk)
    assert list(Attachment.objects.values_list("pk", flat=True)) == [last.pk]
    assert storage.read(old.key, sha256=old.sha256) == PNG

    mark_deleted(last)
    delete_file(attachment_id=last.pk)
    assert not Attachment.objects.exists()
    assert storage.size_of(old.key) is None


def test_a_removal_that_runs_twice_leaves_the_object_to_the_others(prompt: Message) -> None:
    old = make_file(prompt.owner, message=prompt)
    carry_files(copies={prompt.pk: another(prompt)})
    mark_deleted(old)
    for _ in range(2):
        delete_file(attachment_id=old.pk)
    assert storage.size_of(old.key) == len(PNG)


def test_record_and_storage_agree_about_shared_objects(prompt: Message) -> None:
    make_file(prompt.owner, message=prompt)
    carry_files(copies={prompt.pk: another(prompt)})
    assert list(find_differences(hours=0)) == []


def test_a_shared_object_takes_its_room_once(prompt: Message, settings: Settings) -> None:
    settings.MAX_STORED_MEGABYTES = 1
    file = make_file(prompt.owner, message=prompt)
    Attachment.objects.filter(pk=file.pk).update(size=600_000)
    carry_files(copies={prompt.pk: another(prompt)})
    require_room(owner_id=prompt.owner_id, size=300_000)
    with pytest.raises(FileProblem):
        require_room(owner_id=prompt.owner_id, size=500_000)


@pytest.mark.django_db(transaction=True)
def test_removals_of_all_rows_at_once_leave_no_object(prompt: Message) -> None:
    old = make_file(prompt.owner, message=prompt)
    with transaction.atomic():
        rows = [old, *(carry_files(copies={prompt.pk: another(prompt)})[0] for _ in range(5))]
    mark_deleted(*rows)

    at_once(*(partial(delete_file, attachment_id=row.pk) for row in rows))

    assert not Attachment.objects.exists()
    assert storage.size_of(old.key) is None
