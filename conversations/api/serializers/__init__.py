"""How rows are written as JSON, and what requests may say.

`show_messages`, `show_conversations` and their like take rows that were reached through a door (`visible_to`) with what
their docstrings name already joined, and return JSON in a constant number of queries. The serializers describe it.
"""

from conversations.api.serializers.conversations import (
    CONVERSATION_ROWS,
    ConversationDetailSerializer,
    ConversationSerializer,
    show_conversation,
    show_conversation_detail,
    show_conversations,
)
from conversations.api.serializers.messages import (
    MESSAGE_ROWS,
    FileSerializer,
    MessageSerializer,
    UsageSerializer,
    show_message,
    show_messages,
)

__all__ = [
    "CONVERSATION_ROWS",
    "MESSAGE_ROWS",
    "ConversationDetailSerializer",
    "ConversationSerializer",
    "FileSerializer",
    "MessageSerializer",
    "UsageSerializer",
    "show_conversation",
    "show_conversation_detail",
    "show_conversations",
    "show_message",
    "show_messages",
]
