"""Actions on messages: send, read one, stop. Each answers a fragment to htmx and a page to a form."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from conversations.forms import PromptForm
from conversations.models import Conversation, Message
from conversations.models.tree import Place
from conversations.presentation import message_context, render_heading, render_message, unseen
from conversations.services import Refused, send_message, settle_stalled, stop_answer
from conversations.views.access import SignedInRequest, go_to, see_other, signed_in, with_delay
from conversations.views.attachments import keep_files, take_files
from conversations.views.pages import address_at, address_of, composer_context, detail_page, get_conversation
from conversations.views.thread import SHOWN


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
        at = form.cleaned_data.get("parent")
        template, context = "conversations/detail.html", detail_page(request, conversation, form, at=at)
    return with_delay(render(request, template, context, status=form.status), form.retry_after)


@require_safe
@signed_in
def message(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """One message as it now stands: for pages whose stream is blocked."""
    return message_fragment(request, get_message(request, pk))


@require_POST
@signed_in
def stop(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Stop a running answer. One that ended meanwhile is shown as it ended."""
    answer, status = get_message(request, pk), 200
    try:
        stop_answer(message=answer)
    except Refused as refused:
        status = refused.status
    if not request.htmx:
        return see_other(address_of(answer.conversation))
    return message_fragment(request, get_message(request, pk), status=status)


def get_message(request: SignedInRequest, pk: UUID) -> Message:
    """Return the message where `request.user` may see it; Http404 otherwise. One whose writer is gone is settled."""
    shown = ("conversation__assistant", "conversation__owner")
    messages = Message.objects.visible_to(request.user).select_related(*shown)
    message = get_object_or_404(messages, pk=pk)
    if message.is_running and settle_stalled(message_id=pk):
        message = messages.get(pk=pk)
    return message


def message_fragment(request: SignedInRequest, answer: Message, *, status: int = 200) -> HttpResponse:
    """Draw a message, and what changes around the thread with it."""
    leaf = answer.pk if answer.conversation.current_leaf_id == answer.pk else None
    parts = (render_message(answer, request.user), render_heading(answer.conversation, leaf=leaf))
    return HttpResponse("\n".join(parts), status=status)


def _say(request: SignedInRequest, pk: UUID, form: PromptForm) -> Message:
    data = form.cleaned_data
    try:
        return send_message(
            owner=request.user,
            conversation_id=pk,
            prompt=data["prompt"],
            client_token=data["client_token"],
            attachment_ids=take_files(request, form),
            parent_id=data["parent"],
        )
    except Conversation.DoesNotExist:
        raise Http404 from None


def _sent(request: SignedInRequest, answer: Message, form: PromptForm) -> HttpResponse:
    """What the page lacks, and a fresh composer.

    As a rule that is the prompt and the answer; where another tab has said something too, or this was sent before, the
    path tells. A page that shows another path, or lacks too much, is left for the one with this message.
    """
    conversation, said, after = answer.conversation, answer.parent, form.cleaned_data["after"]
    places: dict[UUID, Place] = {}
    is_next = said is not None and not answer.has_begun and said.parent_id == after
    if said is not None and is_next and form.cleaned_data["parent"] is None:
        missing = [said, answer]  # the only ones of their kind: nothing followed the end of the current path
    else:
        tree = conversation.tree()
        ids = unseen(tree.path_to(answer.pk), after)
        if ids is None or len(ids) > SHOWN:
            return go_to(request, address_at(said or answer))
        missing, places = conversation.messages_of(ids), {message_id: tree.place(message_id) for message_id in ids}
    context = composer_context(conversation, PromptForm()) | {"views": message_context(missing, places=places)}
    return render(request, "conversations/_sent.html", context)
