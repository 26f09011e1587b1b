"""What whole pages need besides their messages: the rail, the assistants on offer, notices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.urls import reverse

from conversations.files import ACCEPT
from conversations.forms import PromptForm, StartForm
from conversations.models import Assistant, Conversation, LanguageModel
from conversations.presentation import message_context
from conversations.services import settle_stalled
from conversations.usage import usage_of_conversation
from conversations.views.access import SignedInRequest
from conversations.views.health import worker_is_alive
from conversations.views.history import read_history

SHOWN = 100  # of the newest messages; a link shows more


@dataclass(frozen=True, slots=True)
class Offer:
    """An assistant to choose, with the model that would answer."""

    assistant: Assistant
    model: LanguageModel | None
    suggestions: list[str]


@dataclass(frozen=True, slots=True)
class Offers:
    """The assistants of a person, and how the form begins: with the first one, or as a link of the page says."""

    offers: list[Offer]
    beginning: dict[str, str]

    @property
    def is_local(self) -> bool:
        """Whether nothing but a local model answers."""
        return bool(self.offers) and all(offer.model and offer.model.is_local for offer in self.offers)


@dataclass(frozen=True, slots=True)
class FileLimits:
    """What may be attached, for people and for the script that checks before it uploads."""

    count: int
    megabytes: int
    accept: str = ACCEPT

    @classmethod
    def of_settings(cls) -> FileLimits:
        return cls(settings.MAX_FILES_PER_MESSAGE, settings.MAX_FILE_MEGABYTES)

    @property
    def bytes(self) -> int:
        return self.megabytes * 1_000_000


def get_conversation(request: SignedInRequest, pk: UUID) -> Conversation:
    """Return the conversation where `request.user` may see it; Http404 otherwise."""
    return get_object_or_404(Conversation.objects.visible_to(request.user).select_related("assistant__model"), pk=pk)


def address_of(conversation: Conversation) -> str:
    """The page of a conversation, at its end."""
    return reverse("conversations:detail", args=[conversation.pk]) + "#latest"


def offered_assistants(request: SignedInRequest) -> Offers:
    """Return the assistants that may be chosen, in two queries whatever their number."""
    default = LanguageModel.default()
    offers = [
        Offer(assistant, _model_of(assistant, default), [str(text) for text in assistant.suggested_prompts])
        for assistant in Assistant.objects.visible_to(request.user).select_related("model")
    ]
    wanted = request.GET.get("assistant")
    chosen = next((offer for offer in offers if offer.assistant.slug == wanted), offers[0] if offers else None)
    if chosen is None:
        return Offers(offers, {})
    suggestion = request.GET.get("suggestion", "")
    prompt = dict(zip(map(str, range(1, 20)), chosen.suggestions, strict=False)).get(suggestion, "")
    return Offers(offers, {"assistant": chosen.assistant.slug, "prompt": prompt})


def list_page(request: SignedInRequest, form: StartForm, offers: Offers) -> dict[str, Any]:
    """The context of the list with the start of a new conversation."""
    return _frame(request) | {
        "form": form,
        "chosen": form.typed("assistant"),
        "offers": offers.offers,
        "is_local": offers.is_local,
        "file_limits": FileLimits.of_settings(),
        "send_to": reverse("conversations:list"),
    }


def detail_page(request: SignedInRequest, conversation: Conversation, form: PromptForm) -> dict[str, Any]:
    """The context of one conversation: its newest 100 messages, or as many as `?show=` says."""
    path = conversation.path()
    if path and path[-1].is_running and settle_stalled(message_id=path[-1].pk):
        path = conversation.path()
    shown = min(_number(request.GET.get("show")), len(path))
    views = message_context(path[len(path) - shown :])
    model = _model_of(conversation.assistant, None) or LanguageModel.default()
    return (
        _frame(request)
        | composer_context(conversation, form)
        | {
            "views": views,
            "first_number": len(path) - shown + 1,
            "earlier": len(path) - shown,
            "show_more": shown + 4 * SHOWN,
            "is_running": bool(views) and views[-1].message.is_running,
            "totals": usage_of_conversation(conversation),
            "model": model,
            "is_local": bool(model and model.is_local),
        }
    )


def composer_context(conversation: Conversation, form: PromptForm) -> dict[str, Any]:
    """What `_composer.html` needs in a conversation."""
    return {
        "conversation": conversation,
        "form": form,
        "leaf": conversation.current_leaf_id or "",
        "send_to": reverse("conversations:send", args=[conversation.pk]),
        "file_limits": FileLimits.of_settings(),
        "max_prompt_chars": settings.MAX_PROMPT_CHARS,
    }


def _frame(request: SignedInRequest) -> dict[str, Any]:
    return {
        "history": read_history(request.user, before=request.GET.get("before", "")),
        "has_worker": worker_is_alive(),
        "max_prompt_chars": settings.MAX_PROMPT_CHARS,
    }


def _model_of(assistant: Assistant, default: LanguageModel | None) -> LanguageModel | None:
    """As `Assistant.language_model`, with the default looked up once for all of them."""
    if assistant.model is None:
        return default
    return assistant.model if assistant.model.is_enabled else None


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 and int(text) else SHOWN
