"""What somebody gets who asks for an address with a verb."""

from __future__ import annotations

from dataclasses import dataclass

VERBS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
ROLES = ("anonymous", "deactivated", "owner", "stranger", "staff", "reviewer", "administrator")
"""Deactivated: asks for what is their own, with the cookie of a sign-in that once was good. Staff: without any right.
Reviewer: staff who may review conversations. Administrator: superuser."""


@dataclass(frozen=True)
class Outcome:
    """A status, where a redirect leads (the beginning of the address), and whether rows change.

    `is_noted`: the audit is told of it, and nothing else changes.
    """

    status: int
    to: str = ""
    writes: bool = False
    is_noted: bool = False


type Outcomes = dict[str, Outcome]  # by role
type Row = dict[str, Outcomes]  # by verb

SHOWN = Outcome(200)
NOT_FOUND = Outcome(404)
NOT_ALLOWED = Outcome(405)
SIGN_IN = Outcome(302, "/accounts/login/")


def everybody(outcome: Outcome) -> Outcomes:
    return dict.fromkeys(ROLES, outcome)


def members(outcome: Outcome, others: Outcome = SIGN_IN) -> Outcomes:
    """Everybody who is signed in, and everybody else."""
    return everybody(outcome) | {"anonymous": others, "deactivated": others}


def owner(outcome: Outcome, others: Outcome = SIGN_IN) -> Outcomes:
    """The owner alone: rights to the back office open no page of anybody."""
    return members(NOT_FOUND, others) | {"owner": outcome}


def read(outcomes: Outcomes) -> Row:
    """A page of ours that is read."""
    return {"GET": outcomes, "HEAD": outcomes}
