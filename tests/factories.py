"""Rows for tests, with a default for everything."""

import base64
import hashlib
import io
import itertools
import uuid
from typing import Any

from django.utils import timezone

from accounts.models import User
from conversations.files import storage
from conversations.models import Assistant, Attachment, LanguageModel, Message, ModelPrice

# The smallest picture there is: one pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

_count = itertools.count(1)


def make_user(**fields: Any) -> User:
    number = next(_count)
    fields = {"username": f"person{number}", "email": f"person{number}@example.org"} | fields
    return User.objects.create_user(**fields)


def make_model(name: str = "gpt-4o", *, priced: bool = True, **fields: Any) -> LanguageModel:
    fields = {"label": name, "context_window": 128_000, "max_output_tokens": 16_384} | fields
    model, created = LanguageModel.objects.get_or_create(name=name, defaults=fields)
    if created and priced:
        ModelPrice.objects.create(
            model=model,
            valid_from="2024-10-01",
            input_price="2.50",
            cached_input_price="1.25",
            output_price="10.00",
        )
    return model


def make_assistant(**fields: Any) -> Assistant:
    number = next(_count)
    fields = {"slug": f"assistant-{number}", "name": f"Assistant {number}", "instructions": "Answer briefly."} | fields
    return Assistant.objects.create(**fields)


def make_file(
    owner: User, *, message: Message | None = None, data: bytes | None = PNG, name: str = "dot.png", **fields: Any
) -> Attachment:
    """A file in storage; without `data`, one that could not be kept."""
    key = storage.new_key()
    fields = {"content_type": "image/png", "origin": "user", "state": "failed", "failure": "It was gone."} | fields
    if data is not None:
        sha256 = hashlib.sha256(data).hexdigest()
        storage.put(key, io.BytesIO(data), size=len(data), sha256=sha256, content_type=fields["content_type"])
        fields |= {"state": "ready", "failure": "", "size": len(data), "sha256": sha256, "ready_at": timezone.now()}
    return Attachment.objects.create(
        owner=owner, message=message, bucket=storage.bucket(), key=key, name=name, **fields
    )


def token() -> uuid.UUID:
    return uuid.uuid4()
