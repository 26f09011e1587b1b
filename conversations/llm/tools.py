"""The tools that an assistant may be given, as the Responses API wants them described."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings

CREATE_FILE = "create_file"
# What OpenAI's own default is; without a name an older server may still take one that was shut down ("Deprecations").
IMAGE_MODEL = "gpt-image-2.6-sunburst"

_CREATE_FILE: dict[str, Any] = {
    "type": "function",
    "name": CREATE_FILE,
    "description": (
        "Write a file that the user can download. Call it once for each file that the user asks for; do not repeat the "
        "file's content in your answer. The name's extension decides the format. Plain text is written as it is: .txt, "
        ".md, .csv, .json, .html, .xml and source code of every language. For .xlsx give the rows as CSV or as a JSON "
        "array of rows. For .docx give the document as Markdown: headings, paragraphs, lists and tables. Other formats "
        "cannot be written."
    ),
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "The file's name with its extension, such as report.docx."},
            "content": {"type": "string", "description": "The whole content of the file."},
        },
        "required": ["name", "content"],
        "additionalProperties": False,
    },
}


def describe_tools(names: Iterable[str]) -> list[dict[str, Any]]:
    """Return the request's `tools` for these names, each once; KeyError for a name that is no tool of ours.

    The container of the code interpreter is made by the provider, which puts the files of the input into it.
    """
    tools: Mapping[str, dict[str, Any]] = {
        "code_interpreter": {"type": "code_interpreter", "container": {"type": "auto"}},
        "image_generation": {
            "type": "image_generation",
            "model": getattr(settings, "OPENAI_IMAGE_MODEL", "") or IMAGE_MODEL,
        },
        CREATE_FILE: _CREATE_FILE,
    }
    return [tools[name] for name in dict.fromkeys(names)]
