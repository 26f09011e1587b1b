"""What administrators enter about policies of review, and reviewers about what they found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from conversations.forms import TextField
from conversations.search.reading import Unsearchable, read_query
from conversations.text import clean_text
from records.models import Review, ReviewLabel, ReviewPolicy
from records.services.reviewing import NOTE_CHARS

if TYPE_CHECKING:
    _PolicyForm = forms.ModelForm[ReviewPolicy]
else:
    _PolicyForm = forms.ModelForm

MOST_LINES = 100
NEEDED: dict[str, str] = {
    ReviewPolicy.Kind.SAMPLE: "percent",
    ReviewPolicy.Kind.KEYWORDS: "keywords",
    ReviewPolicy.Kind.COST: "cost",
}
"""The field that a kind of policy needs."""
_ASKED = {
    "percent": "Say how many conversations in a hundred.",
    "keywords": "Write the words, a search on each line.",
    "cost": "Say from how many US dollars on.",
}


class ReviewPolicyForm(_PolicyForm):
    """A policy with what its kind needs. What other kinds would need is not kept."""

    kind = forms.ChoiceField(
        choices=ReviewPolicy.Kind.choices,
        widget=forms.RadioSelect,
        help_text="A sample takes a conversation once, when nothing was said in it for five minutes. The others bring "
        "one back after a verdict when something new happens: another such answer, rating or word, or as much cost "
        "again.",
    )
    percent = forms.DecimalField(
        required=False,
        max_digits=5,
        decimal_places=2,
        validators=[MinValueValidator(0.01), MaxValueValidator(100)],
        help_text="Of a sample: from 0.01 to 100 conversations in a hundred.",
    )
    keywords = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "cols": 60}),
        help_text="Of words: a search on each line, any of which is enough. Words of a line must all be in one message "
        "with its files; “in quotes” they stand side by side, and a minus before a word leaves out.",
    )
    cost = forms.DecimalField(
        required=False,
        max_digits=12,
        decimal_places=4,
        validators=[MinValueValidator(0.0001)],
        help_text="Of high cost: US dollars of all calls of a conversation together. Calls of unknown cost count "
        "nothing.",
    )
    is_enabled = forms.BooleanField(
        required=False,
        initial=True,
        label="Is enabled",
        help_text="It looks at what is said from now on, each minute. What happens while it is off is not looked at.",
    )

    def clean_name(self) -> str:
        """Let no two policies have names that look the same."""
        return " ".join(clean_text(self.cleaned_data["name"]).split())

    def clean_keywords(self) -> str:
        """Read every line as a search, and say which cannot be one."""
        if self._kind() != ReviewPolicy.Kind.KEYWORDS:
            return ""
        lines = [line for text in clean_text(self.cleaned_data["keywords"]).splitlines() if (line := text.strip())]
        if len(lines) > MOST_LINES:
            raise forms.ValidationError(f"These are {len(lines):,} lines; there is room for {MOST_LINES}.")
        problems = [
            f"Line {number}, “{line[:40]}”: {problem}"
            for number, line in enumerate(lines, 1)
            if (problem := _problem_of(line))
        ]
        if problems:
            raise forms.ValidationError(problems)
        return "\n".join(dict.fromkeys(lines))

    def clean(self) -> dict[str, Any]:
        """Ask for what the kind needs, and forget the rest."""
        data = super().clean() or self.cleaned_data
        needed = NEEDED.get(self._kind())
        for name, nothing in (("percent", None), ("keywords", ""), ("cost", None)):
            if name != needed:
                data[name] = nothing
                self.errors.pop(name, None)
            elif name not in self.errors and not data.get(name):
                self.add_error(name, _ASKED[name])
        return data

    def _kind(self) -> str:
        return self.instance.kind if self.instance.pk else self.data.get(self.add_prefix("kind"), "")


class VerdictForm(forms.Form):
    """What a reviewer found. Whether it can be kept is the service's to say."""

    verdict = forms.ChoiceField(
        choices=Review.Verdict.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what you found.", "invalid_choice": "Choose what you found."},
    )
    labels = forms.ModelMultipleChoiceField(
        queryset=ReviewLabel.objects.filter(is_enabled=True),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        error_messages={
            "invalid_choice": "A label that you chose is not offered any more. Look through the labels again.",
            "invalid_pk_value": "A label that you chose is not offered any more. Look through the labels again.",
        },
    )
    note = TextField(required=False, widget=forms.Textarea(attrs={"rows": 4, "maxlength": NOTE_CHARS}))


def _problem_of(line: str) -> str:
    try:
        read_query(line)
    except Unsearchable as problem:
        return str(problem)
    return ""
