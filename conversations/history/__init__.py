"""What a person has said so far, as lists: the rail, the conversations that filters leave, the deleted ones."""

from conversations.history.cursors import BadCursor
from conversations.history.lists import (
    ConversationPage,
    Filters,
    KnownAssistant,
    assistants_of,
    list_conversations,
    list_deleted,
)
from conversations.history.rail import PAGE as RAIL_PAGE
from conversations.history.rail import Rail, read_rail

__all__ = [
    "RAIL_PAGE",
    "BadCursor",
    "ConversationPage",
    "Filters",
    "KnownAssistant",
    "Rail",
    "assistants_of",
    "list_conversations",
    "list_deleted",
    "read_rail",
]
