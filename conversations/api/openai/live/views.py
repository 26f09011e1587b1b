"""The addresses of the door. Whoever speaks to OpenAI speaks through them to our assistants, and is recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID, uuid4

from django.http import HttpResponseBase
from rest_framework.exceptions import NotAuthenticated
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.api.live.answering import PARAMETERS, RUNNING
from conversations.api.live.chatting import CONVERSATION, broken_off
from conversations.api.live.preferences import JSON, preference_of
from conversations.api.live.reader import Reader
from conversations.api.live.waiting import answer_of
from conversations.api.openai import contract
from conversations.api.openai.answers import FAILED, Found, completion, find_answer, find_for, response
from conversations.api.openai.asking import RESPONSE, Asked, read_chat, read_response
from conversations.api.openai.errors import handle, not_known, wrong
from conversations.api.openai.files import uploaded
from conversations.api.openai.live.streams import Streamer, chat_chunks, response_events, streamed
from conversations.api.openai.values import id_of
from conversations.api.serializers.sending import assistant_of
from conversations.models import Assistant, Conversation, LanguageModel, Message
from conversations.outages import AWAY_WITH_JOBS
from conversations.services import Refused, find_place, send_history, start_from_history, stop_answer
from conversations.services.sending import sent_before
from rest.problems import Problem
from rest.schema import documented
from rest.views import LiveView

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class Dialect:
    """One of the two ways of asking: how its requests are read, and its answers shown and streamed."""

    read: Callable[[Mapping[str, Any]], Asked]
    show: Callable[[Found, Asked], dict[str, Any]]
    stream: Streamer


class DoorView(LiveView):
    """A view whose errors are OpenAI's."""

    documented_errors = staticmethod(contract.errors)

    def get_exception_handler(self) -> Callable[[Exception, Mapping[str, Any]], Response | None]:
        """Return what tells of errors."""
        return handle

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        """Return how to write what is no stream; whether it is one stands in the body."""
        return JSONRenderer(), JSON


class ModelsView(DoorView):
    """`models`."""

    @documented(
        operation_id="openai_list_models",
        summary="List what can be asked",
        description="Assistants by their slugs, and the models that are offered.",
        responses={200: contract.MODELS},
        examples=[contract.MODELS_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        """Answer what may stand as `model`."""
        return Response({"object": "list", "data": models_for(self.user)})


class ModelView(DoorView):
    """`models/{model}`."""

    @documented(
        operation_id="openai_get_model",
        summary="Read about something that can be asked",
        responses={200: contract.MODEL},
        examples=[contract.MODEL_EXAMPLE],
    )
    def get(self, request: Request, name: str) -> Response:
        """Answer one of them."""
        found = next((model for model in models_for(self.user) if model["id"] == name), None)
        if found is None:
            raise no_model(name)
        return Response(found)


def ended_completion(found: Found, asked: Asked) -> dict[str, Any]:
    """Return an answer as a chat completion. Raises Problem (504) where it is not over."""
    if found.message.status in RUNNING:
        raise Problem(
            504,
            "timeout",
            "The answer is still being written. It is not lost: read it in its conversation. Next time, stream it.",
            headers={CONVERSATION: str(found.message.conversation_id)},
        )
    return completion(found, asked)


class AskingView(DoorView):
    """Asks something, and answers with what comes of it."""

    answering = frozenset({"POST"})
    dialect: ClassVar[Dialect]

    async def answered(self) -> HttpResponseBase:
        """Have it said, and answer as the body wants it. Raises Problem where it is not known whether it was said."""
        try:
            return await self._answered()
        except AWAY_WITH_JOBS as error:
            raise not_known() from error

    async def _answered(self) -> HttpResponseBase:
        asked, found = await self.in_thread(self._say)
        reader = Reader.of(self.request, self.user, self.access, found.message.pk)
        headers = {CONVERSATION: str(found.message.conversation_id)}
        if asked.is_streamed:
            stream = streamed(self.dialect.stream, reader, found, asked)
            stream[CONVERSATION] = headers[CONVERSATION]
            return stream
        seconds = 0 if asked.is_background else preference_of(self.request).seconds
        if seconds:
            await answer_of(found.message.pk, seconds)
        return await self.in_thread(self._shown, reader, asked, headers)

    def _say(self) -> tuple[Asked, Found]:
        asked = self.dialect.read(dict(self.request.data))
        return asked, find_answer(self.user, say(self.user, asked, self.idempotency_token or uuid4()).pk)

    def _shown(self, reader: Reader, asked: Asked, headers: dict[str, str]) -> Response:
        found = find_for(reader)
        if found is None:
            raise NotAuthenticated
        if found.message.status in FAILED:
            code, words = found.message.error_code, found.message.error_text
            error = {"code": code, "message": words} if code else None
            raise broken_off({"error": error}, headers)
        return Response(self.dialect.show(found, asked), headers=headers)


class ChatCompletionsView(AskingView):
    """`chat/completions`."""

    dialect = Dialect(read_chat, ended_completion, chat_chunks)

    @documented(
        operation_id="openai_chat_completions",
        summary="Create a chat completion",
        description=contract.CHAT_WORDS,
        request=contract.CHAT_REQUEST,
        responses=contract.CHAT_RESPONSES,
        examples=contract.CHAT_EXAMPLES,
        parameters=PARAMETERS,
    )
    async def post(self, request: Request) -> HttpResponseBase:
        """Answer the last message of a chat."""
        return await self.answered()


class ResponsesView(AskingView):
    """`responses`."""

    dialect = Dialect(read_response, response, response_events)

    @documented(
        operation_id="openai_create_response",
        summary="Create a response",
        description=contract.RESPONSE_WORDS,
        request=contract.RESPONSE_REQUEST,
        responses=contract.RESPONSE_RESPONSES,
        examples=contract.RESPONSE_EXAMPLES,
        parameters=PARAMETERS,
    )
    async def post(self, request: Request) -> HttpResponseBase:
        """Answer an input."""
        return await self.answered()


class ResponseView(DoorView):
    """`responses/{id}`."""

    @documented(
        operation_id="openai_get_response",
        summary="Read a response",
        description="As it stands, also while it is being written.",
        responses={200: contract.RESPONSE},
        examples=[contract.RESPONSE_EXAMPLE],
    )
    def get(self, request: Request, pk: str) -> Response:
        """Answer how it stands."""
        return Response(response(find_answer(self.user, _answer_id(pk))))


class CancelView(DoorView):
    """`responses/{id}/cancel`."""

    @documented(
        operation_id="openai_cancel_response",
        summary="Stop a response",
        description="What it has written is kept. One that has ended is answered as it stands.",
        responses={200: contract.RESPONSE},
        examples=[contract.RESPONSE_EXAMPLE],
    )
    def post(self, request: Request, pk: str) -> Response:
        """Stop it."""
        found = find_answer(self.user, _answer_id(pk))
        if found.message.is_running:
            with contextlib.suppress(Refused):  # it ended meanwhile
                stop_answer(message=found.message)
        return Response(response(find_answer(self.user, found.message.pk)))


def say(user: User, asked: Asked, token: UUID) -> Message:
    """Say what is asked for, and return the answer that is waited for. Raises Problem, Refused and DoesNotExist."""
    assistant, model = chosen(user, asked.model)
    given: dict[str, Any] = {"owner": user, "client_token": token, "options": asked.options.stored(), "model": model}
    conversation, parent_id = _conversation_of(user, asked)
    if conversation is None:
        with uploaded(user, asked.heard.turns) as history:
            return start_from_history(assistant=assistant or assistant_of(user, None), history=history, **given)
    turns = asked.heard.turns
    has_files = any(turn.files for turn in turns)
    first = 0
    if has_files and not asked.is_addition:
        said = [turn.said.accepted() for turn in turns]
        try:
            first = find_place(conversation=conversation, history=said).first
        except Refused as refused:  # which is what the same request meets that was carried out before
            return sent_before(user.pk, token, said[-1].text, refused)
    with uploaded(user, turns, first=first) as history:
        return send_history(
            conversation_id=conversation.pk,
            history=history,
            is_addition=asked.is_addition,
            parent_id=parent_id,
            assistant=assistant,
            **given,
        )


def chosen(user: User, name: str) -> tuple[Assistant | None, LanguageModel | None]:
    """Return who is to answer: an assistant by its slug, or else a model by its name. Raises Problem (404)."""
    assistant = Assistant.objects.visible_to(user).filter(slug=name).first()
    if assistant is not None:
        return assistant, None
    model = LanguageModel.objects.offered().filter(name=name).first()
    if model is None:
        raise no_model(name)
    return None, model


def no_model(name: str) -> Problem:
    """Return what is said of a model that cannot be asked."""
    return wrong("model", f"There is no model “{name[:100]}” that you may ask.", "model_not_found", status=404)


def models_for(user: User) -> list[dict[str, Any]]:
    """Return what somebody may name as the model, as OpenAI lists it."""
    slugs = list(Assistant.objects.visible_to(user).values_list("slug", flat=True))
    names = LanguageModel.objects.offered().exclude(name__in=slugs).values_list("name", flat=True)
    owned = [(slug, "assistant") for slug in slugs] + [(name, "model") for name in names]
    return [{"id": name, "object": "model", "created": 0, "owned_by": owner} for name, owner in owned]


def _conversation_of(user: User, asked: Asked) -> tuple[Conversation | None, UUID | None]:
    """Return the conversation in which it is said, and the answer behind which. Raises DoesNotExist."""
    if asked.previous_id is not None:
        message = find_answer(user, asked.previous_id).message
        return message.conversation, message.pk
    if asked.conversation_id is None:
        return None, None
    return Conversation.objects.visible_to(user).get(pk=asked.conversation_id), None


def _answer_id(name: str) -> UUID:
    try:
        return id_of(name, "response_id", RESPONSE)
    except Problem:
        raise Message.DoesNotExist from None
