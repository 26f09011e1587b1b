"""A chat in the browser, made with Streamlit: it keeps the history itself, and has each answer given and recorded.

VERBATIM_URL=http://127.0.0.1:8000 VERBATIM_TOKEN=vbt_… streamlit run examples/streamlit_app.py
"""

import csv
import io
import os
import uuid
from decimal import Decimal
from typing import Any

import requests
import streamlit as st

ADDRESS = os.environ.get("VERBATIM_URL", "http://127.0.0.1:8000").rstrip("/") + "/api/v1/chat/"
TOKEN = os.environ.get("VERBATIM_TOKEN", "")
ASSISTANT = os.environ.get("VERBATIM_ASSISTANT") or None
SECONDS = 300
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

type Turn = dict[str, str]

state = st.session_state


class Trouble(Exception):
    """Why there is no answer, in words for people; and the conversation in which the prompt is kept, if it is."""

    def __init__(self, words: str, conversation: str | None = None) -> None:
        super().__init__(words)
        self.conversation = conversation


def ask(history: list[Turn], conversation: str | None, key: str) -> dict[str, Any]:
    """Return the answer to a history, as the API gives it. Asked again with the same key, it is the same answer."""
    body = {"history": history, "assistant": ASSISTANT, "conversation": conversation}
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": key}
    try:
        response = requests.post(ADDRESS, json=body, headers=headers, timeout=SECONDS)
        answer: dict[str, Any] = response.json()
    except requests.RequestException:
        raise Trouble("The service cannot be reached. Send it again in a moment.") from None
    if not response.ok:
        raise Trouble(answer.get("detail", "The service cannot answer."), response.headers.get("X-Conversation-Id"))
    if answer["message"]["status"] in ("queued", "streaming"):
        raise Trouble("The answer takes long. Send it again in a moment, or find it on record.", answer["conversation"])
    return answer


def as_csv(history: list[Turn]) -> bytes:
    """Return the history as a table, in which no cell is taken for a formula."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["role", "content"])
    for turn in history:
        content = turn["content"]
        writer.writerow([turn["role"], f"'{content}" if content.startswith(FORMULA) else content])
    return table.getvalue().encode("utf-8-sig")


def clear() -> None:
    """Begin anew. What was said stays on record."""
    state.update(history=[], conversation=None, tokens=0, cost=Decimal(0), is_cost_whole=True, trouble="", tried="")
    state.key = str(uuid.uuid4())


def send() -> None:
    """Say what stands in the field, and keep what comes of it. Where nothing does, it stays there."""
    if not state.prompt.strip():
        return
    history = [*state.history, {"role": "user", "content": state.prompt}]
    state.trouble = ""
    if state.prompt != state.tried:  # another text is another request
        state.key, state.tried = str(uuid.uuid4()), state.prompt
    try:
        answer = ask(history, state.conversation, state.key)
    except Trouble as trouble:
        state.trouble = str(trouble)
        if trouble.conversation:  # it is on record there, and said once more when it is sent again
            state.conversation, state.key = trouble.conversation, str(uuid.uuid4())
        return
    state.history = [*history, {"role": "assistant", "content": answer["message"]["content"]}]
    state.conversation = answer["conversation"]
    state.tokens += answer["token_usage"]["total_tokens"] or 0
    state.cost += Decimal(str(answer["cost"] or 0))
    state.is_cost_whole = state.is_cost_whole and answer["cost"] is not None
    state.key, state.prompt = str(uuid.uuid4()), ""


st.set_page_config(page_title="Chat on record")
if "history" not in state:
    clear()

st.title("Chat on record")
if not TOKEN:
    st.info("Set VERBATIM_TOKEN to a token with the scope “write”, made on the page “Your account”.")

with st.form("chat"):
    st.text_area("Message", key="prompt")
    st.form_submit_button("Send", on_click=send)
if state.trouble:
    st.error(state.trouble)

with st.sidebar:
    st.metric("Tokens", f"{state.tokens:,}")
    st.metric("Cost", f"${state.cost:.6f}" + ("" if state.is_cost_whole else " and more"))
    st.button("Clear", on_click=clear, disabled=not state.history)
    st.download_button("Download CSV", as_csv(state.history), "chat.csv", "text/csv", disabled=not state.history)

for turn in reversed(state.history):  # the newest first
    with st.chat_message(turn["role"]):
        st.markdown(turn["content"])
