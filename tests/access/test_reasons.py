"""Without a reason nobody sees what others wrote, whatever their rights."""

from __future__ import annotations

import pytest
from django.contrib.sessions.backends.db import SessionStore
from procrastinate.contrib.django.models import ProcrastinateJob

from batches.models import Batch
from conversations.models import Conversation
from records import sitting
from tests.access.record import changed_tables, snapshot
from tests.access.routes import all_routes
from tests.access.table import TABLE, expected
from tests.access.world import SECRET, World, make_world

FIGURES = {"admin:records_usagefact_csv"}  # noted as it leaves the house, and nothing that anybody wrote
ROUTES = [route for route in TABLE if route.startswith(("admin", "records:")) and route not in FIGURES]


@pytest.fixture
def world(db: None) -> World:
    return make_world()  # for each test, beside those that commit


# Files and exports give their database connection back, which no test inside a transaction can bear.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", ["reviewer", "administrator"])
def test_a10_no_page_of_the_back_office_shows_what_somebody_wrote_without_a_reason(role: str) -> None:
    world = make_world()
    Conversation.objects.update(title="A title")  # lists show titles, which their owners may choose
    Batch.objects.update(name="A name")  # likewise
    world.forget_reason(role)
    before, wrong = snapshot(), []
    for route in ROUTES:
        outcome = expected(route, "GET", role)
        response = world.ask(role, "GET", world.address(route, all_routes()[route]))
        is_asked = response.status_code == 302 and response.headers["Location"].startswith("/admin/reason/?next=")
        if response.streaming:
            response.close()
            wrong.append(f"{route} is read")
        elif SECRET in response.content.decode(errors="replace"):
            wrong.append(f"{route} shows it")
        if outcome.is_noted and not is_asked:
            wrong.append(f"{route} asks for no reason: {response.status_code}")
    changed = changed_tables(before, snapshot())
    ProcrastinateJob.objects.all().delete()
    assert wrong == []
    assert changed == []


def test_the_secret_is_where_this_looks_for_it(world: World) -> None:
    address = world.address("admin:conversations_message_changelist", "admin/conversations/message/")
    assert SECRET in world.ask("reviewer", "GET", address).content.decode()
    assert SessionStore(world.session_key("reviewer"))[sitting.SESSION_KEY]
