"""Sums what was used before sums were kept."""

from django.conf import settings
from django.db import migrations

# Said again, it writes the same sums: a day is set, not added to.
SUM = """
INSERT INTO conversations_usageday (
    owner_id, day, model_id, calls, estimated_calls, unpriced_calls,
    input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost
)
SELECT conversation.owner_id, (call.started_at AT TIME ZONE %(zone)s)::date, call.model_id,
    count(*),
    count(*) FILTER (WHERE call.usage_source <> 'exact'),
    count(*) FILTER (WHERE call.cost IS NULL AND NOT model.is_local),
    coalesce(sum(call.input_tokens), 0), coalesce(sum(call.cached_tokens), 0),
    coalesce(sum(call.output_tokens), 0), coalesce(sum(call.reasoning_tokens), 0), coalesce(sum(call.cost), 0)
FROM conversations_generation AS call
JOIN conversations_conversation AS conversation ON conversation.id = call.conversation_id
JOIN conversations_languagemodel AS model ON model.id = call.model_id
WHERE call.status NOT IN ('pending', 'running') AND call.started_at IS NOT NULL
    AND (call.status <> 'failed' OR call.output_tokens IS NOT NULL)
GROUP BY 1, 2, 3
ON CONFLICT (owner_id, day, model_id) DO UPDATE SET
    calls = excluded.calls, estimated_calls = excluded.estimated_calls, unpriced_calls = excluded.unpriced_calls,
    input_tokens = excluded.input_tokens, cached_tokens = excluded.cached_tokens,
    output_tokens = excluded.output_tokens, reasoning_tokens = excluded.reasoning_tokens, cost = excluded.cost
"""


def sum_up(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(SUM, {"zone": settings.TIME_ZONE})


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0005_conversation_life"),
    ]

    operations = [
        migrations.RunPython(sum_up, migrations.RunPython.noop),
    ]
