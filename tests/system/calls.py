"""What the fake OpenAI was asked."""

from typing import Any

from tests.fakes.process import FakeOpenAI


def answer_calls(openai: FakeOpenAI, text: str) -> list[dict[str, Any]]:
    """The model calls that were made to answer the prompt which holds `text`, titles left out."""
    return [
        request
        for request in openai.requests("/v1/responses", holding=text)
        if "You name conversations" not in str(request["body"])
    ]
