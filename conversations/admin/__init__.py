"""The back office: a reading room for the record, and the catalogue of models and assistants."""

from conversations.admin import attachment, catalogue, conversation, feedback, generation, message, sealing, usage

__all__ = ["attachment", "catalogue", "conversation", "feedback", "generation", "message", "sealing", "usage"]
