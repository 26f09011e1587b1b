"""ETags: what is known is not sent again, and what has changed is not overwritten."""

from __future__ import annotations

from accounts.models import User
from tests.rest.conftest import NOTE, Program, problem, program_of


def test_what_is_known_is_not_sent_again(program: Program) -> None:
    first = program.ask("GET", NOTE)
    tag = first["ETag"]
    assert tag.startswith('"')
    for known in (tag, f'"x", {tag}', "*", f"W/{tag}"):
        again = program.ask("GET", NOTE, If_None_Match=known)
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    assert program.ask("HEAD", NOTE, If_None_Match=tag).status_code == 304
    assert program.ask("GET", NOTE, If_None_Match='"x"').status_code == 200
    assert program.ask("PATCH", NOTE, {"title": "b"}).status_code == 200
    changed = program.ask("GET", NOTE, If_None_Match=tag)
    assert (changed.status_code, changed.json()) == (200, {"title": "b"})


def test_what_has_changed_since_is_not_overwritten(program: Program) -> None:
    tag = program.ask("GET", NOTE)["ETag"]
    first = program.ask("PATCH", NOTE, {"title": "mine"}, If_Match=tag)
    assert first.status_code == 200
    for wanted in (tag, f"W/{first['ETag']}", '"x"'):
        response = program.ask("PATCH", NOTE, {"title": "theirs"}, If_Match=wanted)
        assert problem(response) == (412, "precondition_failed")
    assert User.objects.filter(first_name="mine").exists()
    assert program.ask("PATCH", NOTE, {"title": "again"}, If_Match=first["ETag"]).status_code == 200
    assert program.ask("PATCH", NOTE, {"title": "any"}, If_Match="*").status_code == 200


def test_a_tag_says_nothing_of_what_others_see(db: None) -> None:
    one, other = program_of(), program_of()
    one.ask("PATCH", NOTE, {"title": "secret"})
    assert other.ask("GET", NOTE)["ETag"] != one.ask("GET", NOTE)["ETag"]
    assert "Authorization" in one.ask("GET", NOTE)["Vary"]


def test_what_was_read_in_part_has_no_tag_that_could_not_hold(program: Program) -> None:
    sparse = program.ask("GET", f"{NOTE}?fields=title", If_None_Match="*")
    assert (sparse.status_code, "ETag" in sparse) == (200, False)
    assert "Authorization" in sparse["Vary"]


def test_errors_have_no_tag(program: Program) -> None:
    assert "ETag" not in program.ask("GET", f"{NOTE}?x=1")
    assert "ETag" not in program.ask("POST", NOTE, {"title": "a"})
