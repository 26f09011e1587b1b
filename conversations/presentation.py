"""What `_message.html` and the pages around it need, in a constant number of queries."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import F, Q, StringAgg, Value
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from conversations.models import Assistant, Attachment, Conversation, Feedback, Generation, Message, MessageChunk
from conversations.models.tree import Place, Tree
from conversations.rendering import render, render_prompt, split_blocks
from conversations.usage import Usage, usage_of, usage_of_conversation

if TYPE_CHECKING:
    from accounts.models import User

_CUT_OFF = {
    "max_output_tokens": "It reached the length limit of one answer.",
    "content_filter": "The provider's content filter ended it.",
}
_ENDED = frozenset(Message.Status) - frozenset(Message.RUNNING)
_ONLY = Place()


@dataclass(frozen=True, slots=True)
class FileRoutes:
    """Where a reader opens files and sees pictures in small: names of addresses that take the file's id."""

    download: str
    thumbnail: str
    is_owner: bool = False


OWN_FILES = FileRoutes("conversations:attachment", "conversations:thumbnail", is_owner=True)


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as it is drawn. `html` holds the finished blocks, `open_html` the one still being written.

    `offset` is the code point at which the open block starts: there a stream goes on.
    """

    message: Message
    html: SafeString
    open_html: SafeString
    offset: int
    usage: Usage | None
    call: Generation | None
    attachments: Sequence[Attachment]
    """What people attached to a prompt, and the files that came with an answer."""
    routes: FileRoutes
    rating: Feedback | None = None
    """What its owner thinks of an answer."""
    place: Place = _ONLY
    answered_by: str = ""
    """The assistant, where it is not the one that answers next."""

    @property
    def is_prompt(self) -> bool:
        return self.message.role == Message.Role.USER

    @property
    def may_scroll(self) -> bool:
        """Whether a prompt is so long that it may scroll inside its panel; the keyboard must then reach it."""
        return len(self.message.text) > 400 or self.message.text.count("\n") > 9

    @property
    def has_text(self) -> bool:
        return bool(self.html or self.open_html)

    @property
    def is_whole(self) -> bool:
        """Whether it is a finished answer with text, of which nothing more need be said."""
        return self.message.status == Message.Status.COMPLETED and self.has_text

    @property
    def can_retry(self) -> bool:
        """Whether to offer another try: of any answer that has ended and that something was asked before."""
        return not self.is_prompt and self.message.status in _ENDED and self.message.parent_id is not None

    @property
    def can_continue(self) -> bool:
        """Whether to offer that the model goes on where it was cut off: at the end of a path alone."""
        return self.message.is_cut_off and self.place.is_end

    @property
    def can_rate(self) -> bool:
        """Whether the reader may say what they think of it: the owner, of an answer that came to something."""
        is_ended_answer = not self.is_prompt and not self.message.is_running
        if self.message.is_supplied:
            return False
        return self.routes.is_owner and is_ended_answer and (self.has_text or bool(self.attachments))

    @property
    def pictures(self) -> list[Attachment]:
        """The files that are shown in small."""
        return [file for file in self.attachments if _is_ready(file) and file.is_image]

    @property
    def files(self) -> list[Attachment]:
        """The files that are named."""
        pictures = self.pictures
        return [file for file in self.attachments if file not in pictures]

    @property
    def awaits_files(self) -> bool:
        """Whether the answer has ended and a file of it is being fetched once more."""
        pending = Attachment.State.PENDING
        return not self.message.is_running and any(file.state == pending for file in self.attachments)

    @property
    def omitted(self) -> int:
        return self.call.omitted_messages if self.call else 0

    @property
    def cut_off_reason(self) -> str:
        """Why an incomplete answer is incomplete, as a sentence."""
        reason = self.call.finish_reason if self.call else ""
        return _CUT_OFF.get(reason) or (f"The provider ended it early ({reason})." if reason else "It ended early.")

    @property
    def time_to_first_text(self) -> datetime.timedelta | None:
        call = self.call
        return call.first_text_at - call.started_at if call and call.first_text_at and call.started_at else None

    @property
    def total_time(self) -> datetime.timedelta | None:
        call = self.call
        return call.finished_at - call.started_at if call and call.finished_at and call.started_at else None


def message_context(
    messages: Sequence[Message], *, routes: FileRoutes = OWN_FILES, places: Mapping[UUID, Place] | None = None
) -> list[MessageView]:
    """Return what `_message.html` needs for each message. A reader who is not the owner opens files by other `routes`.

    `places` tells which versions there are of them; without it none are shown.

    Each message's `conversation` must be loaded already, as `Conversation.path` does; then it takes three queries,
    and one more where an answer is being written. Answers that nobody has begun to write have nothing to tell.
    """
    begun = [message for message in messages if message.role == Message.Role.USER or message.has_begun]
    calls = calls_of([message.pk for message in begun if message.role == Message.Role.ASSISTANT])
    attachments = files_of([message.pk for message in begun])
    ratings = _ratings([message for message in begun if message.role == Message.Role.ASSISTANT])
    names = _other_assistants(messages)
    return [
        _view(
            message,
            calls.get(message.pk, []),
            attachments.get(message.pk, []),
            routes,
            ratings.get(message.pk),
            (places or {}).get(message.pk, _ONLY),
            names.get(message.assistant_id, ""),
        )
        for message in messages
    ]


def places_of(messages: Sequence[Message]) -> dict[UUID, Place]:
    """Return where messages of one conversation stand, in one query: their siblings, and what follows them."""
    parents = {message.parent_id for message in messages}
    near = Q(parent_id__in=[*(parents - {None}), *(message.pk for message in messages)])
    if None in parents:
        near |= Q(parent__isnull=True)
    rows = Message.objects.filter(near, conversation_id=messages[0].conversation_id).order_by("id")
    tree = Tree(rows.values_list("id", "parent_id"))
    return {message.pk: tree.place(message.pk) for message in messages}


def calls_of(answers: list[UUID]) -> dict[UUID, list[Generation]]:
    """Return the calls of each answer, oldest first, in one query; what was sent with them is not read."""
    found: dict[UUID, list[Generation]] = {}
    if answers:
        calls = Generation.objects.filter(message_id__in=answers).select_related("price", "model").order_by("id")
        for call in calls.defer("instructions", "parameters", "error_detail"):
            if call.message_id is not None:
                found.setdefault(call.message_id, []).append(call)
    return found


def files_of(messages: list[UUID]) -> dict[UUID, list[Attachment]]:
    """Return the files of each message, in the order in which they came, in one query."""
    found: dict[UUID, list[Attachment]] = {}
    if messages:
        for attachment in Attachment.objects.filter(message_id__in=messages).exclude(state=Attachment.State.DELETED):
            if attachment.message_id is not None:
                found.setdefault(attachment.message_id, []).append(attachment)
    return found


def live_texts(answers: list[UUID]) -> dict[UUID, str]:
    """Return what there is so far of answers that are being written, in one query."""
    if not answers:
        return {}
    pieces = MessageChunk.objects.filter(message_id__in=answers).order_by().values("message_id")
    return dict(
        pieces.annotate(joined=StringAgg("text", delimiter=Value(""), order_by="start")).values_list(
            "message_id", "joined"
        )
    )


def render_message(message: Message, user: User, *, problem: str = "") -> str:
    """Draw one message of `user` as a page load would: for answers to htmx and for the last event of a stream.

    `problem` says why what was asked of it could not be done.
    """
    (view,) = message_context([message], places=places_of([message]))
    actions = message.owner_id == user.pk and message.conversation.is_open
    return render_to_string("conversations/_message.html", {"view": view, "actions": actions, "problem": problem})


def render_heading(conversation: Conversation, *, tries: int = 0, leaf: UUID | None = None) -> str:
    """Draw, as `<hx-partial>` elements, what changes around the thread when an answer ends: totals and title.

    A title is made by a job of its own; until it is there the page asks again, which `tries` counts. `leaf` is the last
    message that the page now shows, where that has changed.
    """
    context = {
        "conversation": conversation,
        "totals": usage_of_conversation(conversation),
        "is_running": conversation.messages.running().exists(),
        "tries": tries,
        "leaf": leaf,
    }
    return render_to_string("conversations/_heading.html", context)


def unseen(path: Sequence[UUID], last_seen: UUID | None) -> Sequence[UUID] | None:
    """Return what a page that ends with `last_seen` lacks; None where it shows another path.

    The other path comes from a retry in another tab, say.
    """
    if last_seen is None:
        return path
    return path[path.index(last_seen) + 1 :] if last_seen in path else None


def _view(
    message: Message,
    calls: list[Generation],
    attachments: list[Attachment],
    routes: FileRoutes,
    rating: Feedback | None,
    place: Place,
    answered_by: str,
) -> MessageView:
    html, open_html, offset = SafeString(""), SafeString(""), 0
    if message.role == Message.Role.USER:
        html = render_prompt(message.text)
    elif not message.is_running:
        ready = filter(_is_ready, attachments)
        html = render(message.text, {file.name: reverse(routes.download, args=[file.pk]) for file in ready})
    elif message.has_begun and (blocks := split_blocks(message.text_so_far())):
        html = SafeString("".join(block.html for block in blocks[:-1]))
        open_html, offset = blocks[-1].html, blocks[-1].start
    usage, latest = (usage_of(calls), calls[-1]) if calls else (None, None)
    return MessageView(message, html, open_html, offset, usage, latest, attachments, routes, rating, place, answered_by)


def _other_assistants(messages: Sequence[Message]) -> dict[int | None, str]:
    """The names of those who answered and are not the one that answers next."""
    ids = [message.assistant_id for message in messages if message.assistant_id is not None]
    others = set(ids) - {message.conversation.assistant_id for message in messages}
    named = Assistant.objects.filter(pk__in=others) if others else ()
    return {assistant.pk: assistant.name for assistant in named}


def _is_ready(file: Attachment) -> bool:
    return file.state == Attachment.State.READY


def _ratings(answers: list[Message]) -> dict[UUID, Feedback]:
    """What owners think of those answers that have ended."""
    ended = [answer.pk for answer in answers if not answer.is_running]
    if not ended:
        return {}
    given = Feedback.objects.filter(message_id__in=ended, user_id=F("message__owner_id"))
    return {rating.message_id: rating for rating in given}
