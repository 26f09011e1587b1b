"""Which conversations are to be reviewed, and the labels that reviewers put on them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.back_office import KeptWhileInUse
from conversations.amounts import money
from records.admin.review_forms import NEEDED, ReviewPolicyForm
from records.models import ReviewLabel, ReviewPolicy

_FIELDS = ("name", "kind", *NEEDED.values(), "assistant", "is_enabled")


@admin.register(ReviewPolicy)
class ReviewPolicyAdmin(KeptWhileInUse):
    """Policies, which administrators and others with the right to them change."""

    form = ReviewPolicyForm
    list_display = ("name", "kind", "looks_for", "assistant", "is_enabled")
    list_filter = ("kind", "is_enabled")
    list_select_related = ("assistant",)
    ordering = ("name",)
    fields = _FIELDS

    class Media:
        css = {"all": ("css/review.css", "css/review_queue.css")}

    def get_readonly_fields(self, request: HttpRequest, obj: ReviewPolicy | None = None) -> tuple[str, ...]:
        """Keep the kind: it is what the reasons of reviews say that the policy found."""
        return ("kind",) if obj else ()

    def get_fields(self, request: HttpRequest, obj: ReviewPolicy | None = None) -> tuple[str, ...]:
        """Show what the kind needs; of a new one, everything, as the kind is yet to be chosen."""
        needed = NEEDED.get(obj.kind) if obj else None
        return tuple(name for name in _FIELDS if not obj or name not in NEEDED.values() or name == needed)

    @admin.display(description="looks for")
    def looks_for(self, policy: ReviewPolicy) -> str:
        """Return what it looks for, in a few words."""
        if policy.percent is not None:
            return f"{policy.percent.normalize():f} % of all"
        if policy.cost is not None:
            return f"{money(policy.cost)} and more"
        first, *others = policy.keyword_lines or [""]
        return f"{first} (and {len(others)} more)" if others else first


@admin.register(ReviewLabel)
class ReviewLabelAdmin(KeptWhileInUse):
    """Labels. One that a verdict bears stays."""

    list_display = ("name", "is_enabled")
    list_filter = ("is_enabled",)
    ordering = ("name",)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask whether to delete the label, or say why it stays."""
        label = self.get_object(request, unquote(object_id))
        if label is not None and self.has_delete_permission(request, label) and label.reviews.exists():
            self.message_user(request, self.kept_sentence.format(label), messages.ERROR)
            return redirect("admin:records_reviewlabel_change", object_id)
        return super().delete_view(request, object_id, extra_context)
