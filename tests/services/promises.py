"""What the record promises of its turns, looked at after every step."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db.models import Sum
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
)

from conversations.models import Conversation, Generation, Message, MessageChunk, UsageDay
from tests.services.calls import sql

TABLES = (Message, Generation, MessageChunk, Conversation, UsageDay)
ENDED = {"completed", "incomplete", "refused", "stopped", "failed", "interrupted"}


class Promises(RuleBasedStateMachine):
    """What holds of one conversation whatever anybody does."""

    conversation: Conversation

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[UUID, str] = {}
        self.tokens: dict[UUID, UUID] = {}
        self.continued: set[UUID] = set()

    def leaf(self) -> Message:
        leaf = Conversation.objects.select_related("current_leaf").get(pk=self.conversation.pk).current_leaf
        assert leaf is not None
        return leaf

    @invariant()
    def at_most_one_answer_runs_and_it_is_the_last(self) -> None:
        running = [message.pk for message in Message.objects.running()]
        assert running in ([], [self.leaf().pk])

    @invariant()
    def what_has_ended_has_ended(self) -> None:
        ended = Message.objects.filter(role="assistant", status__in=ENDED)
        assert not ended.filter(finished_at=None).exists()
        assert not MessageChunk.objects.exclude(message__status="streaming").exists()
        assert not Generation.objects.filter(message__in=ended, status__in=Generation.OPEN).exists()
        closed = Generation.objects.exclude(status__in=Generation.OPEN)
        assert not closed.filter(finished_at=None).exists()

    @invariant()
    def what_runs_has_one_open_call_and_it_is_the_last(self) -> None:
        for message in Message.objects.running():
            calls = list(message.generations.order_by("id"))
            assert [call.pk for call in calls if call.status in Generation.OPEN] == [calls[-1].pk]

    @invariant()
    def the_sums_of_the_day_are_those_of_the_calls(self) -> None:
        ended = Generation.objects.exclude(status__in=Generation.OPEN)
        for number in ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "cost"):
            booked = UsageDay.objects.aggregate(sum=Sum(number))["sum"] or 0
            assert booked == (ended.aggregate(sum=Sum(number))["sum"] or 0), number
        made = ended.exclude(started_at=None).exclude(status="failed", output_tokens=None)
        assert (UsageDay.objects.aggregate(sum=Sum("calls"))["sum"] or 0) == made.count()

    @invariant()
    def text_never_shrinks(self) -> None:
        for message in Message.objects.all():
            text = message.text_so_far()
            assert text.startswith(self.seen.get(message.pk, ""))
            self.seen[message.pk] = text

    @invariant()
    def the_tree_is_whole(self) -> None:
        messages = {message.pk: message for message in self.conversation.messages.all()}
        assert all(one.parent_id in messages for one in messages.values() if one.role == "assistant")
        path = Conversation.objects.get(pk=self.conversation.pk).path()
        assert path[-1] == self.leaf()
        assert path[0].parent_id is None
        assert [one.role for one in path] == ["user", "assistant"] * (len(path) // 2)
        assert not path[-1].children.exists()
        assert all(one.role != messages[one.parent_id].role for one in messages.values() if one.parent_id)

    @invariant()
    def a_token_is_one_message(self) -> None:
        assert Message.objects.filter(client_token__isnull=False).count() == len(self.tokens) + len(self.continued)


@contextmanager
def unchanged(expected: bool = True) -> Iterator[None]:
    """Check, where so expected, that nothing is written."""
    before = rows()
    yield
    assert not expected or rows() == before


def rows() -> list[object]:
    return [sorted(model.objects.values_list(), key=str) for model in TABLES]


def empty_tables() -> None:
    sql(
        "TRUNCATE procrastinate_jobs, procrastinate_workers, conversations_generation, conversations_message,"
        " conversations_conversation, conversations_assistant, conversations_usageday CASCADE"
    )
