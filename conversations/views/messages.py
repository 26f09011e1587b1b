"""Actions on messages: send, read one, stop, retry. Each answers a fragment to htmx and a page to a form."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from conversations.forms import PromptForm
from conversations.models import Conversation, Message
from conversations.presentation import message_context, render_heading, render_message, unseen
from conversations.services import Refused, retry_answer, send_message, settle_stalled, stop_answer
from conversations.views.access import SignedInRequest, see_other, signed_in, with_delay
from conversations.views.attachments import keep_files, take_files
from conversations.views.pages import address_of, composer_context, detail_page, get_conversation


@require_POST
@signed_in
def send(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Say something in a conversation."""
    form = PromptForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            answer = _say(request, pk, form)
        except Refused as refused:
            form.refuse(refused)
        else:
            return _sent(request, answer, form) if request.htmx else see_other(address_of(answer.conversation))
    conversation = get_conversation(request, pk)
    keep_files(request, form)
    if request.htmx:
        template, context = "conversations/_composer.html", composer_context(conversation, form)
    else:
        template, context = "conversations/detail.html", detail_page(request, conversation, form)
    return with_delay(render(request, template, context, status=form.status), form.retry_after)


@require_safe
@signed_in
def message(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """One message as it now stands: for pages whose stream is blocked."""
    return _fragment(request, _get_message(request, pk))


@require_POST
@signed_in
def stop(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Stop a running answer. One that ended meanwhile is shown as it ended."""
    answer, status = _get_message(request, pk), 200
    try:
        stop_answer(message=answer)
    except Refused as refused:
        status = refused.status
    if not request.htmx:
        return see_other(address_of(answer.conversation))
    return _fragment(request, _get_message(request, pk), status=status)


@require_POST
@signed_in
def retry(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Ask the model again; the new answer takes the place of the old one, which stays on record."""
    answer = _get_message(request, pk)
    try:
        answer = retry_answer(message=answer)
    except Refused as refused:
        return _not_retried(request, answer, refused)
    if not request.htmx:
        return see_other(address_of(answer.conversation))
    return _fragment(request, _get_message(request, answer.pk))


def _get_message(request: SignedInRequest, pk: UUID) -> Message:
    """Return the message where `request.user` may see it; Http404 otherwise. One whose writer is gone is settled."""
    messages = Message.objects.visible_to(request.user).select_related("conversation")
    message = get_object_or_404(messages, pk=pk)
    if message.is_running and settle_stalled(message_id=pk):
        message = messages.get(pk=pk)
    return message


def _say(request: SignedInRequest, pk: UUID, form: PromptForm) -> Message:
    data = form.cleaned_data
    try:
        return send_message(
            owner=request.user,
            conversation_id=pk,
            prompt=data["prompt"],
            client_token=data["client_token"],
            attachment_ids=take_files(request, form),
        )
    except Conversation.DoesNotExist:
        raise Http404 from None


def _sent(request: SignedInRequest, answer: Message, form: PromptForm) -> HttpResponse:
    """What the page lacks, and a fresh composer.

    As a rule that is the prompt and the answer; where another tab has said something too, or this was sent before, the
    path tells.
    """
    conversation, said = answer.conversation, answer.parent
    missing: Sequence[Message] | None
    if said is not None and not answer.has_begun and said.parent_id == form.cleaned_data["after"]:
        missing = [said, answer]
    else:
        missing = unseen(conversation.path(), form.cleaned_data["after"])
    if missing is None:
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = composer_context(conversation, PromptForm()) | {"views": message_context(missing)}
    return render(request, "conversations/_sent.html", context)


def _not_retried(request: SignedInRequest, answer: Message, refused: Refused) -> HttpResponse:
    if request.htmx:
        response = HttpResponse(render_message(answer, request.user, problem=refused.message), status=refused.status)
    else:
        page = detail_page(request, get_conversation(request, answer.conversation_id), PromptForm())
        page |= {"problem": refused.message}
        response = render(request, "conversations/detail.html", page, status=refused.status)
    return with_delay(response, refused.retry_after)


def _fragment(request: SignedInRequest, answer: Message, *, status: int = 200) -> HttpResponse:
    parts = (render_message(answer, request.user), render_heading(answer.conversation))
    return HttpResponse("\n".join(parts), status=status)
