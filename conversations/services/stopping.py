"""Stopping an answer."""

from django.db import transaction

from conversations.models import Generation, Message
from conversations.services import jobs
from conversations.services.answering import end_message
from conversations.services.calls import close_open_calls
from conversations.services.refusals import Refusal, Refused


def stop_answer(*, message: Message) -> Message:
    """Stop an answer at once, whatever its job is doing; what it had written is kept. Return it as it now is.

    The job is aborted in the same transaction: one that runs closes its provider stream within milliseconds, one that
    waits never runs. Raises Refused (not_running).
    """
    with transaction.atomic():
        message = Message.objects.select_for_update(no_key=True).get(pk=message.pk)
        if not message.is_running:
            raise Refused(Refusal.NOT_RUNNING, "This answer is not being written any more.")
        text = message.text_so_far()
        calls = list(message.generations.filter(status__in=Generation.OPEN))
        close_open_calls(message, Generation.Status.STOPPED, text)
        end_message(message, Message.Status.STOPPED, text)
        for call in calls:
            if call.job_id is not None:
                jobs.abort(call.job_id)
    return message
