"""What a person used, and how much they may."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from conversations.services import standings_of
from conversations.spending import read_spending
from conversations.views.access import SignedInRequest, signed_in
from conversations.views.pages import page_frame


@require_safe
@signed_in
def usage(request: SignedInRequest) -> HttpResponse:
    """Tokens and cost of the person who asks, by day and month, and the limits that hold for them."""
    context = page_frame(request) | {
        "spending": read_spending(request.user),
        "standings": standings_of(request.user.pk),
        "zone": settings.TIME_ZONE,
    }
    return render(request, "conversations/usage.html", context)
