"""What services refuse, as the API says it. Importing this registers it."""

from __future__ import annotations

from conversations.models import Conversation, Message
from conversations.search import Unsearchable
from conversations.services import Refused
from rest.problems import Problem, translates

NOT_FOUND = "There is nothing here, or nothing that is yours."


@translates(Refused)
def refused(error: Refused) -> Problem:
    """Return a refusal with its own code, status and words."""
    return Problem(error.status, str(error.code), error.message, retry_after=error.retry_after)


@translates(Unsearchable)
def unsearchable(error: Unsearchable) -> Problem:
    """Return why a search cannot be made."""
    return Problem(400, "unsearchable", str(error), errors=[{"field": "q", "message": str(error)}])


@translates(Conversation.DoesNotExist)
@translates(Message.DoesNotExist)
def gone(error: Conversation.DoesNotExist | Message.DoesNotExist) -> Problem:
    """Return what is said of something that was hidden at this very moment, as of what never was."""
    return Problem(404, "not_found", NOT_FOUND)
