"""How long conversations are kept, and what is left of those that were removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from accounts.back_office import KeptWhileInUse
from conversations.amounts import money
from conversations.templatetags.pages import when
from records.admin.record import RecordAdmin
from records.models import RetentionPolicy, Tombstone
from records.models.retention import MOST_DAYS

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

    _ModelForm = forms.ModelForm[RetentionPolicy]
else:
    _ModelForm = forms.ModelForm


class RetentionPolicyForm(_ModelForm):
    """A policy, with words that say what each field does."""

    class Meta:
        model = RetentionPolicy
        fields = ("name", "group", "assistant", "basis", "days", "is_enabled")
        labels = {"basis": "Days count", "days": "Days", "is_enabled": "Enabled"}
        help_texts = {
            "group": "For conversations of this group's members; empty: of everybody.",
            "assistant": "For conversations with this assistant; empty: with all.",
            "basis": "One that counts from when a conversation was concluded never removes an open one.",
            "days": f"From 1 to {MOST_DAYS:,}. Of all policies that hold for a conversation, the longest time counts.",
            "is_enabled": "Conversations whose time is over are removed for good, from the next night on. "
            "Count with a dry run what that would be.",
        }
        error_messages = {
            "days": {
                "min_value": "A conversation is kept for a day at least.",
                "max_value": f"{MOST_DAYS:,} days at most. Whatever no policy holds for is kept for ever.",
            }
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, words in (("group", "Everybody"), ("assistant", "All assistants")):
            choice: Any = self.fields[name]
            choice.empty_label = words
            # Groups and assistants are managed on pages of their own.
            choice.widget.can_add_related = choice.widget.can_change_related = False
            choice.widget.can_delete_related = choice.widget.can_view_related = False


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(KeptWhileInUse):
    """Policies, which administrators and others with the right to them change."""

    form = RetentionPolicyForm
    list_display = ("name", "holds_for", "keeps", "is_enabled")
    list_filter = ("is_enabled", "basis")
    list_select_related = ("group", "assistant")
    ordering = ("name",)
    change_list_template = "admin/records/retentionpolicy/change_list.html"

    class Media:
        css = {"all": ("css/retention.css",)}

    @admin.display(description="holds for")
    def holds_for(self, policy: RetentionPolicy) -> str:
        """Return which conversations it holds for."""
        whose = f"members of {policy.group}" if policy.group else "everybody"
        return f"{whose}, with {policy.assistant}" if policy.assistant else whose

    @admin.display(description="keeps them for", ordering="days")
    def keeps(self, policy: RetentionPolicy) -> str:
        """Return for how long."""
        since = "it was concluded" if policy.basis == RetentionPolicy.Basis.CONCLUDED else "something was last said"
        return f"{policy.days:,} day{'' if policy.days == 1 else 's'} since {since}"


@admin.register(Tombstone)
class TombstoneAdmin(RecordAdmin):
    """Tombstones, the newest first: numbers, times and hashes, and nothing that was said."""

    list_display = ("conversation_id", "begun", "removed", "person", "messages", "attachments", "cost_in_words")
    search_fields = ("=conversation_id",)
    search_help_text = "Id of the conversation"
    ordering = ("-begun_at", "-pk")
    fields = (
        ("conversation_id", "run"),
        ("owner_id", "assistant_id", "policy_id"),
        ("created_at", "last_activity_at", "concluded_at"),
        ("messages", "generations"),
        ("attachments", "attachment_bytes"),
        ("input_tokens", "output_tokens"),
        ("cost", "unpriced_calls"),
        "sealed_sha256",
        "file_hashes",
        ("begun_at", "removed_at"),
    )

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may see tombstones."""
        return request.user.has_perm("records.view_tombstone")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Also those of one run, to which its page leads."""
        return lookup in ("run__exact", "run") or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find nothing rather than fail for what is no id."""
        try:
            return super().get_search_results(request, queryset, search_term)
        except ValueError:
            return queryset.none(), False

    @admin.display(description="removal begun", ordering="begun_at")
    def begun(self, tombstone: Tombstone) -> SafeString:
        """Return when."""
        return when(tombstone.begun_at)

    @admin.display(description="removed", ordering="removed_at")
    def removed(self, tombstone: Tombstone) -> SafeString | str:
        """Return when its last row was gone."""
        return when(tombstone.removed_at) if tombstone.removed_at else "Not yet"

    @admin.display(description="person", ordering="owner_id")
    def person(self, tombstone: Tombstone) -> str:
        """Return the number of the person."""
        return f"number {tombstone.owner_id}"

    @admin.display(description="cost", ordering="cost")
    def cost_in_words(self, tombstone: Tombstone) -> str:
        """Return what its calls cost, with what is not known of it."""
        return money(tombstone.cost) + (" + unknown" if tombstone.unpriced_calls else "")
