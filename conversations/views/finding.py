"""Finding what was said: search and filters over one's conversations, and the list of the deleted ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from conversations.exporting import FORMATS
from conversations.forms import FindForm
from conversations.history import BadCursor, ConversationPage, Filters, assistants_of, list_conversations, list_deleted
from conversations.models import Conversation
from conversations.models.conversation import RESTORABLE
from conversations.search import Hit, search_messages
from conversations.views.access import SignedInRequest, signed_in
from conversations.views.pages import page_frame


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the list: a hit of the search, or a conversation. One conversation is offered for selection once."""

    hit: Hit | None = None
    conversation: Conversation | None = None
    is_selectable: bool = True


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found, or what is the matter. `more` is the query of the address of what follows."""

    lines: list[Line] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    more: str = ""
    note: str = ""
    is_search: bool = False
    is_first: bool = True

    @property
    def status(self) -> int:
        return 422 if self.problems else 200


@require_safe
@signed_in
def find(request: SignedInRequest) -> HttpResponse:
    """Messages that a search finds, best first; without words the conversations that the filters leave."""
    form = FindForm(assistants_of(request.user), request.GET)
    found = _findings(request, form)
    context: dict[str, Any] = {"form": form, "found": found, "formats": FORMATS, "is_finding": True}
    if request.htmx:
        return render(request, "conversations/_found.html", context, status=found.status)
    return render(request, "conversations/find.html", page_frame(request) | context, status=found.status)


@require_safe
@signed_in
def deleted(request: SignedInRequest) -> HttpResponse:
    """The conversations that their owner deleted and can have back."""
    after = request.GET.get("after", "")
    try:
        page = list_deleted(request.user, after=after)
    except BadCursor:
        raise BadRequest("This is no place in this list.") from None
    context: dict[str, Any] = {"page": page, "more": urlencode({"after": page.older}) if page.older else ""}
    if request.htmx:
        return render(request, "conversations/_deleted.html", context)
    context |= page_frame(request) | {"is_first": not after, "days": RESTORABLE.days}
    return render(request, "conversations/deleted.html", context)


def _findings(request: SignedInRequest, form: FindForm) -> Findings:
    if not form.is_valid():
        return Findings(problems=form.problems())
    filters = Filters(form.assistant_id, form.cleaned_data["from"], form.cleaned_data["to"])
    if form.query:
        return _search(request, form, filters)
    after = request.GET.get("after", "")
    try:
        page = list_conversations(request.user, filters, after=after)
    except BadCursor:
        raise BadRequest("This is no place in this list.") from None
    return _listed(form, page, is_first=not after)


def _search(request: SignedInRequest, form: FindForm, filters: Filters) -> Findings:
    number = form.cleaned_data["page"] or 1
    found = search_messages(
        request.user,
        form.query,
        assistant_id=filters.assistant_id,
        since=filters.since,
        until=filters.until,
        page=number,
    )
    if found.problem:
        return Findings(problems=[found.problem], is_search=True)
    seen: set[object] = set()
    lines = []
    for hit in found.hits:
        lines.append(Line(hit=hit, is_selectable=hit.conversation_id not in seen))
        seen.add(hit.conversation_id)
    more = form.address_query(page=str(number + 1)) if found.has_more else ""
    return Findings(lines, more=more, note=found.note, is_search=True, is_first=number == 1)


def _listed(form: FindForm, page: ConversationPage, *, is_first: bool) -> Findings:
    more = form.address_query(after=page.older) if page.older else ""
    return Findings([Line(conversation=row) for row in page.conversations], more=more, is_first=is_first)
