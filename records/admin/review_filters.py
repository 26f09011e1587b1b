"""Filters of the queue of reviews."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from accounts.models import User
from records.models import Review, ReviewLabel, ReviewPolicy, ReviewReason

_MOST_DIGITS = 19  # of an id, which PostgreSQL keeps in 64 bits


class StandingFilter(admin.SimpleListFilter):
    """Where reviews stand: those in the queue, unless others are asked for."""

    title = "where it stands"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choices beside the queue."""
        return [
            ("waiting", "Waiting"),
            ("mine", "Claimed by me"),
            ("claimed", "Claimed"),
            ("done", "With a verdict"),
            ("all", "All"),
        ]

    def choices(self, changelist: Any) -> Any:
        """Name what is shown unless something is chosen."""
        first, *others = super().choices(changelist)
        return [{**first, "display": "In the queue"}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return what is asked for."""
        match self.value():
            case "waiting" | "claimed" | "done" as state:
                return queryset.filter(state=state)
            case "mine":
                return queryset.filter(state=Review.State.CLAIMED, claimed_by_id=request.user.pk)
            case "all":
                return queryset
        return queryset.exclude(state=Review.State.DONE)  # in the words of the index of open ones


class _IdFilter(admin.SimpleListFilter):
    """One of a few rows, by id; what is no id is not looked for."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the reviews of the row that is asked for, all where none is."""
        value = self.value() or ""
        is_id = value.isascii() and value.isdecimal() and len(value) < _MOST_DIGITS
        return self.narrow(queryset, int(value)) if is_id else queryset

    def narrow(self, queryset: QuerySet[Any], row_id: int) -> QuerySet[Any]:
        raise NotImplementedError


class PolicyFilter(_IdFilter):
    """The policy that brought it in."""

    title = "policy"
    parameter_name = "policy"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return all policies, disabled ones too."""
        return [(str(pk), name) for pk, name in ReviewPolicy.objects.order_by("name").values_list("pk", "name")]

    def narrow(self, queryset: QuerySet[Any], row_id: int) -> QuerySet[Any]:
        """Return those that have a reason of this policy."""
        return queryset.filter(Exists(ReviewReason.objects.filter(review=OuterRef("pk"), policy=row_id)))


class LabelFilter(_IdFilter):
    """A label of the verdict."""

    title = "label"
    parameter_name = "label"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return all labels."""
        return [(str(pk), name) for pk, name in ReviewLabel.objects.values_list("pk", "name")]

    def narrow(self, queryset: QuerySet[Any], row_id: int) -> QuerySet[Any]:
        """Return those that bear it."""
        return queryset.filter(Exists(Review.labels.through.objects.filter(review=OuterRef("pk"), reviewlabel=row_id)))


class ReviewerFilter(_IdFilter):
    """Whose it is, or whose verdict it bears."""

    title = "reviewer"
    parameter_name = "reviewer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return everybody who ever had one."""
        had = Review.objects.filter(claimed_by=OuterRef("pk"))
        return [(str(user.pk), str(user)) for user in User.objects.filter(Exists(had)).order_by("username")]

    def narrow(self, queryset: QuerySet[Any], row_id: int) -> QuerySet[Any]:
        """Return theirs."""
        return queryset.filter(claimed_by=row_id)
