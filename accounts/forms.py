"""What the pages about accounts send."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.access import REVIEW, Scope
from accounts.models import Token, User
from accounts.tokens import make_token

DAYS = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "a year"}
HINTS = {
    Scope.READ: "conversations, messages, files, usage",
    Scope.WRITE: "ask, stop, rename, rate, conclude, delete",
    Scope.EVENTS: "what happened to your conversations, in order",
    Scope.READ_ALL: "everybody's, for as long as you may review; each reading is audited",
}


class TokenForm(forms.Form):
    """A token for oneself. It always ends; one without an end is for an administrator to make."""

    name = forms.CharField(
        max_length=100, error_messages={"required": "Give it a name, such as where it will be used."}
    )
    scopes = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, error_messages={"required": "Choose at least one thing that it may do."}
    )
    days = forms.ChoiceField(
        choices=DAYS.items(), initial="90", error_messages={"required": "Choose for how long it holds."}
    )

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        offered = [scope for scope in Scope if scope is not Scope.READ_ALL or owner.has_perm(REVIEW)]
        self.fields["scopes"].choices = [(scope.value, scope.label) for scope in offered]  # type: ignore[attr-defined]
        self.fields["scopes"].initial = [Scope.READ.value, Scope.WRITE.value]

    def clean_name(self) -> str:
        """Refuse the name of a token that works: a reload of the page would otherwise make a second one unseen."""
        name = str(self.cleaned_data["name"])
        if Token.objects.usable().visible_to(self.owner).filter(name=" ".join(name.split())).exists():
            raise ValidationError("You have a token of this name already. Choose another, or revoke that one first.")
        return name

    def make(self) -> tuple[Token, str] | None:
        """Return the new token with its secret; None where the form has errors, which it then tells."""
        if not self.is_valid():
            return None
        given = self.cleaned_data
        expires_at = timezone.now() + datetime.timedelta(days=int(given["days"]))
        try:
            return make_token(
                owner=self.owner,
                name=given["name"],
                scopes=given["scopes"],
                expires_at=expires_at,
                created_by=self.owner,
            )
        except ValidationError as refused:
            for field, reasons in refused.message_dict.items():
                self.add_error(field if field in self.fields else None, reasons)
            return None

    def choices(self) -> list[dict[str, object]]:
        """Return the scopes to choose from, with whether each is chosen."""
        chosen = self["scopes"].value() or ()
        offered = self.fields["scopes"].choices  # type: ignore[attr-defined]
        return [
            {"value": value, "label": label, "hint": HINTS[Scope(value)], "is_chosen": value in chosen}
            for value, label in offered
        ]
