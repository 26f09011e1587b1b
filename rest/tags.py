"""ETags: a strong one for each answer, made of its bytes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.utils.cache import patch_vary_headers
from rest_framework.permissions import SAFE_METHODS

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.response import Response


def tag_of(response: Response) -> str:
    """Return the ETag of an answer, which is rendered for it."""
    response.render()
    return f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'


def matches(header: str, tag: str) -> bool:
    """Tell whether a list of tags, as If-Match and If-None-Match hold one, has this one, or is `*`."""
    return header.strip() == "*" or tag in (entry.strip() for entry in header.split(","))


def finish(request: Request, response: Response) -> None:
    """Give an answer of success its ETag, and take its body away where the client has it already (304).

    What was read in part (`?fields=`) has none: If-Match speaks of the whole, so with it that could never hold.
    """
    patch_vary_headers(response, ("Accept", "Authorization", "Cookie"))
    is_whole = "fields" not in request.query_params and request.method != "POST"  # which answers what it has done
    if response.status_code != 200 or not is_whole:
        response.render()
        return
    tag = tag_of(response)
    response.headers.setdefault("ETag", tag)
    known = request.headers.get("If-None-Match")
    if known is not None and request.method in SAFE_METHODS and _matches_weakly(known, response["ETag"]):
        response.status_code = 304
        response.content = b""
        del response.headers["Content-Type"]


def _matches_weakly(header: str, tag: str) -> bool:
    return matches(header.replace("W/", ""), tag)
