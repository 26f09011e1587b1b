"""Conversations: listed, found, read, changed, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from conversations import search
from conversations.api import examples
from conversations.api.pages import page_of_hits
from conversations.api.serializers import (
    CONVERSATION_ROWS,
    ConversationDetailSerializer,
    ConversationSerializer,
    show_conversation_detail,
    show_conversations,
)
from conversations.api.serializers.bodies import ConversationChangeSerializer
from conversations.api.serializers.lists import ConversationPage
from conversations.api.serializers.queries import ConversationQuery, RecordQuery
from conversations.api.views.asking import Asked, Asking
from conversations.models import Assistant, Conversation, LanguageModel
from conversations.models.conversation import ConversationQuerySet
from conversations.search.matching import Ranked
from conversations.services import Answerer, Refusal, Refused, change_conversation, hide_conversation
from rest.problems import FieldError, Problem, invalid
from rest.schema import documented

NEWEST = ("-last_activity_at", "-id")
_NO_ASSISTANT = "This assistant is not available. Choose another one."
_NO_MODEL = "This model is not available. Choose another one."


class ConversationsRead(Asking):
    """What `conversations/` answers to GET."""

    @documented(
        operation_id="list_conversations",
        summary="List conversations",
        description="Those in which something was said last come first. With `q` it is those that a search finds, the "
        "best first, out of its 500 best messages.",
        parameters=[ConversationQuery],
        responses={200: ConversationPage},
        examples=[examples.CONVERSATIONS],
    )
    def get(self, request: Request) -> Response:
        """Answer a page of conversations."""
        asked = self.asked(ConversationQuery, ConversationSerializer)
        if "owner" in asked and not asked.everyone:
            raise _wrong("owner", "Other people's conversations are listed with everyone=true alone.")
        if "q" in asked:
            return self._found(asked)
        is_deleted = asked.get("deleted", False)
        rows = self._deleted(asked) if is_deleted else self.rows(Conversation.objects, asked).filter(hidden_at=None)
        order = ("-hidden_at", "-id") if is_deleted else NEWEST
        return self.page(
            narrowed(rows, asked).select_related(*CONVERSATION_ROWS),
            order,
            lambda found: show_conversations(found, only=asked.only),
            kind="conversation.listed",
        )

    def _deleted(self, asked: Asked) -> ConversationQuerySet:
        if asked.everyone:
            deleted: ConversationQuerySet = self.rows(Conversation.objects, asked).filter(hidden_at__isnull=False)
            return deleted
        return Conversation.objects.restorable_by(self.user)

    def _found(self, asked: Asked) -> Response:
        if asked.everyone or asked.get("deleted"):
            raise _wrong("q", "Only one's own conversations that are not deleted can be searched here.")
        rows = narrowed(Conversation.objects.visible_to(self.user), asked)
        assistant_id = rows.values_list("assistant_id", flat=True).first() if "assistant" in asked else None
        if "assistant" in asked and assistant_id is None:
            return Response(page_of_hits(self.request, (), limit=1, cursor=asked.cursor).answer([]))
        ranking = search.rank_messages(self.user, asked["q"], assistant_id=assistant_id)
        best = self._best_of_each(ranking.ranked, rows)
        page = page_of_hits(self.request, best, limit=asked.limit, cursor=asked.cursor)
        hits = search.draw_hits(self.user, ranking, page.items)
        matches = {hit.conversation_id: hit for hit in hits}
        found = rows.select_related(*CONVERSATION_ROWS).in_bulk(list(matches))
        in_order = [found[pk] for pk in matches if pk in found]
        return Response(page.answer(show_conversations(in_order, only=asked.only, matches=matches)))

    def _best_of_each(self, ranked: Sequence[Ranked], rows: ConversationQuerySet) -> list[Ranked]:
        """Return the best message of each conversation that the filters leave."""
        ids = [one.id for one in ranked]
        of_messages = dict(rows.filter(messages__in=ids).values_list("messages__id", "id")) if ids else {}
        best: dict[UUID, Ranked] = {}
        for one in ranked:
            if one.id in of_messages:
                best.setdefault(of_messages[one.id], one)
        return list(best.values())


class ConversationView(Asking):
    """`conversations/{id}/`."""

    @documented(
        operation_id="get_conversation",
        summary="Read a conversation",
        description="Without its messages; they have an address of their own.",
        parameters=[RecordQuery],
        responses={200: ConversationDetailSerializer},
        examples=[examples.CONVERSATION],
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Answer one conversation."""
        asked = self.asked(RecordQuery, ConversationDetailSerializer)
        rows = self.rows(Conversation.objects, asked).select_related(*CONVERSATION_ROWS)
        conversation = self.one(rows, pk)
        self.note_read("conversation.read", conversation, owner_id=conversation.owner_id)
        return Response(show_conversation_detail(conversation, only=asked.only))

    @documented(
        operation_id="change_conversation",
        summary="Change a conversation",
        description="Its title, whether it is pinned, who answers from the next prompt on; all of it or nothing. "
        "An assistant that is named without a model answers with its own.",
        request=ConversationChangeSerializer,
        responses={200: ConversationDetailSerializer},
        examples=[examples.CONVERSATION_CHANGE, examples.CONVERSATION],
    )
    def patch(self, request: Request, pk: UUID) -> Response:
        """Change a conversation."""
        rows = Conversation.objects.visible_to(self.user).select_related(*CONVERSATION_ROWS)
        conversation = self.one(rows, pk)
        wanted = self.read(ConversationChangeSerializer)
        change_conversation(
            conversation=conversation,
            title=wanted.get("title"),
            # What the ETag spoke of: another title that was given since then is not overwritten unseen.
            shown_title=conversation.title if "If-Match" in request.headers else None,
            pinned=wanted.get("pinned"),
            answerer=self._answerer(conversation, wanted),
        )
        return Response(show_conversation_detail(self.one(rows.all(), pk)))

    @documented(
        operation_id="delete_conversation",
        summary="Delete a conversation",
        description="It can be restored for 30 days. An answer that is being written is stopped. Twice is once.",
        responses={204: None},
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        """Put a conversation out of its owner's sight."""
        hide_conversation(conversation=self.one(Conversation.objects.kept_by(self.user), pk))
        return Response(status=204)

    def _answerer(self, conversation: Conversation, wanted: dict[str, Any]) -> Answerer | None:
        if "assistant" not in wanted and "model" not in wanted:
            return None
        assistant: Assistant | None = conversation.assistant
        if "assistant" in wanted:
            assistant = Assistant.objects.visible_to(self.user).filter(slug=wanted["assistant"]).first()
        if assistant is None:
            raise _refused("assistant", Refused(Refusal.ASSISTANT_UNAVAILABLE, _NO_ASSISTANT))
        name = wanted.get("model")
        if name is None:
            return Answerer(assistant, None)
        chosen = conversation.model
        if chosen is None or chosen.name != name or not chosen.is_enabled:
            chosen = LanguageModel.objects.offered().filter(name=name).first()
        if chosen is None:
            raise _refused("model", Refused(Refusal.NO_MODEL, _NO_MODEL))
        return Answerer(assistant, chosen)


def narrowed(rows: ConversationQuerySet, asked: Asked) -> ConversationQuerySet:
    """Return the conversations that the filters of an address leave."""
    rows = rows.filter(
        **asked.given(
            state="state",
            assistant="assistant__slug",
            owner="owner__username",
            updated_after="last_activity_at__gt",
            updated_before="last_activity_at__lt",
        )
    )
    return rows.filter(pinned_at__isnull=not asked["pinned"]) if "pinned" in asked else rows


def _wrong(field: str, words: str) -> Problem:
    return invalid([FieldError(field=field, message=words)])


def _refused(field: str, refused: Refused) -> Problem:
    return Problem(
        refused.status, str(refused.code), refused.message, errors=[{"field": field, "message": refused.message}]
    )
