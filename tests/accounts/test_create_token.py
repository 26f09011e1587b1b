"""`manage.py create_token`: the secret for scripts, the rest for people."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Token
from accounts.tokens import digest_of
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def _create(*arguments: Any) -> tuple[str, str]:
    told, errors = io.StringIO(), io.StringIO()
    call_command("create_token", *arguments, stdout=told, stderr=errors)
    return told.getvalue(), errors.getvalue()


def test_standard_output_is_the_secret_alone() -> None:
    person = make_user(username="ada")
    told, errors = _create("ADA", "--name", "Nightly job")
    token = Token.objects.get()
    assert token.digest == digest_of(told.removesuffix("\n"))
    assert told.strip() not in errors
    assert "read, write; holds until" in errors
    assert (token.owner, token.kind, token.scopes, token.created_by) == (person, "personal", ["read", "write"], None)
    assert token.expires_at is not None


def test_tokens_of_systems_may_be_endless_and_say_what_opens_nothing_yet() -> None:
    make_user(username="bot")
    _, errors = _create("bot", "--name", "Archive", "--service", "--endless", "--scopes", "events, read_all")
    token = Token.objects.get()
    assert (token.kind, token.scopes, token.expires_at) == ("service", ["read_all", "events"], None)
    assert "until it is revoked" in errors
    assert "opens nothing as yet" in errors


@pytest.mark.parametrize(("arguments", "said"), [
    (["nobody", "--name", "x"], "There is nobody"),
    (["ada", "--name", " "], "Give it a name"),
    (["ada", "--name", "x", "--scopes", "read,root"], "There is no scope “root”"),
    (["ada", "--name", "x", "--scopes", ""], "at least one thing"),
    (["ada", "--name", "x", "--days", "0"], "from 1 to 3650"),
    (["ada", "--name", "x", "--days", "99999999999"], "from 1 to 3650"),
    (["ada", "--name", "x", "--days", "9", "--endless"], "not allowed with"),
    (["ada"], "--name"),
    (["gone", "--name", "x"], "deactivated"),
], ids=["nobody", "blank", "scope", "no scope", "no days", "days", "both", "no name", "deactivated"])  # fmt: skip
def test_what_cannot_be_used_is_said_in_a_sentence(arguments: list[str], said: str) -> None:
    make_user(username="ada")
    make_user(username="gone", is_active=False)
    with pytest.raises(CommandError, match=said):
        _create(*arguments)
    assert not Token.objects.exists()
