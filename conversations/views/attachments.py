"""Files that people attach: uploaded one by one, taken back, and those of a form that was sent without scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST

from conversations.files import storage
from conversations.forms import ComposerForm
from conversations.models import Attachment
from conversations.presentation import render_message
from conversations.services import Refused, receive_file, remove_attachment, retry_file
from conversations.views.access import SignedInRequest, see_other, signed_in
from conversations.views.pages import address_of

NO_FILE = "No file arrived. Choose it again."


@require_POST
@signed_in
def attach(request: SignedInRequest) -> HttpResponse:
    """Take in one file and answer with its chip; with 422 and the reason where it cannot be used.

    Where storage is away the status is 503: the same file may be sent again.
    """
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        return _chip(request, {"name": "", "problem": NO_FILE}, status=422)
    try:
        attachment = _receive(request, file)
    except Refused as refused:
        status = 503 if isinstance(refused.__cause__, storage.StorageProblem) else 422
        return _chip(request, {"name": file.name, "problem": refused.message}, status=status)
    return _chip(request, {"attachment": attachment}, status=200)


@require_POST
@signed_in
def remove(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Take back a file that was not sent yet. One that was sent stays with its message: 404."""
    attachment = get_object_or_404(Attachment.objects.visible_to(request.user).unsent(), pk=pk)
    try:
        remove_attachment(attachment=attachment)
    except Refused as refused:
        return HttpResponse(refused.message, content_type="text/plain; charset=utf-8", status=409)
    return HttpResponse(status=204)


@require_POST
@signed_in
def retry(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Have a file of an answer fetched once more that could not be kept."""
    files = Attachment.objects.visible_to(request.user).filter(message__isnull=False)
    attachment = get_object_or_404(files.select_related("message__conversation"), pk=pk)
    problem, status = "", 200
    try:
        retry_file(attachment=attachment)
    except Refused as refused:
        problem, status = refused.message, 409
    message = attachment.message
    assert message is not None  # noqa: S101 (the query says so)
    if not request.htmx:
        return see_other(address_of(message.conversation))
    return HttpResponse(render_message(message, request.user, problem=problem), status=status)


def take_files(request: SignedInRequest, form: ComposerForm) -> list[UUID]:
    """Return the ids of all files that a message is to carry, with those received first that came in the form.

    Raises Refused for the first one that cannot be used; `keep_files` then finds the others.
    """
    ids: list[UUID] = form.cleaned_data["attachments"]
    for file in form.cleaned_data["files"]:
        ids.append(_receive(request, file).pk)
    return ids


def keep_files(request: SignedInRequest, form: ComposerForm) -> None:
    """Leave the uploaded files of a message that was refused with its composer."""
    ids = getattr(form, "cleaned_data", {}).get("attachments")
    if ids:
        form.kept = list(
            Attachment.objects.visible_to(request.user).unsent().filter(pk__in=ids, state=Attachment.State.READY)
        )


def _receive(request: SignedInRequest, file: UploadedFile[Any]) -> Attachment:
    # The settings have every uploaded file written to disk; it is gone when the request ends.
    assert isinstance(file, TemporaryUploadedFile)  # noqa: S101
    return receive_file(owner=request.user, path=Path(file.temporary_file_path()), name=file.name or "")


def _chip(request: SignedInRequest, context: dict[str, object], *, status: int) -> HttpResponse:
    return render(request, "conversations/_attachment_chip.html", context, status=status)
