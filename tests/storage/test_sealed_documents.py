"""Sealed documents in a folder and in a bucket: stored, checked, and missed."""

from __future__ import annotations

import io
import re

import pytest
from django.core.management import CommandError, call_command

from conversations.files import storage
from conversations.models import Attachment, Event
from conversations.services import seal_conversation
from conversations.services.reconciling import find_differences
from tests.fakes.faulty_proxy import Fault, FaultyProxy
from tests.fakes.s3 import FakeS3
from tests.services.concluded import make_concluded, make_sealed, stored

pytestmark = pytest.mark.django_db


def verify() -> str:
    out = io.StringIO()
    try:
        call_command("verify_record", stdout=out)
    except CommandError as error:
        return out.getvalue() + str(error)
    return out.getvalue()


def test_a_document_is_stored_proven_and_known(either: str) -> None:
    sealed = make_sealed()
    assert stored(sealed)["conversation"]["id"] == str(sealed.pk)
    told = Event.objects.get().data["document"]["address"]
    assert told == sealed.address
    assert bool(re.fullmatch(r"s3://[\w-]+/files/\d{4}/\d\d/[0-9a-f]{32}", told)) == (either == "bucket")
    assert list(find_differences(hours=0)) == []
    assert verify() == "Looked at 1 sealed document, 1 file and 1 audit event (0 anchors): all are as they were.\n"


def test_s5_a_byte_that_changed_in_the_bucket_is_found_in_document_and_file(s3: FakeS3, bucket: str) -> None:
    sealed = make_sealed()
    file = Attachment.objects.get()
    for key in (sealed.key, file.key):
        content = bytearray(storage.read(key))
        content[-1] ^= 1
        s3.client.put_object(Bucket=bucket, Key=key, Body=bytes(content))
    document, attachment, summary = verify().splitlines()
    assert document.startswith(f"{sealed.pk} s3://{bucket}/{sealed.key}: the sealed document has {sealed.size} bytes")
    assert attachment.startswith(f"{file.pk} s3://{bucket}/{file.key}: the file has {file.size} bytes")
    assert summary == "Looked at 1 sealed document, 1 file and 1 audit event (0 anchors): 2 findings."


def test_s7_a_bucket_that_refuses_leaves_nothing_and_is_tried_again(s3: FakeS3, proxy: FaultyProxy) -> None:
    conversation = make_concluded()
    before = s3.keys(storage.bucket())
    proxy.fail(Fault("PUT", status=403, code="AccessDenied"))
    with pytest.raises(storage.StorageProblem):
        seal_conversation(conversation_id=conversation.pk)
    assert s3.keys(storage.bucket()) == before
    assert not Event.objects.exists()
    proxy.heal()
    assert seal_conversation(conversation_id=conversation.pk)
    assert len(s3.keys(storage.bucket())) == len(before) + 1
