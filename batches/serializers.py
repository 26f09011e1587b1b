"""Batches as the API takes and shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from batches.models import Batch, BatchItem, counts_of
from conversations.api.serializers.fields import Answer, TimeField
from conversations.text import clean_text, is_blank
from rest.serializers import StrictSerializer

PAUSED = "paused"
_STATES = [(Batch.State.RUNNING, "Running"), (PAUSED, "Paused"), *Batch.State.choices[1:]]
_NAME_CHARACTERS = Batch._meta.get_field("name").max_length


class BatchQuery(StrictSerializer):
    """What the list of batches may be narrowed to."""

    state = serializers.ChoiceField(
        Batch.State.choices, required=False, help_text="Those that stand there; a paused one is running."
    )


class BatchUploadSerializer(StrictSerializer):
    """A form with a file of prompts."""

    file = serializers.FileField(
        allow_empty_file=True,
        help_text="JSON lines (.jsonl): objects with `prompt` and, so that you know it again, `custom_id`. Or a table "
        "(.csv) with these columns. UTF-8, at most 50,000 prompts and 20 MB.",
    )
    assistant = serializers.SlugField(help_text="The slug of the assistant that answers.")
    name = serializers.CharField(
        required=False, max_length=_NAME_CHARACTERS, help_text="What you call it; the name of the file."
    )

    def validate_name(self, value: str) -> str:
        """Return the name as it is stored."""
        return readable(value)


class CountsSerializer(Answer):
    """How many prompts stand where."""

    total = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="Not begun, or to be asked once more.")
    running = serializers.IntegerField()
    completed = serializers.IntegerField()
    incomplete = serializers.IntegerField(help_text="Answers that were cut off.")
    refused = serializers.IntegerField()
    stopped = serializers.IntegerField()
    failed = serializers.IntegerField()
    interrupted = serializers.IntegerField()
    removed = serializers.IntegerField(help_text="Whose conversation retention has removed.")


class BatchSerializer(Answer):
    """A file of prompts that the worker answers."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    assistant = serializers.CharField(help_text="The slug of who answers.")
    state = serializers.ChoiceField(_STATES, help_text="Paused: it goes on by itself; `problem` says why it waits.")
    counts = CountsSerializer()
    problem = serializers.CharField(allow_null=True, help_text="Why it waits, or was ended early.")
    paused_until = TimeField(allow_null=True)
    created_at = TimeField()
    ended_at = TimeField(allow_null=True)
    expires_at = TimeField(allow_null=True, help_text="Until when the result can be had.")


def show_batches(batches: Sequence[Batch]) -> list[dict[str, Any]]:
    """Return batches, with their assistants, as JSON; one query for all counts."""
    counts = counts_of(batches)
    rows = [_row(batch, counts[batch.pk]) for batch in batches]
    return list(BatchSerializer(rows, many=True).data)


def readable(name: str) -> str:
    """Return a name as it is stored, on one line. Raises ValidationError for what nobody could read."""
    name = " ".join(clean_text(name).split())
    if is_blank(name):
        raise serializers.ValidationError("This must be a text that can be read.")
    return "".join(character if character.isprintable() else "\ufffd" for character in name)


def _row(batch: Batch, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "id": batch.pk,
        "name": batch.name,
        "assistant": batch.assistant.slug,
        "state": PAUSED if batch.is_paused else batch.state,
        "counts": {"total": batch.total} | {status: counts.get(status, 0) for status in BatchItem.Status.values},
        "problem": batch.problem or None,
        "paused_until": batch.paused_until if batch.is_paused else None,
        "created_at": batch.created_at,
        "ended_at": batch.ended_at,
        "expires_at": batch.expires_at,
    }
