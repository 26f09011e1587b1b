"""Text that people wrote stays text on every page of the back office."""

from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Token, User
from batches.models import Batch
from conversations.models import (
    Assistant,
    Attachment,
    Conversation,
    Event,
    Feedback,
    Generation,
    LanguageModel,
    Message,
    SealedDocument,
    UsageDay,
    UsageLimit,
)
from records.models import Review, ReviewLabel, ReviewPolicy, ReviewReason
from tests.admin.record import make_answer, make_conversation, make_prompt
from tests.factories import make_assistant, make_model, make_user
from webhooks.models import WebhookDelivery, WebhookEndpoint

# Each as long as the shortest column bears, so that no page cuts the middle of one off.
pytestmark = pytest.mark.slow
HOSTILE = [
    "<script>alert(1)</script>\"><img src=x onerror=alert(1)>'><svg/onload=alert(1)>",
    "</title></textarea><iframe srcdoc='<script>alert(1)</script>'>--><script>alert(1)</script><!--",
    "[go](javascript:alert(1)) <javascript:alert(1)> ![x](data:text/html,<script>alert(1)</script>)",
    "`</code><script>alert(1)</script>` {{ settings.SECRET_KEY }} {% load static %}",
]


class _Finder(HTMLParser):
    """Finds what would run: scripts with a body or from elsewhere, handlers, script addresses, frames."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        is_ours = given.get("src", "").startswith(("/static/", "/admin/jsi18n/")) or "json" in given.get("type", "")
        if tag in ("iframe", "object", "embed", "base") or (tag == "script" and not is_ours):
            self.found.append(tag)
        for name, value in given.items():
            if name.startswith("on") or name in ("srcdoc", "style"):
                self.found.append(f"{tag} {name}")
            if name in ("href", "src", "action", "formaction") and value.strip().lower().startswith(
                ("javascript:", "data:", "vbscript:")
            ):
                self.found.append(f"{tag} {name}={value}")


def _active_content(html: str) -> list[str]:
    finder = _Finder()
    finder.feed(html)
    return finder.found


@pytest.mark.parametrize("text", HOSTILE)
def test_x14_hostile_text_is_inert_on_every_page(client: Client, superuser: User, text: str) -> None:
    client.force_login(superuser)
    User.objects.filter(pk=superuser.pk).update(first_name=text)
    model = make_model(label=text)
    assistant = make_assistant(name=text, description=text, instructions=text, suggested_prompts=[text])
    owner = make_user(first_name=text[:150], last_name=text[:150])
    conversation = make_conversation(owner=owner, assistant=assistant, title=text)
    failed = make_answer(make_prompt(conversation, text), text, status="failed", error_text=text)
    Generation.objects.update(
        instructions=text, parameters={"user": text}, model_asked=text, model_answered=text, response_id=text,
        finish_reason=text[:60], error_code=text[:40], error_detail=text,
    )  # fmt: skip
    data = {"name": text, "position": "0", "parameters": "{}", "suggested_prompts": "[]"}
    client.post(reverse("admin:conversations_assistant_change", args=[assistant.pk]), data)
    file = Attachment.objects.create(
        owner=owner, message=failed, origin="model", state="failed", key="k", name=text, content_type=text[:100],
        failure=text, container_id=text, container_file_id=text,
    )  # fmt: skip
    sealed = SealedDocument.objects.create(conversation=conversation, key=text, size=1, sha256=text[:64], format=1)
    others = (
        Feedback.objects.create(message=failed, user=owner, rating="down", reason=text),
        UsageDay.objects.create(owner=owner, model=model, day=timezone.localdate()),
        UsageLimit.objects.create(user=owner, measure="tokens", period="day", amount=1),
        Event.objects.create(
            seq=1, kind="conversation.concluded", conversation=conversation, owner=owner, data={text: text}
        ),
        Token.objects.create(owner=owner, name=text, scopes=["read"], prefix="vbt_abcd", digest=text[:64]),
        Batch.objects.create(owner=owner, assistant=assistant, name=text[:100], total=1, problem=text),
        sealed,
        *_webhooks(text),
        *_reviews(text, conversation, superuser),
    )
    rows = (model, assistant, owner, conversation, failed, Generation.objects.get(), file, *others)
    pages = ["/admin/", *(f"/admin/{row._meta.app_label}/{row._meta.model_name}/" for row in rows)]
    pages += [
        f"{base}{row.pk}/{page}/" for base, row in zip(pages[1:], rows, strict=True) for page in ("change", "history")
    ]
    pages += [reverse("admin:conversations_assistant_delete", args=[make_assistant(name=text).pk])]
    pages += [reverse("admin:conversations_conversation_changelist") + "?q=" + text]
    pages += [f"/admin/records/review/{page}" for page in ("?standing=all", "?standing=done", "progress/")]
    for page in pages:
        response = client.get(page)
        assert response.status_code == 200, page
        assert _active_content(response.content.decode()) == [], page
        assert "script-src 'self'" in response["Content-Security-Policy"]


def _webhooks(text: str) -> tuple[WebhookEndpoint, WebhookDelivery]:
    """An endpoint that is away, and what it answered."""
    endpoint = WebhookEndpoint.objects.create(name=text, url=text, secret=text, problem=text)
    now = timezone.now()
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint,
        seq=1,
        kind=text[:40],
        state="failed",
        give_up_at=now,
        ended_at=now,
        answer=text,
        problem=text,
    )
    return endpoint, delivery


def _reviews(text: str, conversation: Conversation, reviewer: User) -> tuple[Review, ReviewPolicy, ReviewLabel]:
    """A verdict with a note and a label, and the next review of the same, with a reason."""
    policy = ReviewPolicy.objects.create(name=text[:100], kind="keywords", keywords=text)
    label = ReviewLabel.objects.create(name=text[:60])
    claim = {"conversation": conversation, "claimed_by": reviewer, "claimed_at": timezone.now()}
    done = Review.objects.create(**claim, state="done", verdict="concern", note=text, decided_at=timezone.now())
    done.labels.add(label)
    review = Review.objects.create(**claim, state="claimed")
    ReviewReason.objects.create(review=review, policy=policy, words=text, at=timezone.now())
    return review, policy, label


@pytest.mark.parametrize("text", HOSTILE)
def test_x14_hostile_text_is_inert_where_a_verdict_is_refused(client: Client, superuser: User, text: str) -> None:
    client.force_login(superuser)
    review, _, _ = _reviews(text, make_conversation(title=text), superuser)
    answers = [
        client.post(reverse("admin:records_review_verdict", args=[review.pk]), {"verdict": text, "note": text}),
        client.post(reverse("admin:records_reviewpolicy_add"), {"name": text, "kind": text, "keywords": text}),
        client.post(reverse("admin:records_reviewpolicy_add"), {"kind": "keywords", "keywords": f"the\n-{text}\n-no"}),
    ]
    assert [answer.status_code for answer in answers] == [422, 200, 200]
    for answer in answers:
        assert _active_content(answer.content.decode()) == []


def test_the_finder_finds() -> None:
    for text in (HOSTILE[0], HOSTILE[1], '<a href=" JavaScript:alert(1)">'):
        assert _active_content(text)


def test_all_kinds_of_rows_are_looked_at() -> None:
    from django.contrib import admin

    apps = ("conversations", "accounts", "records.models.review", "webhooks")
    ours = {model for model in admin.site._registry if model.__module__.startswith(apps)}
    looked_at = {LanguageModel, Assistant, User, Conversation, Message, Generation, Attachment, Feedback, UsageDay}
    looked_at |= {Token, UsageLimit, Event, SealedDocument, WebhookEndpoint, WebhookDelivery}
    assert ours == looked_at | {Review, ReviewPolicy, ReviewLabel}
