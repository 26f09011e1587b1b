"""What is asked and answered: the same for Verbatim and for the bare SDK loop."""

import re
from typing import Any

FIRST_EVENT_MS = 300  # what a hosted model takes at its best; the page opens its stream meanwhile
DELAY_MS = 20  # 50 tokens a second
WARM_UP_PROMPT = "Say a few words, please."
SHORT_PROMPT = "How do I count the stock? Briefly."
LONG_PROMPT = "How do I count the stock? In all detail."
INSTRUCTIONS = "You are a helpful assistant at work. Answer in Markdown."
FIRST_WORD = "Counting"  # the answer's alone: no page and no prompt holds it
SHORT_TOKENS = 20
LONG_TOKENS = 400

_TEXT = """Counting the stock of a small shop takes an evening if it is prepared well. Here is a plan that works.

## Before the count

1. **Choose a day** on which little is delivered, and tell everybody a week ahead.
2. Print the list by shelf, not by name; people walk along shelves, and they lose their place in an alphabet.
3. Write down what has been *sold but not yet collected*, so that it is counted for nobody twice.

Put a coloured sticker on every shelf that is done. It sounds childish, and it saves an hour.

## During the count

Two people work together: one counts, the other writes. They change places every half hour. A number that differs from
the list by more than a tenth is counted again at once, by somebody else.

| Shelf | On the list | Counted | Difference |
| --- | ---: | ---: | ---: |
| A1 | 120 | 118 | -2 |
| A2 | 64 | 64 | 0 |
| B1 | 15 | 19 | 4 |

## After it

Book the differences with a reason, then compare the value. This does it for a file that was saved from a spreadsheet:

```python
import csv

with open("count.csv", newline="") as file:
    rows = list(csv.DictReader(file))
lost = sum(float(row["price"]) * (int(row["listed"]) - int(row["counted"])) for row in rows)
print(f"Shrinkage: {lost:.2f}")
```

If the result is **above two percent** of the turnover, look at these first:

- deliveries that were signed for without being checked,
- returns that were put back without being booked,
- prices that were changed at the till.

Keep the lists for as long as your books have to be kept. An auditor asks for the paper, not for the sum, and is glad of
names and times on it. Next year you will be glad of them too, because the same shelves tend to differ again.
"""


def deltas(count: int) -> list[str]:
    """Return the first `count` pieces of the answer, each about as long as a model's token."""
    pieces = re.findall(r"\s*[^\W_]{1,8}|\s*[^\w\s]{1,3}|\s+|_", _TEXT)
    while len(pieces) < count:
        pieces += ["\n", *pieces]
    return pieces[:count]


def scripts() -> list[dict[str, Any]]:
    """Return what the fake provider is told, for any number of requests."""
    common = {"delay_ms": DELAY_MS, "first_event_ms": FIRST_EVENT_MS, "times": 10**9}
    return [
        {"match": SHORT_PROMPT, "texts": deltas(SHORT_TOKENS), **common},
        {"match": LONG_PROMPT, "texts": deltas(LONG_TOKENS), **common},
    ]


def tokens_of(prompt: str) -> int:
    """Return how many tokens the answer to a prompt of ours has."""
    return SHORT_TOKENS if prompt == SHORT_PROMPT else LONG_TOKENS


def seconds_of(prompt: str) -> float:
    """Return how long the provider takes for the whole answer."""
    return (FIRST_EVENT_MS + tokens_of(prompt) * DELAY_MS) / 1000
