"""What people see of themselves: who they are here, what is kept of them, and when others read it."""

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from conversations.views.access import SignedInRequest, signed_in
from conversations.views.pages import page_frame
from records.readings import readings_of


@require_safe
@signed_in
def account(request: SignedInRequest) -> HttpResponse:
    """The account of the person who asks. Raises BadRequest for a page of readings that there cannot be."""
    before = request.GET.get("seen", "")
    if before and not (before.isascii() and before.isdigit() and len(before) < 19):
        raise BadRequest("This is no place in the list of readings.")
    context = page_frame(request) | {
        "groups": list(request.user.groups.order_by("name").values_list("name", flat=True)),
        "readings": readings_of(request.user, before=int(before) if before else None),
        "is_first": not before,
    }
    return render(request, "records/account.html", context)
