"""What administrators may enter about models, prices and assistants."""

import math
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput

from conversations.models import Assistant, Generation, LanguageModel, ModelPrice

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[LanguageModel]
    _PriceForm = forms.ModelForm[ModelPrice]
    _AssistantForm = forms.ModelForm[Assistant]
else:
    _ModelForm = _PriceForm = _AssistantForm = forms.ModelForm

_RANGES: dict[str, tuple[type, float, float]] = {
    "temperature": (float, 0, 2),
    "top_p": (float, 0, 1),
    "max_output_tokens": (int, 16, 1_000_000),
}
_CHOICES = {"service_tier": ("auto", "default", "flex", "priority"), "truncation": ("auto", "disabled")}
_MOST_PROMPTS = 8
_LONGEST_PROMPT = 300


_TOOLS = {
    "code_interpreter": "Code interpreter: runs Python at the provider and sends back the files it writes",
    "image_generation": "Image generation",
    "create_file": "Create files: text, CSV, JSON, Excel and Word files that the model writes",
}


def _tools_field(help_text: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        choices=list(_TOOLS.items()), widget=forms.CheckboxSelectMultiple, required=False, help_text=help_text
    )


class LanguageModelForm(_ModelForm):
    """A model whose numbers make sense together."""

    tools = _tools_field("What this model can use.")
    is_offered = forms.BooleanField(
        required=False, help_text="People may choose it themselves when they retry or edit."
    )

    def clean(self) -> dict[str, Any]:
        """Compare the two limits, and the model with its replacement."""
        data = super().clean() or self.cleaned_data
        window, output = data.get("context_window"), data.get("max_output_tokens")
        if window is not None and output is not None and not 0 < output < window:
            self.add_error("max_output_tokens", "This must be at least 1 and less than the context window.")
        if self.instance.pk and data.get("replacement") == self.instance:
            self.add_error("replacement", "A model cannot replace itself.")
        return data


class ModelPriceForm(_PriceForm):
    """A price; one that a cost was reckoned with stays as it is."""

    input_price = forms.DecimalField(min_value=0, max_digits=12, decimal_places=6)
    cached_input_price = forms.DecimalField(min_value=0, max_digits=12, decimal_places=6)
    output_price = forms.DecimalField(min_value=0, max_digits=12, decimal_places=6)

    def clean(self) -> dict[str, Any]:
        """Refuse to change a price that the record refers to."""
        data = super().clean() or self.cleaned_data
        if self.instance.pk and self.has_changed() and Generation.objects.filter(price=self.instance).exists():
            raise ValidationError("Costs were reckoned with this price, so it stays. Add one that is valid from later.")
        return data


class _JSONField(forms.JSONField):
    """Shows a refused entry as it was typed: writing it anew fails for what no page can hold, half a surrogate pair."""

    def bound_data(self, data: Any, initial: Any) -> Any:
        return InvalidJSONInput(data) if isinstance(data, str) else initial

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except RecursionError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class AssistantForm(_AssistantForm):
    """An assistant whose parameters the provider will understand."""

    tools = _tools_field("What this assistant may use, as far as its model can.")
    parameters = _JSONField(required=False, help_text='Sent as given, such as {"temperature": 0.7}.')
    suggested_prompts = _JSONField(required=False, help_text='Shown to begin with, such as ["What is new?"].')

    def clean_parameters(self) -> dict[str, Any]:
        """Accept an object of known parameters with values in their ranges."""
        value = self.cleaned_data["parameters"]
        if value in (None, ""):
            return {}
        if not isinstance(value, dict):
            raise ValidationError('Enter an object such as {"temperature": 0.7}.')
        problems = [problem for name, given in value.items() if (problem := _find_problem(name, given))]
        if problems:
            raise ValidationError(problems)
        return value

    def clean_suggested_prompts(self) -> list[str]:
        """Accept a short list of sentences."""
        value = self.cleaned_data["suggested_prompts"]
        if value in (None, ""):
            return []
        if not isinstance(value, list) or not all(isinstance(prompt, str) for prompt in value):
            raise ValidationError('Enter a list of texts such as ["What is new?", "Explain it to me"].')
        if len(value) > _MOST_PROMPTS:
            raise ValidationError(f"There is room for {_MOST_PROMPTS} prompts.")
        if not all(prompt.strip() and len(prompt) <= _LONGEST_PROMPT and prompt.isprintable() for prompt in value):
            raise ValidationError(f"Each prompt must be one line of 1 to {_LONGEST_PROMPT} characters.")
        return value


def _find_problem(name: str, given: object) -> str | None:
    """Return what is wrong with a parameter, as a sentence."""
    if name in _CHOICES:
        return None if given in _CHOICES[name] else f"“{name}” can be one of {', '.join(_CHOICES[name])}."
    if name not in _RANGES:
        shown = name[:40] if name.isprintable() else "one of the names"
        return f"“{shown}” is unknown; there are {', '.join([*_RANGES, *_CHOICES])}."
    kind, least, most = _RANGES[name]
    is_number = isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given)
    if not is_number or (kind is int and not isinstance(given, int)) or not least <= given <= most:  # type: ignore[operator]
        noun = "whole number" if kind is int else "number"
        return f"“{name}” can be a {noun} from {least} to {most}."
    return None
