"""Concluding a conversation, whether it is sealed yet, and going on from it in a new one."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from conversations.forms import PromptForm
from conversations.models import Conversation
from conversations.services import Refused, conclude_conversation, continue_conversation
from conversations.views.access import SignedInRequest, go_to, signed_in, tries
from conversations.views.pages import (
    address_of,
    composer_context,
    detail_page,
    get_conversation,
    page_frame,
    sealing_context,
)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def conclude(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Ask whether to conclude a conversation, and do it."""
    conversation, problem, status = get_conversation(request, pk), "", 200
    if request.method == "POST":
        try:
            conclude_conversation(conversation=conversation)
        except Conversation.DoesNotExist:
            raise Http404 from None
        except Refused as refused:
            problem, status = refused.message, refused.status
        else:
            return go_to(request, address_of(conversation))
    context = page_frame(request) | {"conversation": conversation, "problem": problem}
    return render(request, "conversations/conclude.html", context, status=status)


@require_safe
@signed_in
def seal(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Whether a concluded conversation is sealed, for a page that waits for it."""
    conversation = get_conversation(request, pk)
    if conversation.is_open:
        raise Http404
    return render(
        request,
        "conversations/_seal.html",
        {"conversation": conversation, "tries": tries(request)} | sealing_context(conversation),
    )


@require_POST
@signed_in
def continue_(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Go on from a concluded conversation in a new one."""
    conversation = get_conversation(request, pk)
    try:
        continued = continue_conversation(conversation=conversation)
    except Conversation.DoesNotExist:
        raise Http404 from None
    except Refused as refused:
        return _not_continued(request, conversation, refused)
    return go_to(request, address_of(continued))


def _not_continued(request: SignedInRequest, conversation: Conversation, refused: Refused) -> HttpResponse:
    if request.htmx:
        template, context = "conversations/_composer.html", composer_context(conversation, PromptForm())
    else:
        template, context = "conversations/detail.html", detail_page(request, conversation, PromptForm())
    return render(request, template, context | {"problem": refused.message}, status=refused.status)
