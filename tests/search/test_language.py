"""The language whose endings search knows is a setting."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.models import User
from tests.search.said import find, say


def test_another_language_has_other_endings(anna: User, settings: Settings) -> None:
    settings.SEARCH_LANGUAGE = "german"
    say(anna, "Die Häuser und der Regenschirm")
    hits = find(anna, "Haus").hits
    assert [hit.snippet for hit in hits] == ["Die <mark>Häuser</mark> und der Regenschirm"]
    assert find(anna, "und").problem


def test_an_unknown_language_is_refused_at_the_start(db: None, settings: Settings) -> None:
    settings.SEARCH_LANGUAGE = "klingon"
    with pytest.raises(CommandError, match=r"'klingon'; it can be one of arabic, .*english"):
        call_command("setup")
