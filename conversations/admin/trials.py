"""Trying out models and assistants: a test call, and a preview of what an assistant would answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from conversations.admin.told import Told, tell
from conversations.models import Assistant, LanguageModel, Trial
from conversations.services import Refused, path_of, plan_preview, plan_test

if TYPE_CHECKING:
    from accounts.models import User

    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = object

SHOWN_TESTS = 5


class TestsModels(_ModelAdmin):
    """Goes before the admin of models: adds a button that makes one short call, and what the last ones came to."""

    def get_urls(self) -> list[Any]:
        """Add the button's address."""
        test = path(
            "<int:pk>/test/", self.admin_site.admin_view(self.test_view), name="conversations_languagemodel_test"
        )
        return [test, *super().get_urls()]

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have the worker call the model once, and go back to its page, which shows what came of it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        model = _found(LanguageModel, pk)
        if not self.has_change_permission(request, model):
            raise PermissionDenied
        try:
            plan_test(model=model, person=cast("User", request.user))
        except Refused as refused:
            messages.error(request, refused.message)
        address = reverse("admin:conversations_languagemodel_change", args=[pk])
        return redirect(f"{address}#tests")

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Add the last test calls."""
        model = context.get("original")
        tests = Trial.objects.filter(generation__purpose="test", generation__model=model).order_by("-pk")
        shown = tests.select_related("generation__model", "asked_by")[:SHOWN_TESTS]
        context["tests"] = tell(shown) if model else []
        return super().render_change_form(request, context, *args, **kwargs)


class PreviewForm(forms.Form):
    """What to ask, and as whom."""

    instructions = forms.CharField(required=False, strip=False, widget=forms.Textarea(attrs={"rows": 8}))
    model = forms.ModelChoiceField(
        LanguageModel.objects.filter(is_enabled=True), required=False, empty_label="The assistant's model"
    )
    prompt = forms.CharField(strip=False, widget=forms.Textarea(attrs={"rows": 3}))
    follows = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"label_suffix": ""})


class PreviewsAssistants(_ModelAdmin):
    """Goes before the admin of assistants: adds a page on which one is tried out. Nothing of it is saved with it."""

    def get_urls(self) -> list[Any]:
        """Add the page."""
        preview = path(
            "<int:pk>/preview/", self.admin_site.admin_view(self.preview_view), name="conversations_assistant_preview"
        )
        return [preview, *super().get_urls()]

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what was tried, and try more. `?at=` names the preview that is shown, with those before it."""
        assistant = _found(Assistant, pk)
        if not self.has_change_permission(request, assistant):
            raise PermissionDenied
        user = cast("User", request.user)
        if request.method == "POST":
            return self._send(request, assistant, user)
        at = _own(assistant, user, request.GET.get("at", ""))
        if at is None and "at" in request.GET:
            raise Http404
        return self._show(request, assistant, _blank(assistant, at), at)

    def _send(self, request: HttpRequest, assistant: Assistant, user: User) -> HttpResponse:
        form = PreviewForm(request.POST)
        follows = _own(assistant, user, request.POST.get("follows", ""))
        if form.is_valid():
            data = form.cleaned_data
            try:
                trial = plan_preview(
                    assistant=assistant,
                    person=user,
                    prompt=data["prompt"],
                    instructions=data["instructions"],
                    model=data["model"],
                    follows=follows,
                )
            except Refused as refused:
                form.add_error(None, refused.message)
            else:
                return HttpResponseRedirect(_address(assistant, trial), status=303)
        return self._show(request, assistant, form, follows, status=422)

    def _show(
        self, request: HttpRequest, assistant: Assistant, form: PreviewForm, at: Trial | None, status: int = 200
    ) -> HttpResponse:
        turns: list[Told] = tell(path_of(at))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Preview of {assistant}",
            "assistant": assistant,
            "form": form,
            "turns": turns,
            "is_running": any(turn.is_open for turn in turns),
        }
        return TemplateResponse(request, "admin/conversations/assistant/preview.html", context, status=status)


def _blank(assistant: Assistant, at: Trial | None) -> PreviewForm:
    """Return the form for the next prompt: with the saved instructions, or those that were tried last."""
    if at is None:
        return PreviewForm(initial={"instructions": assistant.instructions})
    model = at.generation.model if at.generation.model != assistant.language_model() else None
    return PreviewForm(
        initial={"instructions": at.generation.instructions, "model": model and model.pk, "follows": at.pk}
    )


def _own(assistant: Assistant, user: User, wanted: str) -> Trial | None:
    """Return a preview of this person's own."""
    try:
        pk = UUID(wanted)
    except ValueError:
        return None
    previews = Trial.objects.visible_to(user).filter(assistant=assistant)
    return previews.select_related("generation__model").filter(pk=pk).first()


def _address(assistant: Assistant, trial: Trial) -> str:
    return f"{reverse('admin:conversations_assistant_preview', args=[assistant.pk])}?at={trial.pk}"


def _found(table: Any, pk: int) -> Any:
    try:
        return table.objects.get(pk=pk)
    except (table.DoesNotExist, OverflowError):
        raise Http404 from None
