"""The admin site: our name on it, and no way in but the sign-in page."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import PROTECT, Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


def _go_to_index(request: HttpRequest) -> HttpResponse:
    return redirect("admin:index")


class BackOffice(admin.AdminSite):
    """Django's admin without its own password forms: those are not throttled, and sign-in's and ours are."""

    site_header = "Verbatim"
    site_title = "Verbatim"
    index_title = "Back office"
    site_url = "/"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send strangers to the sign-in page and back; 403 for who has signed in and is no staff."""
        sign_in = cast(Callable[[HttpRequest], HttpResponse], secure_admin_login(_go_to_index))
        return sign_in(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Send them to the page on which everybody changes their password."""
        return redirect("account_change_password")


class KeptWhileInUse(_ModelAdmin):
    """Says in a sentence why a row that others point to cannot be deleted.

    Django's own confirmation page would first load every row of the record that points to it, to list them all.
    """

    actions = None  # deleting several at once goes around this
    kept_sentence = "“{}” is part of the record, so it cannot be deleted. Disable it instead."

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask whether to delete the row, or go back to it and say why it stays."""
        row = self.get_object(request, unquote(object_id))
        if row is not None and self.has_delete_permission(request, row) and is_protected(row):
            self.message_user(request, self.kept_sentence.format(row), messages.ERROR)
            return redirect(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", object_id)
        return super().delete_view(request, object_id, extra_context)


def is_protected(row: Model) -> bool:
    """Tell whether any row points to this one in a way that forbids its deletion; one cheap query for each relation."""
    return any(
        relation.related_model._base_manager.filter(**{relation.field.name: row}).exists()
        for relation in row._meta.related_objects
        if relation.on_delete is PROTECT
    )
