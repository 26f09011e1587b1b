"""People and groups in the back office."""

from typing import TYPE_CHECKING, Any

import allauth.account.admin
import allauth.socialaccount.admin  # noqa: F401  (both register what is taken out below)
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.http import HttpRequest

from accounts.back_office import KeptWhileInUse
from accounts.models import User
from accounts.tokens import revoke_all_tokens

if TYPE_CHECKING:
    _CreationForm = AdminUserCreationForm[User]
    _UserAdmin = UserAdmin[User]
else:
    _CreationForm, _UserAdmin = AdminUserCreationForm, UserAdmin

# A second e-mail address would be a second name to sign in with, beside the person's own row.
admin.site.unregister(EmailAddress)
# Who signs in by which provider is settled by the environment and by signing in, and its secrets are in no table.
for _ours in (SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(_ours)
admin.site.unregister(Group)


class PersonCreationForm(_CreationForm):
    """A new person: username, e-mail address, password."""

    class Meta(AdminUserCreationForm.Meta):
        model = User
        fields = ("username", "email")


@admin.register(User)
class PersonAdmin(KeptWhileInUse, _UserAdmin):
    """People. Who is no superuser may manage ordinary people, but make nobody more than that, themselves included."""

    kept_sentence = "“{}” is part of the record, so the account cannot be deleted. Take “active” away instead."
    add_form = PersonCreationForm
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "email", "usable_password", "password1", "password2")}),
    )
    list_display = ("username", "email", "get_full_name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Rights are given by superusers alone."""
        fields = (*super().get_readonly_fields(request, obj), "last_login", "date_joined")
        if request.user.is_superuser:
            return fields
        return (*fields, "is_staff", "is_superuser", "groups", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff is changed by superusers alone: a password set is an account taken."""
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff is deleted by superusers alone, and nobody who has a conversation: the record names its people."""
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """End the tokens of somebody who is deactivated: who comes back makes new ones."""
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data and not obj.is_active:
            revoke_all_tokens(owner=obj, by=request.user)  # type: ignore[arg-type]

    @staticmethod
    def _may_touch(request: HttpRequest, person: User | None) -> bool:
        return request.user.is_superuser or person is None or not person.is_staff


@admin.register(Group)
class RoleAdmin(GroupAdmin):
    """Groups give rights, so superusers alone make and change them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)
