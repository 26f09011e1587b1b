"""A chat in the browser, made with Gradio: it keeps the history itself, and has each answer given and recorded.

VERBATIM_URL=http://127.0.0.1:8000 VERBATIM_TOKEN=vbt_… python examples/gradio_app.py
"""

import os
import uuid
from typing import Any

import gradio as gr
import requests

ADDRESS = os.environ.get("VERBATIM_URL", "http://127.0.0.1:8000").rstrip("/") + "/api/v1/chat/"
TOKEN = os.environ.get("VERBATIM_TOKEN", "")
ASSISTANT = os.environ.get("VERBATIM_ASSISTANT") or None
PORT = int(os.environ.get("PORT", "7860"))
SECONDS = 300


def as_text(content: Any) -> str:
    """Return what was said as a text: Gradio hands it over in parts."""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part.get("type") == "text")


def ask(history: list[dict[str, str]], conversation: str | None) -> tuple[int, dict[str, Any]]:
    """Return the status and what the API answers to a history."""
    body = {"history": history, "assistant": ASSISTANT, "conversation": conversation}
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": str(uuid.uuid4())}
    try:
        response = requests.post(ADDRESS, json=body, headers=headers, timeout=SECONDS)
        return response.status_code, response.json()
    except requests.RequestException as error:
        raise gr.Error("The service cannot be reached. Send it again in a moment.") from error


def answer(message: str, shown: list[dict[str, Any]], conversation: str | None) -> tuple[str, str]:
    """Return the next answer, and the conversation in which it is recorded."""
    said = [{"role": turn["role"], "content": as_text(turn["content"])} for turn in shown]
    history = [*said, {"role": "user", "content": message}]
    status, found = ask(history, conversation if said else None)
    if status == 409 and found["code"] == "history":  # something was taken back or said otherwise: a new conversation
        status, found = ask(history, None)
    if status >= 400:
        raise gr.Error(found.get("detail", "The service cannot answer."))
    if found["message"]["status"] in ("queued", "streaming"):
        raise gr.Error("The answer takes long. Find it in the conversation on record.")
    return found["message"]["content"], found["conversation"]


conversation = gr.State(None)
chat = gr.ChatInterface(
    answer,
    additional_inputs=[conversation],
    additional_outputs=[conversation],
    title="Chat on record",
    analytics_enabled=False,
    api_name="chat",
)

if __name__ == "__main__":
    chat.launch(server_name="127.0.0.1", server_port=PORT)
