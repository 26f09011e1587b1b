"""What owners do to the list of their conversations: pin, delete, restore."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST

from conversations.models import Conversation
from conversations.models.conversation import RESTORABLE
from conversations.services import Refused, hide_conversation, pin_conversation, restore_conversation
from conversations.views.access import SignedInRequest, see_other, signed_in
from conversations.views.pages import get_conversation, page_frame

CHANGED = "history:changed"  # an event of the page: rail-news.js has the rail drawn anew


@require_POST
@signed_in
def pin(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Keep a conversation on top of the rail, or no longer."""
    conversation, problem, status = get_conversation(request, pk), "", 200
    try:
        conversation = pin_conversation(conversation=conversation, pinned=request.POST.get("pinned") == "yes")
    except Refused as refused:
        problem, status = refused.message, refused.status
    if request.htmx:
        context = {"conversation": conversation, "problem": problem}
        response = render(request, "conversations/_pinned.html", context, status=status)
        response.headers["HX-Trigger"] = CHANGED
        return response
    if problem:
        messages.warning(request, problem)
    return see_other(reverse("conversations:detail", args=[pk]))


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def hide(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Ask whether to delete a conversation, and do it. A second time finds it done."""
    if request.method != "POST":
        context = page_frame(request) | {"conversation": get_conversation(request, pk), "days": RESTORABLE.days}
        return render(request, "conversations/hide.html", context)
    hide_conversation(conversation=_kept(request, pk))
    told = 'The conversation is deleted. <a href="{}">You can restore it</a> for {} days.'
    messages.success(request, format_html(told, reverse("conversations:deleted"), RESTORABLE.days))
    return see_other(reverse("conversations:list"))


@require_POST
@signed_in
def restore(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Give a deleted conversation back. A second time finds it done."""
    try:
        restore_conversation(conversation=_kept(request, pk))
    except Refused:  # its last day ended a moment ago
        raise Http404 from None
    messages.success(request, "The conversation is restored.")
    return see_other(reverse("conversations:detail", args=[pk]))


def _kept(request: SignedInRequest, pk: UUID) -> Conversation:
    return get_object_or_404(Conversation.objects.kept_by(request.user), pk=pk)
