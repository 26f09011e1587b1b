"""Making, revoking and knowing again the tokens of programs."""

from __future__ import annotations

import datetime
import hashlib
import re
import secrets
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.access import Access, Scope
from accounts.models import Token, User
from audit.services import record, take_turn

PREFIX = "vbt_"
MOST_TOKENS = 50
_SECRET = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
_SHOWN = len(PREFIX) + 4


@transaction.atomic
def make_token(
    *,
    owner: User,
    name: str,
    scopes: Iterable[Scope | str],
    kind: str = Token.Kind.PERSONAL,
    expires_at: datetime.datetime | None = None,
    created_by: User | None = None,
) -> tuple[Token, str]:
    """Make a token that acts for `owner`, and return it with its secret, which nobody can ever see again.

    `created_by` is None where a command makes it. The owner's row is locked, so that two at once stay below
    MOST_TOKENS, and nobody is deactivated meanwhile.

    Raises ValidationError with the keys "name", "scopes", "expires_at" or "owner" for what cannot be used.
    """
    owner = User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    _check_owner(owner)
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationError({"expires_at": "That is in the past."})
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token.objects.create(
        owner=owner,
        kind=Token.Kind(kind),
        name=_readable(name),
        scopes=_known(scopes),
        prefix=secret[:_SHOWN],
        digest=digest_of(secret),
        created_by=created_by,
        expires_at=expires_at,
    )
    record(
        kind="token.made",
        actor=created_by,
        object_type="token",
        object_id=token.pk,
        subject_id=owner.pk,
        details={
            "kind": str(token.kind),
            "scopes": token.scopes,
            "expires_at": expires_at.isoformat() if expires_at is not None else None,
        },
    )
    return token, secret


@transaction.atomic
def revoke_token(*, token: Token, by: User | None) -> bool:
    """End a token at once and for good; False where that was done before. `by` is None for the system itself.

    The audit's turn comes first: who deactivates somebody has it already when they come to the tokens.
    """
    take_turn()
    if not Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        return False
    token.refresh_from_db(fields=["revoked_at"])
    record(kind="token.revoked", actor=by, object_type="token", object_id=token.pk, subject_id=token.owner_id)
    return True


@transaction.atomic
def revoke_all_tokens(*, owner: User, by: User | None) -> int:
    """End all tokens of somebody, as when they leave: who comes back makes new ones. Return how many there were."""
    take_turn()  # first, as in `revoke_token`
    tokens = Token.objects.filter(owner=owner, revoked_at=None)
    return sum(revoke_token(token=token, by=by) for token in tokens.order_by("pk"))


def digest_of(secret: str) -> str:
    """Return what is kept of a secret. It has 256 random bits, so that a slow hash would protect nothing more."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find_token(secret: str) -> Token | None:
    """Return the token with this secret and its owner, whether it may be used or not; None where there is none."""
    if not _SECRET.fullmatch(secret):
        return None
    return Token.objects.select_related("owner").filter(digest=digest_of(secret)).first()


def note_use(token: Token) -> None:
    """Note the minute in which a token was used; one write a minute, however often it is."""
    minute = timezone.now().replace(second=0, microsecond=0)
    if token.last_used_at is None or token.last_used_at < minute:
        earlier = Q(last_used_at=None) | Q(last_used_at__lt=minute)
        Token.objects.filter(earlier, pk=token.pk).update(last_used_at=minute)


def access_of(token: Token) -> Access:
    """Return what a request with this token may do. A scope that we no longer know opens nothing."""
    known = frozenset(Scope(scope) for scope in token.scopes if scope in set(Scope))
    return Access(kind="token", scopes=known, token_id=token.pk, expires_at=token.expires_at)


def still_holds(*, user_id: int, access: Access) -> bool:
    """Tell whether what a request came with would be let in again: for what goes on after its request was checked.

    Of a session only the person is looked at; whether it has ended is known where sessions are kept.
    """
    if access.token_id is not None:
        return Token.objects.usable().filter(pk=access.token_id, owner_id=user_id).exists()
    if access.expires_at is not None and access.expires_at <= timezone.now():
        return False
    return User.objects.filter(pk=user_id, is_active=True).exists()


def _check_owner(owner: User) -> None:
    if not owner.is_active:
        raise ValidationError({"owner": "This person is deactivated, so no program can act for them."})
    if Token.objects.usable().filter(owner=owner).count() >= MOST_TOKENS:
        raise ValidationError({"owner": f"There are {MOST_TOKENS} tokens already. Revoke some that are not used."})


def _readable(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise ValidationError({"name": "Give it a name by which you will know it again."})
    if not name.isprintable():
        raise ValidationError({"name": "The name holds characters that cannot be seen."})
    if len(name) > (longest := Token._meta.get_field("name").max_length or 0):
        raise ValidationError({"name": f"The name has {len(name)} characters; it can have {longest}."})
    return name


def _known(scopes: Iterable[Scope | str]) -> list[str]:
    asked = set(scopes)
    if wrong := sorted(asked - set(Scope)):
        raise ValidationError({"scopes": f"There is no scope “{wrong[0]}”; there are {', '.join(Scope)}."})
    if not asked:
        raise ValidationError({"scopes": "Choose at least one thing that it may do."})
    return [scope.value for scope in Scope if scope in asked]
