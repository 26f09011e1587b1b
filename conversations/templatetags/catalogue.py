"""What pages of administrators say of the models."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import RequestContext

from conversations.availability import find_concerns

register = template.Library()


@register.inclusion_tag("admin/conversations/_concerns.html", takes_context=True)
def model_concerns(context: RequestContext) -> dict[str, Any]:
    """Show what should be seen to, to those who may look at the models."""
    user = context["request"].user
    return {"concerns": find_concerns() if user.has_perm("conversations.view_languagemodel") else []}
