"""Models with their prices, and assistants: what administrators may change."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from accounts.back_office import KeptWhileInUse
from conversations.admin.catalogue_forms import AssistantForm, LanguageModelForm, ModelPriceForm
from conversations.admin.trials import PreviewsAssistants, TestsModels
from conversations.models import Assistant, LanguageModel, ModelPrice

if TYPE_CHECKING:
    _PriceInline = admin.TabularInline[ModelPrice, LanguageModel]
else:
    _PriceInline = admin.TabularInline


class ModelPriceInline(_PriceInline):
    """Prices from a day on. None is deleted; a wrong one is corrected as long as nothing was reckoned with it."""

    model = ModelPrice
    form = ModelPriceForm
    extra = 0
    can_delete = False
    ordering = ("-valid_from",)
    verbose_name_plural = "Prices in US dollars per million tokens (without one, costs are unknown)"


@admin.register(LanguageModel)
class LanguageModelAdmin(TestsModels, KeptWhileInUse):
    """Models that the provider serves."""

    form = LanguageModelForm
    change_list_template = "admin/conversations/catalogue.html"
    change_form_template = "admin/conversations/languagemodel/model.html"
    inlines = (ModelPriceInline,)
    list_display = (
        "label",
        "name",
        "context_window",
        "is_local",
        "is_enabled",
        "is_offered",
        "listed",
        "shutdown_date",
        "replacement",
    )
    list_filter = ("is_enabled", "is_offered", "is_local")
    list_select_related = ("replacement",)
    search_fields = ("name", "label")

    @admin.display(description="at the provider", ordering="listed_at")
    def listed(self, model: LanguageModel) -> str:
        """Return what the provider's list says of it."""
        if model.checked_at is None or model.is_listed is None:
            return "not asked yet"
        if model.is_listed:
            return "listed"
        if model.listed_at is None:
            return "not listed"
        return f"not listed since {timezone.localtime(model.listed_at):%-d %b %Y}"


@admin.register(Assistant)
class AssistantAdmin(PreviewsAssistants, KeptWhileInUse):
    """Personas that people talk to."""

    form = AssistantForm
    change_list_template = "admin/conversations/catalogue.html"
    change_form_template = "admin/conversations/assistant/assistant.html"
    list_display = ("name", "slug", "model", "is_enabled", "position")
    list_filter = ("is_enabled", "groups")
    list_select_related = ("model",)
    search_fields = ("name", "slug", "description")
    filter_horizontal = ("groups",)
    fieldsets = (
        (None, {"fields": ("name", "slug", "description", "is_enabled", "position", "groups")}),
        ("What the model is told", {"fields": ("model", "instructions", "tools", "parameters")}),
        ("What people see first", {"fields": ("suggested_prompts",)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Assistant | None = None) -> tuple[str, ...]:
        """Keep the slug once it is made: addresses and scripts know the assistant by it."""
        return ("slug",) if obj else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Assistant | None = None) -> dict[str, Sequence[str]]:
        """Suggest a slug for a new assistant."""
        return {} if obj else {"slug": ("name",)}
