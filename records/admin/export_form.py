"""What somebody enters who wants conversations exported."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError

from conversations.models import Assistant, Conversation
from records.exporting.filters import ANY_VERDICT, ExportFilters
from records.forms import PersonField, ReasonField
from records.models import Review

_EARLIEST = datetime.date(1970, 1, 1)
_LATEST = datetime.date(9999, 12, 30)  # the midnight after it is still a moment that a zone can have


class DayField(forms.DateField):
    """A day, from the browser's own calendar."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def clean(self, value: Any) -> datetime.date | None:
        """Return the day. Raises ValidationError for one that no conversation can be of."""
        day: datetime.date | None = super().clean(value)
        if day is not None and not _EARLIEST <= day <= _LATEST:
            raise ValidationError(f"{day.isoformat()} is no day that anything was said on.")
        return day


class ExportForm(forms.Form):
    """Which conversations, and why. Whatever is left empty leaves nothing out."""

    first_day = DayField(label="From", required=False)
    last_day = DayField(label="To", required=False)
    owner = PersonField(label="Person", required=False, max_length=254)
    group = forms.ModelChoiceField(Group.objects.order_by("name"), required=False, empty_label="Any group")
    assistant = forms.ModelChoiceField(Assistant.objects.all(), required=False, empty_label="Any assistant")
    state = forms.ChoiceField(choices=[("", "Open and concluded"), *Conversation.State.choices], required=False)
    verdict = forms.ChoiceField(
        label="Review",
        choices=[("", "Reviewed or not"), (ANY_VERDICT, "Reviewed"), *Review.Verdict.choices],
        required=False,
    )
    reason = ReasonField(label="Reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"label_suffix": ""})

    def clean(self) -> dict[str, Any]:
        """Refuse a period that ends before it begins."""
        data = super().clean() or self.cleaned_data
        first, last = data.get("first_day"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", "This is before the first day.")
        return data

    def filters(self) -> ExportFilters:
        """Return what is chosen, of a form that is valid."""
        data = self.cleaned_data
        return ExportFilters(
            first_day=data["first_day"],
            last_day=data["last_day"],
            owner=data["owner"] and data["owner"].pk,
            group=data["group"] and data["group"].pk,
            assistant=data["assistant"] and data["assistant"].pk,
            state=data["state"],
            verdict=data["verdict"],
        )
