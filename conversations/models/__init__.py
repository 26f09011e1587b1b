"""The tables of the record."""

from conversations.models.attachment import Attachment, AttachmentText
from conversations.models.catalogue import Assistant, LanguageModel, ModelPrice
from conversations.models.conversation import Conversation
from conversations.models.feedback import Feedback
from conversations.models.generation import Generation
from conversations.models.message import Message, MessageChunk
from conversations.models.sealing import Event, SealedDocument
from conversations.models.trial import Trial
from conversations.models.usage import UsageDay, UsageLimit

__all__ = [
    "Assistant",
    "Attachment",
    "AttachmentText",
    "Conversation",
    "Event",
    "Feedback",
    "Generation",
    "LanguageModel",
    "Message",
    "MessageChunk",
    "ModelPrice",
    "SealedDocument",
    "Trial",
    "UsageDay",
    "UsageLimit",
]
