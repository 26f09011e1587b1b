"""Everybody's tokens in the back office: which there are, when they were last used, and their end."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import Token
from accounts.tokens import revoke_token

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Token]
else:
    _ModelAdmin = admin.ModelAdmin


@admin.register(Token)
class TokenAdmin(_ModelAdmin):
    """Read and revoke. Tokens are made by who they are for, or by `manage.py create_token`."""

    list_display = ("name", "owner", "kind", "scopes_told", "prefix", "last_used_at", "expires_at", "standing")
    list_filter = ("kind",)
    list_select_related = ("owner",)
    search_fields = ("name", "prefix", "owner__username", "owner__email")
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    fields = (
        "name", "owner", "kind", "scopes_told", "prefix", "standing", "created_at", "created_by", "expires_at",
        "revoked_at", "last_used_at",
    )  # fmt: skip
    actions = ("revoke",)

    @admin.display(description="may")
    def scopes_told(self, token: Token) -> str:
        """Return the scopes in a line."""
        return ", ".join(token.scopes)

    @admin.display(description="state")
    def standing(self, token: Token) -> str:
        """Return whether it lets a program in, and otherwise why not."""
        return token.state

    @admin.action(description="Revoke the chosen tokens", permissions=["view"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        """End them at once and for good, each told to the audit."""
        count = sum(revoke_token(token=token, by=request.user) for token in tokens.order_by("pk"))  # type: ignore[arg-type]
        told = "1 token was" if count == 1 else f"{count} tokens were"
        self.message_user(request, f"{told} revoked.", messages.SUCCESS if count else messages.WARNING)

    def has_view_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        """Who has the right to manage tokens: it both shows and revokes."""
        return request.user.has_perm("accounts.manage_tokens")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the app in the index to whoever may see anything of it."""
        return super().has_module_permission(request) or self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: a secret made here would have been seen by two."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: what a token may do is settled when it is made."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: a token that is revoked still tells what it was."""
        return False
