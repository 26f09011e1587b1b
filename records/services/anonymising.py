"""Taking out of an account, and of what stands about it elsewhere, who it was. Its number stays, and so all sums do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet

from accounts.models import Token
from conversations.models import Generation, Trial, UsageLimit
from records.services.bulk_exporting import expire_exports_of

if TYPE_CHECKING:
    from accounts.models import User


def anonymise(*, person: User) -> dict[str, int]:
    """Clear a locked person, in the caller's transaction, and return what was cleared, as counts.

    The row stays, since the record's sums and the deeds of others name it by its number. What the person wrote as a
    reviewer, and what was written down of what they did, stays under that number.
    """
    cleared = {
        "sessions": end_sessions(person.pk),
        "tokens": Token.objects.filter(owner=person).delete()[0],
        "addresses": _delete_of_sign_in(person),
        "log_entries": _clear_log(person),
        "limits": UsageLimit.objects.filter(user=person).delete()[0],
        "trials": _clear_trials(person),
        "exports": len(expire_exports_of(person_id=person.pk)),
        "groups": person.groups.count(),
    }
    name = _free_name(person)
    person.username, person.email = name, f"{name}@erased.invalid"
    person.first_name = person.last_name = ""
    person.is_active = person.is_staff = person.is_superuser = False
    person.last_login = None
    person.set_unusable_password()
    person.save()
    person.groups.clear()
    person.user_permissions.clear()
    return cleared


def end_sessions(person_id: int) -> int:
    """End all sessions of a person; return how many. A session tells whose it is only to who decodes it."""
    keys = [
        session.session_key
        for session in Session.objects.iterator(chunk_size=2000)
        if session.get_decoded().get("_auth_user_id") == str(person_id)
    ]
    return Session.objects.filter(pk__in=keys).delete()[0]


def _free_name(person: User) -> str:
    name = f"erased-{person.pk}"
    taken = get_user_model().objects.exclude(pk=person.pk)
    while taken.filter(Q(username__iexact=name) | Q(email__iexact=f"{name}@erased.invalid")).exists():
        name += "-again"
    return name


def _delete_of_sign_in(person: User) -> int:
    """Delete what allauth keeps of a person: addresses, and whatever else it is set up for by then."""
    count = EmailAddress.objects.filter(user=person).count()
    for model in apps.get_models():
        if model.__module__.startswith("allauth."):
            for field in model._meta.local_fields:
                if field.related_model is get_user_model():
                    model._base_manager.filter(**{field.name: person}).delete()
    return int(count)


def _clear_log(person: User) -> int:
    """Leave of the admin's log of changes to them who changed something when."""
    return _told_in_log(person).update(object_repr=f"erased-{person.pk}", change_message="")


def _told_in_log(person: User) -> QuerySet[LogEntry]:
    people = ContentType.objects.get_for_model(get_user_model())
    limits = ContentType.objects.get_for_model(UsageLimit)
    theirs = [str(pk) for pk in UsageLimit.objects.filter(user=person).values_list("pk", flat=True)]
    return LogEntry.objects.filter(
        Q(content_type=people, object_id=str(person.pk))
        | Q(content_type=limits) & (Q(object_id__in=theirs) | Q(object_repr__endswith=f" for {person}"))
    )


def _clear_trials(person: User) -> int:
    """Empty what they tried out with models; the calls stay, since they cost something."""
    trials = Trial.objects.filter(asked_by=person)
    Generation.objects.filter(trial__in=trials).update(error_detail="")
    return trials.update(prompt="", text="")
