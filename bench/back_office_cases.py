"""What reviewers ask for: the list with every filter and order, searches over all, and long transcripts."""

import datetime
import random
import time
from collections.abc import Callable, Iterator
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.test import Client

from accounts.models import User
from bench.history import Case, heavy_user
from bench.history_cases import COMMON, MIDDLING, RARE, word_of
from bench.usage_cases import usage_cases
from conversations.models import Assistant, Conversation, LanguageModel, Message
from conversations.services import index_messages
from records import sitting
from records.filters import FilterForm
from records.search import search_all

INPUTS = 12  # of each search
_REVIEWER = "bench-reviewer"
_LONG = "A transcript of 20,000 messages"
_BEGUN = datetime.datetime(2024, 3, 1, tzinfo=datetime.UTC)


def all_cases(chance: random.Random) -> list[Case]:
    """Return the cases, asked by a reviewer who has said why."""
    client = _reviewer()
    models = dict(LanguageModel.objects.values_list("name", "pk"))
    assistant = Assistant.objects.filter(slug="bench-3").values_list("pk", flat=True)[0]
    lists = {
        "newest page": "",
        "page 40": "p=40",
        "by cost": "o=-8",
        "by tokens, least first": "o=7",
        "days": "from=2019-01-01&to=2019-01-31",
        "up to a day long ago": "to=2017-03-31",
        "owner with few": "owner=bench1999",
        "owner with 20,000": f"owner={heavy_user().username}",
        "group": "group=3",
        "assistant": f"assistant={assistant}",
        "model of today": f"model={models['gpt-4o']}",
        "model of ten years ago": f"model={models['bench-first']}",
        "model seldom used": f"model={models['bench-rare']}",
        "concluded": "state=concluded",
        "failed": "status=failed",
        "refused": "status=refused",
        "stopped": "status=stopped",
        "cut off": "status=cut_off",
        "being written": "status=running",
        "with files": "files=yes",
        "without files": "files=no",
        "rated bad": "feedback=down",
        "rated good": "feedback=up",
        "rated": "feedback=any",
        "not rated": "feedback=none",
        "never reviewed": "review=none",
        "waiting for review": "review=waiting",
        "reviewed": "review=done",
        "a violation": "review=violation",
        "deleted by its owner": "hidden=yes",
        "cost of a dollar and more": "cost_from=1",
        "cost up to a cent": "cost_to=0.01",
        "90,000 tokens and more": "tokens_from=90000",
        "files, page 40": "files=yes&p=40",
        "model of ten years ago, by cost": f"model={models['bench-first']}&o=-8",
        "assistant, files, rated bad": f"assistant={assistant}&feedback=down&files=yes",
        "group, assistant, model of ten years ago": f"group=3&assistant={assistant}&model={models['bench-first']}",
        "assistant, half a dollar and more": f"assistant={assistant}&cost_from=0.5",
        "long ago, rated bad, some cost": "to=2017-03-31&feedback=down&cost_from=0.001",
    }
    return [
        *(
            Case(f"list, {name}", _page(client, "/admin/conversations/conversation/?"), [q])
            for name, q in lists.items()
        ),
        *_searches(client, chance, assistant),
        *_transcripts(client),
        *usage_cases(client),
    ]


def _searches(client: Client, chance: random.Random, assistant: int) -> Iterator[Case]:
    def search(**given: object) -> Callable[[str], object]:
        filters = FilterForm({name: str(value) for name, value in given.items()})
        assert filters.is_valid(), filters.errors
        return lambda query: search_all(query, filters)

    common, middling, rare = (_words(ranks, chance) for ranks in (COMMON, MIDDLING, RARE))
    yield Case("search, a common word", search(), common)
    yield Case("search, a middling word", search(), middling)
    yield Case("search, a rare word", search(), rare)
    yield Case("search, a word that nobody used", search(), ["zzzzy", "zzzzx"], False)
    yield Case("search, two middling words", search(), _pairs(middling, chance, "{} {}"))
    yield Case("search, a phrase of common words", search(), _pairs(common, chance, '"{} {}"'))
    yield Case("search, a phrase of middling words", search(), _pairs(middling, chance, '"{} {}"'))
    yield Case("search, a common word without another", search(), _pairs(common, chance, "{} -{}"), False)
    yield Case(
        "search, a middling word in two months of 2019", search(**{"from": "2019-01-01", "to": "2019-02-28"}), middling
    )
    yield Case("search, a common word of a person", search(owner="bench1999"), common)
    yield Case("search, a middling word of an assistant", search(assistant=assistant), middling)
    yield Case("search, a common word, rated bad", search(feedback="down"), common, False)
    yield Case("search, a middling word, with files", search(files="yes"), middling, False)
    page = _page(client, "/admin/conversations/conversation/search/?q=")
    yield Case("the whole page of a search, a middling word", page, middling, False)


def _transcripts(client: Client) -> Iterator[Case]:
    conversation = _long_conversation()
    address = f"/admin/conversations/conversation/{conversation.pk}/change/?page="
    yield Case("transcript of 20,000 messages, first page", _page(client, address), ["1"], False)
    yield Case("transcript of 20,000 messages, page 50", _page(client, address), ["50"], False)
    heavy = Conversation.objects.filter(owner=heavy_user()).order_by("-id")[:INPUTS]
    transcript = _page(client, "/admin/conversations/conversation/")
    yield Case("transcript of 20 messages", transcript, [f"{one.pk}/change/" for one in heavy], False)


def _page(client: Client, address: str) -> Callable[[str], object]:
    def ask(given: str) -> object:
        response = client.get(address + given)
        assert response.status_code == 200, (given, response.status_code, response.content[:500])
        return response

    return ask


def _reviewer() -> Client:
    person, _ = User.objects.get_or_create(
        username=_REVIEWER, defaults={"email": f"{_REVIEWER}@example.org", "is_staff": True, "is_superuser": True}
    )
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    session = client.session
    session[sitting.SESSION_KEY] = {"person": person.pk, "reason": "Measuring", "began": int(time.time())}
    session.save()
    return client


@transaction.atomic
def _long_conversation() -> Conversation:
    """Return the conversation of 20,000 messages, made where it is not there."""
    found = Conversation.objects.filter(title=_LONG, owner=heavy_user()).first()
    if found is not None:
        return found
    model = Conversation.objects.filter(owner=heavy_user()).order_by("-id")[0]
    conversation = Conversation.objects.create(
        owner=model.owner, assistant=model.assistant, title=_LONG, created_at=_BEGUN, last_activity_at=_BEGUN
    )
    messages: list[Message] = []
    for number in range(20_000):
        moment = _BEGUN + number * datetime.timedelta(minutes=1)
        messages.append(
            Message(
                pk=UUID(int=int(moment.timestamp() * 1000) << 80 | 0x7 << 76 | 0b10 << 62 | number),
                conversation=conversation,
                owner=model.owner,
                parent_id=messages[-1].pk if messages else None,
                role="assistant" if number % 2 else "user",
                status="completed",
                text=f"Message {number}. " * 40,
                created_at=moment,
            )
        )
    Message.objects.bulk_create(messages, batch_size=1_000)
    Conversation.objects.filter(pk=conversation.pk).update(current_leaf=messages[-1])
    while index_messages():
        pass
    return conversation


def _words(ranks: range, chance: random.Random) -> list[str]:
    return [word_of(chance.choice(ranks)) for _ in range(INPUTS)]


def _pairs(words: list[str], chance: random.Random, form: str) -> list[str]:
    return [form.format(*chance.sample(words, 2)) for _ in range(INPUTS)]
