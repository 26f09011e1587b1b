"""Other versions of what was said: an answer asked for again, a prompt edited, an answer gone on with.

Each form has a page of its own for browsers without scripts; htmx puts it below its message.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from conversations.forms import AnswererForm, EditForm, PromptForm
from conversations.models import Attachment, Conversation, Message
from conversations.presentation import render_message
from conversations.services import Refusal, Refused, continue_answer, edit_prompt, retry_answer
from conversations.views.access import SignedInRequest, go_to, signed_in, with_delay
from conversations.views.attachments import keep_files, take_files
from conversations.views.messages import get_message, message_fragment
from conversations.views.pages import FileLimits, address_at, detail_page, get_conversation, page_frame


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def retry(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Ask for an answer again, of whoever answers next or of whom the form names."""
    answer = get_message(request, pk)
    conversation = get_conversation(request, answer.conversation_id)
    form = AnswererForm(request.POST if _is_sent(request) else None, user=request.user, conversation=conversation)
    if _is_sent(request) and form.is_valid():
        try:
            with _hidden_is_not_found():
                again = retry_answer(message=answer, **form.chosen())
            return _retried(request, answer, again)
        except Refused as refused:
            return _refused(request, answer, refused)
    if _is_sent(request):
        return _refused(request, answer, Refused(Refusal.ASSISTANT_UNAVAILABLE, " ".join(form.problems())))
    if answer.role != Message.Role.ASSISTANT:
        raise Http404
    return _page(request, answer, form, {"form_template": "conversations/_retry.html", "form_title": "Retry with"})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Say something else in place of a prompt. The form begins with what was said."""
    prompt = get_message(request, pk)
    if prompt.role != Message.Role.USER:
        raise Http404
    form = EditForm(
        *((request.POST, request.FILES) if _is_sent(request) else ()),
        user=request.user,
        conversation=get_conversation(request, prompt.conversation_id),
        initial={"prompt": prompt.text},
    )
    if _is_sent(request) and form.is_valid():
        try:
            with _hidden_is_not_found():
                answer = _edit(request, prompt, form)
        except Refused as refused:
            form.refuse(refused)
        else:
            return go_to(request, address_at(answer.parent or answer))
    keep_files(request, form)
    files = Attachment.objects.visible_to(request.user).filter(message=prompt, state=Attachment.State.READY)
    context = {"files": files, "kept_ids": _kept_ids(form, files), "file_limits": FileLimits.of_settings()}
    context |= {"form_template": "conversations/_edit.html", "form_title": "Edit your message"}
    return _page(request, prompt, form, context)


@require_POST
@signed_in
def continue_(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Ask the model to go on with an answer that was cut off."""
    answer = get_message(request, pk)
    try:
        with _hidden_is_not_found():
            following = continue_answer(message=answer)
    except Refused as refused:
        return _refused(request, answer, refused)
    return go_to(request, address_at(following.parent or following))


@contextmanager
def _hidden_is_not_found() -> Iterator[None]:
    """Answer 404 where the conversation was deleted in another tab at this very moment."""
    try:
        yield
    except Conversation.DoesNotExist:
        raise Http404 from None


def _is_sent(request: SignedInRequest) -> bool:
    return request.method == "POST"


def _edit(request: SignedInRequest, prompt: Message, form: EditForm) -> Message:
    data = form.cleaned_data
    return edit_prompt(
        message=prompt,
        prompt=data["prompt"],
        client_token=data["client_token"],
        attachment_ids=take_files(request, form),
        kept_files=data["keep"],
        **form.chosen(),
    )


def _retried(request: SignedInRequest, before: Message, again: Message) -> HttpResponse:
    """Put the new answer in the place of the last one; where more than that changes, show the page anew."""
    old, new = before.conversation, again.conversation
    is_last = old.current_leaf_id == before.pk
    is_same = (old.assistant_id, old.model_id) == (new.assistant_id, new.model_id)
    if request.htmx and is_last and is_same:
        return message_fragment(request, get_message(request, again.pk))
    return go_to(request, address_at(again))


def _refused(request: SignedInRequest, message: Message, refused: Refused) -> HttpResponse:
    if request.htmx:
        response = HttpResponse(render_message(message, request.user, problem=refused.message), status=refused.status)
    else:
        conversation = get_conversation(request, message.conversation_id)
        page = detail_page(request, conversation, PromptForm(), at=message.pk) | {"refused": refused.message}
        response = render(request, "conversations/detail.html", page, status=refused.status)
    return with_delay(response, refused.retry_after)


def _page(request: SignedInRequest, message: Message, form: Any, context: dict[str, Any]) -> HttpResponse:
    """Draw a form about a message: alone for htmx, else on a page of its own."""
    context |= {"message": message, "conversation": message.conversation, "form": form, "back": address_at(message)}
    template = context["form_template"]
    if not request.htmx:
        template, context = "conversations/version.html", page_frame(request) | context
    return with_delay(render(request, template, context, status=form.status), getattr(form, "retry_after", None))


def _kept_ids(form: EditForm, files: Any) -> set[UUID]:
    """Which files are ticked: all of them at first, later those that were."""
    return set(form.cleaned_data.get("keep", ())) if form.is_bound else {file.pk for file in files}
