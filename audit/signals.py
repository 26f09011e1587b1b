"""What Django's own signals tell: sign-ins and sign-outs, changes of people and rights, changes in the back office.

Rows that are changed by `update()` or by SQL send no signal; services that do so write their own events.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save

from audit import services
from audit.acting import actor
from audit.refusals import count_refused

if TYPE_CHECKING:
    from accounts.models import User

_RIGHTS = ("is_active", "is_staff", "is_superuser")
_KNOWN_BY = ("username", "email", "password", "first_name", "last_name")
_DEEDS = {ADDITION: "added", DELETION: "deleted"}


def connect() -> None:
    """Begin to listen; called once, when all models are there."""
    people = get_user_model()
    user_logged_in.connect(_signed_in)
    user_logged_out.connect(_signed_out)
    user_login_failed.connect(_refused)
    pre_save.connect(_before_person, sender=people)
    post_save.connect(_after_person, sender=people)
    pre_save.connect(_before_group, sender=Group)
    post_save.connect(_after_group, sender=Group)
    for kept in (people, Group):
        post_delete.connect(_deleted, sender=kept)
    for field in (people.groups, people.user_permissions, Group.permissions):
        m2m_changed.connect(_rights_changed, sender=field.through)
    post_save.connect(_changed_in_the_back_office, sender=LogEntry)


def _signed_in(user: User, **_: Any) -> None:
    services.record_soon(kind="account.signed_in", actor=user, object_type="user", object_id=user.pk)


def _signed_out(user: User | None, **_: Any) -> None:
    if user is not None:
        services.record_soon(kind="account.signed_out", actor=user, object_type="user", object_id=user.pk)


def _refused(credentials: dict[str, Any], **_: Any) -> None:
    count_refused(login=credentials.get("email") or credentials.get("username") or "")


def _before_person(instance: User, update_fields: Any, **_: Any) -> None:
    """Read what a change could change; a sign-in, which notes its own time alone, costs nothing more."""
    watched = (*_RIGHTS, *_KNOWN_BY)
    instance.__dict__.pop("_before", None)
    if update_fields is None or not set(watched).isdisjoint(update_fields):
        instance.__dict__["_before"] = type(instance).objects.filter(pk=instance.pk).values(*watched).first()


def _after_person(instance: User, created: bool, raw: bool, **_: Any) -> None:
    before = instance.__dict__.pop("_before", None)
    if created:
        rights = {name: getattr(instance, name) for name in _RIGHTS}
        _tell("account.added", instance, rights)
        return
    if before is None:
        return
    changed = {name: getattr(instance, name) for name in _RIGHTS if before[name] != getattr(instance, name)}
    if changed:
        _tell("rights.changed", instance, changed)
    names = [name for name in _KNOWN_BY if before[name] != getattr(instance, name)]
    # At a sign-in Django hashes a password anew where settings have changed; it is the same password.
    if names == ["password"] and instance.__dict__.get("_password") is None:
        return
    if names:
        _tell("account.changed", instance, {"fields": names})


def _before_group(instance: Group, **_: Any) -> None:
    instance.__dict__["_before"] = Group.objects.filter(pk=instance.pk).values_list("name", flat=True).first()


def _after_group(instance: Group, created: bool, **_: Any) -> None:
    before = instance.__dict__.pop("_before", None)
    if created:
        _tell("group.added", instance)
    elif before != instance.name:
        _tell("group.changed", instance, {"fields": ["name"]})


def _deleted(instance: User | Group, **_: Any) -> None:
    _tell("account.deleted" if isinstance(instance, get_user_model()) else "group.deleted", instance)


def _rights_changed(
    instance: Model, action: str, model: type[Model], pk_set: set[int] | None, reverse: bool, **_: Any
) -> None:
    """Tell of memberships and permissions given or taken, whichever side of them was changed."""
    deed = {"post_add": "added", "post_remove": "removed", "pre_clear": "removed"}.get(action)
    if deed is None:
        return
    if pk_set is None:  # all that there are
        pk_set = _all_of(instance, model)
    if not pk_set:
        return
    if not reverse:
        _tell("rights.changed", instance, _named(model, pk_set, deed))
        return
    for other in model._default_manager.filter(pk__in=pk_set):
        _tell("rights.changed", other, _named(type(instance), {instance.pk}, deed))


def _all_of(instance: Model, model: type[Model]) -> set[int]:
    name = {Permission: "user_permissions", Group: "groups"}.get(model, "user_set")
    if isinstance(instance, Group) and model is Permission:
        name = "permissions"
    if isinstance(instance, Permission) and model is Group:
        name = "group_set"
    return set(getattr(instance, name).values_list("pk", flat=True))


def _named(model: type[Model], pks: set[int], deed: str) -> Mapping[str, services.Detail]:
    """Name permissions by their code, the same in every installation; groups by id, as people name them."""
    if model is not Permission:
        return {f"groups_{deed}": sorted(pks)}
    codes = Permission.objects.filter(pk__in=pks).values_list("content_type__app_label", "codename")
    return {f"permissions_{deed}": sorted(f"{app}.{code}" for app, code in codes)}


def _tell(kind: str, whom: Model, details: Mapping[str, services.Detail] | None = None) -> None:
    is_person = isinstance(whom, get_user_model())
    services.record_soon(
        kind=kind,
        actor=actor(),
        object_type="user" if is_person else "group",
        object_id=whom.pk,
        subject_id=whom.pk if is_person else None,
        details=details,
    )


def _changed_in_the_back_office(instance: LogEntry, created: bool, **_: Any) -> None:
    """Tell of whatever was changed in Django's admin: the names of its fields, and neither values nor its own name."""
    kept = instance.content_type.model_class() if instance.content_type else None
    if not created or kept in (get_user_model(), Group):  # these tell of themselves
        return
    deed = _DEEDS.get(instance.action_flag, "changed")
    told: dict[str, Any] = {
        "kind": f"setting.{deed}",
        "actor": instance.user,
        "object_type": instance.content_type.model if instance.content_type else "",
        "object_id": instance.object_id or "",
        "details": {"fields": _fields_of(instance.change_message)},
    }
    # Django tells of a deletion before it happens, and thus before it waits for whoever uses the row.
    services.record_later(**told) if deed == "deleted" else services.record_soon(**told)


def _fields_of(change_message: str) -> list[str]:
    try:
        changes = json.loads(change_message)
    except ValueError:
        return []
    found: set[str] = set()
    for change in changes if isinstance(changes, list) else []:
        for what in change.values():
            found.update(what.get("fields", ()))
            if "name" in what:  # of a kind of row that is edited on the page of another
                found.add(str(what["name"]))
    return sorted(found)
