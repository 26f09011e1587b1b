"""What the tests of services share: a person, an assistant, a conversation of two answers, and no jobs of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from accounts.models import User
    from conversations.models import Assistant, Message

# Models load after this file does, hence the imports in fixtures.


@pytest.fixture(autouse=True)
def _no_earlier_jobs(db: None) -> None:
    """Procrastinate's tables are not Django's: what a test that commits leaves in them stays for the next ones."""
    from tests.services.calls import sql

    sql("DELETE FROM procrastinate_jobs")


@pytest.fixture
def owner(db: None) -> User:
    from tests.factories import make_user

    return make_user()


@pytest.fixture
def assistant(db: None) -> Assistant:
    from tests.factories import make_assistant, make_model

    make_model()
    return make_assistant()


@pytest.fixture
def first(owner: User, assistant: Assistant) -> Message:
    """The first answer of a conversation, which has ended."""
    from conversations.services import start_conversation
    from tests.factories import token
    from tests.pages.record import end

    answer = start_conversation(owner=owner, assistant=assistant, prompt="One", client_token=token())
    end(answer, text="First")
    return answer


@pytest.fixture
def second(first: Message) -> Message:
    """The answer after it."""
    from tests.services.versions import say

    return say(first.conversation, "Two", "Second")
