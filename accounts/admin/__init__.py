"""People, groups and tokens in the back office."""

from accounts.admin import people, tokens

__all__ = ["people", "tokens"]
