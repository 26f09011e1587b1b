"""The back office: a reading room for the record, and the catalogue of models and assistants."""

from conversations.admin import catalogue, conversation, generation, message

__all__ = ["catalogue", "conversation", "generation", "message"]
