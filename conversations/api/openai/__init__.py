"""A door that speaks OpenAI's language."""
