"""Every write of the record: keyword-only functions, one transaction each, no request object."""

from conversations.services.answering import (
    AnswerPlan,
    claim_answer,
    fail_answer,
    finish_answer,
    leave_response,
    next_attempt,
    next_step,
)
from conversations.services.attachments import (
    carry_files,
    delete_again,
    delete_file,
    find_deleted_file,
    forget_deleted_file,
    note_sent_to_provider,
    purge_unsent,
    receive_file,
    remove_attachment,
)
from conversations.services.branching import choose_answerer, continue_answer, edit_prompt, retry_answer
from conversations.services.calls import CallProgress
from conversations.services.catalogue_checks import note_listing
from conversations.services.changing import Answerer, change_conversation
from conversations.services.concluding import conclude_conversation, conclude_idle
from conversations.services.continuing import continue_conversation
from conversations.services.feedback import rate_answer
from conversations.services.hiding import hide_conversation, pin_conversation, restore_conversation
from conversations.services.indexing import index_messages
from conversations.services.limits import Standing, standings_of
from conversations.services.made_files import (
    fail_file,
    find_pending_file,
    keep_file,
    plan_file,
    prepare_file,
    retry_file,
    settle_lost_files,
)
from conversations.services.opening import PlannedFile
from conversations.services.reading import find_unread_files, keep_text
from conversations.services.refusals import Refusal, Refused
from conversations.services.rescue import settle, settle_stalled
from conversations.services.sealing import NotSettled, find_unsealed, seal_conversation
from conversations.services.seen import mark_seen
from conversations.services.sending import send_message, start_conversation
from conversations.services.single_calls import CallPlan
from conversations.services.stopping import stop_answer
from conversations.services.supplying import Said, find_place, send_history, start_from_history
from conversations.services.titles import (
    claim_title,
    fail_title,
    finish_title,
    rename_conversation,
)
from conversations.services.trials import (
    claim_trial,
    fail_trial,
    finish_trial,
    path_of,
    plan_preview,
    plan_test,
)

__all__ = [
    "AnswerPlan",
    "Answerer",
    "CallPlan",
    "CallProgress",
    "NotSettled",
    "PlannedFile",
    "Refusal",
    "Refused",
    "Said",
    "Standing",
    "carry_files",
    "change_conversation",
    "choose_answerer",
    "claim_answer",
    "claim_title",
    "claim_trial",
    "conclude_conversation",
    "conclude_idle",
    "continue_answer",
    "continue_conversation",
    "delete_again",
    "delete_file",
    "edit_prompt",
    "fail_answer",
    "fail_file",
    "fail_title",
    "fail_trial",
    "find_deleted_file",
    "find_pending_file",
    "find_place",
    "find_unread_files",
    "find_unsealed",
    "finish_answer",
    "finish_title",
    "finish_trial",
    "forget_deleted_file",
    "hide_conversation",
    "index_messages",
    "keep_file",
    "keep_text",
    "leave_response",
    "mark_seen",
    "next_attempt",
    "next_step",
    "note_listing",
    "note_sent_to_provider",
    "path_of",
    "pin_conversation",
    "plan_file",
    "plan_preview",
    "plan_test",
    "prepare_file",
    "purge_unsent",
    "rate_answer",
    "receive_file",
    "remove_attachment",
    "rename_conversation",
    "restore_conversation",
    "retry_answer",
    "retry_file",
    "seal_conversation",
    "send_history",
    "send_message",
    "settle",
    "settle_lost_files",
    "settle_stalled",
    "standings_of",
    "start_conversation",
    "start_from_history",
    "stop_answer",
]
