"""What whole pages need besides their messages: the rail, the assistants on offer, notices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.urls import reverse

from conversations.exporting import FORMATS
from conversations.files import ACCEPT
from conversations.forms import PromptForm, StartForm
from conversations.models import Assistant, Conversation, LanguageModel, Message, SealedDocument
from conversations.presentation import message_context
from conversations.retirement import Retirement, retirement_of
from conversations.usage import usage_of_conversation
from conversations.views.access import SignedInRequest
from conversations.views.health import worker_is_alive
from conversations.views.rail import rail_of
from conversations.views.thread import Thread, read_thread


@dataclass(frozen=True, slots=True)
class Offer:
    """An assistant to choose, with the model that would answer."""

    assistant: Assistant
    model: LanguageModel | None
    suggestions: list[str]

    @property
    def retirement(self) -> Retirement | None:
        """What is to be said of the model's end."""
        return retirement_of(self.model)


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
    conversations = Conversation.objects.visible_to(request.user).select_related(
        "assistant__model", "model", "continued_from"
    )
    return get_object_or_404(conversations, pk=pk)


def address_of(conversation: Conversation) -> str:
    """The page of a conversation, at its end."""
    return reverse("conversations:detail", args=[conversation.pk]) + "#latest"


def address_at(message: Message) -> str:
    """The page of a conversation that shows a message, whichever path it is on."""
    page = reverse("conversations:detail", args=[message.conversation_id])
    return f"{page}?at={message.pk}#message-{message.pk}"


def offered_assistants(request: SignedInRequest) -> Offers:
    """Return the assistants that may be chosen, in two queries whatever their number."""
    default = LanguageModel.default()
    offers = [
        Offer(assistant, _model_of(assistant, default), [str(text) for text in assistant.suggested_prompts])
        for assistant in Assistant.objects.visible_to(request.user).select_related("model__replacement")
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
    return page_frame(request) | {
        "form": form,
        "chosen": form.typed("assistant"),
        "offers": offers.offers,
        "is_local": offers.is_local,
        "file_limits": FileLimits.of_settings(),
        "send_to": reverse("conversations:list"),
    }


def detail_page(
    request: SignedInRequest, conversation: Conversation, form: PromptForm, *, at: UUID | None = None
) -> dict[str, Any]:
    """The context of one conversation: the end of its current path, or what `at` (or `?at=`) and `?show=` ask for."""
    wanted = str(at) if at is not None else request.GET.get("at", "")
    thread = read_thread(conversation, at=wanted, show=request.GET.get("show", ""))
    model = conversation.language_model()
    return (
        page_frame(request)
        | composer_context(conversation, form, thread)
        | {
            "thread": thread,
            "views": message_context(thread.messages, places=thread.places),
            "is_running": thread.is_running,
            "formats": FORMATS,
            "totals": usage_of_conversation(conversation),
            "model": model,
            "retirement": retirement_of(model) if conversation.is_open else None,
            "is_local": bool(model and model.is_local),
        }
    )


def composer_context(conversation: Conversation, form: PromptForm, thread: Thread | None = None) -> dict[str, Any]:
    """What `_composer.html` needs in a conversation. Without a thread the page goes on showing what its form says."""
    sent = getattr(form, "cleaned_data", {})
    return {
        "conversation": conversation,
        "form": form,
        "leaf": thread.last if thread else sent.get("after") or conversation.current_leaf_id,
        "parent": thread.parent if thread else sent.get("parent"),
        "send_to": reverse("conversations:send", args=[conversation.pk]),
        "file_limits": FileLimits.of_settings(),
        "max_prompt_chars": settings.MAX_PROMPT_CHARS,
    } | ({} if conversation.is_open else sealing_context(conversation))


def sealing_context(conversation: Conversation) -> dict[str, Any]:
    """What is shown of a concluded conversation: its sealed document, once there is one, and where it goes on."""
    return {
        "sealed": SealedDocument.objects.visible_to(conversation.owner).filter(pk=conversation.pk).first(),
        "continuations": Conversation.objects.visible_to(conversation.owner)
        .filter(continued_from=conversation)
        .order_by("-id")[:3],
    }


def page_frame(request: SignedInRequest) -> dict[str, Any]:
    """What every page with the rail needs."""
    return {
        "history": rail_of(request),
        "has_worker": worker_is_alive(),
        "max_prompt_chars": settings.MAX_PROMPT_CHARS,
    }


def _model_of(assistant: Assistant, default: LanguageModel | None) -> LanguageModel | None:
    """As `Assistant.language_model`, with the default looked up once for all of them."""
    if assistant.model is None:
        return default
    return assistant.model.in_service()
