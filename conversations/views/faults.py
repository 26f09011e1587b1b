"""What a page says when the fault is ours."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

from conversations.outages import AWAY_WITH_JOBS

RETRY_AFTER_SECONDS = "10"


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 while the database is away, and 500 for everything else (Django's handler500).

    Django calls it while the error is being handled. Nothing of the error is shown.
    """
    if isinstance(sys.exc_info()[1], AWAY_WITH_JOBS):
        headers = {"Retry-After": RETRY_AFTER_SECONDS}
        return HttpResponse(render_to_string("503.html"), status=503, headers=headers)
    return defaults.server_error(request)
