"""Pages of conversations: the list with the start of a new one, one conversation, its name."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from conversations.forms import PromptForm, RenameForm, StartForm
from conversations.models import Message
from conversations.presentation import render_heading
from conversations.services import Refused, rename_conversation, start_conversation
from conversations.views.access import SignedInRequest, go_to, see_other, signed_in, tries, with_delay
from conversations.views.attachments import keep_files, take_files
from conversations.views.pages import address_of, detail_page, get_conversation, list_page, offered_assistants


@require_safe
@signed_in
def index(request: SignedInRequest) -> HttpResponse:
    """The front door leads to the list."""
    return redirect("conversations:list")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def conversation_list(request: SignedInRequest) -> HttpResponse:
    """The history, and the first message of a new conversation."""
    offers = offered_assistants(request)
    form = StartForm(request.user, request.POST or None, request.FILES or None, initial=offers.beginning)
    if request.method == "POST" and form.is_valid():
        try:
            answer = _start(request, form)
        except Refused as refused:
            form.refuse(refused)
        else:
            return go_to(request, address_of(answer.conversation))
    keep_files(request, form)
    template = "conversations/_composer.html" if request.htmx else "conversations/list.html"
    page = render(request, template, list_page(request, form, offers), status=form.status)
    return with_delay(page, form.retry_after)


@require_safe
@signed_in
def detail(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """One conversation."""
    conversation = get_conversation(request, pk)
    return render(request, "conversations/detail.html", detail_page(request, conversation, PromptForm()))


@require_safe
@signed_in
def heading(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Title and totals of a conversation, for a page that waits for its title."""
    return HttpResponse(render_heading(get_conversation(request, pk), tries=tries(request)))


@require_POST
@signed_in
def rename(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Give a conversation another title."""
    conversation = get_conversation(request, pk)
    form = RenameForm(request.POST)
    if form.is_valid():
        try:
            rename_conversation(conversation=conversation, title=form.cleaned_data["title"], shown=form.shown_title())
        except Refused as refused:
            form.refuse(refused)
    if request.htmx:
        template = "conversations/_renamed.html" if form.status == 200 else "conversations/_title.html"
        return render(request, template, {"conversation": conversation, "rename_form": form}, status=form.status)
    if form.status == 200:
        return see_other(address_of(conversation))
    page = detail_page(request, conversation, PromptForm()) | {"rename_form": form}
    return render(request, "conversations/detail.html", page, status=form.status)


def _start(request: SignedInRequest, form: StartForm) -> Message:
    data = form.cleaned_data
    return start_conversation(
        owner=request.user,
        assistant=data["assistant"],
        prompt=data["prompt"],
        client_token=data["client_token"],
        attachment_ids=take_files(request, form),
    )
