"""Every write of the record: keyword-only functions, one transaction each, no request object."""

from conversations.services.answering import (
    AnswerPlan,
    claim_answer,
    fail_answer,
    finish_answer,
    leave_response,
    next_attempt,
)
from conversations.services.calls import CallProgress
from conversations.services.refusals import Refusal, Refused
from conversations.services.rescue import settle, settle_stalled
from conversations.services.sending import retry_answer, send_message, start_conversation
from conversations.services.stopping import stop_answer
from conversations.services.titles import (
    TitlePlan,
    claim_title,
    fail_title,
    finish_title,
    rename_conversation,
)

__all__ = [
    "AnswerPlan",
    "CallProgress",
    "Refusal",
    "Refused",
    "TitlePlan",
    "claim_answer",
    "claim_title",
    "fail_answer",
    "fail_title",
    "finish_answer",
    "finish_title",
    "leave_response",
    "next_attempt",
    "rename_conversation",
    "retry_answer",
    "send_message",
    "settle",
    "settle_stalled",
    "start_conversation",
    "stop_answer",
]
