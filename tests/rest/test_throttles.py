"""So many requests in a minute, and not one more, however they come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections
from pytest_django import Settings

from rest import throttles
from rest.models import Allowance
from tests.factories import make_user
from tests.rest import site
from tests.rest.conftest import NOTE, Program, problem, program_of


def test_q1_who_asks_too_often_is_told_when_to_come_back(program: Program, settings: Settings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    assert [program.ask("POST", NOTE, {"title": "a"}).status_code for _ in range(3)] == [201] * 3
    response = program.ask("POST", NOTE, {"title": "a"})
    assert problem(response) == (429, "throttled")
    assert 1 <= int(response["Retry-After"]) <= 60
    assert len(site.carried_out) == 3
    assert program_of().ask("GET", NOTE).status_code == 200


def test_q1_after_a_minute_there_is_a_new_one(program: Program, settings: Settings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    assert [program.ask("GET", NOTE).status_code for _ in range(2)] == [200, 429]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE rest_allowance SET began_at = began_at - interval '1 minute'")
    assert [program.ask("GET", NOTE).status_code for _ in range(2)] == [200, 429]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE rest_allowance SET began_at = began_at - interval '2 hours'")
    throttles.purge()
    assert not Allowance.objects.exists()


def test_q1_a_person_s_tokens_together_may_do_twice_what_one_may(settings: Settings, db: None) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    owner = make_user()
    statuses = [program_of(owner).ask("GET", NOTE).status_code for _ in range(5)]
    assert statuses == [200] * 4 + [429]


def test_q1_answers_have_a_limit_of_their_own(program: Program, settings: Settings) -> None:
    settings.API_ANSWERS_PER_MINUTE = 1
    statuses = [program.ask("POST", "/api/v1/file/", {}).status_code for _ in range(2)]
    assert statuses == [200, 429]
    assert program.ask("POST", NOTE, {"title": "a"}).status_code == 201


def test_one_statement_counts_a_request(program: Program, django_assert_num_queries: object) -> None:
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        program.ask("POST", "/api/v1/file/", {})
    assert sum("rest_allowance" in query["sql"] for query in queries) == 1


@pytest.mark.django_db(transaction=True)
def test_q3_of_forty_at_once_as_many_as_are_allowed_come_through(settings: Settings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 7
    program = program_of(make_user())

    def send(_: int) -> int:
        try:
            return int(Program(program.headers["Authorization"][7:]).ask("GET", NOTE).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as threads:
        statuses = sorted(threads.map(send, range(40)))
    assert statuses == [200] * 7 + [429] * 33
