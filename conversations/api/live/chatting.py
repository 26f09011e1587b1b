"""The stateless chat: a client that keeps the history itself sends all of it, and gets the next answer."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.live import examples
from conversations.api.live.answering import PARAMETERS, AnswerView
from conversations.api.live.sse import MEDIA_TYPE
from conversations.api.serializers.chat import ChatAnswerSerializer, ChatSerializer, show_chat
from conversations.api.serializers.sending import answerer_of, assistant_of
from conversations.models import Conversation, Message
from conversations.services import send_history, start_from_history
from rest.problems import Problem
from rest.schema import documented

BROKEN_OFF = frozenset({Message.Status.FAILED, Message.Status.INTERRUPTED})
CONVERSATION = "X-Conversation-Id"
_OURS_TO_MEND = frozenset({"too_long", "content_policy", "invalid_request"})


class ChatView(AnswerView):
    """`chat/`."""

    @documented(
        operation_id="chat",
        summary="Have a history answered",
        description="For clients that hold the conversation themselves: they send all of it each time, and the answer "
        "comes back in the shape in which the next history holds it. Everything is recorded. Without `conversation` a "
        "new one begins, and what stands before the last prompt is stored as supplied: no model is called for it and "
        "nothing is reckoned. With it, the history must extend what is stored there, or the answer is 409; an answer "
        "that broke off may be left out. Where the model cannot be had the answer is an error, and "
        f"`{CONVERSATION}` says where the prompt is kept. It is waited for and streamed as when a message is sent.",
        request=ChatSerializer,
        responses={
            200: OpenApiResponse(ChatAnswerSerializer, "The answer, which has ended."),
            202: OpenApiResponse(ChatAnswerSerializer, "The answer so far: it is still being written."),
            (200, MEDIA_TYPE): OpenApiResponse(OpenApiTypes.STR, "The answer as server-sent events."),
        },
        examples=[examples.CHAT, examples.CHAT_ANSWER, examples.STREAM],
        parameters=PARAMETERS,
    )
    async def post(self, request: Request) -> HttpResponseBase:
        """Answer the last prompt of a history."""
        return await self.answered(self._say, _shown)

    def _say(self) -> Message:
        asked = self.read(ChatSerializer)
        given: dict[str, Any] = {"owner": self.user, "history": asked["history"], "client_token": self.token(asked)}
        named = {name: asked[name] for name in ("assistant", "model") if asked.get(name) is not None}
        if (pk := asked.get("conversation")) is None:
            chosen = answerer_of(self.user, Conversation(), named)
            assistant = chosen.pop("assistant", None) or assistant_of(self.user, None)
            return start_from_history(assistant=assistant, **given, **chosen)
        conversation = Conversation.objects.visible_to(self.user).get(pk=pk)
        chosen = answerer_of(self.user, conversation, named)
        if chosen.get("assistant") == conversation.assistant:  # named again, which takes away no model that was chosen
            chosen.setdefault("model", conversation.model)
        return send_history(conversation_id=pk, **given, **chosen)


def _shown(shown: dict[str, Any]) -> Response:
    headers = {CONVERSATION: str(shown["conversation"])}
    if shown["status"] in BROKEN_OFF:
        raise broken_off(shown, headers | {"Location": reverse("api:message", args=[shown["id"]])})
    return Response(show_chat(shown), headers=headers)


def broken_off(shown: dict[str, Any], headers: dict[str, str]) -> Problem:
    """Return the problem of an answer that could not be had: of the request (422), or of the model's side (502).

    The prompt is on record, so the same Idempotency-Key asks anew rather than lead to the same failure.
    """
    error = shown["error"] or {"code": "broken_off", "message": "The answer broke off. Ask again."}
    status = 422 if error["code"] in _OURS_TO_MEND else 502
    return Problem(status, error["code"], error["message"], headers=headers, is_on_record=True)
