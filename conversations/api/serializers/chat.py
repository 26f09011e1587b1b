"""The stateless chat: the whole history in, the next answer out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from conversations.api.serializers.bodies import TextField
from conversations.api.serializers.fields import Answer
from conversations.models import Message
from conversations.services import Refused, Said
from conversations.services.supplying import MAX_TURNS
from rest.serializers import StrictSerializer

_ROLE = "A role is user or assistant; what an assistant is told beforehand stands with the assistant."


class TurnSerializer(StrictSerializer):
    """What one of both said."""

    role = serializers.ChoiceField(Message.Role.choices, error_messages={"invalid_choice": _ROLE})
    content = TextField(help_text="Plain text or Markdown.")
    id = serializers.UUIDField(required=False, allow_null=True, help_text="As an answer had it; passed over.")
    status = TextField(required=False, allow_null=True, help_text="As an answer had it; passed over.")
    api_call_cost = serializers.FloatField(
        required=False, allow_null=True, help_text="What front ends note on an answer that they keep; passed over."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Look at the text as the record takes it."""
        try:
            Said(attrs["role"], attrs["content"]).accepted()
        except Refused as refused:
            raise serializers.ValidationError({"content": refused.message}) from refused
        return attrs


class ChatSerializer(StrictSerializer):
    """All that was said, and who is to answer."""

    history = TurnSerializer(  # type: ignore[call-arg]  # those of the list, which `many` makes of it
        many=True,
        allow_empty=False,
        max_length=MAX_TURNS,
        help_text="Oldest first. The last one is the user's: that is answered.",
    )
    assistant = TextField(
        required=False,
        allow_null=True,
        help_text="The slug of who is to answer; left out, the first one that the list shows, or who answered before.",
    )
    model = TextField(required=False, allow_null=True, help_text="The name of a model in place of the assistant's own.")
    conversation = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="The conversation that the history extends, as an earlier answer named it. Left out, a new one is "
        "made, and what comes before the last prompt is stored in it as supplied.",
    )

    def validate_history(self, history: list[dict[str, Any]]) -> list[Said]:
        """Return it as the services take it."""
        if history[-1]["role"] != Message.Role.USER:
            raise serializers.ValidationError("The last one must be the user's: that is what is answered.")
        return [Said(turn["role"], turn["content"]) for turn in history]


class ChatMessageSerializer(Answer):
    """The answer, as the next history holds it."""

    role = serializers.ChoiceField(Message.Role.choices)
    content = serializers.CharField(allow_blank=True)
    id = serializers.UUIDField(help_text="Below /api/v1/messages/ there is more to read of it.")
    status = serializers.ChoiceField(
        Message.Status.choices, help_text="completed, unless it is cut off, refused, stopped, or still being written."
    )


class TokenUsageSerializer(Answer):
    """What it used; null where that is not known."""

    input_tokens = serializers.IntegerField(allow_null=True)
    output_tokens = serializers.IntegerField(allow_null=True)
    prompt_tokens = serializers.IntegerField(allow_null=True, help_text="The same as `input_tokens`.")
    completion_tokens = serializers.IntegerField(allow_null=True, help_text="The same as `output_tokens`.")
    total_tokens = serializers.IntegerField(allow_null=True)


class ChatAnswerSerializer(Answer):
    """The next answer."""

    message = ChatMessageSerializer()
    token_usage = TokenUsageSerializer()
    cost = serializers.FloatField(
        allow_null=True,
        help_text="US dollars, as a number to add up; null: unknown. Below /api/v1/messages/ it stands exactly.",
    )
    conversation = serializers.UUIDField(help_text="Where it is recorded; to be given with the next history.")


def show_chat(shown: dict[str, Any]) -> dict[str, Any]:
    """Return a message as `show_message` shows it in the shape of the chat."""
    usage = shown["usage"] or {}
    sent, made, cost = usage.get("input_tokens"), usage.get("output_tokens"), usage.get("cost")
    return {
        "message": {"role": shown["role"], "content": shown["text"], "id": shown["id"], "status": shown["status"]},
        "token_usage": {
            "input_tokens": sent,
            "output_tokens": made,
            "prompt_tokens": sent,
            "completion_tokens": made,
            "total_tokens": usage.get("total_tokens"),
        },
        "cost": None if cost is None else float(cost),
        "conversation": shown["conversation"],
    }
