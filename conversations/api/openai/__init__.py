"""The door for programs that speak to OpenAI: its chat completions and its responses, in front of our record."""
