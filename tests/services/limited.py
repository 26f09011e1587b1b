"""People with limits, what they have used, and what they are told."""

import datetime

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import User
from conversations.models import Assistant, Message, UsageDay, UsageLimit
from conversations.services import (
    Refused,
    start_conversation,
)
from tests.factories import make_model, token


def limit(amount: str | int, measure: str = "tokens", period: str = "day", **whom: User | Group) -> UsageLimit:
    return UsageLimit.objects.create(measure=measure, period=period, amount=amount, **whom)


def use(owner: User, tokens: int, *, cost: str = "0", days_ago: int = 0) -> None:
    UsageDay.objects.create(
        owner=owner,
        day=timezone.localdate() - datetime.timedelta(days=days_ago),
        model=make_model(),
        calls=1,
        input_tokens=tokens,
        cost=cost,
    )


def begin(owner: User, assistant: Assistant) -> Message:
    return start_conversation(owner=owner, assistant=assistant, prompt="Hello there", client_token=token())


def refusal(owner: User, assistant: Assistant) -> Refused:
    with pytest.raises(Refused) as refused:
        begin(owner, assistant)
    assert not Message.objects.running().exists()
    return refused.value
