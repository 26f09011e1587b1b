"""The contract for people and programs: the OpenAPI document, and two ways to read it."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.csp import CSP
from django.views.decorators.cache import never_cache
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from rest.schema.document import document
from rest.views.resource import ResourceView

_OWN: Mapping[str, list[str]] = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],  # both viewers write their styles while they run
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "object-src": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}


class SchemaView(ResourceView):
    """`/api/schema/`: the OpenAPI document, for whoever may use the API."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Answer the document."""
        return Response(document())


@never_cache
@require_safe
@login_required
@csp_override(_OWN)
def swagger(request: HttpRequest) -> HttpResponse:
    """Show the contract as pages on which operations can be tried."""
    return render(request, "rest/swagger.html")


@never_cache
@require_safe
@login_required
@csp_override({**_OWN, "worker-src": ["blob:"]})  # its search runs in a worker that it makes itself
def redoc(request: HttpRequest) -> HttpResponse:
    """Show the contract as one page to read."""
    return render(request, "rest/redoc.html")
