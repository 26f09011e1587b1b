"""The seam to the model: one request in, a stream of small events out, one kind of error.

The only importer of the openai package, and of no model class of ours. What it needs from the settings is
OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_BACKGROUND.
"""

from conversations.llm.background import cancel, delete, resume
from conversations.llm.client import close_clients
from conversations.llm.errors import ModelError
from conversations.llm.events import Activity, Event, Finished, Started, Text, Usage
from conversations.llm.request import ModelRequest, Turn
from conversations.llm.stream import stream
from conversations.llm.watchdog import Timeouts
from conversations.llm.window import choose_window, estimate_tokens

__all__ = [
    "Activity",
    "Event",
    "Finished",
    "ModelError",
    "ModelRequest",
    "Started",
    "Text",
    "Timeouts",
    "Turn",
    "Usage",
    "cancel",
    "choose_window",
    "close_clients",
    "delete",
    "estimate_tokens",
    "resume",
    "stream",
]
