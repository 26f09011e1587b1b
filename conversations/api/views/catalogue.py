"""What can be talked to, who asks, and where everything is."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from accounts.access import may_read_all
from conversations.api import examples
from conversations.api.serializers.catalogue import (
    AssistantSerializer,
    IndexSerializer,
    MeSerializer,
    ModelSerializer,
    answering,
    show_assistants,
    show_models,
)
from conversations.api.serializers.lists import AssistantPage, ModelPage
from conversations.api.serializers.queries import OpenPageQuery, SparseQuery
from conversations.api.views.asking import Asking, Shown
from conversations.models import Assistant, LanguageModel, ModelPrice
from conversations.services import standings_of
from rest.schema import documented
from rest.serializers import StrictSerializer

VERSION = "1"
_LISTS = ("me", "assistants", "models", "conversations", "messages", "attachments", "feedback", "usage")


class IndexView(Asking):
    """`/api/v1/`."""

    @documented(
        operation_id="get_index",
        summary="Find the resources",
        responses={200: IndexSerializer},
        examples=[examples.INDEX],
    )
    def get(self, request: Request) -> Response:
        """Answer where everything is."""
        self.asked(StrictSerializer)
        links = {name: reverse(f"api:{name}", request=request) for name in _LISTS}
        return Response(IndexSerializer({"version": VERSION, "links": links}).data)


class MeView(Asking):
    """`me/`."""

    @documented(
        operation_id="get_me",
        summary="Read who you are",
        description="With the scopes of this request, and the limits that hold.",
        responses={200: MeSerializer},
        examples=[examples.ME],
    )
    def get(self, request: Request) -> Response:
        """Answer who asks."""
        self.asked(StrictSerializer)
        user, access = self.user, self.access
        me = {
            "username": user.username,
            "name": user.get_full_name(),
            "email": user.email,
            "access": access.kind,
            "token": access.token_id,
            "scopes": sorted(map(str, access.scopes)),
            "may_read_all": may_read_all(user, access),
            "limits": standings_of(user.pk),
        }
        return Response(MeSerializer(me).data)


class AssistantsView(Asking):
    """`assistants/`."""

    @documented(
        operation_id="list_assistants",
        summary="List assistants",
        description="Those that you may start a conversation with, in the order of the page.",
        parameters=[OpenPageQuery],
        responses={200: AssistantPage},
        examples=[examples.ASSISTANTS],
    )
    def get(self, request: Request) -> Response:
        """Answer a page of assistants."""
        asked = self.asked(OpenPageQuery, AssistantSerializer)
        default = LanguageModel.default()
        rows = Assistant.objects.visible_to(self.user).select_related("model__replacement").defer("instructions")
        return self.page(
            rows,
            ("position", "name", "id"),
            lambda found: show_assistants(found, default, asked.only),
        )


class AssistantView(Asking):
    """`assistants/{slug}/`."""

    @documented(
        operation_id="get_assistant",
        summary="Read an assistant",
        parameters=[SparseQuery],
        responses={200: AssistantSerializer},
        examples=[examples.ASSISTANT],
    )
    def get(self, request: Request, slug: str) -> Response:
        """Answer one assistant."""
        asked = self.asked(SparseQuery, AssistantSerializer)
        rows = Assistant.objects.visible_to(self.user).select_related("model__replacement")
        assistant = rows.filter(slug=slug).first()
        if assistant is None:
            raise Http404
        return Response(show_assistants([assistant], LanguageModel.default(), asked.only)[0])


class Models(Asking):
    """Goes before views of models."""

    def known(self) -> list[LanguageModel]:
        """Return the models that this person may choose, and those that answer for their assistants, by label."""
        self.default = LanguageModel.default()
        offered = list(LanguageModel.objects.offered())
        self.offered = {model.pk for model in offered}
        assistants = Assistant.objects.visible_to(self.user).select_related("model__replacement")
        answer = [answering(assistant, self.default) for assistant in assistants.defer("instructions")]
        models = {model.pk: model for model in [*offered, *filter(None, answer)]}
        return sorted(models.values(), key=lambda model: (model.label, model.pk))

    def shown(self, models: Sequence[LanguageModel], only: list[str] | None) -> Shown:
        """Return models with their prices of today, in one query."""
        prices = ModelPrice.objects.filter(model__in=models, valid_from__lte=timezone.localdate())
        newest = prices.order_by("model_id", "-valid_from").distinct("model_id")
        return show_models(
            models,
            prices={price.model_id: price for price in newest},
            offered=self.offered,
            default=self.default,
            only=only,
        )


class ModelsView(Models):
    """`models/`."""

    @documented(
        operation_id="list_models",
        summary="List models",
        description="Those that may be chosen, and those that answer for your assistants. All on one page.",
        parameters=[SparseQuery],
        responses={200: ModelPage},
        examples=[examples.MODELS],
    )
    def get(self, request: Request) -> Response:
        """Answer all models."""
        asked = self.asked(SparseQuery, ModelSerializer)
        return Response({"results": self.shown(self.known(), asked.only), "next": None, "previous": None})


class ModelView(Models):
    """`models/{name}/`."""

    @documented(
        operation_id="get_model",
        summary="Read a model",
        parameters=[SparseQuery],
        responses={200: ModelSerializer},
        examples=[examples.MODEL],
    )
    def get(self, request: Request, name: str) -> Response:
        """Answer one model."""
        asked = self.asked(SparseQuery, ModelSerializer)
        found = [model for model in self.known() if model.name == name]
        if not found:
            raise Http404
        return Response(self.shown(found, asked.only)[0])
