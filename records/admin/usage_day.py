"""What people used, which nobody changes."""

from django.contrib import admin

from conversations.amounts import money
from conversations.models import UsageDay
from records.admin.record import RecordAdmin


@admin.register(UsageDay)
class UsageDayAdmin(RecordAdmin):
    """What each person used of each model, by day."""

    list_display = ("day", "owner", "model", "calls", "input_tokens", "output_tokens", "shown_cost")
    list_filter = ("day", "model")
    list_select_related = ("owner", "model")
    search_fields = ("owner__username", "owner__email", "owner__first_name", "owner__last_name")
    search_help_text = "Name or e-mail address of the person"
    ordering = ("-day", "-id")
    fields = (
        ("day", "owner", "model"),
        ("calls", "estimated_calls", "unpriced_calls"),
        ("input_tokens", "cached_tokens"),
        ("output_tokens", "reasoning_tokens"),
        "shown_cost",
    )
    readonly_fields = ("shown_cost",)

    @admin.display(description="cost", ordering="cost")
    def shown_cost(self, day: UsageDay) -> str:
        """Return the cost, with what is not known of it."""
        if day.unpriced_calls == day.calls:
            return "unknown"
        return f"{money(day.cost)} + unknown" if day.unpriced_calls else money(day.cost)
