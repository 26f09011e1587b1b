"""The catalogue of the back office: models, assistants, limits."""

from conversations.admin import catalogue, usage

__all__ = ["catalogue", "usage"]
