"""A turn in two statements: what a prompt needs to know is read in one, all that it brings is written in another.

By hand, since each stands between a person and the first word of every answer. The rules are not repeated here: they
are taken from the querysets, and what the first statement does not find is looked at by those who can tell why.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.models import Model, QuerySet
from django.utils import timezone

from conversations.models import Assistant, Conversation, Generation, LanguageModel, Message
from conversations.services.limits import TAKE_TURN, Turn, read_turn

if TYPE_CHECKING:
    from accounts.models import User

_NOBODY: User = get_user_model()(pk=-1)  # stands for the person while a rule is written down
_POSTGRES = DatabaseWrapper({})  # says how; settings need not name a database for that


def _rule(rows: QuerySet[Any]) -> str:
    """Return the condition of a queryset as SQL about its table, with %(person)s for the person."""
    compiler = rows.query.get_compiler(connection=_POSTGRES)
    compiler.pre_sql_setup()
    sql, parameters = compiler.compile(rows.query.where)
    # Other than the person these are the numbers that Django writes itself, as in EXISTS (SELECT 1 …).
    return f"({sql})" % tuple("%(person)s" if value == _NOBODY.pk else int(value) for value in parameters)


def _columns(model: type[Model]) -> list[str]:
    return [str(field.column) for field in model._meta.concrete_fields]


def _read(model: type[Model], table: str) -> str:
    return ", ".join(f"{table}.{column}" for column in _columns(model))


def _insert(model: type[Model], *numbers: int) -> str:
    columns = _columns(model)
    rows = ["({})".format(", ".join(f"%({column}_{number})s" for column in columns)) for number in numbers]
    return f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) VALUES {', '.join(rows)}"  # noqa: S608 (our names)


_FIND = f"""
SELECT {_read(Conversation, "conversations_conversation")}, {_read(Assistant, "conversations_assistant")},
    {_read(LanguageModel, "chosen")}, {_read(LanguageModel, "standard")}
FROM conversations_conversation
JOIN conversations_assistant ON conversations_assistant.id = conversations_conversation.assistant_id
LEFT JOIN conversations_languagemodel AS chosen ON chosen.id = conversations_conversation.model_id
LEFT JOIN conversations_languagemodel AS standard ON
    standard.id = conversations_assistant.model_id
    OR conversations_assistant.model_id IS NULL AND standard.name = %(default)s
WHERE conversations_conversation.id = %(id)s
    AND {_rule(Conversation.objects.visible_to(_NOBODY))} AND {_rule(Assistant.objects.visible_to(_NOBODY))}
FOR NO KEY UPDATE OF conversations_conversation
"""  # noqa: S608 (our names and rules)
_TURN_ENDS = "UPDATE conversations_conversation SET current_leaf_id = %(leaf)s, last_activity_at = %(now)s"
# Who says something more in what a batch began has it in the rail from then on.
_SAY = f"""
WITH said AS ({_insert(Message, 0, 1)}), planned AS ({_insert(Generation, 2)})
{_TURN_ENDS}, is_batched = is_batched AND current_leaf_id IS NULL WHERE id = %(id)s; {TAKE_TURN}
"""
_ASK_AGAIN = f"""
WITH said AS ({_insert(Message, 0)}), planned AS ({_insert(Generation, 1)}) {_TURN_ENDS} WHERE id = %(id)s; {TAKE_TURN}
"""


def find_open(*, owner: User, conversation_id: UUID) -> Conversation | None:
    """Return a conversation of `owner` with its assistant and models, locked until the transaction ends.

    None where it is not to be seen, its assistant is not available to them, or its assistant or model was changed while
    the lock was waited for: what is joined to it is as it was before. So an assistant that is withdrawn at that moment
    still takes this prompt.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FIND, {"person": owner.pk, "id": str(conversation_id), "default": settings.DEFAULT_MODEL})
        row = cursor.fetchone()
    if row is None:
        return None
    values = iter(row)
    conversation = _take(Conversation, values)
    assistant = _take(Assistant, values)
    chosen, standard = _take(LanguageModel, values), _take(LanguageModel, values)
    if conversation.model_id != chosen.pk:
        return None
    conversation.owner, conversation.assistant = owner, assistant
    if conversation.model_id is not None:
        conversation.model = chosen
    if assistant.model_id is not None:
        assistant.model = standard
    elif standard.pk is not None:
        assistant.default_model = standard
    return conversation


def write_turn(*, conversation: Conversation, said: Message | None, answer: Message, call: Generation) -> Turn:
    """Insert what is said, if anything is, the answer that is waited for and its call; there the conversation now ends.

    Returns how the person stands, whose turn it then is until the transaction ends (see `take_turn`). Raises
    IntegrityError where an answer is running or a token was used.
    """
    conversation.current_leaf, conversation.last_activity_at = answer, timezone.now()
    rows = (answer, call) if said is None else (said, answer, call)
    values: dict[str, Any] = {
        "leaf": conversation.current_leaf_id,
        "now": conversation.last_activity_at,
        "id": conversation.pk,
        "person": conversation.owner_id,
    }
    for number, row in enumerate(rows):
        for field in row._meta.concrete_fields:
            values[f"{field.column}_{number}"] = field.get_db_prep_save(getattr(row, field.attname), connection)
    with connection.cursor() as cursor:
        if said is None:
            cursor.execute(_ASK_AGAIN, values)
        else:
            cursor.execute(_SAY, values)
        turn = read_turn(cursor)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias
    return turn


def _take[M: Model](model: type[M], values: Iterator[Any]) -> M:
    """Make an object of the next values of a row."""
    fields = model._meta.concrete_fields
    found = [_told(field, next(values)) for field in fields]
    return model.from_db(connection.alias, [field.attname for field in fields], found)


def _told(field: Any, value: Any) -> Any:
    return field.from_db_value(value, None, connection) if hasattr(field, "from_db_value") else value
