"""Whether a request may use a resource at all; whose rows it reaches is decided by `visible_to`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.access import Access
from rest.problems import Problem

if TYPE_CHECKING:
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """Signed in, with the scope that the view names for this method."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Tell whether somebody is signed in. Raises Problem (403) where the scope is missing."""
        if not request.user or not request.user.is_authenticated:
            return False
        needed = view.scope_of(request.method)  # type: ignore[attr-defined]
        access = request.auth
        if isinstance(access, Access) and needed not in access.scopes:
            raise Problem(
                403,
                "scope_missing",
                f"This needs the scope “{needed}”, which the token does not have.",
                headers={"WWW-Authenticate": f'Bearer realm="api", error="insufficient_scope", scope="{needed}"'},
            )
        return isinstance(access, Access)
