"""What somebody enters who erases a person."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import User
from records.forms import ReasonField


class ErasureForm(forms.Form):
    """The person's username, typed, and a reason: nobody is erased by a slip."""

    username = forms.CharField(max_length=150)
    reason = ReasonField()

    def __init__(self, data: Any, *, person: User) -> None:
        super().__init__(data)
        self._person = person

    def clean_username(self) -> str:
        """Return the username. Raises ValidationError where it is not the person's."""
        typed = str(self.cleaned_data["username"]).strip()
        if typed != self._person.username:
            raise forms.ValidationError("This is not the username of the person who is to be erased.")
        return typed
