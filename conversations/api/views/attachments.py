"""Files: uploaded one by one before they are sent, listed, taken back, fetched once more."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from django.core.files.uploadedfile import TemporaryUploadedFile
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from conversations.api import examples
from conversations.api.serializers.attachments import ATTACHMENT_ROWS, AttachmentSerializer, show_attachments
from conversations.api.serializers.bodies import UploadSerializer
from conversations.api.serializers.lists import AttachmentPage
from conversations.api.serializers.queries import AttachmentQuery, RecordQuery
from conversations.api.views.asking import Asking
from conversations.files import storage
from conversations.models import Attachment
from conversations.services import Refused, receive_file, remove_attachment, retry_file
from rest.idempotency import PATIENCE_FOR_FILES
from rest.problems import Problem
from rest.schema import documented
from rest.serializers import NothingSerializer

NO_FILE = "Send one file, as the part “file” of a form (multipart/form-data)."
RETRY_AFTER_SECONDS = 10


class AttachmentsView(Asking):
    """`attachments/`."""

    parser_classes = [MultiPartParser]
    patience = PATIENCE_FOR_FILES

    @documented(
        operation_id="list_attachments",
        summary="List files",
        description="The newest first: what was attached, what answers brought, and uploads that wait.",
        parameters=[AttachmentQuery],
        responses={200: AttachmentPage},
        examples=[examples.ATTACHMENTS],
    )
    def get(self, request: Request) -> Response:
        """Answer a page of files."""
        asked = self.asked(AttachmentQuery, AttachmentSerializer)
        rows = self.rows(Attachment.objects, asked).filter(
            **asked.given(
                conversation="message__conversation_id",
                message="message_id",
                origin="origin",
                state="state",
                unsent="message__isnull",
            )
        )
        return self.page(
            rows.select_related(*ATTACHMENT_ROWS).defer("message__text"),
            ("-id",),
            lambda found: show_attachments(found, only=asked.only),
            kind="attachment.listed",
        )

    @documented(
        operation_id="upload_attachment",
        summary="Upload a file",
        description="It is checked, stored and verified, and waits a day for the message that names its id.",
        request={"multipart/form-data": UploadSerializer},
        responses={201: AttachmentSerializer},
        examples=[examples.UPLOAD, examples.ATTACHMENT],
    )
    def post(self, request: Request) -> Response:
        """Take in one file."""
        files = request.FILES.getlist("file")
        unknown = [name for name in request.data if name != "file"]
        if len(files) != 1 or not isinstance(files[0], TemporaryUploadedFile):
            raise Problem(400, "no_file", NO_FILE, errors=[{"field": "file", "message": NO_FILE}])
        if unknown:
            words = "There is no such field here."
            raise Problem(400, "invalid", words, errors=[{"field": name, "message": words} for name in unknown])
        attachment = self._received(files[0])
        address = reverse("api:attachment", args=[attachment.pk], request=request)
        return Response(show_attachments([attachment])[0], status=201, headers={"Location": address})

    def _received(self, file: TemporaryUploadedFile) -> Attachment:
        try:
            return receive_file(owner=self.user, path=Path(file.temporary_file_path()), name=file.name or "")
        except Refused as refused:
            if isinstance(refused.__cause__, storage.StorageProblem):
                raise Problem(503, "storage_away", refused.message, retry_after=RETRY_AFTER_SECONDS) from refused
            raise


class AttachmentView(Asking):
    """`attachments/{id}/`."""

    @documented(
        operation_id="get_attachment",
        summary="Read about a file",
        description="Its bytes have an address of their own, `content/`.",
        parameters=[RecordQuery],
        responses={200: AttachmentSerializer},
        examples=[examples.ATTACHMENT],
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Answer what a file is."""
        asked = self.asked(RecordQuery, AttachmentSerializer)
        attachment = self.one(self.rows(Attachment.objects, asked).select_related(*ATTACHMENT_ROWS), pk)
        self.note_read(
            "attachment.read", attachment, owner_id=attachment.owner_id, conversation_id=conversation_of(attachment)
        )
        return Response(show_attachments([attachment], only=asked.only)[0])

    @documented(
        operation_id="delete_attachment",
        summary="Take back an upload",
        description="One that was sent stays with its message: 409.",
        responses={204: None},
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        """Take back a file that was not sent yet."""
        attachment = self.one(Attachment.objects.visible_to(self.user), pk)
        try:
            remove_attachment(attachment=attachment)
        except Refused as refused:
            raise Problem(409, "sent", refused.message) from refused
        return Response(status=204)


def conversation_of(attachment: Attachment) -> UUID | None:
    """Return the conversation that a file was sent or made in."""
    return attachment.message.conversation_id if attachment.message else None


class AttachmentRetryView(Asking):
    """`attachments/{id}/retry/`."""

    @documented(
        operation_id="retry_attachment",
        summary="Fetch a file of an answer once more",
        description="One that could not be kept, as long as the provider has it (`can_retry`).",
        request=NothingSerializer,
        responses={202: AttachmentSerializer},
        examples=[examples.NOTHING, examples.ATTACHMENT],
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Have a file of an answer fetched once more."""
        self.read(NothingSerializer)
        rows = Attachment.objects.visible_to(self.user).filter(message__isnull=False)
        attachment = self.one(rows.select_related("owner", "message__conversation"), pk)
        try:
            retry_file(attachment=attachment)
        except Refused as refused:
            raise Problem(409, str(refused.code), refused.message) from refused
        attachment = self.one(rows.select_related(*ATTACHMENT_ROWS), pk)
        return Response(show_attachments([attachment])[0], status=202)
