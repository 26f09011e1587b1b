"""Who gets what in the back office.

Every verb but POST is answered as GET is (Django's admin tells them not apart, and only a POST writes), unless the row
says otherwise.
"""

from __future__ import annotations

from tests.access.outcomes import (
    NOT_ALLOWED,
    NOT_FOUND,
    SHOWN,
    VERBS,
    Outcome,
    Outcomes,
    Row,
    everybody,
    members,
    read,
)

READ = Outcome(200, is_noted=True)
"""What somebody wrote is shown to somebody else."""
FORBIDDEN = Outcome(403)
UNUSABLE = Outcome(422)
GATE = Outcome(302, "/admin/login/?next=/admin/")  # it sends strangers on to the sign-in page, and others away
BACK = Outcome(302, "/admin/")
SAVED = Outcome(302, "/admin/", writes=True)


def office(staff: Outcome, reviewer: Outcome, administrator: Outcome, gate: Outcome = GATE) -> Outcomes:
    return everybody(gate) | {"staff": staff, "reviewer": reviewer, "administrator": administrator}


def page(outcomes: Outcomes, post: Outcomes | None = None) -> Row:
    """A page of Django's admin."""
    return dict.fromkeys(VERBS, outcomes) | {"POST": post or outcomes}


def readable(outcomes: Outcomes, others: Outcomes) -> Row:
    """A page that is read with GET, HEAD and OPTIONS; `others` is the answer to the rest."""
    return dict.fromkeys(VERBS, others) | dict.fromkeys(("GET", "HEAD", "OPTIONS"), outcomes)


ANY_STAFF = office(SHOWN, SHOWN, SHOWN)
REVIEWERS = office(FORBIDDEN, SHOWN, SHOWN)
REVIEWERS_READ = office(FORBIDDEN, READ, READ)
ADMINISTRATORS = office(FORBIDDEN, FORBIDDEN, SHOWN)
ADMINISTRATORS_GO_BACK = office(FORBIDDEN, FORBIDDEN, BACK)
ADMINISTRATORS_SAVE = office(FORBIDDEN, FORBIDDEN, SAVED)
NOBODY = office(FORBIDDEN, FORBIDDEN, FORBIDDEN)
NOT_FOR_STAFF = office(NOT_ALLOWED, NOT_ALLOWED, NOT_ALLOWED)
TO_CHANGE_PAGE = page(office(BACK, BACK, BACK))

_OFFICE_HOME: dict[str, Row] = {
    "admin:index": page(ANY_STAFF),
    "admin:login": page(members(FORBIDDEN) | dict.fromkeys(("staff", "reviewer", "administrator"), BACK)),
    "admin:logout": dict.fromkeys(VERBS, office(NOT_ALLOWED, NOT_ALLOWED, NOT_ALLOWED, BACK))
    | {"OPTIONS": office(SHOWN, SHOWN, SHOWN, BACK), "POST": office(READ, READ, READ, BACK)},
    "admin:password_change": page(office(*[Outcome(302, "/accounts/password/change/")] * 3)),
    "admin:password_change_done": readable(ANY_STAFF, NOT_FOR_STAFF),
    "admin:autocomplete": readable(NOBODY, NOT_FOR_STAFF) | {"OPTIONS": ANY_STAFF},
    "admin:jsi18n": readable(ANY_STAFF, NOT_FOR_STAFF),
    "admin:view_on_site": page(office(NOT_FOUND, NOT_FOUND, NOT_FOUND)),
    "admin:app_list": page(office(NOT_FOUND, SHOWN, SHOWN)),
    "admin/(?P<url>.*)$": page(office(NOT_FOUND, NOT_FOUND, NOT_FOUND)),
    "records:sitting": page(REVIEWERS, post=office(FORBIDDEN, UNUSABLE, UNUSABLE)),  # the form has no reason
}

_PEOPLE: dict[str, Row] = {
    "admin:auth_user_password_change": page(ADMINISTRATORS),
    "admin:accounts_user_changelist": page(ADMINISTRATORS),
    "admin:accounts_user_add": page(ADMINISTRATORS),
    "admin:accounts_user_history": page(ADMINISTRATORS),
    "admin:accounts_user_delete": page(ADMINISTRATORS_GO_BACK),  # a person of the record stays
    "admin:accounts_user_change": page(ADMINISTRATORS),
    "admin/accounts/user/<path:object_id>/": TO_CHANGE_PAGE,
    "admin:auth_group_changelist": page(ADMINISTRATORS),
    "admin:auth_group_add": page(ADMINISTRATORS, post=ADMINISTRATORS_SAVE),
    "admin:auth_group_history": page(ADMINISTRATORS),
    "admin:auth_group_delete": page(ADMINISTRATORS, post=ADMINISTRATORS_SAVE),
    "admin:auth_group_change": page(ADMINISTRATORS, post=ADMINISTRATORS_SAVE),
    "admin/auth/group/<path:object_id>/": TO_CHANGE_PAGE,
}


def _catalogue(model: str) -> dict[str, Row]:
    return {
        f"admin:conversations_{model}_changelist": page(ADMINISTRATORS),
        f"admin:conversations_{model}_add": page(ADMINISTRATORS),
        f"admin:conversations_{model}_history": page(ADMINISTRATORS),
        f"admin:conversations_{model}_delete": page(ADMINISTRATORS_GO_BACK),  # what the record names stays
        f"admin:conversations_{model}_change": page(ADMINISTRATORS),
        f"admin/conversations/{model}/<path:object_id>/": TO_CHANGE_PAGE,
    }


_TRIALS: dict[str, Row] = {
    "admin:conversations_languagemodel_test": page(NOT_FOR_STAFF, post=ADMINISTRATORS_SAVE),
    "admin:conversations_assistant_preview": page(
        ADMINISTRATORS, post=office(FORBIDDEN, FORBIDDEN, Outcome(303, "/admin/conversations/", writes=True))
    ),
}


def _freely_deleted(model: str) -> dict[str, Row]:
    """Rows that nothing of the record names."""
    return _catalogue(model) | {f"admin:conversations_{model}_delete": page(ADMINISTRATORS, post=ADMINISTRATORS_SAVE)}


def _record(
    model: str, readers: Outcomes, *, listed: Outcomes | None = None, shown: Outcomes | None = None
) -> dict[str, Row]:
    """Nobody writes, administrators included. `listed` and `shown`: where reading the list or a row is noted."""
    return {
        f"admin:{model}_changelist": page(listed or readers),
        f"admin:{model}_add": page(NOBODY),
        f"admin:{model}_history": page(readers),
        f"admin:{model}_delete": page(NOBODY),
        f"admin:{model}_change": page(shown or readers, post=NOBODY),
        f"admin/{model.replace('_', '/')}/<path:object_id>/": TO_CHANGE_PAGE,
    }


def _deed(reviewer: Outcome, administrator: Outcome) -> Row:
    """Something that reviewers do with a review, by a POST alone."""
    return page(NOT_FOR_STAFF, post=office(FORBIDDEN, reviewer, administrator))


def _reviewing() -> dict[str, Row]:
    """One review of these tests waits, and the reviewer has claimed another."""
    taken = Outcome(303, "/admin/conversations/conversation/", writes=True)
    back = Outcome(303, "/admin/records/review/", writes=True)
    somebody_else_s = Outcome(409)
    return {
        "admin:records_review_next": _deed(taken, taken),
        "admin:records_review_start": _deed(taken, taken),
        "admin:records_review_claim": _deed(taken, taken),
        "admin:records_review_return": _deed(back, somebody_else_s),
        "admin:records_review_verdict": _deed(UNUSABLE, UNUSABLE),  # the form of these tests has none
        "admin:records_review_progress": page(NOT_FOR_STAFF) | read(REVIEWERS),
    }


def _managed(model: str, delete: Outcomes, save: Outcomes) -> dict[str, Row]:
    """Rows of the back office that administrators change; with a name alone `save` is the answer."""
    return {
        f"admin:records_{model}_changelist": page(ADMINISTRATORS),
        f"admin:records_{model}_add": page(ADMINISTRATORS, post=save),
        f"admin:records_{model}_history": page(ADMINISTRATORS),
        f"admin:records_{model}_delete": page(ADMINISTRATORS if delete is ADMINISTRATORS_SAVE else delete, post=delete),
        f"admin:records_{model}_change": page(ADMINISTRATORS, post=save),
        f"admin/records/{model}/<path:object_id>/": TO_CHANGE_PAGE,
    }


def _exporting() -> dict[str, Row]:
    """The export of these tests is under way. The form of these tests names no reason."""
    return _record("records_bulkexport", ADMINISTRATORS) | {
        "admin:records_bulkexport_add": page(ADMINISTRATORS, post=office(FORBIDDEN, FORBIDDEN, UNUSABLE)),
        "admin:records_bulkexport_cancel": page(NOT_FOR_STAFF, post=ADMINISTRATORS_SAVE),
    }


def _sums_of_use() -> dict[str, Row]:
    """Read by a right of its own; who takes a table away is written down."""
    return {
        "admin:records_usagefact_changelist": {"GET": ADMINISTRATORS, "HEAD": ADMINISTRATORS},
        "admin:records_usagefact_csv": {"GET": office(FORBIDDEN, FORBIDDEN, READ), "HEAD": ADMINISTRATORS},
    }


def _retaining() -> dict[str, Row]:
    run = Outcome(303, "/admin/records/retentionrun/", writes=True)
    unusable = office(FORBIDDEN, FORBIDDEN, UNUSABLE)  # the form of these tests has neither reason nor username
    return {
        **_record("records_legalhold", ADMINISTRATORS),
        "admin:records_legalhold_add": page(ADMINISTRATORS, post=unusable),
        "admin:records_legalhold_lift": page(NOT_FOR_STAFF, post=unusable),
        **_record("records_retentionrun", ADMINISTRATORS),
        "admin:records_retentionrun_dry": page(NOT_FOR_STAFF, post=office(FORBIDDEN, FORBIDDEN, run)),
        "admin:records_retentionrun_erase": page(ADMINISTRATORS, post=unusable),
        "admin:records_retentionrun_report": page(ADMINISTRATORS),
        **_record("records_tombstone", ADMINISTRATORS),
        **_managed("retentionpolicy", ADMINISTRATORS_SAVE, ADMINISTRATORS),
    }


def _webhooks() -> dict[str, Row]:
    """The endpoint of these tests was sent something. The form of these tests has neither address nor number."""
    endpoint, delivery = "admin:webhooks_webhookendpoint", "admin:webhooks_webhookdelivery"
    sent = office(FORBIDDEN, FORBIDDEN, Outcome(303, "/admin/webhooks/", writes=True))
    return {
        **{f"{endpoint}_{name}": page(ADMINISTRATORS) for name in ("changelist", "add", "history", "change")},
        f"{endpoint}_delete": page(ADMINISTRATORS_GO_BACK),
        "admin/webhooks/webhookendpoint/<path:object_id>/": TO_CHANGE_PAGE,
        f"{endpoint}_test": page(NOT_FOR_STAFF, post=sent),
        f"{endpoint}_secret": page(NOT_FOR_STAFF, post=office(FORBIDDEN, FORBIDDEN, Outcome(200, writes=True))),
        f"{endpoint}_replay": page(NOT_FOR_STAFF, post=office(FORBIDDEN, FORBIDDEN, Outcome(303, "/admin/webhooks/"))),
        **_record("webhooks_webhookdelivery", ADMINISTRATORS),
        f"{delivery}_again": page(NOT_FOR_STAFF, post=sent),
    }


OFFICE: dict[str, dict[str, Row]] = {
    "home": _OFFICE_HOME,
    "people": _PEOPLE,
    "tokens": _record("accounts_token", ADMINISTRATORS),
    "catalogue": _catalogue("languagemodel") | _catalogue("assistant") | _TRIALS,
    "conversations": _record("conversations_conversation", REVIEWERS, shown=REVIEWERS_READ)
    | {"admin:conversations_conversation_search": page(NOT_FOR_STAFF) | read(REVIEWERS)},
    "messages": _record("conversations_message", REVIEWERS, listed=REVIEWERS_READ, shown=REVIEWERS_READ),
    "files": _record("conversations_attachment", REVIEWERS, listed=REVIEWERS_READ, shown=REVIEWERS_READ),
    "ratings": _record("conversations_feedback", REVIEWERS, listed=REVIEWERS_READ, shown=REVIEWERS_READ),
    "sealed documents": _record("conversations_sealeddocument", REVIEWERS),
    "events": _record("conversations_event", REVIEWERS),
    "limits": _freely_deleted("usagelimit"),
    "usage": _record("conversations_usageday", REVIEWERS),
    "model calls": _record("conversations_generation", REVIEWERS, shown=REVIEWERS_READ),
    "reviews": _record("records_review", REVIEWERS) | _reviewing(),
    "policies of review": _managed("reviewpolicy", ADMINISTRATORS_GO_BACK, ADMINISTRATORS),
    "labels of reviews": _managed("reviewlabel", ADMINISTRATORS_SAVE, ADMINISTRATORS_SAVE),
    "exports": _exporting(),
    "retention": _retaining(),
    "batches": _record("batches_batch", REVIEWERS),
    "webhooks": _webhooks(),
    "audit": _record("audit_auditevent", ADMINISTRATORS),
    "sums of use": _sums_of_use(),
    "jobs": _record("procrastinate_procrastinatejob", ADMINISTRATORS),
}
