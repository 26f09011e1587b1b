"""The list of all conversations: one form of filters, and orders that an index gives."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from records.admin.record import CappedPaginator
from records.filters import ORDER, FilterForm

_LIVE, _SUMMED = "-last_activity_at", "-fact__last_activity_at"


class IdPaginator(CappedPaginator):
    """Knows the ids of all rows that can be paged through, in their order, by one query."""

    MOST = 2_000

    @cached_property
    def ids(self) -> list[Any]:
        """Return them, of the first 2,000 rows."""
        rows = cast("QuerySet[Model]", self.object_list)
        return list(rows.values_list("pk", flat=True)[: self.MOST])

    @cached_property
    def count(self) -> int:
        """Return how many there are of these."""
        return len(self.ids)


class FilterPanel(admin.ListFilter):
    """All filters as one form beside the list. Where one makes no sense, it says so and nothing is listed."""

    title = "filters"
    template = "admin/records/_filters.html"
    names = frozenset(ORDER)

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: admin.ModelAdmin[Any]
    ) -> None:
        super().__init__(request, params, model, model_admin)
        given = {name: params.pop(name)[-1] for name in ORDER if name in params}
        self.used_parameters = given
        self.form = FilterForm(given)
        self.is_valid = self.form.is_valid()

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(ORDER)

    def choices(self, changelist: ChangeList) -> Any:
        """Return what the template shows beside the form: what else the address says, to be sent along."""
        kept = {name: value for name, value in changelist.params.items() if name not in ORDER}
        return [{"name": name, "value": value} for name, value in kept.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return self.form.narrow(queryset) if self.is_valid else queryset.none()


class ConversationList(ChangeList):
    """Orders by columns that have an index alone, however the address asks."""

    @property
    def is_cut(self) -> bool:
        """Whether there are more than can be paged through, perhaps."""
        return bool(self.result_count >= IdPaginator.MOST)

    @property
    def panel(self) -> FilterPanel:
        """The form of filters."""
        return cast("FilterPanel", self.filter_specs[0])

    def get_ordering_field(self, field_name: Any) -> Any:
        return super().get_ordering_field(field_name) if field_name in (self.sortable_by or ()) else None

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Order by the sums' own time where sums are asked for: one index then tells which rows, in which order."""
        ordering = [str(name) for name in super().get_ordering(request, queryset)]
        if self.panel.is_valid and self.panel.form.asks_sums:
            renamed = {_LIVE: _SUMMED, _LIVE[1:]: _SUMMED[1:]}
            ordering = [renamed.get(name, name) for name in ordering]
        if len(ordering) > 1 and not ordering[0].startswith("-"):
            ordering[-1] = "pk"  # so that an index is read from its end
        return ordering

    def get_results(self, request: HttpRequest) -> None:
        """Read the ids of all pages at once, which is all the counting, and what one page shows for that page alone."""
        try:
            super().get_results(request)
        except IncorrectLookupParameters:  # there is no such page (any more)
            paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
            self.page_num = paginator.num_pages if self.page_num > 0 else 1
            super().get_results(request)
        ids = cast("IdPaginator", self.paginator).ids
        if self.multi_page and not (self.show_all and self.can_show_all):
            ids = ids[(self.page_num - 1) * self.list_per_page : self.page_num * self.list_per_page]
        by_id = self.root_queryset.in_bulk(ids)
        self.result_list = [by_id[pk] for pk in ids if pk in by_id]

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """Leave conversations without sums out where they are ordered by them: for a minute at most they have none."""
        conversations: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        if any(str(name).lstrip("-").startswith("fact__") for name in conversations.query.order_by):
            return conversations.filter(fact__isnull=False)
        return conversations
