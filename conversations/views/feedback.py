"""What people let us know in passing: what they think of an answer, and that they have seen one."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST

from conversations.forms import PromptForm, RatingForm, SeenForm
from conversations.models import Message
from conversations.presentation import message_context
from conversations.services import Refused, mark_seen, rate_answer
from conversations.views.access import SignedInRequest, see_other, signed_in
from conversations.views.pages import address_at, detail_page, get_conversation


@require_POST
@signed_in
def rate(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Keep what somebody thinks of an answer, change it or take it back."""
    answer = get_object_or_404(Message.objects.visible_to(request.user).select_related("conversation"), pk=pk)
    form = RatingForm(request.POST)
    form.is_valid()
    rating, has_reason = form.cleaned_data["rating"], "reason" in request.POST
    reason = form.cleaned_data["reason"] if has_reason else None
    try:
        rate_answer(message=answer, user=request.user, rating=rating, reason=reason)
    except Refused as refused:
        form.refuse(refused)
        problem = {"message_id": pk, "problem": refused.message, "reason": reason or ""}
        return _answer(request, answer, {"refused_rating": problem}, status=form.status)
    if not request.htmx:
        return see_other(address_at(answer))
    return _answer(request, answer, {"is_asking": bool(rating) and not has_reason, "is_kept": has_reason})


@require_POST
@signed_in
def seen(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Note that the end of a conversation was before its owner's eyes."""
    conversation, form = get_conversation(request, pk), SeenForm(request.POST)
    if form.is_valid():
        mark_seen(conversation=conversation, last_message_id=form.cleaned_data["last"])
        return HttpResponse(status=204)
    return HttpResponse(status=form.status)


def _answer(
    request: SignedInRequest, answer: Message, context: dict[str, object], *, status: int = 200
) -> HttpResponse:
    if request.htmx:
        (view,) = message_context([answer])
        return render(request, "conversations/_feedback.html", context | {"view": view}, status=status)
    page = detail_page(request, get_conversation(request, answer.conversation_id), PromptForm(), at=answer.pk)
    return render(request, "conversations/detail.html", page | context, status=status)
