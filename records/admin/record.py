"""What all pages about the record have in common: nobody writes, and only reviewers read."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from records.models import Tombstone

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Model]
    _Paginator = Paginator[Model]
else:
    _ModelAdmin, _Paginator = admin.ModelAdmin, Paginator


class CappedPaginator(_Paginator):
    """Counts to 10,000 and no further: counting a record of millions takes longer than reading a page of it."""

    MOST = 10_000

    @cached_property
    def count(self) -> int:
        """Return how many rows can be paged through."""
        rows = cast(QuerySet[Model], self.object_list)
        # The key alone: a sliced query would otherwise reckon every column of the list for each row that it counts.
        return rows.order_by().values("pk")[: self.MOST].count()


class RecordAdmin(_ModelAdmin):
    """Shows rows of the record to who has the right to review conversations, and lets nobody change them."""

    actions = None
    paginator = CappedPaginator
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # a count for each filter would read the whole table
    to_conversation = ""
    """The way from a row to its conversation, where there is one: what is being removed is shown to nobody."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave out what belongs to conversations whose removal has begun, of which there are few at any time."""
        rows: QuerySet[Any] = super().get_queryset(request)
        if not self.to_conversation:
            return rows
        begun = Tombstone.objects.filter(removed_at__isnull=True).values("pk")
        return rows.exclude(**{f"{self.to_conversation}__in": begun})

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody, superusers included: only the app itself writes the record."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody, superusers included."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody, superusers included: deleting is the retention policy's."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Reviewers. Being staff is not enough, because this is what other people wrote."""
        return request.user.has_perm("conversations.review_conversation")
