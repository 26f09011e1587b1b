"""People with many conversations."""

from __future__ import annotations

from tests.system.site import Site

ROWS = """
WITH made AS (
    INSERT INTO conversations_conversation (id, owner_id, assistant_id, title, is_title_provisional, state, created_at,
        last_activity_at, concluded_by)
    SELECT gen_random_uuid(), person.id, (SELECT min(id) FROM conversations_assistant), %s || ' ' || number, false,
        'open', now(), now() - make_interval(hours => number * %s), ''
    FROM accounts_user AS person, generate_series(1, %s) AS number WHERE username = %s
    RETURNING id, owner_id, title
)
INSERT INTO conversations_message (id, conversation_id, owner_id, role, status, text, activity, attempt, error_code,
    error_text, created_at)
SELECT gen_random_uuid(), id, owner_id, 'user', 'completed', title || ' holds umbrellas', '', 0, '', '', now()
FROM made
"""
LEAVES = """
UPDATE conversations_conversation AS conversation SET current_leaf_id = message.id
FROM conversations_message AS message
WHERE message.conversation_id = conversation.id AND conversation.current_leaf_id IS NULL
"""


def fill(site: Site, username: str, count: int, *, title: str = "Line", hours: int = 9) -> None:
    """Give a person conversations of one prompt each."""
    site.sign_in(username)
    site.sql(ROWS, title, hours, count, username)
    site.sql(LEAVES)
