"""The page that searches what everybody said and was answered."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from conversations.forms import NO_PAGE, TextField
from conversations.text import clean_text, is_blank
from records import sitting
from records.filters import FilterForm
from records.search import FoundOfAll, search_all


class WordsForm(forms.Form):
    """Words, and which page of what they find."""

    q = TextField(required=False)
    page = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=1000,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), NO_PAGE),
    )

    @property
    def query(self) -> str:
        words = clean_text(str(self["q"].value() or ""))
        return "" if is_blank(words) else words.strip()


@require_safe
def search_view(request: HttpRequest) -> HttpResponse:
    """Search everybody's messages, titles and files, for reviewers who have said why; every search is written down.

    Of a search the audit event tells the filters by id, how many matches there were, and whose are shown; never words.
    """
    if not request.user.has_perm("conversations.review_conversation"):
        raise PermissionDenied
    if sitting.reason(request) is None:
        return sitting.ask(request)
    words, filters = WordsForm(request.GET), FilterForm(request.GET, said=True)
    problems = _problems(words) + _problems(filters)
    found = FoundOfAll()
    if words.query and not problems:
        page = words.cleaned_data["page"] or 1
        found = search_all(words.query, filters, page=page)
        problems = [found.problem] if found.problem else []
        if not problems:
            owners = sitting.owners_of(hit.conversation for hit in found.hits)
            told = filters.told() | {"matches": found.matches, "page": page, "owners": owners}
            sitting.note(request, "conversation.searched", details=told)
    context: dict[str, Any] = admin.site.each_context(request) | {
        "title": "Search what was said",
        "words": words,
        "filters": filters,
        "problems": problems,
        "found": found,
        "more": filters.address_query(q=words.query, page=str((words.cleaned_data["page"] or 1) + 1))
        if found.has_more
        else "",
        "first": filters.address_query(q=words.query) if words.query else "",
    }
    return render(request, "admin/records/search.html", context, status=422 if problems else 200)


def _problems(form: forms.Form) -> list[str]:
    return list(dict.fromkeys(str(reason) for reasons in form.errors.values() for reason in reasons))
