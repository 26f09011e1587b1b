"""The statements that sum up the record by day, person, assistant and model. What they promise: usage_facts.py."""

from __future__ import annotations

from records.models import MEASURES

_KEY = ("owner_id", "assistant_id", "model_id")
_DAY = "({} AT TIME ZONE %(zone)s)::date"
_UP_TO_MS = (250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000)
_HISTOGRAM = [name for name in MEASURES if name.startswith("first_text_") and name != "first_text_ms"]

# Which rows a statement sums up: those of a day whose conversations are in the record, or those of some conversations.
_FROM = "%(day)s::date::timestamp AT TIME ZONE %(zone)s"
_BEFORE = "(%(day)s::date + 1)::timestamp AT TIME ZONE %(zone)s"
_IN_RECORD = "NOT EXISTS (SELECT FROM records_tombstone AS removed WHERE removed.conversation_id = {})"
_OF_DAY = {
    "message": f"message.created_at >= {_FROM} AND message.created_at < {_BEFORE}"
    f" AND {_IN_RECORD.format('message.conversation_id')}",
    "conversation": f"conversation.created_at >= {_FROM} AND conversation.created_at < {_BEFORE}"
    f" AND {_IN_RECORD.format('conversation.id')}",
    "generation": f"generation.started_at >= {_FROM} AND generation.started_at < {_BEFORE}"
    f" AND {_IN_RECORD.format('generation.conversation_id')}",
}
_OF_CONVERSATIONS = {
    "message": "message.conversation_id = ANY(%(ids)s)",
    "conversation": "conversation.id = ANY(%(ids)s)",
    "generation": "generation.conversation_id = ANY(%(ids)s)",
}

# The first answer of a conversation says with whom it began: Conversation.assistant says who answers next.
_FIRST_ANSWERER = """(
            SELECT assistant_id FROM conversations_message
            WHERE conversation_id = conversation.id AND role = 'assistant' ORDER BY id LIMIT 1
        )"""


def _counted(measures: dict[str, str], source: str) -> str:
    """Return a query of rows like those of UsageFact, with 0 for every measure that is not named."""
    columns = ", ".join(f"{measures.get(name, '0')} AS {name}" for name in MEASURES)
    return f"SELECT day, {', '.join(_KEY)}, {columns} FROM {source} GROUP BY day, {', '.join(_KEY)}"


def _where(condition: str) -> str:
    return f"count(*) FILTER (WHERE {condition})"


def _waits() -> dict[str, str]:
    """Return the columns of the histogram: each how many waited longer than the one before, and not longer than it."""
    edges = [0, *_UP_TO_MS]
    parts = {
        name: _where(f"first_text_ms > {low} AND first_text_ms <= {high}")
        for name, low, high in zip(_HISTOGRAM, edges, _UP_TO_MS, strict=False)
    }
    first, last = _HISTOGRAM[0], _HISTOGRAM[-1]
    return parts | {
        first: _where(f"first_text_ms <= {_UP_TO_MS[0]}"),
        last: _where(f"first_text_ms > {_UP_TO_MS[-1]}"),
        "first_texts": "count(first_text_ms)",
        "first_text_ms": "coalesce(sum(first_text_ms), 0)",
    }


def _answered(scope: dict[str, str]) -> str:
    """Answers that have ended, each with the model that began it, how long its first text took, and its rating."""
    return f"""answered AS MATERIALIZED (
    SELECT {_DAY.format("message.created_at")} AS day, message.owner_id,
        coalesce(message.assistant_id, conversation.assistant_id) AS assistant_id,
        coalesce(made.model_id, 0) AS model_id, message.status, made.first_text_ms, rated.up, rated.down
    FROM conversations_message AS message
    JOIN conversations_conversation AS conversation ON conversation.id = message.conversation_id
    CROSS JOIN LATERAL (
        SELECT (array_agg(model_id ORDER BY id))[1] AS model_id,
            CASE WHEN min(first_text_at) > min(started_at)
                THEN round(extract(epoch FROM min(first_text_at) - min(started_at)) * 1000)
                WHEN min(first_text_at) <= min(started_at) THEN 0  -- clocks differ
            END AS first_text_ms
        FROM conversations_generation WHERE message_id = message.id
    ) AS made
    CROSS JOIN LATERAL (
        SELECT (count(*) FILTER (WHERE rating = 'up') > 0)::int AS up,
            (count(*) FILTER (WHERE rating = 'down') > 0)::int AS down
        FROM conversations_feedback WHERE message_id = message.id
    ) AS rated
    WHERE message.role = 'assistant' AND message.copy_of_id IS NULL AND NOT message.is_supplied
        AND message.status NOT IN ('queued', 'streaming') AND {scope["message"]}
)"""


def _asked(scope: dict[str, str]) -> str:
    """Prompts, each under who answered it first."""
    return f"""asked AS MATERIALIZED (
    SELECT {_DAY.format("message.created_at")} AS day, message.owner_id,
        coalesce(answer.assistant_id, conversation.assistant_id) AS assistant_id,
        coalesce(answer.model_id, 0) AS model_id
    FROM conversations_message AS message
    JOIN conversations_conversation AS conversation ON conversation.id = message.conversation_id
    LEFT JOIN LATERAL (
        SELECT reply.assistant_id, (
            SELECT model_id FROM conversations_generation WHERE message_id = reply.id ORDER BY id LIMIT 1
        ) AS model_id
        FROM conversations_message AS reply
        WHERE reply.parent_id = message.id AND reply.role = 'assistant' ORDER BY reply.id LIMIT 1
    ) AS answer ON true
    WHERE message.role = 'user' AND message.copy_of_id IS NULL AND NOT message.is_supplied AND {scope["message"]}
)"""


def _begun(scope: dict[str, str]) -> str:
    """Conversations, each on the day on which it began."""
    return f"""begun AS MATERIALIZED (
    SELECT {_DAY.format("conversation.created_at")} AS day, conversation.owner_id,
        coalesce({_FIRST_ANSWERER}, conversation.assistant_id) AS assistant_id, coalesce((
            SELECT model_id FROM conversations_generation AS generation
            WHERE conversation_id = conversation.id AND purpose = 'answer'
                AND {_DAY.format("generation.created_at")} = {_DAY.format("conversation.created_at")}
            ORDER BY id LIMIT 1
        ), 0) AS model_id
    FROM conversations_conversation AS conversation
    WHERE {scope["conversation"]}
)"""


def _called(scope: dict[str, str]) -> str:
    """Calls that have ended, each under whom they were made for."""
    return f"""called AS MATERIALIZED (
    SELECT {_DAY.format("generation.started_at")} AS day,
        coalesce(conversation.owner_id, trial.asked_by_id, 0) AS owner_id, coalesce(
            message.assistant_id, CASE WHEN generation.message_id IS NULL THEN {_FIRST_ANSWERER} END,
            conversation.assistant_id, trial.assistant_id, 0
        ) AS assistant_id,
        generation.model_id, generation.usage_source, generation.cost, model.is_local, generation.input_tokens,
        generation.cached_tokens, generation.output_tokens, generation.reasoning_tokens
    FROM conversations_generation AS generation
    JOIN conversations_languagemodel AS model ON model.id = generation.model_id
    LEFT JOIN conversations_conversation AS conversation ON conversation.id = generation.conversation_id
    LEFT JOIN conversations_message AS message ON message.id = generation.message_id
    LEFT JOIN conversations_trial AS trial ON trial.generation_id = generation.id
    WHERE generation.status NOT IN ('pending', 'running') AND generation.started_at IS NOT NULL
        AND (generation.status <> 'failed' OR generation.output_tokens IS NOT NULL) AND {scope["generation"]}
)"""


def _used(scope: dict[str, str]) -> str:
    """Return common table expressions that end in `used`: what was used in this scope, a row for each key."""
    answers = {
        "answers": "count(*)",
        "failed": _where("status IN ('failed', 'interrupted')"),
        "refused": _where("status = 'refused'"),
        "stopped": _where("status = 'stopped'"),
        "cut_off": _where("status = 'incomplete'"),
        "thumbs_up": "coalesce(sum(up), 0)",
        "thumbs_down": "coalesce(sum(down), 0)",
    }
    tokens = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "cost")
    calls = {
        "calls": "count(*)",
        "estimated_calls": _where("usage_source <> 'exact'"),
        "unpriced_calls": _where("cost IS NULL AND NOT is_local"),
    } | {name: f"coalesce(sum({name}), 0)" for name in tokens}
    parts = [
        _counted(answers | _waits(), "answered"),
        _counted({"prompts": "count(*)"}, "asked"),
        _counted({"conversations": "count(*)"}, "begun"),
        _counted(calls, "called"),
    ]
    sums = ", ".join(f"sum({name}) AS {name}" for name in MEASURES)
    return f"""{_answered(scope)}, {_asked(scope)}, {_begun(scope)}, {_called(scope)}, used AS MATERIALIZED (
    SELECT day, {", ".join(_KEY)}, {sums}
    FROM ({" UNION ALL ".join(parts)}) AS counted
    GROUP BY day, {", ".join(_KEY)}
)"""


def _same(one: str, other: str, keys: tuple[str, ...]) -> str:
    return " AND ".join(f"{one}.{key} = {other}.{key}" for key in keys)


_COLUMNS = ", ".join(MEASURES)
_FACT_KEY, _SUM_KEY = ("day", *_KEY), ("kind", "period", "start", *_KEY)
_ADDED = ", ".join(f"{name} = kept.{name} + change.{name}" for name in MEASURES)
_UPSERTED = ", ".join(f"{name} = kept.{name} + excluded.{name}" for name in MEASURES)
_ANY = " OR ".join(f"{name} <> 0" for name in MEASURES)
# A sum for each period and kind: what a kind does not tell apart is 0.
_PERIODS = f"""SELECT kind, period, date_trunc(period, day)::date AS start,
        CASE WHEN kind <> 'service' THEN owner_id ELSE 0 END AS owner_id,
        CASE WHEN kind <> 'person' THEN assistant_id ELSE 0 END AS assistant_id,
        CASE WHEN kind <> 'person' THEN model_id ELSE 0 END AS model_id,
        {", ".join(f"sum({name}) AS {name}" for name in MEASURES)}
    FROM {{}} CROSS JOIN unnest(ARRAY['month', 'year']) AS period
        CROSS JOIN unnest(ARRAY['each', 'person', 'service']) AS kind
    GROUP BY 1, 2, 3, 4, 5, 6"""

RECKON_DAY = f"""
WITH {_used(_OF_DAY)}, change AS MATERIALIZED (
    SELECT day, {", ".join(_KEY)}, {", ".join(f"sum({name}) AS {name}" for name in MEASURES)} FROM (
        SELECT day, {", ".join(_KEY)}, {_COLUMNS} FROM used
        UNION ALL
        SELECT day, {", ".join(_KEY)}, {", ".join(f"-{name}" for name in MEASURES)}
        FROM records_usagefact WHERE day = %(day)s AND NOT is_removed
    ) AS differences
    GROUP BY day, {", ".join(_KEY)} HAVING {" OR ".join(f"sum({name}) <> 0" for name in MEASURES)}
), changed_fact AS (
    UPDATE records_usagefact AS kept SET {_ADDED} FROM change
    WHERE {_same("kept", "change", _FACT_KEY)} AND kept.day = %(day)s AND NOT kept.is_removed
), new_fact AS (
    INSERT INTO records_usagefact (day, {", ".join(_KEY)}, is_removed, {_COLUMNS})
    SELECT day, {", ".join(_KEY)}, false, {_COLUMNS} FROM change WHERE NOT EXISTS (
        SELECT FROM records_usagefact AS kept
        WHERE {_same("kept", "change", _FACT_KEY)} AND kept.day = %(day)s AND NOT kept.is_removed
    )
), period_change AS MATERIALIZED (
    {_PERIODS.format("change")}
), changed_sum AS (
    UPDATE records_usagesum AS kept SET {_ADDED} FROM period_change AS change
    WHERE {_same("kept", "change", _SUM_KEY)}
), new_sum AS (
    INSERT INTO records_usagesum ({", ".join(_SUM_KEY)}, {_COLUMNS})
    SELECT {", ".join(_SUM_KEY)}, {_COLUMNS} FROM period_change AS change WHERE NOT EXISTS (
        SELECT FROM records_usagesum AS kept WHERE {_same("kept", "change", _SUM_KEY)}
    )
), waiting AS (
    INSERT INTO records_usagechange (at)
    SELECT %(day)s::date::timestamp AT TIME ZONE %(zone)s WHERE EXISTS (
        SELECT FROM conversations_message AS message
        WHERE message.status IN ('queued', 'streaming') AND {_OF_DAY["message"]}
    ) OR EXISTS (
        SELECT FROM conversations_generation AS generation
        WHERE generation.status IN ('pending', 'running') AND {_OF_DAY["generation"]}
    )
)
SELECT count(*) FROM change
"""
"""Writes what differs for a day, and the same differences to its month and year. In the same snapshot it marks the day
again while answers of it are waited for: whenever they end, either this statement has seen it or the mark is there."""

TIDY_DAY = f"DELETE FROM records_usagefact WHERE day = %(day)s AND NOT is_removed AND NOT ({_ANY})"

KEEP_REMOVED = f"""
WITH {_used(_OF_CONVERSATIONS)}, kept_removed AS (
    INSERT INTO records_usagefact AS kept (day, {", ".join(_KEY)}, is_removed, {_COLUMNS})
    SELECT day, {", ".join(_KEY)}, true, {_COLUMNS} FROM used
    ON CONFLICT (day, {", ".join(_KEY)}, is_removed) DO UPDATE SET {_UPSERTED}
), taken AS MATERIALIZED (
    SELECT {", ".join(f"used.{key}" for key in _FACT_KEY)},
        {", ".join(f"least(used.{name}, coalesce(live.{name}, 0)) AS {name}" for name in MEASURES)}
    FROM used LEFT JOIN records_usagefact AS live ON {_same("live", "used", _FACT_KEY)} AND NOT live.is_removed
), lessened AS (
    UPDATE records_usagefact AS kept SET {", ".join(f"{name} = kept.{name} - change.{name}" for name in MEASURES)}
    FROM taken AS change WHERE {_same("kept", "change", _FACT_KEY)} AND NOT kept.is_removed
), late AS MATERIALIZED (
    SELECT {", ".join(f"used.{key}" for key in _FACT_KEY)},
        {", ".join(f"used.{name} - taken.{name} AS {name}" for name in MEASURES)}
    FROM used JOIN taken ON {_same("taken", "used", _FACT_KEY)}
), summed AS (
    INSERT INTO records_usagesum AS kept ({", ".join(_SUM_KEY)}, {_COLUMNS})
    SELECT {", ".join(_SUM_KEY)}, {_COLUMNS} FROM ({_PERIODS.format("late")}) AS periods WHERE {_ANY}
    ON CONFLICT ({", ".join(_SUM_KEY)}) DO UPDATE SET {_UPSERTED}
)
INSERT INTO records_usagechange (at)
SELECT DISTINCT day::timestamp AT TIME ZONE %(zone)s FROM used
"""
"""Moves what conversations amount to from the sums of the record to those of what was removed. What the former had not
taken in yet is new to both; the days are marked, for what changed since and can be seen no more."""

SUM_ALL_DAYS = f"""
INSERT INTO records_usagesum ({", ".join(_SUM_KEY)}, {_COLUMNS})
{_PERIODS.format("records_usagefact")}
"""

NOTICE = f"""
INSERT INTO records_usagechange (at)
SELECT min(at) FROM (
    SELECT created_at AS at FROM conversations_conversation WHERE created_at >= %(since)s
    UNION ALL SELECT created_at FROM conversations_message WHERE created_at >= %(since)s
    UNION ALL SELECT started_at FROM conversations_generation WHERE started_at >= %(since)s
) AS new
GROUP BY {_DAY.format("at")}
"""
MARK_ALL = f"""
INSERT INTO records_usagechange (at)
SELECT DISTINCT day::timestamp AT TIME ZONE %(zone)s FROM (
    SELECT {_DAY.format("created_at")} AS day FROM conversations_conversation
    UNION ALL SELECT {_DAY.format("created_at")} FROM conversations_message
    UNION ALL SELECT {_DAY.format("started_at")} FROM conversations_generation WHERE started_at IS NOT NULL
    UNION ALL SELECT day FROM records_usagefact WHERE NOT is_removed
) AS days
"""
TAKE_MARKS = f"DELETE FROM records_usagechange WHERE at >= {_FROM} AND at < {_BEFORE}"
MARKED_DAYS = f"SELECT DISTINCT {_DAY.format('at')} AS day FROM records_usagechange ORDER BY day DESC"
