"""Pages of a list: nothing missing, nothing twice."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Token
from accounts.tokens import make_token
from tests.factories import make_user
from tests.rest.conftest import Program, problem, program_of

LIST = "/api/v1/tokens/"


@pytest.fixture
def many(db: None) -> Program:
    """A person with eleven tokens, some made at the same moment."""
    owner = make_user()
    for number in range(10):
        make_token(owner=owner, name=f"{number:02}", scopes=["read"])
    first = Token.objects.earliest("created_at")
    Token.objects.filter(name__in=["03", "04", "05"]).update(created_at=first.created_at)
    return program_of(owner)


def follow(program: Program, address: str, side: str) -> list[Any]:
    pages = []
    while address:
        assert address.startswith(("http://testserver/", "/"))
        body = program.ask("GET", address).json()
        pages.append(body["results"])
        address = body[side]
    return pages


def test_a_list_is_read_to_its_end_and_back(many: Program) -> None:
    whole = many.ask("GET", LIST).json()
    assert (whole["next"], whole["previous"], len(whole["results"])) == (None, None, 11)
    for limit in (1, 3, 4, 10, 11):
        pages = follow(many, f"{LIST}?limit={limit}", "next")
        assert [name for page in pages for name in page] == whole["results"]
        assert all(len(page) == limit for page in pages[:-1])
    address = f"{LIST}?limit=4"
    while following := many.ask("GET", address).json()["next"]:
        address = following
    back = follow(many, address, "previous")
    assert [name for page in reversed(back) for name in page] == whole["results"]


def test_what_comes_meanwhile_is_neither_missed_nor_doubled(many: Program) -> None:
    first = many.ask("GET", f"{LIST}?limit=5").json()
    make_token(owner=Token.objects.first().owner, name="new", scopes=["read"])  # type: ignore[union-attr]
    rest = [name for page in follow(many, first["next"], "next") for name in page]
    assert len(set(first["results"]) | set(rest)) == len(first["results"]) + len(rest) == 11
    second = many.ask("GET", first["next"]).json()
    assert many.ask("GET", second["previous"]).json()["results"] == first["results"]


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1e2", "ten", "", "٣", "99999999999999999999"])
def test_a_limit_that_cannot_be_used_is_refused(many: Program, limit: str) -> None:
    response = many.ask("GET", f"{LIST}?limit={limit}")
    assert problem(response) == (400, "invalid")
    assert response.json()["errors"][0]["field"] == "limit"


def test_a_cursor_that_was_not_made_for_this_person_and_list_is_refused(many: Program) -> None:
    cursor = many.ask("GET", f"{LIST}?limit=2").json()["next"].partition("cursor=")[2]
    assert many.ask("GET", f"{LIST}?cursor={cursor}").status_code == 200
    assert problem(program_of().ask("GET", f"{LIST}?cursor={cursor}")) == (400, "invalid")
    for wrong in ("x", "a:b:c", cursor[:-1], cursor + "x", "x" + cursor, "%F0%9F", "eyJ9:" + cursor[5:]):
        assert problem(many.ask("GET", f"{LIST}?cursor={wrong}")) == (400, "invalid")
