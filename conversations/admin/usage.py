"""How much people may use, which administrators set."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import ForeignKey
from django.http import HttpRequest

from conversations.amounts import money
from conversations.models import UsageLimit

if TYPE_CHECKING:
    _LimitForm = forms.ModelForm[UsageLimit]
    _LimitAdmin = admin.ModelAdmin[UsageLimit]
else:
    _LimitForm, _LimitAdmin = forms.ModelForm, admin.ModelAdmin


class PersonSelect(AutocompleteSelect):
    """Suggests people while one types. Django's fails on drawing what was refused since it is no id at all."""

    def optgroups(self, name: str, value: Sequence[str], attrs: dict[str, Any] | None = None) -> Any:
        """Return the person who is chosen, if any."""
        return super().optgroups(name, [one for one in value if one.isascii() and one.isdigit()], attrs)


class UsageLimitForm(_LimitForm):
    """A limit for one person, for each member of a group, or for everybody."""

    amount = forms.DecimalField(
        min_value=0,
        max_digits=16,
        decimal_places=4,
        help_text="Whole tokens, or US dollars such as 12.50. 0 allows nothing.",
    )

    class Meta:
        model = UsageLimit
        fields = ("user", "group", "measure", "period", "amount")
        labels = {"user": "Person"}
        help_texts = {
            "user": "Takes the place of what holds for their groups and for everybody.",
            "group": "Holds for each of its members; of several groups the most generous counts. "
            "Without person and group the limit is for everybody.",
            "period": "Begins at midnight in the zone of the server.",
        }

    def clean(self) -> dict[str, Any]:
        """Refuse a limit for both, one that is there already, and parts of tokens."""
        data = super().clean() or self.cleaned_data
        user, group = data.get("user"), data.get("group")
        if user and group:
            self.add_error("group", "Choose a person or a group, not both.")
        kind = {"user": user, "group": group, "measure": data.get("measure"), "period": data.get("period")}
        others = UsageLimit.objects.exclude(pk=self.instance.pk)
        if not self.errors and others.filter(**_exactly(kind)).exists():
            self.add_error("period", "There is such a limit already. Change that one.")
        amount = data.get("amount")
        if amount is not None and data.get("measure") == UsageLimit.Measure.TOKENS and amount != int(amount):
            self.add_error("amount", "There are no parts of tokens: enter a whole number.")
        return data


def _exactly(values: dict[str, Any]) -> dict[str, Any]:
    return {(name if value else f"{name}__isnull"): value or True for name, value in values.items()}


@admin.register(UsageLimit)
class UsageLimitAdmin(_LimitAdmin):
    """Limits of people, groups and everybody."""

    form = UsageLimitForm
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    autocomplete_fields = ("user",)
    list_display = ("whom", "measure", "period", "most")
    list_filter = ("measure", "period", "group")
    list_select_related = ("user", "group")
    search_fields = ("user__username", "user__email", "user__first_name", "user__last_name", "group__name")
    search_help_text = "Name or e-mail address of a person, or name of a group"

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.ModelChoiceField[Any] | None:
        """Suggest people."""
        if db_field.name == "user":
            kwargs["widget"] = PersonSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="for", ordering="user")
    def whom(self, limit: UsageLimit) -> str:
        """Return who it is for."""
        if limit.group:
            return f"Each member of {limit.group}"
        return str(limit.user or "Everybody")

    @admin.display(description="at most", ordering="amount")
    def most(self, limit: UsageLimit) -> str:
        """Return the amount."""
        return _amount(limit.amount, limit.measure)


def _amount(amount: Decimal, measure: str) -> str:
    return money(amount) if measure == UsageLimit.Measure.MONEY else f"{amount:,.0f} tokens"
