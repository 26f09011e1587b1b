"""What is asked of the history: lists as pages show them, and searches for words of every frequency."""

import datetime
import random
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import User
from bench.history import Case, heavy_user
from bench.history_rows import WORDS
from conversations.history import Filters, list_conversations, read_rail
from conversations.models import Assistant
from conversations.search import search_messages

INPUTS = 50  # of each case: words, days, pages
COMMON, MIDDLING, RARE = range(1, 9), range(400, 700), range(40_000, WORDS)


def all_cases(chance: random.Random) -> list[Case]:
    """Return the cases, asked by the person with the most conversations."""
    user = heavy_user()
    first, last = datetime.date(2017, 1, 1), datetime.date(2026, 6, 1)
    days = [first + (last - first) * chance.random() for _ in range(INPUTS)]
    assistants = [str(pk) for pk in Assistant.objects.values_list("pk", flat=True)]
    filtered = [f"{chance.choice(assistants)} {day}" for day in days]
    deep = list(_deep_cursors(user))

    def filters(given: str) -> Filters:
        assistant, day = given.split()
        since = datetime.date.fromisoformat(day)
        return Filters(int(assistant), since, since + datetime.timedelta(days=90))

    def search(given: str) -> object:
        return search_messages(user, given)

    def search_filtered(given: str) -> object:
        word, assistant, day = given.split()
        chosen = filters(f"{assistant} {day}")
        return search_messages(user, word, assistant_id=chosen.assistant_id, since=chosen.since, until=chosen.until)

    return [
        Case("rail, newest page", lambda _: read_rail(user), [""]),
        Case("rail, a deep page", lambda given: read_rail(user, before=given), deep),
        Case("list, of an assistant in 90 days", lambda given: list_conversations(user, filters(given)), filtered),
        Case("search, a rare word", search, _words(RARE, chance)),
        Case("search, a middling word", search, _words(MIDDLING, chance)),
        Case("search, a common word", search, _words(COMMON, chance)),
        Case("search, two middling words", search, _pairs(MIDDLING, MIDDLING, chance)),
        Case("search, a common and a rare word", search, _pairs(COMMON, RARE, chance)),
        Case("search, a phrase", search, _phrases(user, chance)),
        Case("search, a phrase of two common words", search, _pairs(COMMON, COMMON, chance, '"{} {}"'), False),
        Case("search, a common word without another", search, _pairs(COMMON, MIDDLING, chance, "{} -{}"), False),
        Case("search, any of two middling words", search, _pairs(MIDDLING, MIDDLING, chance, "{} or {}"), False),
        Case("search, a word that nobody used", search, [f"zzz{number}" for number in range(INPUTS)]),
        Case(
            "search, a common word, of an assistant in 90 days",
            search_filtered,
            [f"{word} {given}" for word, given in zip(_words(COMMON, chance), filtered, strict=True)],
        ),
        Case(
            "search, a common word, page 25",
            lambda given: search_messages(user, given, page=25),
            _words(COMMON, chance),
            False,
        ),
        Case("the whole page of a search, a middling word", _page_of(user), _words(MIDDLING, chance), False),
        Case("the whole page of a search, a common word", _page_of(user), _words(COMMON, chance), False),
        Case("the whole list page", _page_of(user), [""], False),
    ]


def _page_of(user: User) -> Callable[[str], object]:
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])

    def ask(query: str) -> object:
        response = client.get("/conversations/find/", {"q": query} if query else {})
        assert response.status_code == 200, response.content[:500]
        return response

    return ask


def _deep_cursors(user: User) -> Iterator[str]:
    """Yield the cursors of pages that lie thousands of conversations back."""
    page = read_rail(user)
    for number in range(250):
        page = read_rail(user, before=page.older)
        if number >= 200:
            yield page.older


def word_of(rank: int) -> str:
    """Return the word of a rank."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT bench_word(%s)", [rank])
        return str((cursor.fetchone() or [""])[0])


def _words(ranks: range, chance: random.Random) -> list[str]:
    return [word_of(chance.choice(ranks)) for _ in range(INPUTS)]


def _pairs(one: range, other: range, chance: random.Random, form: str = "{} {}") -> list[str]:
    return [form.format(*pair) for pair in zip(_words(one, chance), _words(other, chance), strict=True)]


def _phrases(user: User, chance: random.Random) -> list[str]:
    """Return phrases of three words that the person's texts hold."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM bench_piece WHERE number = ANY(%s)", [chance.sample(range(1000), INPUTS)])
        texts = [row[0].split() for row in cursor.fetchall()]
    starts = [chance.randrange(len(words) - 3) for words in texts]
    return [f'"{" ".join(words[start : start + 3])}"' for words, start in zip(texts, starts, strict=True)]
