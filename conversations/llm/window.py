"""How much of a long conversation the model is given."""

from collections.abc import Sequence

from conversations.llm.request import Turn

# English and code come to about four characters of one byte per token, other scripts to about three bytes of UTF-8.
ASCII_PER_TOKEN = 4
BYTES_PER_TOKEN = 3
# What the request's format adds to each turn.
TURN_TOKENS = 4
# The estimate may be short by so much before the provider refuses the request.
MARGIN = 1.1

_ASCII = bytes(range(128))


def estimate_tokens(text: str) -> int:
    """Return about how many tokens the text has: 0 for none, else at least 1, within a fifth or so for prose."""
    if text.isascii():
        return -(-len(text) // ASCII_PER_TOKEN)
    encoded = text.encode(errors="replace")
    wide = len(encoded.translate(None, delete=_ASCII))
    return -(-(len(encoded) - wide) // ASCII_PER_TOKEN) + -(-wide // BYTES_PER_TOKEN)


def choose_window(turns: Sequence[Turn], *, instructions: str, context_window: int, reserve: int) -> int:
    """Return how many of the oldest turns to leave out so that the rest fits beside the instructions and the answer.

    `context_window` is the model's, `reserve` what is kept free for the answer, both in tokens. Left out are whole
    turns from the oldest on, and an answer is never kept where the prompt before it is left out. The last turn is
    always kept: whether that alone is too long is the provider's to say (ModelError `too_long`).
    """
    left = (context_window - reserve) / MARGIN - estimate_tokens(instructions) - TURN_TOKENS
    first = len(turns)
    for index in range(len(turns) - 1, -1, -1):
        left -= estimate_tokens(turns[index].text) + TURN_TOKENS
        if left < 0:
            break
        first = index
    while 0 < first < len(turns) and turns[first].role == "assistant":
        first += 1
    return min(first, max(len(turns) - 1, 0))
