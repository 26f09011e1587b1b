"""What requests say that bring an answer: names and types. What is acceptable is for the services to judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from rest_framework import serializers

from conversations.api.serializers.bodies import TextField
from conversations.models import Assistant, Conversation, LanguageModel
from conversations.services import Refusal
from rest.problems import Problem
from rest.serializers import StrictSerializer

if TYPE_CHECKING:
    from accounts.models import User


class PromptSerializer(StrictSerializer):
    """Something to say."""

    text = TextField(help_text="The prompt: plain text or Markdown.")
    attachments = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        default=list,
        help_text="Ids of files that were uploaded to /api/v1/attachments/.",
    )
    client_token = serializers.UUIDField(
        required=False,
        help_text="Made by the client, once per prompt: sent twice it is one message. Not needed beside an "
        "Idempotency-Key.",
    )


class StartSerializer(PromptSerializer):
    """The first prompt of a conversation."""

    assistant = TextField(
        required=False, help_text="The slug of who is to answer; left out, the first one that the list shows."
    )


class SendSerializer(PromptSerializer):
    """A prompt in a conversation that has begun."""

    parent = serializers.UUIDField(  # type: ignore[assignment]  # a field here, not the serializer around it
        required=False,
        allow_null=True,
        help_text="The answer that it goes on from, whose path is the current one then; left out, the last message.",
    )


class AnswererSerializer(StrictSerializer):
    """Who is to answer, here and in what follows."""

    assistant = TextField(required=False, help_text="The slug of another assistant; it answers with its own model.")
    model = TextField(required=False, help_text="The name of another model.")


class RetrySerializer(AnswererSerializer):
    """Another answer to the same prompt."""

    client_token = serializers.UUIDField(
        required=False, help_text="Made by the client, once per retry: sent twice it is one answer."
    )


class EditSerializer(AnswererSerializer, PromptSerializer):
    """Another wording of a prompt."""

    keep_files = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        default=list,
        help_text="Ids of those files of the earlier prompt that the new one carries as well.",
    )


def assistant_of(user: User, slug: str | None) -> Assistant:
    """Return who is to begin a conversation; without a name the first that may be chosen. Raises Problem."""
    visible = Assistant.objects.visible_to(user).select_related("model")
    return _found("assistant", visible.first() if slug is None else visible.filter(slug=slug).first())


def answerer_of(user: User, conversation: Conversation, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return who is to answer in a conversation, as services take it: what was asked for. Raises Problem."""
    chosen: dict[str, Any] = {}
    if (slug := asked.get("assistant")) is not None:
        chosen["assistant"] = _found("assistant", Assistant.objects.visible_to(user).filter(slug=slug).first())
    if (name := asked.get("model")) is not None:
        kept = LanguageModel.objects.filter(pk=conversation.model_id or 0, is_enabled=True)
        chosen["model"] = _found("model", (LanguageModel.objects.offered() | kept).filter(name=name).first())
    return chosen


def _found[Row](kind: Literal["assistant", "model"], row: Row | None) -> Row:
    """Return the row. Raises Problem (assistant_unavailable, no_model) where there is none."""
    if row is None:
        words = f"This {kind} is not available. Choose another one."
        code = Refusal.ASSISTANT_UNAVAILABLE if kind == "assistant" else Refusal.NO_MODEL
        raise Problem(422, str(code), words, errors=[{"field": kind, "message": words}])
    return row
