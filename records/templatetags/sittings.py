"""The reason of the sitting that goes on, on every page of the back office."""

from typing import Any

from django import template

from records import sitting

register = template.Library()


@register.simple_tag(takes_context=True)
def sitting_reason(context: dict[str, Any]) -> str:
    """Return why this person is reading; empty outside a sitting."""
    request = context.get("request")
    return sitting.reason(request) or "" if request is not None and request.user.is_authenticated else ""
