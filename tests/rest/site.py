"""A small API of the tests' own, made of what all resources share."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any, ClassVar

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import include, path
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Scope
from accounts.models import Token, User
from rest.idempotency import PATIENCE_FOR_FILES
from rest.pagination import PAGE_PARAMETERS, CursorPages
from rest.parsers import StrictJSONParser
from rest.problems import Problem, translates
from rest.schema import documented
from rest.serializers import StrictSerializer
from rest.views import LiveView, ResourceView

carried_out: list[Any] = []
gates: dict[str, asyncio.Event] = {}
_numbers = itertools.count(1)


class Stubborn(Exception):
    """Something of an app's own."""


@translates(Stubborn)
def stubborn(raised: Stubborn) -> Problem:
    return Problem(409, "stubborn", str(raised), retry_after=3)


class PartSerializer(StrictSerializer):
    role = serializers.ChoiceField(["user", "assistant"])
    marks = serializers.ListField(child=serializers.IntegerField(), required=False)


class NoteSerializer(StrictSerializer):
    title = serializers.CharField(max_length=20)
    count = serializers.IntegerField(required=False, max_value=100)
    is_kept = serializers.BooleanField(required=False)
    history = PartSerializer(many=True, required=False)
    made_at = serializers.DateTimeField(read_only=True)


class NoteQuery(StrictSerializer):
    newest = serializers.BooleanField(required=False)
    fields = serializers.CharField(required=False)  # type: ignore[assignment]


class NoteView(ResourceView):
    """The first name of the person is the note."""

    @documented(operation_id="get_note", summary="Read", responses={200: NoteSerializer}, parameters=[NoteQuery])
    def get(self, request: Request) -> Response:
        return Response({"title": self.user.first_name, **self.query(NoteQuery)})

    @documented(operation_id="change_note", summary="Change", request=NoteSerializer, responses={200: NoteSerializer})
    def patch(self, request: Request) -> Response:
        title = self.read(NoteSerializer)["title"]
        User.objects.filter(pk=self.user.pk).update(first_name=title)
        self.user.first_name = title
        return Response({"title": title})

    @documented(operation_id="make_note", summary="Make", request=NoteSerializer, responses={201: NoteSerializer})
    def post(self, request: Request) -> Response:
        note = self.read(NoteSerializer)
        match note["title"]:
            case "stubborn":
                raise Stubborn("Not today.")
            case "broken":
                raise ZeroDivisionError
            case "late":
                carried_out.append((self.user.pk, note["title"], self.idempotency_token))
                raise ZeroDivisionError
            case "on record":
                carried_out.append((self.user.pk, note["title"], self.idempotency_token))
                raise Problem(502, "failed", "It is on record, and failed.", is_on_record=True)
        carried_out.append((self.user.pk, note["title"], self.idempotency_token))
        return Response({"number": next(_numbers)}, 201, headers={"Location": "/api/v1/notes/1/"})


class FileView(ResourceView):
    parser_classes = [StrictJSONParser, MultiPartParser]
    answering: ClassVar[frozenset[str]] = frozenset({"POST"})
    patience = PATIENCE_FOR_FILES

    @documented(operation_id="take_file", summary="Take")
    def post(self, request: Request) -> Response:
        carried_out.append([file.read() for file in request.FILES.values()])
        return Response({"number": next(_numbers)})


class AuditedView(ResourceView):
    scopes: ClassVar[dict[str, Scope]] = {"GET": Scope.EVENTS}

    @documented(operation_id="follow", summary="Follow")
    def get(self, request: Request) -> Response:
        return Response({"access": self.access.kind})


class TokensView(ResourceView):
    @documented(operation_id="list_tokens", summary="List", parameters=[*PAGE_PARAMETERS])
    def get(self, request: Request) -> Response:
        pages = CursorPages(request, ordering=("-created_at", "-id"))
        return pages.answer([token.name for token in pages.of(Token.objects.visible_to(self.user))])


class WaitingView(LiveView):
    """Waits at a gate, or streams, or is a plain function."""

    sign_of_life_seconds = 0.05

    @documented(operation_id="read_plainly", summary="Read")
    def get(self, request: Request) -> Response:
        return Response({"name": self.user.username})

    @documented(operation_id="wait", summary="Wait", request=NoteSerializer)
    async def post(self, request: Request) -> HttpResponseBase:
        title = (await self.in_thread(self.read, NoteSerializer))["title"]
        carried_out.append((title, self.idempotency_token))
        if title == "stream":
            return StreamingHttpResponse(_two_pieces(), content_type="text/event-stream")
        if title == "stubborn":
            raise Stubborn("Not today.")
        if gate := gates.get(title):
            await gate.wait()
        people = await self.in_thread(User.objects.count)
        return Response({"number": next(_numbers), "people": people})


async def _two_pieces() -> Any:
    yield b"one "
    yield b"two"


urlpatterns = [
    path("api/v1/note/", NoteView.as_view()),
    path("api/v1/file/", FileView.as_view()),
    path("api/v1/audited/", AuditedView.as_view()),
    path("api/v1/tokens/", TokensView.as_view()),
    path("api/v1/waiting/", WaitingView.as_view()),
    path("v1/waiting", WaitingView.as_view()),
    path("v1/note", NoteView.as_view()),
    path("", include("chatapp.urls")),
]
handler500 = "conversations.views.faults.server_error"
