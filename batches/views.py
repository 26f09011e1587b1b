"""Batches over the API: given, followed, cancelled, gone on with, deleted."""

from __future__ import annotations

from pathlib import Path
from typing import cast
from uuid import UUID

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db.models import QuerySet
from django.http import Http404, QueryDict
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from batches import examples
from batches.models import MOST_BYTES, Batch
from batches.reading import Line, Unreadable, read_lines
from batches.results import NotWhole
from batches.serializers import BatchQuery, BatchSerializer, BatchUploadSerializer, readable, show_batches
from batches.services import cancel_batch, delete_batch, make_batch, resume_batch
from conversations.api import problems as _problems  # noqa: F401 (tells refusals as problems)
from conversations.models import Assistant
from conversations.services import Refusal, Refused
from rest.idempotency import PATIENCE_FOR_FILES
from rest.pagination import PAGE_PARAMETERS, CursorPages
from rest.parsers import too_large
from rest.problems import FieldError, Problem, invalid, not_found, translates
from rest.schema import documented, page_of
from rest.serializers import NothingSerializer
from rest.views import ResourceView

NO_ASSISTANT = "This assistant is not available. Choose another one."


@translates(Unreadable)
def unreadable(error: Unreadable) -> Problem:
    """Return what is wrong with a file, line by line."""
    return invalid([FieldError(field="file", message=problem) for problem in error.problems])


@translates(Batch.DoesNotExist)
@translates(NotWhole)
def gone(error: Batch.DoesNotExist | NotWhole) -> Problem:
    """Return what is said of a batch that was deleted at this very moment, as of one that never was."""
    return not_found()


class BatchesView(ResourceView):
    """`batches/`."""

    parser_classes = [MultiPartParser]
    answering = frozenset({"POST"})
    patience = PATIENCE_FOR_FILES

    @documented(
        operation_id="list_batches",
        summary="List batches",
        description="The newest first.",
        parameters=[BatchQuery, *PAGE_PARAMETERS],
        responses={200: page_of(BatchSerializer)},
        examples=[examples.LISTED],
    )
    def get(self, request: Request) -> Response:
        """Answer a page of batches."""
        rows = Batch.objects.visible_to(self.user).select_related("assistant")
        if (state := request.query_params.get("state")) is not None:
            rows = rows.filter(state=_state(state))
        pages = CursorPages(request, ordering=("-id",))
        return pages.answer(show_batches(pages.of(rows)))

    @documented(
        operation_id="create_batch",
        summary="Have a file of prompts answered",
        description="Each prompt becomes a conversation. The worker answers them behind whatever people wait for, a "
        "few at a time and within your limits. All lines are taken or none; what is wrong is named with its line.",
        request={"multipart/form-data": BatchUploadSerializer},
        responses={201: BatchSerializer},
        examples=[examples.UPLOAD, examples.MADE],
    )
    def post(self, request: Request) -> Response:
        """Take in a file of prompts."""
        form = self.read(BatchUploadSerializer, is_text=True)
        _require_once(request)
        name, lines = _read(form["file"])
        assistant = Assistant.objects.visible_to(self.user).filter(slug=form["assistant"]).first()
        if assistant is None:
            raise _wrong("assistant", Refused(Refusal.ASSISTANT_UNAVAILABLE, NO_ASSISTANT))
        batch = make_batch(
            owner=self.user,
            assistant=assistant,
            name=form.get("name") or readable(name)[:100],
            lines=lines,
            client_token=self.idempotency_token,
        )
        address = reverse("batches:one", args=[batch.pk], request=request)
        return Response(show_batches([batch])[0], status=201, headers={"Location": address})


class _OneView(ResourceView):
    def rows(self) -> QuerySet[Batch]:
        return Batch.objects.visible_to(self.user).select_related("assistant")

    def one(self, pk: UUID) -> Batch:
        found = self.rows().filter(pk=pk).first()
        if found is None:
            raise Http404
        return found

    def answer(self, pk: UUID) -> Response:
        return Response(show_batches([self.one(pk)])[0])


class BatchView(_OneView):
    """`batches/{id}/`."""

    @documented(
        operation_id="get_batch",
        summary="See how far a batch is",
        responses={200: BatchSerializer},
        examples=[examples.BATCH],
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Answer one batch, with how many of its prompts stand where."""
        return self.answer(pk)

    @documented(
        operation_id="delete_batch",
        summary="Delete a batch",
        description="What runs of it is stopped. Its conversations stay.",
        responses={204: None},
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        """Delete a batch with the prompts that were not asked yet."""
        delete_batch(batch=self.one(pk))
        return Response(status=204)


class BatchCancelView(_OneView):
    """`batches/{id}/cancel/`."""

    @documented(
        operation_id="cancel_batch",
        summary="Cancel a batch",
        description="Nothing more of it begins, and what runs is stopped. It can be gone on with for 30 days.",
        request=NothingSerializer,
        responses={200: BatchSerializer},
        examples=[examples.CANCELLED],
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """End a batch that is under way."""
        self.read(NothingSerializer)
        cancel_batch(batch=self.one(pk))
        return self.answer(pk)


class BatchResumeView(_OneView):
    """`batches/{id}/resume/`."""

    answering = frozenset({"POST"})

    @documented(
        operation_id="resume_batch",
        summary="Go on with a batch",
        description="With what was not begun, and once more, in the same conversations, with what was stopped, "
        "failed or was interrupted: of a batch that was cancelled, and of one that is done.",
        request=NothingSerializer,
        responses={200: BatchSerializer},
        examples=[examples.BATCH],
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Go on with a batch that has ended."""
        self.read(NothingSerializer)
        resume_batch(batch=self.one(pk))
        return self.answer(pk)


def _state(text: str) -> str:
    if text not in Batch.State.values:
        raise invalid([FieldError(field="state", message=f"This is one of {', '.join(Batch.State.values)}.")])
    return text


def _read(file: TemporaryUploadedFile) -> tuple[str, list[Line]]:
    name, size = file.name or "", file.size or 0
    if size > MOST_BYTES:
        raise too_large(MOST_BYTES)
    with Path(file.temporary_file_path()).open("rb") as opened:
        return name, read_lines(opened, name=name, size=size)


def _require_once(request: Request) -> None:
    form = cast(QueryDict, request.data)
    doubled = [name for name, values in form.lists() if len(values) > 1]
    if doubled:
        raise invalid([FieldError(field=name, message="This stands twice.") for name in doubled])


def _wrong(field: str, refused: Refused) -> Problem:
    errors = [FieldError(field=field, message=refused.message)]
    return Problem(refused.status, str(refused.code), refused.message, errors=errors)
