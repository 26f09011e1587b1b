"""The log of deliveries: what was sent where, how often, and what was answered."""

from __future__ import annotations

import contextlib
from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.safestring import SafeString

from accounts.models import User
from conversations.services import Refused
from conversations.templatetags.pages import when
from records.admin.record import RecordAdmin
from records.admin.webhook import LARGEST
from webhooks.models import WebhookDelivery
from webhooks.services import send_again


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(RecordAdmin):
    """Deliveries, the newest first; those that ended 90 days ago are gone."""

    list_display = ("planned", "endpoint", "what", "standing", "outcome")
    list_filter = ("state", "endpoint")
    list_select_related = ("endpoint",)
    sortable_by = ()
    ordering = ("-pk",)
    search_fields = ("seq",)
    search_help_text = "Number of an event, or id of a conversation"
    change_form_template = "admin/webhooks/webhookdelivery/delivery.html"
    fields = (
        ("endpoint", "kind", "seq"),
        "conversation_id",
        ("state", "tries"),
        ("created_at", "asked_by"),
        ("tried_at", "due_at", "give_up_at", "ended_at"),
        ("status_code", "milliseconds"),
        "problem",
        "answer",
    )

    class Media:
        css = {"all": ["css/webhooks.css"]}

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may see endpoints."""
        return request.user.has_perm("webhooks.view_webhookendpoint")

    def may_send_again(self, request: HttpRequest) -> bool:
        """Whoever may change endpoints."""
        return request.user.has_perm("webhooks.change_webhookendpoint")

    def get_urls(self) -> list[Any]:
        """Add the address that sends one again."""
        again = path(
            "<uuid:pk>/again/", self.admin_site.admin_view(self.again_view), name="webhooks_webhookdelivery_again"
        )
        return [again, *super().get_urls()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by what has an index: the number of an event, and the id of a conversation."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(pk__in=[])
        if term.isascii() and term.isdigit() and int(term) <= LARGEST:
            found |= Q(seq=int(term))
        with contextlib.suppress(ValueError):
            found |= Q(conversation_id=UUID(term))
        return queryset.filter(found), False

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add whether it can be sent again."""
        delivery = context.get("original")
        context["may_send_again"] = delivery is not None and not delivery.is_test and self.may_send_again(request)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="planned")
    def planned(self, delivery: WebhookDelivery) -> SafeString:
        """Return when."""
        return when(delivery.created_at)

    @admin.display(description="event")
    def what(self, delivery: WebhookDelivery) -> str:
        """Return its kind and number."""
        return delivery.kind if delivery.is_test else f"{delivery.kind}, number {delivery.seq}"

    @admin.display(description="standing")
    def standing(self, delivery: WebhookDelivery) -> str:
        """Return where it stands, after how many tries."""
        told = delivery.get_state_display()
        return f"{told}, {delivery.tries:,} tries" if delivery.tries > 1 else told

    @admin.display(description="what came of it")
    def outcome(self, delivery: WebhookDelivery) -> str:
        """Return what the last try came to."""
        if delivery.problem or delivery.status_code is None:
            return delivery.problem or "–"
        return f"{delivery.status_code} in {delivery.milliseconds or 0:,} ms"

    def again_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Have the event of a delivery sent once more."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.may_send_again(request):
            raise PermissionDenied
        delivery = WebhookDelivery.objects.select_related("endpoint").filter(pk=pk).first()
        if delivery is None:
            raise Http404
        try:
            delivery = send_again(delivery=delivery, asked_by=cast(User, request.user))
        except Refused as refused:
            messages.error(request, refused.message)
        else:
            messages.success(request, "It is on its way once more.")
        address = reverse("admin:webhooks_webhookdelivery_change", args=[delivery.pk])
        return HttpResponseRedirect(address, status=303)
