"""What people see of themselves: who they are here, what is kept of them, and when others read it."""

from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.company.people import may_connect
from accounts.forms import TokenForm
from accounts.models import Token
from conversations.views.access import SignedInRequest, signed_in
from conversations.views.pages import page_frame
from records.readings import readings_of

ENDED_SHOWN = 10


@require_safe
@signed_in
def account(request: SignedInRequest) -> HttpResponse:
    """The account of the person who asks. Raises BadRequest for a page of readings that there cannot be."""
    before = request.GET.get("seen", "")
    if before and not (before.isascii() and before.isdigit() and len(before) < 19):
        raise BadRequest("This is no place in the list of readings.")
    return render(request, "records/account.html", account_page(request, before=int(before) if before else None))


def account_page(
    request: SignedInRequest,
    *,
    before: int | None = None,
    token_form: TokenForm | None = None,
    made: tuple[Token, str] | None = None,
) -> dict[str, Any]:
    """The context of the account page; with a form that was refused, or with the token that was just made."""
    context = page_frame(request) | {
        "groups": list(request.user.groups.order_by("name").values_list("name", flat=True)),
        "readings": readings_of(request.user, before=before),
        "is_first": before is None,
    }
    if before is None:
        own = Token.objects.visible_to(request.user)
        context |= {
            "may_connect": may_connect(request.user),
            "token_form": token_form or TokenForm(owner=request.user),
            "made": made,
            "tokens": list(own.usable()),
            "ended_tokens": list(own.ended()[:ENDED_SHOWN]),
        }
    return context
