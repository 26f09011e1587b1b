"""Legal holds: placed and lifted with a reason, and never edited or deleted."""

from __future__ import annotations

import re
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from accounts.models import User
from conversations.models import Conversation
from conversations.services import Refused
from conversations.templatetags.pages import when
from records.admin.record import RecordAdmin
from records.forms import PersonField, ReasonField
from records.models import LegalHold
from records.services.holds import hold_conversation, hold_person, lift_hold

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_NAMED = 20  # conversations that a hold came too late for, in a sentence


class HoldForm(forms.Form):
    """Whose conversations stay, or which one, and why."""

    person = PersonField(required=False, max_length=254)
    conversation = forms.CharField(required=False, max_length=500)
    reason = ReasonField()

    def clean_conversation(self) -> UUID | None:
        """Return the id that was entered, alone or within an address. Raises ValidationError where there is none."""
        entered = self.cleaned_data["conversation"].strip()
        found = _ID.search(entered)
        if entered and not found:
            raise forms.ValidationError("This is neither the id of a conversation nor the address of its page.")
        return UUID(found[0]) if found else None

    def clean(self) -> dict[str, Any]:
        """Refuse a hold on both, or on neither."""
        data = super().clean() or self.cleaned_data
        if not self.errors and bool(data.get("person")) == bool(data.get("conversation")):
            raise forms.ValidationError("Enter a person or a conversation: one of the two.")
        return data


class LiftForm(forms.Form):
    """Why a hold ends."""

    reason = ReasonField()


class InForceFilter(admin.SimpleListFilter):
    """Holds in force, and those that were lifted."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("in_force", "In force"), ("lifted", "Lifted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        return queryset.filter(lifted_at__isnull=self.value() != "lifted")


@admin.register(LegalHold)
class LegalHoldAdmin(RecordAdmin):
    """The list of holds, the form that places one, and a page for each, on which it is lifted."""

    list_display = ("standing", "on", "reason", "placed_by", "placed", "lifted")
    list_display_links = ("standing",)
    list_filter = (InForceFilter,)
    list_select_related = ("user", "placed_by", "lifted_by")
    ordering = ("-pk",)

    class Media:
        css = {"all": ("css/retention.css",)}

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may see, place or lift holds."""
        return any(request.user.has_perm(f"records.{deed}_legalhold") for deed in ("view", "add", "change"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever may place holds."""
        return request.user.has_perm("records.add_legalhold")

    def may_lift(self, request: HttpRequest) -> bool:
        """Whoever may change holds; nothing else of one ever changes."""
        return request.user.has_perm("records.change_legalhold")

    def get_urls(self) -> list[URLPattern]:
        """Add the address that lifts one."""
        lift = path("<uuid:hold_id>/lift/", self.admin_site.admin_view(self.lift_view), name="records_legalhold_lift")
        return [lift, *super().get_urls()]

    @admin.display(description="standing", ordering="lifted_at")
    def standing(self, hold: LegalHold) -> str:
        """Return whether it holds."""
        return "In force" if hold.lifted_at is None else "Lifted"

    @admin.display(description="what stays")
    def on(self, hold: LegalHold) -> str:
        """Return whose conversations stay, or which one."""
        return f"Everything of {hold.user}" if hold.user_id else f"Conversation {hold.conversation_id}"

    @admin.display(description="placed", ordering="pk")
    def placed(self, hold: LegalHold) -> SafeString:
        """Return when."""
        return when(hold.placed_at)

    @admin.display(description="lifted", ordering="lifted_at")
    def lifted(self, hold: LegalHold) -> SafeString | str:
        """Return when."""
        return when(hold.lifted_at) if hold.lifted_at else "–"

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask what is to stay and why, and place the hold; say where it comes too late."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        is_sent = request.method == "POST"
        given = {name: request.GET.get(name, "") for name in ("person", "conversation")}
        form = HoldForm(request.POST) if is_sent else HoldForm(initial=given)
        status = 422 if is_sent else 200
        if is_sent and form.is_valid():
            try:
                hold = self._place(request, form.cleaned_data)
            except Conversation.DoesNotExist:
                form.add_error("conversation", "There is no such conversation.")
            except Refused as refused:
                form.add_error("conversation", refused.message)
                status = refused.status
            else:
                return _see_other("admin:records_legalhold_change", hold.pk)
        context = self._context(request, "Place a hold") | {"form": form}
        return TemplateResponse(request, "admin/records/legalhold/place.html", context, status=status)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a hold, and the form that lifts it."""
        hold = cast(LegalHold | None, self.get_object(request, object_id))
        if not self.has_view_permission(request, hold) or request.method == "POST":
            raise PermissionDenied
        if hold is None:
            return super().change_view(request, object_id)  # which says so
        return self._show(request, hold, LiftForm())

    def lift_view(self, request: HttpRequest, hold_id: UUID) -> HttpResponse:
        """Lift a hold."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.may_lift(request):
            raise PermissionDenied
        hold = LegalHold.objects.filter(pk=hold_id).first()
        if hold is None:
            raise Http404
        form = LiftForm(request.POST)
        if not form.is_valid():
            return self._show(request, hold, form, status=422)
        try:
            lift_hold(hold=hold, lifted_by=cast(User, request.user), reason=form.cleaned_data["reason"])
        except Refused as refused:
            form.add_error(None, refused.message)
            hold.refresh_from_db()
            return self._show(request, hold, form, status=refused.status)
        messages.success(request, "The hold is lifted. What it kept goes by the policies again.")
        return _see_other("admin:records_legalhold_change", hold.pk)

    def _place(self, request: HttpRequest, data: dict[str, Any]) -> LegalHold:
        placed_by, reason = cast(User, request.user), data["reason"]
        if data["conversation"]:
            hold = hold_conversation(conversation_id=data["conversation"], placed_by=placed_by, reason=reason)
            messages.success(request, "The hold is in force: the conversation stays as it is.")
            return hold
        placed = hold_person(person=data["person"], placed_by=placed_by, reason=reason)
        messages.success(request, "The hold is in force: all conversations of this person stay.")
        if placed.too_late_for:
            named = ", ".join(map(str, placed.too_late_for[:_NAMED]))
            more = len(placed.too_late_for) - _NAMED
            words = f"{named} and {more} more" if more > 0 else named
            messages.warning(request, f"It comes too late for what is being removed at this moment: {words}.")
        return placed.hold

    def _show(self, request: HttpRequest, hold: LegalHold, form: LiftForm, *, status: int = 200) -> HttpResponse:
        may_lift = hold.lifted_at is None and self.may_lift(request)
        context = self._context(request, "Hold") | {
            "hold": hold,
            "form": form,
            "may_lift": may_lift,
            "is_there": Conversation.objects.filter(holds=hold).exists(),
            "may_read": request.user.has_perm("conversations.review_conversation"),
        }
        return TemplateResponse(request, "admin/records/legalhold/hold.html", context, status=status)

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "media": self.media}


def _see_other(name: str, *ids: object) -> HttpResponse:
    return HttpResponseRedirect(reverse(name, args=ids), status=303)
