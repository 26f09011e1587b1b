"""The tables of the record."""

from conversations.models.attachment import Attachment
from conversations.models.catalogue import Assistant, LanguageModel, ModelPrice
from conversations.models.conversation import Conversation
from conversations.models.generation import Generation
from conversations.models.message import Message, MessageChunk

__all__ = [
    "Assistant",
    "Attachment",
    "Conversation",
    "Generation",
    "LanguageModel",
    "Message",
    "MessageChunk",
    "ModelPrice",
]
