"""Periodic jobs that tests have run at once, and what is waited for before they look at its result."""

import json

from tests.system.site import Site, wait_for

_JOB = "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES (%s, %s, %s) RETURNING id"
_LEFT = "SELECT count(*) FROM procrastinate_jobs WHERE id = %s AND status IN ('todo', 'doing')"
_PERSON = """
JOIN conversations_conversation AS conversation ON conversation.id = conversation_id
JOIN accounts_user AS person ON person.id = conversation.owner_id AND person.username = %s
"""
_CALLS = f"SELECT count(*) FROM conversations_generation AS call {_PERSON} WHERE call.status IN ('pending', 'running')"
_UNINDEXED = f"SELECT count(*) FROM conversations_message {_PERSON} WHERE search_vector IS NULL"


def run_job(site: Site, task: str, queue: str) -> None:
    """Have a periodic job run now."""
    ((job,),) = site.sql(_JOB, queue, task, json.dumps({"timestamp": 0}))
    wait_for(lambda: site.sql(_LEFT, job)[0][0] == 0, what=task)


def index_words_of(site: Site, username: str) -> None:
    """Have all that somebody was told be findable by its words, their titles too, which have messages indexed anew."""
    wait_for(lambda: not site.sql(_CALLS, username)[0][0], what="the titles")
    run_job(site, "conversations.tasks.index_messages", "answers")
    wait_for(lambda: not site.sql(_UNINDEXED, username)[0][0], what="the index")
