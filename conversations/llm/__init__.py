"""The seam to the model: one request in, a stream of small events out, one kind of error.

The only importer of the openai package, and of no model class of ours. What it needs from the settings is
OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_BACKGROUND and OPENAI_IMAGE_MODEL.
"""

from conversations.llm.background import cancel, delete, resume
from conversations.llm.client import close_clients
from conversations.llm.errors import ModelError
from conversations.llm.events import (
    Activity,
    Container,
    ContainerFile,
    Event,
    Finished,
    FunctionCall,
    ImageMade,
    Started,
    Text,
    Usage,
)
from conversations.llm.files import (
    ContainerFileInfo,
    UploadedFile,
    delete_file,
    download_container_file,
    list_container_files,
    upload_file,
)
from conversations.llm.listing import ListedModel, list_models
from conversations.llm.request import InputFile, ModelRequest, Turn
from conversations.llm.stream import stream
from conversations.llm.watchdog import Timeouts
from conversations.llm.window import choose_window, estimate_tokens

__all__ = [
    "Activity",
    "Container",
    "ContainerFile",
    "ContainerFileInfo",
    "Event",
    "Finished",
    "FunctionCall",
    "ImageMade",
    "InputFile",
    "ListedModel",
    "ModelError",
    "ModelRequest",
    "Started",
    "Text",
    "Timeouts",
    "Turn",
    "UploadedFile",
    "Usage",
    "cancel",
    "choose_window",
    "close_clients",
    "delete",
    "delete_file",
    "download_container_file",
    "estimate_tokens",
    "list_container_files",
    "list_models",
    "resume",
    "stream",
    "upload_file",
]
