"""What pages of the back office send."""

from django import forms

from audit.services import LONGEST_REASON
from conversations.forms import TextField
from conversations.text import clean_text

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


class SittingForm(forms.Form):
    """Why somebody is going to look at what others wrote."""

    reason = ReasonField(label="Reason")
