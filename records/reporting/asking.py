"""What somebody asks a report for, as it stands in the address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.models import Group
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from conversations.forms import FIRST_DAY, LAST_DAY, NO_DAY, TextField
from conversations.models import Assistant, LanguageModel
from conversations.text import clean_text, is_blank
from records.reporting.report import BY, NOBODY, Asked, earliest_day
from records.reporting.spans import DEFAULT, NAMED, Span, named_span

NO_GROUP = "none"
LONGEST_NAME = 254  # of an e-mail address
_NAMES = ("span", "from", "to", "by", "group", "assistant", "model", "person")


class UsageForm(forms.Form):
    """Days, by what to tell them apart, and filters. Nothing that makes no sense is passed over: each is told."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        groups = list(Group.objects.order_by("name").values_list("pk", "name"))
        self.groups = {NO_GROUP: 0} | {str(pk): pk for pk, _ in groups}
        self.assistants = dict(Assistant.objects.values_list("slug", "pk"))
        self.models = dict(LanguageModel.objects.values_list("name", "pk"))
        names = [(str(pk), name) for pk, name in groups]
        assistants = Assistant.objects.order_by("name", "pk").values_list("slug", "name")
        models = LanguageModel.objects.order_by("label", "pk").values_list("name", "label")
        self.fields["span"] = _choice(NAMED.items(), "There are no such days. Choose others.")
        for name in ("from", "to"):  # the first one can be no attribute
            self.fields[name] = forms.DateField(
                required=False,
                validators=[MinValueValidator(FIRST_DAY, NO_DAY), MaxValueValidator(LAST_DAY, NO_DAY)],
                error_messages={"invalid": NO_DAY},
            )
        self.fields["by"] = _choice(BY.items(), "Sums can be told apart by day, group, assistant, model or person.")
        self.fields["group"] = _choice(
            [(NO_GROUP, NOBODY["group"]), *names], "There is no such group. Choose another one."
        )
        self.fields["assistant"] = _choice(assistants, "There is no such assistant. Choose another one.")
        self.fields["model"] = _choice(models, "There is no such model. Choose another one.")
        self.fields["person"] = TextField(required=False)

    def clean_person(self) -> User | None:
        """Return the person of a username or e-mail address."""
        name = clean_text(self.cleaned_data["person"]).strip()
        if is_blank(name):
            return None
        if len(name) > LONGEST_NAME:
            raise forms.ValidationError("Nobody has so long a name. Write a username or an e-mail address.")
        found = User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name)).first()
        if found is None:
            raise forms.ValidationError(
                f"Nobody is called “{name}”. Write the username or the e-mail address of a person."
            )
        return found

    def clean(self) -> dict[str, Any]:
        """Refuse days in the wrong order, and such as have not come."""
        data = self.cleaned_data
        first, last, today = data.get("from"), data.get("to"), timezone.localdate()
        if first and last and first > last:
            raise forms.ValidationError("The first day is after the last one. Change one of them.")
        if first and first > today:
            raise forms.ValidationError("The first day has not come yet. Choose an earlier one.")
        return data

    def asked(self) -> Asked:
        """Return what is asked for, and the default of whatever makes no sense."""
        self.is_valid()  # whatever it says: what is clean of it is used
        data = self.cleaned_data
        person = data.get("person")
        return Asked(
            self._span(data),
            data.get("by") or "day",
            group_id=self.groups.get(data.get("group", "")),
            assistant_id=self.assistants.get(data.get("assistant", "")),
            model_id=self.models.get(data.get("model", "")),
            person_id=person.pk if person else None,
        )

    def address_query(self, **changed: str) -> str:
        """Return the query of an address that asks for the same but for what is changed; "" takes something away."""
        same = {name: str(self.data.get(name, "")) for name in _NAMES}
        if changed.get("span"):
            changed = {"from": "", "to": ""} | changed
        return urlencode({name: value for name, value in (same | changed).items() if value})

    def problems(self) -> list[str]:
        """Return every reason, once each."""
        return list(dict.fromkeys(str(reason) for reasons in self.errors.values() for reason in reasons))

    @property
    def first_day(self) -> str:
        """What the field of the first day shows: as it was typed, else the day that it comes to."""
        return self.data.get("from") or str(self.asked().span.first)

    @property
    def last_day(self) -> str:
        """What the field of the last day shows."""
        return self.data.get("to") or str(self.asked().span.last)

    @property
    def named(self) -> str:
        """The name of the span where it has one."""
        if self.is_valid() and (self.cleaned_data["from"] or self.cleaned_data["to"]):
            return ""
        return (self.cleaned_data.get("span") if self.is_valid() else "") or DEFAULT

    @property
    def is_filtered(self) -> bool:
        """Whether anything but days narrows the sums."""
        return any(self.data.get(name) for name in ("group", "assistant", "model", "person"))

    def _span(self, data: Mapping[str, Any]) -> Span:
        today = timezone.localdate()
        if not data.get("from") and not data.get("to"):
            named = data.get("span") or DEFAULT
            return named_span(named, today, earliest_day() if named == "all" else None)
        last = max(min(data.get("to") or today, today), FIRST_DAY)
        return Span(data.get("from") or max(named_span(DEFAULT, last, None).first, FIRST_DAY), last)


def _choice(choices: Any, problem: str) -> forms.ChoiceField:
    return forms.ChoiceField(required=False, choices=[("", ""), *choices], error_messages={"invalid_choice": problem})
