"""The REST API over conversations, and what speaks OpenAI's language."""
