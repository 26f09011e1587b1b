"""Which conversations a reviewer asks for: what was typed, checked, and put to the database."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.models import Group
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from conversations.forms import FIRST_DAY, LAST_DAY, NO_DAY
from conversations.models import Assistant, Conversation, LanguageModel, Message
from conversations.periods import midnight
from conversations.text import clean_text
from records.models import Review

if TYPE_CHECKING:
    from audit.services import Detail

    _ModelChoiceField = forms.ModelChoiceField[Any]
else:
    _ModelChoiceField = forms.ModelChoiceField

MOST_PEOPLE = 50
"""That a name may fit: more are no answer to "whose"."""

STATUSES = {
    "failed": "failed or broke off",
    "refused": "the model refused",
    "stopped": "its owner stopped",
    "cut_off": "was cut off",
    "running": "is being written now",
}
_FEEDBACK = {"down": "Rated bad", "up": "Rated good", "any": "Rated", "none": "Not rated"}
_REVIEWS = {
    "none": "Never in the queue",
    "waiting": "Waiting for a reviewer",
    "claimed": "Claimed",
    "done": "Decided",
} | {f"{verdict}": f"Decided: {label}" for verdict, label in Review.Verdict.choices}
_YES_NO = {"yes": "Yes", "no": "No"}
_ANY = "Any"
_NO_MONEY = "That is no amount of US dollars. Write it as 0.50."
_NO_TOKENS = "That is no number of tokens. Write it as 5000."
_NO_CHOICE = "There is no such choice any more. Choose another one."


class FilterForm(forms.Form):
    """What narrows the list of conversations and the search over all; each field may be left empty."""

    owner = forms.CharField(required=False, max_length=200, label="Owner", help_text="Name or e-mail address")
    group = _ModelChoiceField(Group.objects.order_by("name"), required=False, empty_label=_ANY)
    assistant = _ModelChoiceField(Assistant.objects.order_by("name", "id"), required=False, empty_label=_ANY)
    model = _ModelChoiceField(
        LanguageModel.objects.order_by("label", "id"), required=False, empty_label=_ANY, label="Model that answered"
    )
    state = forms.ChoiceField(required=False, choices=[("", _ANY), *Conversation.State.choices])
    status = forms.ChoiceField(required=False, choices=[("", _ANY), *STATUSES.items()], label="Has an answer that")
    feedback = forms.ChoiceField(required=False, choices=[("", _ANY), *_FEEDBACK.items()], label="Feedback")
    review = forms.ChoiceField(required=False, choices=[("", _ANY), *_REVIEWS.items()], label="Review")
    hidden = forms.ChoiceField(required=False, choices=[("", _ANY), *_YES_NO.items()], label="Deleted by its owner")

    def __init__(self, data: Mapping[str, Any], *, said: bool = False) -> None:
        """Take what was typed; with `said`, days are those of messages rather than of the last activity."""
        super().__init__(data, auto_id="filter-%s")
        # Here, and not above, are those whose name is no name of an attribute, or of another one.
        self.fields["files"] = forms.ChoiceField(
            required=False, choices=[("", _ANY), *_YES_NO.items()], label="Has files"
        )
        done = "Said" if said else "Last active"
        for name, label in (("from", f"{done} from"), ("to", f"{done} to")):
            self.fields[name] = forms.DateField(
                required=False,
                label=label,
                widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
                validators=[MinValueValidator(FIRST_DAY, NO_DAY), MaxValueValidator(LAST_DAY, NO_DAY)],
                error_messages={"invalid": NO_DAY},
            )
        for name, label in (("cost_from", "Cost from, US$"), ("cost_to", "Cost to, US$")):
            self.fields[name] = forms.DecimalField(
                required=False,
                label=label,
                min_value=Decimal(0),
                max_value=Decimal(10_000_000),
                decimal_places=8,
                widget=forms.TextInput(attrs={"inputmode": "decimal"}),
                error_messages=dict.fromkeys(
                    ("invalid", "min_value", "max_value", "max_digits", "max_decimal_places", "max_whole_digits"),
                    _NO_MONEY,
                ),
            )
        for name, label in (("tokens_from", "Tokens from"), ("tokens_to", "Tokens to")):
            self.fields[name] = forms.IntegerField(
                required=False,
                label=label,
                min_value=0,
                max_value=10**15,
                widget=forms.TextInput(attrs={"inputmode": "numeric"}),
                error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), _NO_TOKENS),
            )
        for field in self.fields.values():
            field.error_messages |= {"invalid_choice": _NO_CHOICE}
        self.order_fields(ORDER)
        self.people: list[int] | None = None
        """Ids of the owners that a name fits, None where no name was given."""

    def clean_owner(self) -> str:
        """Look up whom the name fits; one that it fits exactly goes before those that merely hold it."""
        name = " ".join(clean_text(self.cleaned_data["owner"]).split())
        if name:
            self.people = _people(name)
            if not self.people:
                raise forms.ValidationError("Nobody here has this in their name or e-mail address.")
            if len(self.people) > MOST_PEOPLE:
                raise forms.ValidationError(f"This fits more than {MOST_PEOPLE} people. Write more of the name.")
        return name

    def full_clean(self) -> None:
        """Show what was typed as a day and is none as it was typed: a calendar's box would be empty."""
        super().full_clean()
        for name in ("from", "to"):
            if name in self.errors:
                self.fields[name].widget = forms.TextInput(attrs={"maxlength": 40})

    def clean(self) -> dict[str, Any]:
        """Refuse a beginning that lies behind its end."""
        data = self.cleaned_data
        for name, words in (
            ("from", "The first day is after the last one. Change one of them."),
            ("cost_from", "The lowest cost is above the highest one. Change one of them."),
            ("tokens_from", "The fewest tokens are more than the most. Change one of them."),
        ):
            first, last = data.get(name), data.get(name.replace("from", "to"))
            if first is not None and last is not None and first > last:
                self.add_error(name, words)
        return data

    @property
    def is_narrowed(self) -> bool:
        """Whether anything at all was asked for."""
        return self._names_any(self.fields)

    @property
    def narrows_conversations(self) -> bool:
        """Whether anything but days was asked for."""
        return self._names_any(set(self.fields) - {"from", "to"})

    @property
    def asks_sums(self) -> bool:
        """Whether the sums of conversations are needed, which are up to a minute behind."""
        given = self.cleaned_data
        return given["status"] not in ("", "running") or any(
            given[name] not in (None, "")
            for name in ("model", "files", "feedback", "cost_from", "cost_to", "tokens_from", "tokens_to")
        )

    def narrow(self, conversations: QuerySet[Conversation], *, days: bool = True) -> QuerySet[Conversation]:
        """Return those that are asked for, of a valid form. With `days=False`, of any time.

        Where sums are asked for, the days are those of the sums as well, so that one index tells both.
        """
        given = self.cleaned_data
        wanted = Q()
        for condition in self._conditions():
            wanted &= condition
        if days:
            at = "fact__last_activity_at" if self.asks_sums else "last_activity_at"
            if given["from"]:
                wanted &= Q((f"{at}__gte", midnight(given["from"])))
            if given["to"]:
                wanted &= Q((f"{at}__lt", midnight(given["to"] + datetime.timedelta(days=1))))
        return conversations.filter(wanted)

    def told(self) -> dict[str, Detail]:
        """Return what was asked for as an audit event tells it: ids, days and counts, never a name that was typed."""
        given = self.cleaned_data
        told: dict[str, Detail] = {"owners_asked": [*self.people]} if self.people is not None else {}
        for name in self.fields:
            value = given[name]
            if name == "owner" or value in (None, ""):
                continue
            told[name] = value.pk if name in ("group", "assistant", "model") else str(value)
        return told

    def address_query(self, **more: str) -> str:
        """Return the query of an address that asks for the same, and for `more`."""
        asked = {name: str(self[name].value() or "") for name in self.fields}
        return urlencode({name: value for name, value in asked.items() if value} | more)

    def _names_any(self, names: Iterable[str]) -> bool:
        return any(str(self[name].value() or "").strip() for name in names)

    def _conditions(self) -> Iterator[Q]:
        given = self.cleaned_data
        if self.people is not None:
            yield Q(owner__in=self.people)
        if given["group"]:
            yield Q(owner__in=User.objects.filter(groups=given["group"]).values("pk"))
        if given["assistant"]:
            yield Q(assistant=given["assistant"])
        if given["model"]:
            yield Q(fact__model_ids__contains=[given["model"].pk])
        if given["state"]:
            yield Q(state=given["state"])
        if given["status"] == "running":
            yield Q(pk__in=Message.objects.running().order_by().values("conversation"))
        elif given["status"]:
            yield Q((f"fact__{given['status']}__gt", 0))
        if given["files"]:
            yield Q(fact__files__gt=0) if given["files"] == "yes" else Q(fact__files=0)
        yield from _rated(given["feedback"])
        yield from _reviewed(given["review"])
        if given["hidden"]:
            yield Q(hidden_at__isnull=given["hidden"] == "no")
        for name, lookup in (("from", "gte"), ("to", "lte")):
            if given[f"cost_{name}"] is not None:
                yield Q((f"fact__cost__{lookup}", given[f"cost_{name}"]))
            if given[f"tokens_{name}"] is not None:
                yield Q((f"fact__tokens__{lookup}", given[f"tokens_{name}"]))


ORDER = (
    "from",
    "to",
    "owner",
    "group",
    "assistant",
    "model",
    "state",
    "status",
    "files",
    "feedback",
    "review",
    "cost_from",
    "cost_to",
    "tokens_from",
    "tokens_to",
    "hidden",
)


def _rated(feedback: str) -> Iterator[Q]:
    if feedback == "any":
        yield Q(fact__thumbs_up__gt=0) | Q(fact__thumbs_down__gt=0)
    elif feedback == "none":
        yield Q(fact__thumbs_up=0, fact__thumbs_down=0)
    elif feedback:
        yield Q((f"fact__thumbs_{feedback}__gt", 0))


def _reviewed(review: str) -> Iterator[Q]:
    if review == "none":
        yield ~Q(Exists(Review.objects.filter(conversation=OuterRef("pk"))))
    elif review in Review.Verdict.values:
        yield Q(pk__in=Review.objects.filter(state=Review.State.DONE, verdict=review).values("conversation"))
    elif review:
        yield Q(pk__in=Review.objects.filter(state=review).values("conversation"))


def _people(name: str) -> list[int]:
    """Return the ids of those whom a name fits, a few more than may be."""
    people = User.objects.order_by("pk").values_list("pk", flat=True)
    exact = people.filter(Q(username__iexact=name) | Q(email__iexact=name))
    if found := list(exact[: MOST_PEOPLE + 1]):
        return found
    for word in name.split():
        people = people.filter(
            Q(username__icontains=word)
            | Q(email__icontains=word)
            | Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
        )
    return list(people[: MOST_PEOPLE + 1])
