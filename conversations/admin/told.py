"""How a call that was tried out is told to administrators."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.safestring import SafeString

from conversations.availability import HINTS
from conversations.models import Generation, Trial
from conversations.rendering import render, render_prompt
from conversations.usage import Usage, usage_of


@dataclass(frozen=True, slots=True)
class Told:
    """A trial with what its call came to."""

    trial: Trial
    usage: Usage
    first_text: datetime.timedelta | None
    whole: datetime.timedelta | None
    prompt: SafeString
    text: SafeString
    """What was answered, as a page shows it."""
    hint: str
    """What can be done about a failure; empty where there is none."""

    @property
    def call(self) -> Generation:
        return self.trial.generation

    @property
    def is_open(self) -> bool:
        return self.call.status in Generation.OPEN


def tell(trials: Iterable[Trial]) -> list[Told]:
    """Return what is to be told of trials that are loaded with their calls and models."""
    return [_tell(trial) for trial in trials]


def _tell(trial: Trial) -> Told:
    call = trial.generation
    return Told(
        trial=trial,
        usage=usage_of([call]),
        first_text=_between(call.started_at, call.first_text_at),
        whole=_between(call.started_at, call.finished_at),
        prompt=render_prompt(trial.prompt),
        text=render(trial.text),
        hint=HINTS.get(call.error_code, "The call failed. Try again.") if call.error_code else "",
    )


def _between(start: datetime.datetime | None, end: datetime.datetime | None) -> datetime.timedelta | None:
    return end - start if start and end else None
