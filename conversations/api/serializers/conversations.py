"""Conversations as the API shows them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from rest_framework import serializers

from conversations.api.serializers.fields import Answer, TimeField, is_wanted, written
from conversations.api.serializers.messages import UsageSerializer, show_usage
from conversations.models import Conversation
from conversations.search import Hit
from conversations.usage import usage_of_conversation

CONVERSATION_ROWS = ("assistant", "model", "owner", "sealed_document")
"""What the rows that are shown must have joined (select_related)."""


class DocumentSerializer(Answer):
    """The sealed document of a concluded conversation."""

    sha256 = serializers.CharField(help_text="Hash of its bytes in hex.")
    size = serializers.IntegerField(help_text="Bytes.")
    sealed_at = TimeField()


class MatchSerializer(Answer):
    """Why a search found a conversation."""

    message = serializers.UUIDField(help_text="The message that matches best.")
    where = serializers.ChoiceField([("title", "The title"), ("message", "Its text"), ("file", "A file of it")])
    excerpt = serializers.CharField(help_text="A piece of the text that matches.")


class ConversationSerializer(Answer):
    """A conversation without its messages."""

    key = "id"

    id = serializers.UUIDField()
    owner = serializers.CharField(help_text="The username of whose it is.")
    title = serializers.CharField()
    assistant = serializers.CharField(help_text="The slug of who answers next.")
    model = serializers.CharField(allow_null=True, help_text="The model that was chosen for it; null: the assistant's.")
    state = serializers.ChoiceField(Conversation.State.choices)
    pinned = serializers.BooleanField(help_text="Its owner keeps it on top of the list.")
    created_at = TimeField()
    updated_at = TimeField(help_text="When something was last said in it.")
    concluded_at = TimeField(allow_null=True)
    deleted_at = TimeField(allow_null=True, help_text="When its owner deleted it.")
    last_message = serializers.UUIDField(allow_null=True, help_text="The end of the current path.")
    continued_from = serializers.UUIDField(allow_null=True, help_text="The concluded one that it goes on from.")
    document = DocumentSerializer(allow_null=True, help_text="Null until it is concluded and sealed.")
    match = MatchSerializer(help_text="There where `q` asked for words.")


class ConversationDetailSerializer(ConversationSerializer):
    """A conversation with what it used."""

    usage = UsageSerializer(allow_null=True, help_text="Of all model calls made for it, its title's included.")


def show_conversations(
    conversations: Sequence[Conversation],
    *,
    only: Collection[str] | None = None,
    matches: Mapping[UUID, Hit] | None = None,
) -> list[dict[str, Any]]:
    """Return conversations as JSON, in this order; `only` names the fields that are wanted.

    The rows have CONVERSATION_ROWS joined; no query is made. `matches` tells what a search found in each.
    """
    rows = [_row(conversation) | _match((matches or {}).get(conversation.pk)) for conversation in conversations]
    return written(ConversationSerializer, rows, only if only is None else [*only, "match"])


def show_conversation(conversation: Conversation, *, only: Collection[str] | None = None) -> dict[str, Any]:
    """Return one conversation as JSON, like `show_conversations`."""
    return show_conversations([conversation], only=only)[0]


def show_conversation_detail(conversation: Conversation, *, only: Collection[str] | None = None) -> dict[str, Any]:
    """Return one conversation as JSON with what it used, in one query."""
    row = _row(conversation)
    if is_wanted(only, "usage"):
        row["usage"] = show_usage(usage_of_conversation(conversation))
    return written(ConversationDetailSerializer, [row], only)[0]


def _match(hit: Hit | None) -> dict[str, Any]:
    if hit is None:
        return {}
    return {"match": {"message": hit.message_id, "where": hit.source, "excerpt": hit.excerpt}}


def _row(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": conversation.pk,
        "owner": conversation.owner.username,
        "title": conversation.title,
        "assistant": conversation.assistant.slug,
        "model": conversation.model.name if conversation.model else None,
        "state": conversation.state,
        "pinned": conversation.pinned_at is not None,
        "created_at": conversation.created_at,
        "updated_at": conversation.last_activity_at,
        "concluded_at": conversation.concluded_at,
        "deleted_at": conversation.hidden_at,
        "last_message": conversation.current_leaf_id,
        "continued_from": conversation.continued_from_id,
        "document": getattr(conversation, "sealed_document", None),
    }
