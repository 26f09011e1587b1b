"""Who somebody is that the company's provider vouches for, and what its groups give them here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from allauth.socialaccount.models import SocialAccount
from allauth.utils import generate_unique_username
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from accounts.models import User
from audit.services import record

logger = logging.getLogger(__name__)

STAFF, SUPERUSER = "@staff", "@superuser"


class NoEntry(Exception):
    """Why somebody whom the provider vouches for is not let in here, in a sentence for them."""


def person_of(subject: str) -> User | None:
    """Return who has this subject at the configured issuer. Another issuer's subjects are other people's."""
    found = SocialAccount.objects.select_related("user").filter(provider=settings.OIDC_ISSUER, uid=subject).first()
    return found.user if found is not None else None


def may_connect(person: User) -> bool:
    """Tell whether there is a company sign-in which this person does not use yet."""
    if not settings.OIDC_ISSUER:
        return False
    return not SocialAccount.objects.filter(user=person, provider=settings.OIDC_ISSUER).exists()


def let_in(*, claims: Mapping[str, Any]) -> SocialAccount:
    """Return the identity of who signs in, made at their first time, with their groups as the claims say.

    People are known by their subject alone. At the first time an account with the same e-mail address is theirs if the
    provider says that it has verified the address, and it is of nobody who has more rights than others: otherwise
    whoever can enter an address at the provider could become an administrator here.

    Raises NoEntry. Two first times at once are told apart by unique constraints, and the second is asked to try again.
    """
    try:
        with transaction.atomic():
            identity = _identity(claims)
            person = User.objects.select_for_update(no_key=True).get(pk=identity.user_id)
            if not person.is_active:
                raise NoEntry("Your account here is deactivated. An administrator can help.")
            keep_groups_in_step(person=person, claims=claims)
            identity.user = person
    except IntegrityError as error:
        raise NoEntry("You were signed in twice at once. Please try again.") from error
    return identity


@transaction.atomic
def connect(*, person: User, claims: Mapping[str, Any]) -> None:
    """Let somebody who is signed in sign in by the company from now on. Doing it again changes nothing.

    Raises NoEntry where the identity is somebody else's, or the person has another one already.
    """
    owner = person_of(str(claims["sub"]))
    if owner is not None and owner.pk != person.pk:
        raise NoEntry("That company account belongs to somebody else's account here.")
    if owner is not None:
        return
    if SocialAccount.objects.filter(user=person, provider=settings.OIDC_ISSUER).exists():
        raise NoEntry("Your account here is connected with another company account already.")
    try:
        with transaction.atomic():
            _link(person, str(claims["sub"]))
    except IntegrityError as error:
        raise NoEntry("That company account was connected by somebody else just now.") from error
    _tell("account.linked", person)


def keep_groups_in_step(*, person: User, claims: Mapping[str, Any]) -> None:
    """Give and take the groups that OIDC_GROUPS names, as the claims say; all others are left as they are.

    A claim that is missing gives nothing. The audit is told by the signals of what is changed.
    """
    if not settings.OIDC_GROUPS:
        return
    values = groups_claimed(claims)
    wanted = {name for value, name in settings.OIDC_GROUPS if value in values}
    mapped = {name for _, name in settings.OIDC_GROUPS}
    _keep_rights(person, wanted, mapped)
    for name in sorted(mapped - {STAFF, SUPERUSER}):
        is_member = person.groups.filter(name=name).exists()
        if name in wanted and not is_member:
            person.groups.add(Group.objects.get_or_create(name=name)[0])
        elif name not in wanted and is_member:
            person.groups.remove(Group.objects.get(name=name))


def groups_claimed(claims: Mapping[str, Any]) -> set[str]:
    """Return the values of the claim that OIDC_GROUPS_CLAIM names; dots lead into objects, as in realm_access.roles."""
    found: Any = claims.get(settings.OIDC_GROUPS_CLAIM)
    if found is None:
        found = claims
        for part in settings.OIDC_GROUPS_CLAIM.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return {found}
    return {value for value in found if isinstance(value, str)} if isinstance(found, list) else set()


def _keep_rights(person: User, wanted: set[str], mapped: set[str]) -> None:
    changed = {}
    if SUPERUSER in mapped:
        changed["is_superuser"] = SUPERUSER in wanted
    if STAFF in mapped or SUPERUSER in mapped:
        changed["is_staff"] = bool({STAFF, SUPERUSER} & wanted) or (STAFF not in mapped and _is_staff_otherwise(person))
    changed = {name: value for name, value in changed.items() if getattr(person, name) != value}
    if changed.get("is_superuser") is False and not _others_administer(person):
        logger.warning("Person %s is the last superuser, and stays so without the group that gives it.", person.pk)
        return
    if changed:
        for name, value in changed.items():
            setattr(person, name, value)
        person.save(update_fields=list(changed))


def _others_administer(person: User) -> bool:
    return User.objects.filter(is_superuser=True, is_active=True).exclude(pk=person.pk).exists()


def _is_staff_otherwise(person: User) -> bool:
    """Where only superusers are mapped, who is staff without being one stays so."""
    return person.is_staff and not person.is_superuser


def _identity(claims: Mapping[str, Any]) -> SocialAccount:
    subject = str(claims["sub"])
    known = SocialAccount.objects.filter(provider=settings.OIDC_ISSUER, uid=subject).first()
    if known is not None:
        return known
    email = _email(claims)
    # Locked before the audit is told of anything: others take these two locks in this order too.
    person = User.objects.select_for_update(no_key=True).filter(email=email).first()
    if person is None:
        return _link(_make(email, claims), subject)
    if not person.is_active:
        raise NoEntry("Your account here is deactivated. An administrator can help.")
    has_rights = person.is_staff or person.is_superuser or bool(person.get_all_permissions())
    is_taken = SocialAccount.objects.filter(user=person, provider=settings.OIDC_ISSUER).exists()
    if claims.get("email_verified") is not True or has_rights or is_taken:
        raise NoEntry(
            "There is an account with your e-mail address already, made in another way. Sign in to it with its "
            "password, and connect it with your company account on the page “Your account”; or ask an administrator."
        )
    identity = _link(person, subject)
    _tell("account.linked", person)
    return identity


def _make(email: str, claims: Mapping[str, Any]) -> User:
    given, family = _told(claims, "given_name"), _told(claims, "family_name")
    if not given and not family:
        given, _, family = _told(claims, "name").partition(" ")
    # Never the name of somebody else, nor one that merely looks like theirs at the first glance: it gets a number.
    username = generate_unique_username([_told(claims, "preferred_username"), email, "person"])
    person = User(username=username, email=email, first_name=given, last_name=family)
    person.set_unusable_password()
    person.save()
    return person


def _link(person: User, subject: str) -> SocialAccount:
    return SocialAccount.objects.create(user=person, provider=settings.OIDC_ISSUER, uid=subject, extra_data={})


def _email(claims: Mapping[str, Any]) -> str:
    email = User.objects.normalize_email(claims["email"] if isinstance(claims.get("email"), str) else "")
    try:
        validate_email(email)
    except ValidationError as error:
        raise NoEntry("Your company's sign-in gave no e-mail address for you, and none can be without.") from error
    if len(email) > (User._meta.get_field("email").max_length or 0):
        raise NoEntry("Your e-mail address is too long.")
    return email


def _told(claims: Mapping[str, Any], name: str) -> str:
    """Return a text of the claims in one line, without what cannot be seen or kept."""
    value = claims.get(name)
    if not isinstance(value, str):
        return ""
    return "".join(character for character in " ".join(value.split()) if character.isprintable())[:150].strip()


def _tell(kind: str, person: User) -> None:
    record(kind=kind, actor=person, object_type="user", object_id=person.pk, subject_id=person.pk)
