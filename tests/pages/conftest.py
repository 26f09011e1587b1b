"""A person who is signed in, an assistant to talk to, an answered conversation, and a place for files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from tests.fakes.folder import FilesFolder

if TYPE_CHECKING:
    from accounts.models import User
    from conversations.models import Assistant, Conversation, Message

# Models load after this file does, hence the imports in fixtures.


@pytest.fixture
def owner(db: None) -> User:
    from tests.factories import make_user

    return make_user(first_name="Olive", last_name="Owner", password="a-fair-password-17")


@pytest.fixture
def page(owner: User) -> Client:
    """The owner's browser, as Django's test client."""
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture
def stranger(db: None) -> Client:
    from tests.factories import make_user

    client = Client()
    client.force_login(make_user())
    return client


@pytest.fixture
def person(transactional_db: None) -> Iterator[User]:
    """An owner in a database that is committed to."""
    from procrastinate.contrib.django.models import ProcrastinateJob

    from tests.factories import make_user

    yield make_user(first_name="Olive", last_name="Owner")
    ProcrastinateJob.objects.all().delete()  # a table that no test case empties


@pytest.fixture
def assistant(db: None) -> Assistant:
    from tests.factories import make_assistant, make_model

    make_model()
    return make_assistant(name="Archivist", suggested_prompts=["What is on record?", "Summarise it"])


@pytest.fixture
def running(owner: User, assistant: Assistant) -> Message:
    """An answer that is waited for."""
    from conversations.services import start_conversation

    return start_conversation(owner=owner, assistant=assistant, prompt="What is on record?", client_token=uuid4())


@pytest.fixture
def answer(running: Message) -> Message:
    """An answer that was written."""
    from tests.pages.record import end

    end(running, text="Everything that was **said**.")
    return running


@pytest.fixture
def conversation(answer: Message) -> Conversation:
    return answer.conversation


@pytest.fixture
def prompt(answer: Message) -> Message:
    assert answer.parent is not None
    return answer.parent


@pytest.fixture
def versions(answer: Message) -> list[Message]:
    """Three answers to one prompt, oldest first; the last one is current."""
    from conversations.services import retry_answer
    from tests.pages.record import end

    made = [answer]
    for number in (2, 3):
        made.append(retry_answer(message=answer))
        end(made[-1], text=f"Version {number}.")
    return made


@pytest.fixture
def places(folder: FilesFolder, settings: Settings, tmp_path: Path) -> Path:
    """Storage and temporary files of a test's own; return the folder with both."""
    (tmp_path / "temporary").mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "temporary"
    return tmp_path


@pytest.fixture
def takes_everything(db: None) -> None:
    """Have the model take files of every kind."""
    from tests.factories import make_model

    make_model(accepts_images=True, accepts_files=True)
