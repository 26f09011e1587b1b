"""Every address, with every verb, as everybody: the table in table.py is what happens."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Mapping

import pytest
from django.core.cache import cache
from django.db import transaction

from tests.access.answers import compare
from tests.access.record import AUDIT, changed_tables, snapshot
from tests.access.routes import all_routes
from tests.access.table import AREAS, ROLES, TABLE, VERBS, Outcome, Row, expected
from tests.access.world import World


def test_a1_every_route_has_a_row_and_every_row_a_route() -> None:
    routes = set(all_routes())
    assert routes - set(TABLE) == set(), "Routes that the access table does not list: decide who may use them."
    assert set(TABLE) - routes == set(), "Rows of the access table whose route is gone."


@pytest.mark.parametrize("area", AREAS)
def test_a1_r2_everybody_gets_what_the_table_says_and_changes_nothing_else(world: World, area: str) -> None:
    assert _walk(world, AREAS[area]) == []


def _walk(world: World, rows: Mapping[str, Row]) -> list[str]:
    """Ask for everything; return what differs from the table."""
    wrong = []
    before = snapshot()
    for route in rows:
        asking = [(verb, role) for verb in VERBS for role in _roles(route, verb)]
        writing = [(verb, role) for verb, role in asking if _changes(expected(route, verb, role))]
        reading = [one for one in asking if one not in writing]
        for group in (reading, *([one] for one in writing)):
            # What is allowed (a message sent, a sign-out) must not meet the next one who asks.
            with transaction.atomic():
                for verb, roles in itertools.groupby(group, key=operator.itemgetter(0)):
                    cache.clear()  # with the counts of throttles
                    for _, role in roles:
                        wrong += compare(world, route, verb, role)
                changed = changed_tables(before, snapshot())
                transaction.set_rollback(True)
            outcome = Outcome(200) if group is reading else expected(route, *group[0])
            if changed != [AUDIT] if outcome.is_noted else bool(changed) != outcome.writes:
                wrong.append(f"{route}: {' or '.join(f'{verb} as {role}' for verb, role in group)} changed {changed}")
    return wrong


def _roles(route: str, verb: str) -> tuple[str, ...]:
    """Return who asks: where Django's admin takes a verb for GET, a stranger and those who get in will do."""
    if route.startswith("admin:") and verb in ("OPTIONS", "PUT", "PATCH"):
        return ("anonymous", "stranger", "administrator")
    return ROLES


def _changes(outcome: Outcome) -> bool:
    return outcome.writes or outcome.is_noted
