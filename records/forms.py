"""What pages of the back office send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Q

from audit.services import LONGEST_REASON
from conversations.forms import TextField
from conversations.text import clean_text

if TYPE_CHECKING:
    from accounts.models import User

_FEWEST = 3  # letters or digits that say anything: "HR7"


class ReasonField(TextField):
    """A reason in a line of words."""

    widget = forms.Textarea(attrs={"rows": 3, "maxlength": LONGEST_REASON})

    def clean(self, value: object) -> str:
        """Return the reason as it is written down. Raises ValidationError where it says nothing or too much."""
        words = " ".join(clean_text(self.to_python(value)).split())
        if sum(character.isalnum() for character in words) < _FEWEST:
            raise forms.ValidationError("Say in a few words why, such as the number of a case.")
        if len(words) > LONGEST_REASON:
            raise forms.ValidationError(
                f"A reason can have {LONGEST_REASON} characters; this one has {len(words):,}. Shorten it."
            )
        return words


class PersonField(forms.CharField):
    """A person, by username or e-mail address."""

    def clean(self, value: object) -> User | None:
        """Return the person; None where nothing was entered. Raises ValidationError where it is nobody, or several."""
        named = super().clean(value).strip()
        if not named:
            return None
        found = get_user_model().objects.filter(Q(username__iexact=named) | Q(email__iexact=named))[:2]
        if len(found) != 1:
            how = "Nobody has" if not found else "Several people have"
            raise forms.ValidationError(f"{how} this name or e-mail address. Enter it as it stands in their account.")
        return found[0]


class SittingForm(forms.Form):
    """Why somebody is going to look at what others wrote."""

    reason = ReasonField(label="Reason")
