"""How views say what they take and give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers

type Parameter = OpenApiParameter | type[serializers.Serializer[Any]]


def documented[Handler: Callable[..., Any]](
    *,
    operation_id: str,
    summary: str,
    request: Any = None,
    responses: Any = None,
    examples: Sequence[OpenApiExample] = (),
    parameters: Sequence[Parameter] = (),
    description: str = "",
    tags: Sequence[str] | None = None,
) -> Callable[[Handler], Handler]:
    """Describe a handler in the OpenAPI document, and let its address take these parameters and no others.

    `operation_id` is a stable name such as `send_message`. `request` and `responses` are what drf-spectacular takes;
    None means no body. `parameters` are OpenApiParameters, or serializers whose fields are parameters (`self.query`
    reads them). The problems that any operation may answer are added to all.
    """
    names = frozenset(name for parameter in parameters for name in _names(parameter))

    def decorate(handler: Handler) -> Handler:
        described = extend_schema(
            operation_id=operation_id,
            summary=summary,
            description=description or (handler.__doc__ or "").strip(),
            request=request,
            responses=responses,
            examples=list(examples),
            parameters=list(parameters),
            tags=list(tags) if tags is not None else None,
        )(handler)
        described.query_names = names  # type: ignore[attr-defined]
        return described

    return decorate


def example(name: str, value: Any, *, request: bool = False, status: int | None = None) -> OpenApiExample:
    """Return an example of an answer, or with `request` of a request; `status` where only one of several is like it."""
    codes = [str(status)] if status is not None else ["200", "201", "202"]
    return OpenApiExample(name, value=value, request_only=request, response_only=not request, status_codes=codes)


def page_of(serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """Return the answer of `CursorPages` with such results."""
    name = serializer.__name__.removesuffix("Serializer")
    page: serializers.Serializer[Any] = inline_serializer(
        f"PageOf{name}",
        {
            "results": serializer(many=True),
            "next": serializers.URLField(
                allow_null=True, help_text="Address of the next page; null: this is the last."
            ),
            "previous": serializers.URLField(allow_null=True, help_text="Address of the page before."),
        },
    )
    return page


def _names(parameter: Any) -> Mapping[str, object] | list[str]:
    if isinstance(parameter, OpenApiParameter):
        return [parameter.name] if parameter.location == OpenApiParameter.QUERY else []
    names: Mapping[str, object] = parameter().fields
    return names
