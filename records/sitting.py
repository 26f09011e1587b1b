"""Sittings: who looks at what other people wrote says why, once, and that reason stands in every audit event of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, cast
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from audit import services as audit
from audit.models import AuditEvent

if TYPE_CHECKING:
    from django.db.models import Model

    from accounts.models import User

    _ModelAdmin = admin.ModelAdmin[Model]
else:
    _ModelAdmin = object

SESSION_KEY = "sitting"
LASTS_SECONDS = 8 * 3600
RIGHTS = ("conversations.review_conversation", "records.export_record")
"""Whoever has one of these may begin a sitting."""


def reason(request: HttpRequest) -> str | None:
    """Return why this person is looking, or None where they have not said so within the last 8 hours.

    It is kept in the session, so that it ends with a sign-out and is nobody else's.
    """
    sitting = request.session.get(SESSION_KEY)
    if not sitting or sitting["person"] != request.user.pk:
        return None
    return str(sitting["reason"]) if 0 <= time.time() - sitting["began"] < LASTS_SECONDS else None


def ask(request: HttpRequest) -> HttpResponse:
    """Send the person to the page that asks for a reason, and from there to what they wanted to see.

    What was sent with a POST is not kept: from the page of reasons they come back to the page that it was sent from.
    """
    address = f"{reverse('records:sitting')}?{urlencode({'next': _page_of(request)})}"
    return HttpResponseRedirect(address, status=302 if request.method in ("GET", "HEAD") else 303)


def note(
    request: HttpRequest,
    kind: str,
    object_type: str = "",
    object_id: UUID | int | str = "",
    subject_id: int | None = None,
    details: Mapping[str, audit.Detail] | None = None,
) -> AuditEvent:
    """Write that this person read or did something, with the reason of their sitting; in a transaction of its own.

    Call it before anything of what is read leaves the server: where it cannot be written, nothing is shown.
    `subject_id` is the person whose it is; where it is several people's (a search, a list, an export), name them all
    as `details={"owners": owners_of(...)}`. Either way they are told on their own page.

    Raises RuntimeError without a sitting: see `reason` and `ask`.
    """
    why = reason(request)
    if why is None:
        raise RuntimeError(f"{kind} outside a sitting: ask for a reason first.")
    with transaction.atomic():
        return audit.record(
            kind=kind,
            actor=cast("User", request.user),
            object_type=object_type,
            object_id=object_id,
            subject_id=subject_id,
            reason=why,
            details=details,
        )


def owners_of(rows: Iterable[Any]) -> list[audit.Detail]:
    """Return the ids of the owners of some rows, each once, as the details of an audit event name them."""
    return sorted({row.owner_id for row in rows})


def begin(request: HttpRequest, why: str) -> None:
    """Begin a sitting, or another one in its place, and write that down."""
    request.session[SESSION_KEY] = {"person": request.user.pk, "reason": why, "began": int(time.time())}
    note(request, "sitting.began")


def require_reason[**P](
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Let nobody to a page who has not said why. The page itself sees to rights, before or after this."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return ask(request) if reason(request) is None else view(request, *args, **kwargs)

    return guarded


class NeedsReason(_ModelAdmin):
    """Goes before RecordAdmin: lists and pages ask who has the right to them for a reason."""

    lists_text = True
    """Whether the list shows what people wrote; otherwise only pages ask."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if self.lists_text and self._must_ask(request):
            return ask(request)
        return super().changelist_view(request, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # A page to add a row shows nothing of anybody's.
        if object_id is not None and self._must_ask(request):
            return ask(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self._must_ask(request):
            return ask(request)
        return super().history_view(request, object_id, extra_context)

    def _must_ask(self, request: HttpRequest) -> bool:
        # Who may not look at all is told so, and asked nothing.
        return self.has_view_permission(request) and reason(request) is None


def _page_of(request: HttpRequest) -> str:
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    came_from = request.headers.get("Referer", "")
    if is_ours(request, came_from):
        parts = urlsplit(came_from)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path
    return reverse("admin:index")


def is_ours(request: HttpRequest, address: str) -> bool:
    """Tell whether an address is one of this site, so that it is safe to send somebody there."""
    return url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
