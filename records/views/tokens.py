"""The tokens of the person who asks, on their account page: making one, and ending one."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import TokenForm
from accounts.models import Token
from accounts.tokens import revoke_token
from conversations.views.access import SignedInRequest, see_other, signed_in
from records.views.account import account_page

PLACE = "#tokens"


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("made")
@signed_in
def tokens(request: SignedInRequest) -> HttpResponse:
    """Make a token, and show its secret in the answer to this very request: it is kept nowhere to be shown later."""
    if request.method != "POST":
        return redirect(reverse("records:account") + PLACE)
    form = TokenForm(request.POST, owner=request.user)
    made = form.make()
    if made is None:
        return render(request, "records/account.html", account_page(request, token_form=form), status=422)
    return render(request, "records/account.html", account_page(request, made=made))


@require_POST
@signed_in
def token_revoke(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """End a token of one's own; twice is once."""
    token = get_object_or_404(Token.objects.visible_to(request.user), pk=pk)
    revoke_token(token=token, by=request.user)
    return see_other(reverse("records:account") + PLACE)
