"""Who gets what: a row for each address. A verb that a row does not name is answered with 405, whoever asks."""

from __future__ import annotations

from tests.access.api import API, API_STREAMS
from tests.access.back_office import OFFICE, READ, UNUSABLE
from tests.access.outcomes import (
    NOT_ALLOWED,
    NOT_FOUND,
    ROLES,
    SHOWN,
    VERBS,
    Outcome,
    Row,
    everybody,
    members,
    owner,
    read,
)

__all__ = ["AREAS", "PAGES", "ROLES", "STREAMS", "TABLE", "VERBS", "Outcome", "Row", "expected"]

REMOVED = NOTED = Outcome(204, writes=True)
SIGNED_OUT = Outcome(302, "/accounts/login/", is_noted=True)
SIGN_IN_STREAM = Outcome(401)
TO_LIST = Outcome(302, "/conversations/")
TO_ACCOUNT = Outcome(302, "/account/")
SENT = Outcome(303, "/conversations/", writes=True)

PAGES: dict[str, Row] = {
    "conversations:index": read(members(TO_LIST)),
    "conversations:list": read(members(SHOWN)) | {"POST": members(SENT)},
    "conversations:find": read(members(SHOWN)),
    "conversations:deleted": read(members(SHOWN)),
    "conversations:rail": read(members(SHOWN)),
    "conversations:detail": read(owner(SHOWN)),
    "conversations:pin": {"POST": owner(SENT)},
    "conversations:hide": read(owner(SHOWN)) | {"POST": owner(SENT)},
    "conversations:restore": {"POST": owner(SENT)},
    "conversations:heading": read(owner(SHOWN)),
    "conversations:conclude": read(owner(SHOWN)) | {"POST": owner(SENT)},
    "conversations:seal": read(owner(SHOWN)),
    "conversations:continue_as_new": {"POST": owner(SENT)},
    "conversations:send": {"POST": owner(SENT)},
    "conversations:rename": {"POST": owner(SENT)},
    "conversations:message": read(owner(SHOWN)),
    "conversations:stop": {"POST": owner(SENT)},
    "conversations:retry": read(owner(SHOWN)) | {"POST": owner(SENT)},
    "conversations:edit": read(owner(SHOWN)) | {"POST": owner(SENT)},
    "conversations:continue": {"POST": owner(SENT)},
    "conversations:feedback": {"POST": owner(SENT)},
    "conversations:seen": {"POST": owner(NOTED)},
    "conversations:attach": {"POST": members(UNUSABLE)},  # the form of these tests brings no file
    "conversations:attachment_remove": {"POST": owner(REMOVED)},
    "conversations:attachment_retry": {"POST": owner(SENT)},
    "conversations:usage": read(members(SHOWN)),
    "records:account": read(members(SHOWN)),
    "records:tokens": read(members(TO_ACCOUNT)) | {"POST": members(UNUSABLE)},  # the form of these tests has no scope
    "records:token_revoke": {"POST": owner(Outcome(303, "/account/", writes=True))},
    "conversations:healthz": read(everybody(SHOWN)),
    "conversations:readyz": read(everybody(SHOWN)),
}

_OF_REVIEWERS = members(NOT_FOUND) | {"reviewer": READ, "administrator": READ}
_OF_EXPORTERS = {
    "GET": members(NOT_FOUND) | {"administrator": READ},
    "HEAD": members(NOT_FOUND) | {"administrator": SHOWN},
}
STREAMS: dict[str, Row] = {
    "conversations:stream": {"GET": owner(SHOWN, SIGN_IN_STREAM)},
    "conversations:attachment": read(owner(SHOWN)),
    "conversations:thumbnail": read(owner(SHOWN)),
    "conversations:sealed_document": read(owner(SHOWN)),
    "records:file": read(_OF_REVIEWERS),
    "records:thumbnail": read(_OF_REVIEWERS),
    "records:export_part": _OF_EXPORTERS,
    "records:export_archive": _OF_EXPORTERS,
    "conversations:export": read(owner(Outcome(400))),  # without a format, which these tests do not name
    "conversations:export_many": {"POST": members(UNUSABLE)},  # the form of these tests chooses nothing
}
STREAMS |= API_STREAMS

_SIGN_IN_PAGE = members(TO_LIST, SHOWN)
_SIGN_IN_PAGE_OTHERWISE = members(TO_LIST, NOT_ALLOWED)
ACCOUNTS: dict[str, Row] = {
    "account_login": dict.fromkeys(("GET", "HEAD", "OPTIONS", "POST", "PUT"), _SIGN_IN_PAGE)
    | dict.fromkeys(("PATCH", "DELETE"), _SIGN_IN_PAGE_OTHERWISE),
    "account_logout": {
        "GET": members(SHOWN),
        "HEAD": members(SHOWN),
        "OPTIONS": everybody(SHOWN),
        "POST": members(SIGNED_OUT),
    },
    "company_login": {"POST": everybody(NOT_FOUND)},  # none is set up in these tests
    "company_callback": {"GET": everybody(NOT_FOUND)},
    "account_change_password": dict.fromkeys(("GET", "HEAD", "OPTIONS", "POST", "PUT"), members(SHOWN))
    | dict.fromkeys(("PATCH", "DELETE"), members(NOT_ALLOWED)),
}

AREAS: dict[str, dict[str, Row]] = {"pages": PAGES, "accounts": ACCOUNTS} | {
    f"back office, {name}": rows for name, rows in OFFICE.items()
}
AREAS |= {f"API, {name}": rows for name, rows in API.items()}
TABLE: dict[str, Row] = STREAMS | {route: row for rows in AREAS.values() for route, row in rows.items()}


def expected(route: str, verb: str, role: str) -> Outcome:
    """Return what the table says."""
    row = TABLE[route]
    return row[verb][role] if verb in row else NOT_ALLOWED
