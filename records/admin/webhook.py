"""Where events are sent: made, tried out, and sent once more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from accounts.back_office import KeptWhileInUse
from conversations.models import Event
from conversations.services import Refused
from webhooks.addresses import Forbidden, require_url
from webhooks.models import WebhookDelivery, WebhookEndpoint
from webhooks.services import equip, make_new_secret, replay_from, send_test

if TYPE_CHECKING:
    from accounts.models import User

    _ModelForm = forms.ModelForm[WebhookEndpoint]
else:
    _ModelForm = forms.ModelForm

SHOWN = 10
LARGEST = 2**63 - 1


class EndpointForm(_ModelForm):
    """An endpoint, with words that say what each field does."""

    kinds = forms.MultipleChoiceField(
        label="Events",
        choices=Event.Kind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: all of these, and kinds that come with later versions.",
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("name", "url", "kinds", "is_enabled")
        labels = {"url": "Address", "is_enabled": "Enabled"}
        help_texts = {
            "url": "Such as https://crm.example.com/verbatim: there events are posted, each signed. Private networks "
            "need the setting WEBHOOK_ALLOWED_NETWORKS.",
            "is_enabled": "What happens while it is disabled is sent when it is enabled again.",
        }
        widgets = {"url": forms.TextInput(attrs={"class": "vLargeTextField", "inputmode": "url"})}

    def clean_url(self) -> str:
        """Return the address. Raises ValidationError where nothing can be sent there."""
        url: str = self.cleaned_data["url"]
        try:
            require_url(url)
        except Forbidden as error:
            raise forms.ValidationError(str(error)) from None
        return url


class ReplayForm(forms.Form):
    """From which event on."""

    seq = forms.IntegerField(
        min_value=1,
        max_value=LARGEST,
        label="From event number",
        error_messages={"invalid": "Enter the number of an event.", "required": "Enter the number of an event."},
    )


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(KeptWhileInUse):
    """The endpoints, and a page for each that says how it fares."""

    form = EndpointForm
    list_display = ("name", "url", "takes", "standing", "waiting")
    ordering = ("name",)
    change_form_template = "admin/webhooks/webhookendpoint/endpoint.html"
    kept_sentence = "Events were sent to “{}”, so it cannot be deleted while the log tells of them. Disable it instead."

    class Media:
        css = {"all": ["css/webhooks.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count what waits, of which there is never much; of the rest of the log nothing is read."""
        endpoints: QuerySet[Any] = super().get_queryset(request)
        waiting = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"), state=WebhookDelivery.State.PENDING)
        counted = waiting.order_by().values("endpoint").annotate(count=Count("pk")).values("count")
        annotated: QuerySet[Any] = endpoints.annotate(pending=Subquery(counted))
        return annotated

    def get_urls(self) -> list[Any]:
        """Add the addresses of what is done."""
        guard = self.admin_site.admin_view
        return [
            path("<uuid:pk>/test/", guard(self.test_view), name="webhooks_webhookendpoint_test"),
            path("<uuid:pk>/secret/", guard(self.secret_view), name="webhooks_webhookendpoint_secret"),
            path("<uuid:pk>/replay/", guard(self.replay_view), name="webhooks_webhookendpoint_replay"),
            *super().get_urls(),
        ]

    @admin.display(description="events")
    def takes(self, endpoint: WebhookEndpoint) -> str:
        """Return which events it is sent."""
        return ", ".join(endpoint.kinds) or "all"

    @admin.display(description="standing")
    def standing(self, endpoint: WebhookEndpoint) -> str:
        """Return how it fares, in a few words."""
        return standing_of(endpoint)

    @admin.display(description="waiting")
    def waiting(self, endpoint: Any) -> str:
        """Return how many deliveries are planned and have not arrived."""
        return f"{endpoint.pending or 0:,}"

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        """Give a new endpoint its secret; of another write what was changed, and nothing that senders keep there."""
        if change:
            try:
                obj.save(update_fields=form.changed_data)
            except WebhookEndpoint.NotUpdated:
                raise Http404(f"“{obj}” was deleted while its form was open.") from None
            return
        request.webhook_secret = equip(endpoint=obj)  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: WebhookEndpoint, post_url_continue: str | None = None) -> Any:
        """Show the secret of a new endpoint, this once."""
        return self._show_secret(request, obj, request.webhook_secret, is_new=True)  # type: ignore[attr-defined]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add how it fares, and what was sent last."""
        endpoint = context.get("original")
        if endpoint is not None:
            context |= self._told(endpoint)
        context.setdefault("replay_form", ReplayForm())
        return super().render_change_form(request, context, *args, **kwargs)

    def test_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Have a test sent, and go back to where its outcome appears."""
        endpoint = self._changeable(request, pk)
        if isinstance(endpoint, HttpResponse):
            return endpoint
        with _deleted_meanwhile():
            send_test(endpoint=endpoint, asked_by=cast("User", request.user))
        messages.success(request, "A test is on its way. What comes of it appears below within some seconds.")
        return _back_to(endpoint)

    def secret_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Make a new secret and show it, this once."""
        endpoint = self._changeable(request, pk)
        if isinstance(endpoint, HttpResponse):
            return endpoint
        try:
            with _deleted_meanwhile():
                secret = make_new_secret(endpoint=endpoint, made_by=cast("User", request.user))
                endpoint.refresh_from_db()
        except Refused as refused:
            messages.error(request, refused.message)
            return _back_to(endpoint)
        return self._show_secret(request, endpoint, secret, is_new=False)

    def replay_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Have events sent once more."""
        endpoint = self._changeable(request, pk)
        if isinstance(endpoint, HttpResponse):
            return endpoint
        form = ReplayForm(request.POST)
        if not form.is_valid():
            messages.error(request, " ".join(map(str, form.errors["seq"])))
            return _back_to(endpoint)
        try:
            with _deleted_meanwhile():
                count = replay_from(
                    endpoint=endpoint, seq=form.cleaned_data["seq"], asked_by=cast("User", request.user)
                )
        except Refused as refused:
            messages.error(request, refused.message)
        else:
            told = "1 event is" if count == 1 else f"{count:,} events are"
            messages.success(request, f"{told} sent once more, under the ids that they have had.")
        return _back_to(endpoint)

    def _changeable(self, request: HttpRequest, pk: UUID) -> WebhookEndpoint | HttpResponse:
        """Return the endpoint for a POST of who may change it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        endpoint = WebhookEndpoint.objects.filter(pk=pk).first()
        if endpoint is None:
            raise Http404
        return endpoint

    def _show_secret(
        self, request: HttpRequest, endpoint: WebhookEndpoint, secret: str, *, is_new: bool
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": "Signing secret",
            "endpoint": endpoint,
            "secret": secret,
            "is_new": is_new,
        }
        return TemplateResponse(request, "admin/webhooks/webhookendpoint/secret.html", context)

    def _told(self, endpoint: WebhookEndpoint) -> dict[str, Any]:
        last = Event.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
        shown = endpoint.deliveries.order_by("-pk")[:SHOWN]
        return {
            "standing": standing_of(endpoint),
            "is_paused": endpoint.resume_at is not None and endpoint.resume_at > timezone.now(),
            "last_event": last,
            "waiting": endpoint.deliveries.filter(state=WebhookDelivery.State.PENDING).count(),
            "deliveries": shown,
        }


def standing_of(endpoint: WebhookEndpoint) -> str:
    """Return how an endpoint fares, in a few words."""
    if not endpoint.is_enabled:
        return "Disabled"
    if endpoint.gave_up_at is not None:
        return "Deliveries were given up"
    return "Away" if endpoint.troubled_at is not None else "All is well"


@contextmanager
def _deleted_meanwhile() -> Iterator[None]:
    """Answer as for an endpoint that never was where somebody deletes it in between."""
    try:
        yield
    except WebhookEndpoint.DoesNotExist:
        raise Http404 from None


def _back_to(endpoint: WebhookEndpoint) -> HttpResponse:
    address = reverse("admin:webhooks_webhookendpoint_change", args=[endpoint.pk])
    return HttpResponseRedirect(f"{address}#deliveries", status=303)
