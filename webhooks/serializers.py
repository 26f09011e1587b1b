"""Events as the API tells them, and what may be asked of them."""

from __future__ import annotations

from rest_framework import serializers

from conversations.api.serializers.fields import TimeField
from conversations.api.serializers.queries import TruthField
from conversations.models import Event
from rest.serializers import StrictSerializer

LARGEST = 2**63 - 1
LONGEST_WAIT = 25


class EventQuery(StrictSerializer):
    """What of the feed is read."""

    after = serializers.IntegerField(
        required=False, min_value=0, max_value=LARGEST, help_text="Events behind this number; 0, from the first on."
    )
    kind = serializers.ChoiceField(Event.Kind.choices, required=False, help_text="Of this kind alone.")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=1000, help_text="At most so many; 100.")
    everyone = TruthField(
        required=False,
        help_text="Everybody's: for tokens with the scope read_all of people who may review conversations.",
    )
    wait = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=LONGEST_WAIT,
        help_text=f"Where there is none, wait so many seconds for one, up to {LONGEST_WAIT}; 0.",
    )


class EventSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Something that has happened."""

    id = serializers.UUIDField(
        help_text="The same wherever it is told, also in webhooks: know by it what you have seen."
    )
    seq = serializers.IntegerField(help_text="Its place. No number is missing, and none comes before an earlier one.")
    kind = serializers.ChoiceField(Event.Kind.choices)
    created_at = TimeField()
    conversation = serializers.UUIDField(help_text="Which may be removed by now.")
    data = serializers.DictField(  # type: ignore[assignment]
        help_text="Ids, times and hashes, by kind; never what was said."
    )


class FeedSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A stretch of the feed."""

    results = EventSerializer(many=True)
    after = serializers.IntegerField(help_text="With what to go on: everything up to this number has been read.")
    has_more = serializers.BooleanField(help_text="Whether more is there already.")
