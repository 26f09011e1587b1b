"""The canonical document, byte for byte: whoever has the rows and docs/record-format.md can write it again."""

from __future__ import annotations

import datetime
import hashlib
import json
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings

from conversations.models import Assistant, Attachment, Conversation, Generation, LanguageModel, Message, ModelPrice
from conversations.services import canonical
from tests.factories import make_user

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).with_name("golden_document.json")

# Columns that change after a conversation is concluded, or say nothing of what was said in it.
LEFT_OUT = {
    Conversation: {"is_batched", "hidden_at", "pinned_at", "seen_at", "removal_begun_at"},
    Message: {"search_vector"},
    Generation: {"reserved_tokens", "reserved_cost"},
    Attachment: {"bucket", "is_read", "provider_file_id", "provider_file_expires_at"},
}
WRITTEN = {
    Conversation: canonical.CONVERSATION_COLUMNS,
    Message: canonical.MESSAGE_COLUMNS,
    Generation: canonical.GENERATION_COLUMNS,
    Attachment: canonical.ATTACHMENT_COLUMNS,
}


def number(last: int) -> UUID:
    return UUID(f"01990000-0000-7000-8000-{last:012x}")


def at(second: int, microsecond: int = 0) -> datetime.datetime:
    berlin = datetime.timezone(datetime.timedelta(hours=1))
    return datetime.datetime(2026, 11, 22, 11, 0, second, microsecond, berlin)


def make_rows() -> Conversation:
    """A prompt with a file and two answers to it, each value of a kind of its own."""
    owner = make_user(id=7)
    model = LanguageModel.objects.create(
        id=3, name="gpt-4o", label="GPT-4o", context_window=128_000, max_output_tokens=16_384
    )
    price = ModelPrice.objects.create(
        id=5,
        model=model,
        valid_from="2024-10-01",
        input_price="2.50",
        cached_input_price="1.25",
        output_price="10.00",
    )
    assistant = Assistant.objects.create(id=2, slug="archivist", name="Archivist")
    conversation = Conversation.objects.create(
        id=number(1), owner=owner, assistant=assistant, model=model, title="Übersicht “A”", is_title_provisional=False,
        state="concluded", created_at=at(0), last_activity_at=at(9, 5), concluded_at=at(10), concluded_by="owner",
        pinned_at=at(11), seen_at=at(11),
    )  # fmt: skip
    prompt = Message.objects.create(
        id=number(2), conversation=conversation, owner=owner, role="user", status="completed",
        text='Line 1\nLine 2\t"quoted" \\ \u2028 \U0001f600 \x7f', client_token=number(99), created_at=at(0),
    )  # fmt: skip
    answers = [
        Message.objects.create(
            id=number(last), conversation=conversation, owner=owner, parent=prompt, assistant=assistant,
            role="assistant", status=status, text=text, attempt=1, created_at=at(1), finished_at=at(8),
            error_code=code, error_text=code and "The model could not be reached.",
        )
        for last, status, text, code in ((3, "failed", "", "provider_down"), (4, "completed", "</script>\r\n", ""))
    ]  # fmt: skip
    for last, answer in enumerate(answers, 5):
        Generation.objects.create(
            id=number(last), purpose="answer", conversation=conversation, message=answer, job_id=12, model=model,
            model_asked="gpt-4o", status=answer.status, first_message=prompt, created_at=at(1),
            **({"error_code": "provider_down", "error_detail": "HTTP 500"} if answer.error_code else {
                "model_answered": "gpt-4o-2024-11-20", "instructions": "Answer briefly.",
                "parameters": {"temperature": 0.7, "top_p": 1, "store": False, "tools": [], "ü": None},
                "response_id": "resp_1", "request_id": "req_1", "input_tokens": 10, "cached_tokens": 0,
                "output_tokens": 3, "reasoning_tokens": 0, "usage_source": "exact", "price": price,
                "cost": Decimal("0.000055"), "started_at": at(2), "first_text_at": at(2, 180_000),
                "finished_at": at(8),
            }),
        )  # fmt: skip
    Attachment.objects.create(
        id=number(7), message=prompt, owner=owner, origin="user", state="ready", bucket="record",
        key="files/2026/11/0123456789abcdef0123456789abcdef", name="plan.pdf", content_type="application/pdf",
        size=1234, sha256="ab" * 32, created_at=at(0), ready_at=at(0, 1), provider_file_id="file-1",
    )  # fmt: skip
    conversation.current_leaf = answers[1]
    conversation.save()
    return conversation


def test_the_document_is_the_golden_one_byte_for_byte() -> None:
    written = b"".join(canonical.document(make_rows().pk))
    assert written + b"\n" == GOLDEN.read_bytes()


def test_the_document_is_canonical_json() -> None:
    written = b"".join(canonical.document(make_rows().pk))
    document = json.loads(written)
    again = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert again.encode() == written
    assert tuple(document) == canonical.SECTIONS


def test_its_parts_are_what_is_read_from_it() -> None:
    conversation = make_rows()
    document = json.loads(b"".join(canonical.document(conversation.pk)))
    read = [("attachments", row) for row in document["attachments"]]
    read += [("conversation", document["conversation"])]
    read += [(section, row) for section in ("generations", "messages") for row in document[section]]
    assert list(canonical.parts(conversation.pk)) == read


@pytest.mark.parametrize("model", WRITTEN, ids=lambda model: str(model.__name__))
def test_every_column_is_in_the_document_or_left_out_on_purpose(model: type[Conversation]) -> None:
    columns = {field.name for field in model._meta.concrete_fields}
    assert set(WRITTEN[model]) | LEFT_OUT[model] == columns
    assert not set(WRITTEN[model]) & LEFT_OUT[model]


def test_what_its_owner_does_with_the_list_does_not_change_it() -> None:
    conversation = make_rows()
    before = hashlib.sha256(b"".join(canonical.document(conversation.pk))).hexdigest()
    Conversation.objects.filter(pk=conversation.pk).update(hidden_at=at(30), pinned_at=None, seen_at=None)
    Message.objects.update(search_vector=None)
    Attachment.objects.update(bucket="another", is_read=True, provider_file_id="")
    assert hashlib.sha256(b"".join(canonical.document(conversation.pk))).hexdigest() == before


def test_the_description_of_the_format_names_every_column() -> None:
    text = (settings.BASE_DIR / "docs/record-format.md").read_text(encoding="utf-8")
    for columns in (*WRITTEN.values(), [name.removeprefix("price__") for name in canonical.PRICE_COLUMNS]):
        assert [name for name in columns if f"`{name}`" not in text] == []
