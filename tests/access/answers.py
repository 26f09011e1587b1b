"""What somebody gets, beside what the table says."""

from __future__ import annotations

from tests.access.routes import all_routes
from tests.access.table import expected
from tests.access.world import World


def compare(world: World, route: str, verb: str, role: str) -> list[str]:
    """Ask, and return in what the answer differs."""
    outcome = expected(route, verb, role)
    response = world.ask(role, verb, world.address(route, all_routes()[route], role=role))
    target = response.headers.get("Location", "")
    if response.streaming:
        response.close()
    is_as_told = response.status_code == outcome.status and bool(target) == bool(outcome.to)
    if is_as_told and target.startswith(outcome.to):
        return []
    return [f"{verb} {route} as {role}: {response.status_code} {target}, not {outcome.status} {outcome.to}"]
